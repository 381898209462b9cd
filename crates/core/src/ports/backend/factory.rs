//! How a backend comes from its section of the configuration.

use std::{fmt, sync::Arc};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Backend;
use crate::{domain::identity::BackendName, secret::Secret};

/// Makes backends of one kind.
pub trait BackendFactory: Send + Sync {
    /// What the configuration calls it: `kind = "…"`.
    fn kind(&self) -> &'static str;

    /// Makes one, from what stands in its section. Asks nobody and waits for nothing: a service
    /// that is down is no reason not to start.
    fn build(&self, name: BackendName, section: Section) -> Result<Arc<dyn Backend>, SectionError>;
}

/// What an operator wrote about one backend, without the keys that all kinds have.
///
/// ```
/// use serde::Deserialize;
/// use vestibule_core::ports::backend::Section;
///
/// #[derive(Deserialize)]
/// struct Settings {
///     url: String,
///     #[serde(default)]
///     retries: u8,
/// }
///
/// let section = Section::of(serde_json::json!({ "url": "https://office.example" }));
/// assert_eq!(section.read::<Settings>().unwrap().retries, 0);
///
/// let section = Section::of(serde_json::json!({ "url": "https://…", "retires": 3 }));
/// let error = section.read::<Settings>().err().unwrap();
/// assert_eq!(error.to_string(), "retires: unknown key");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Section {
    keys: Map<String, Value>,
    secrets: Vec<(String, Secret)>,
}

impl Section {
    /// Of these keys; anything but an object has none.
    pub fn of(keys: Value) -> Self {
        let keys = match keys {
            Value::Object(keys) => keys,
            _ => Map::new(),
        };
        Self { keys, secrets: Vec::new() }
    }

    /// With a secret that was read from a file of its own.
    #[must_use]
    pub fn with_secret(mut self, key: impl Into<String>, secret: Secret) -> Self {
        self.secrets.push((key.into(), secret));
        self
    }

    /// With what another section has beside it; what stands here goes first.
    #[must_use]
    pub fn over(mut self, other: &Self) -> Self {
        for (key, value) in &other.keys {
            self.keys.entry(key.clone()).or_insert_with(|| value.clone());
        }
        for (key, secret) in &other.secrets {
            let is_given =
                self.keys.contains_key(key) || self.secrets.iter().any(|(name, _)| name == key);
            if !is_given {
                self.secrets.push((key.clone(), secret.clone()));
            }
        }
        self
    }

    /// Takes a secret out: what stands under `key`, or in the file that `key_file` names.
    pub fn take_secret(&mut self, key: &str) -> Result<Option<Secret>, SectionError> {
        if let Some(at) = self.secrets.iter().position(|(name, _)| name == key) {
            return Ok(Some(self.secrets.swap_remove(at).1));
        }
        match self.keys.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(Secret::from(text))),
            Some(_) => Err(SectionError::of_key(key, "expected text")),
        }
    }

    /// Reads the rest. A key that nothing reads is unknown, and is refused.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, SectionError> {
        if let Some((name, _)) = self.secrets.first() {
            return Err(SectionError::of_key(&format!("{name}_file"), "unknown key"));
        }
        let mut unknown = Vec::new();
        let mut track = serde_path_to_error::Track::new();
        let given = Value::Object(self.keys);
        let tracked = serde_path_to_error::Deserializer::new(given, &mut track);
        let mut note =
            |path: serde_ignored::Path<'_>| unknown.push(path.to_string().replace(".?", ""));
        let read = T::deserialize(serde_ignored::Deserializer::new(tracked, &mut note));
        match read {
            Err(error) => Err(refusal(&track.path().to_string(), &error)),
            Ok(_) if !unknown.is_empty() => {
                Err(SectionError::of_key(&unknown.join(", "), "unknown key"))
            }
            Ok(value) => Ok(value),
        }
    }
}

/// What serde says, by the key it is about; what was written may be a secret, and is not told.
fn refusal(path: &str, error: &serde_json::Error) -> SectionError {
    let text = error.to_string();
    let named = |prefix: &str| {
        let rest = text.strip_prefix(prefix)?;
        rest.split('`').next()
    };
    if let Some(key) = named("missing field `") {
        return SectionError::of_key(key, "is missing");
    }
    if let Some(key) = named("unknown field `") {
        return SectionError::of_key(key, "unknown key");
    }
    let expected = text.split(", expected ").nth(1);
    let reason = match expected {
        Some(expected) => format!("expected {expected}"),
        // A type of the backend's own says it in its own words.
        None => text.clone(),
    };
    SectionError::of_key(path, reason)
}

/// Without what was written: there may be secrets in it.
impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secrets = self.secrets.iter().map(|(name, _)| name);
        f.debug_set().entries(self.keys.keys().chain(secrets)).finish()
    }
}

/// Why a backend cannot be made from its section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionError {
    /// Which key, where it is one.
    pub key: Option<String>,
    /// What is wrong with it, without what was written.
    pub reason: String,
}

impl SectionError {
    /// About one key.
    pub fn of_key(key: &str, reason: impl Into<String>) -> Self {
        Self { key: Some(key.to_owned()), reason: reason.into() }
    }

    /// About the section as a whole.
    pub fn of_all(reason: impl Into<String>) -> Self {
        Self { key: None, reason: reason.into() }
    }
}

impl fmt::Display for SectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{key}: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

impl std::error::Error for SectionError {}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::Section;
    use crate::secret::Secret;

    #[derive(Debug, Deserialize)]
    struct Settings {
        #[expect(dead_code, reason = "it only has to be read")]
        url: String,
        #[serde(default)]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        port: u16,
    }

    fn refused(keys: serde_json::Value) -> String {
        Section::of(keys).read::<Settings>().unwrap_err().to_string()
    }

    #[test]
    fn what_does_not_hold_is_named_by_its_key_and_not_quoted() {
        assert_eq!(refused(json!({})), "url: is missing");
        assert_eq!(refused(json!({ "url": "x", "ulr": "y" })), "ulr: unknown key");
        let nested = json!({ "url": "x", "inner": { "port": 1, "prot": 2 } });
        assert_eq!(refused(nested), "inner.prot: unknown key");
        let wrong = refused(json!({ "url": "x", "inner": { "port": "hunter2" } }));
        assert_eq!(wrong, "inner.port: expected u16");
        let wrong = refused(json!({ "url": 5 }));
        assert_eq!(wrong, "url: expected a string");
        let read: Settings =
            Section::of(json!({ "url": "x", "inner": { "port": 7 } })).read().unwrap();
        assert_eq!(read.inner.unwrap().port, 7);
    }

    #[test]
    fn a_secret_is_taken_from_its_key_or_its_file_and_never_shown() {
        let mut section = Section::of(json!({ "url": "x", "password": "hunter2" }));
        assert!(!format!("{section:?}").contains("hunter2"));
        assert_eq!(section.take_secret("password").unwrap(), Some(Secret::new("hunter2")));
        assert_eq!(section.take_secret("password").unwrap(), None);
        section.read::<Settings>().unwrap();
        let mut section =
            Section::of(json!({ "url": "x" })).with_secret("password", Secret::new("hunter3"));
        assert_eq!(section.take_secret("password").unwrap(), Some(Secret::new("hunter3")));
        let section = Section::of(json!({ "url": "x" })).with_secret("pin", Secret::new("1"));
        assert_eq!(section.read::<Settings>().unwrap_err().to_string(), "pin_file: unknown key");
        let mut section = Section::of(json!({ "password": 7 }));
        assert_eq!(
            section.take_secret("password").unwrap_err().to_string(),
            "password: expected text"
        );
    }
}
