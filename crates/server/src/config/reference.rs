//! What is known of every key; the loader, the messages and `docs/settings.md` are made from it.

use std::fmt::Write;

use toml::Value;

pub use super::keys::KEYS;
use super::{Settings, kind::Kind, report::printable, server::cores, storage::StorageUrl, suggest};

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Section and name: `session.cookie_age`.
    pub name: &'static str,
    /// Its form and range.
    pub kind: Kind,
    /// What is taken when it is not given.
    pub default: Preset,
    /// What of its value must not be shown.
    pub secrecy: Secrecy,
    /// What it does, in one sentence.
    pub meaning: &'static str,
}

/// What is taken when a key is not given.
#[derive(Clone, Copy, Debug)]
pub enum Preset {
    /// This text.
    Text(&'static str),
    /// This number.
    Number(u32),
    /// This flag.
    Flag(bool),
    /// A list without items.
    Nothing,
    /// As many as the machine has cores.
    Cores,
    /// The host of `site.base_url`.
    OwnHost,
    /// `site.name` in brackets.
    SiteName,
    /// None: what the key is about is not done.
    Unset,
}

/// What of a value must not be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// Nothing: it may be read by all.
    Open,
    /// The password in an address.
    Password,
    /// All of it.
    Whole,
}

impl Key {
    /// The section it stands in.
    pub fn section(&self) -> &'static str {
        self.name.split_once('.').map_or("", |(section, _)| section)
    }

    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        variable(self.name)
    }

    /// Whether its value is kept out of messages.
    pub fn is_secret(&self) -> bool {
        self.secrecy != Secrecy::Open
    }

    /// Whether this value of it is or holds a secret.
    pub(crate) fn hides(&self, value: &str) -> bool {
        match self.secrecy {
            Secrecy::Open => false,
            Secrecy::Password => StorageUrl::has_password(value),
            Secrecy::Whole => true,
        }
    }
}

impl Preset {
    /// The value that is taken, or `None` for none.
    pub(super) fn value(self, settings: &Settings) -> Option<Value> {
        match self {
            Self::Text(text) => Some(Value::String(text.to_owned())),
            Self::Number(number) => Some(Value::Integer(number.into())),
            Self::Flag(flag) => Some(Value::Boolean(flag)),
            Self::Nothing => Some(Value::Array(Vec::new())),
            Self::Cores => i64::try_from(cores()).ok().map(Value::Integer),
            Self::OwnHost => {
                let hosts = &settings.server.allowed_hosts;
                Some(Value::Array(hosts.iter().cloned().map(Value::String).collect()))
            }
            Self::SiteName => Some(Value::String(settings.mail.subject_prefix.clone())),
            Self::Unset => None,
        }
    }

    fn in_words(self) -> String {
        match self {
            Self::Text(text) => format!("`\"{text}\"`"),
            Self::Number(number) => format!("`{number}`"),
            Self::Flag(flag) => format!("`{flag}`"),
            Self::Nothing => "`[]`".to_owned(),
            Self::Cores => "number of cores".to_owned(),
            Self::OwnHost => "host of `site.base_url`".to_owned(),
            Self::SiteName => "`\"[site.name] \"`".to_owned(),
            Self::Unset => "none".to_owned(),
        }
    }
}

/// The key of that name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Whether there is such a section.
pub(super) fn has_section(name: &str) -> bool {
    KEYS.iter().any(|key| key.section() == name)
}

/// The environment variable that sets the key of that name.
pub(super) fn variable(name: &str) -> String {
    format!("VESTIBULE_{}", name.replace('.', "__").to_ascii_uppercase())
}

/// What to say about a name that is no key: it suggests the nearest one.
pub fn unknown(name: &str) -> String {
    let shown = printable(name);
    match suggest::nearest(name, KEYS.iter().map(|key| key.name)) {
        Some(near) => format!("{shown}: unknown key; did you mean {near}?"),
        None => format!("{shown}: unknown key"),
    }
}

/// The body of `docs/settings.md`.
pub fn markdown() -> String {
    let mut page = include_str!("reference.md").to_owned();
    let mut section = "";
    for key in KEYS {
        if key.section() != section {
            section = key.section();
            // To write to a string cannot fail.
            let _ = write!(page, "\n## [{section}]\n\n| key | value | default | meaning |\n");
            page.push_str("|---|---|---|---|\n");
        }
        let (name, kind, preset) = (key.name, key.kind, key.default.in_words());
        let secret = if key.is_secret() { " *Secret.*" } else { "" };
        let _ = writeln!(page, "| `{name}` | {kind} | {preset} | {}{secret} |", key.meaning);
    }
    page
}
