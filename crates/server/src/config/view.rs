//! The settings in force, as `config get` shows them: secrets masked, each with its origin.

use toml::Value;

use super::{
    document::literal,
    load::Loaded,
    reference::{KEYS, Key, Secrecy},
    report::{MASK, Origin},
    storage,
};

/// One key with the value in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The key.
    pub key: &'static str,
    /// The value, a secret as `********`; `None` when it is unset.
    pub value: Option<Value>,
    /// Where it was given.
    pub origin: Origin,
}

impl Setting {
    /// The value as it is written in TOML, or `None` when it is unset.
    pub fn toml(&self) -> Option<String> {
        let text = literal(self.value.as_ref()?)?.to_string();
        Some(text.trim().to_owned())
    }

    /// The value alone, as a script wants it: text without quotes, nothing when it is unset.
    pub fn bare(&self) -> String {
        match &self.value {
            Some(Value::String(text)) => text.clone(),
            _ => self.toml().unwrap_or_default(),
        }
    }
}

impl Loaded {
    /// Every key with the value in force, in the order of the reference, secrets masked.
    pub fn view(&self) -> Vec<Setting> {
        KEYS.iter().map(|key| self.setting(key)).collect()
    }

    fn setting(&self, key: &'static Key) -> Setting {
        let file_key = format!("{}_file", key.name);
        if key.is_secret() && self.given.get(&file_key).is_some() {
            let value = Some(Value::String(MASK.to_owned()));
            return Setting { key: key.name, value, origin: self.origin(&file_key) };
        }
        Setting {
            key: key.name,
            value: self.effective(key).map(|value| masked(key, value)),
            origin: self.origin(key.name),
        }
    }
}

fn masked(key: &Key, value: Value) -> Value {
    match (key.secrecy, value) {
        (Secrecy::Open, value) => value,
        (Secrecy::Password, Value::String(url)) => Value::String(storage::masked(&url)),
        _ => Value::String(MASK.to_owned()),
    }
}
