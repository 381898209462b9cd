//! `[[backend]]`: the ways to log in.

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde::Deserialize;
use toml::{Table, Value};
use vestibule_core::{
    domain::identity::BackendName,
    policy::chain::{Control, OnUnavailable, Place},
    ports::backend::Section,
};

use super::{
    duration::HumanDuration,
    report::{Origin, Problem},
    secret_files,
};

/// One way to log in, as the operator wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendSettings {
    /// What it is called.
    pub name: BackendName,
    /// What it is an instance of.
    pub kind: String,
    /// What its answers mean.
    pub place: Place,
    /// Whether the login names it tells cannot be chosen by those who have them.
    pub trust_names: bool,
    /// What a visitor reads on its button.
    pub label: Option<String>,
    /// After how long it is asked again about those whom it let in.
    pub refresh: Option<Duration>,
    /// Ends of names that are its own.
    pub realms: Vec<String>,
    /// Whether it makes accounts.
    pub create_users: bool,
    /// Which of its groups is which of ours.
    pub groups: BTreeMap<String, String>,
    /// What its kind alone knows.
    pub section: Section,
}

/// The keys that all kinds have; what is left is the kind's.
#[derive(Deserialize)]
struct Common {
    control: Option<String>,
    on_unavailable: Option<String>,
    label: Option<String>,
    refresh: Option<String>,
    #[serde(default)]
    trust_names: bool,
    #[serde(default)]
    realms: Vec<String>,
    #[serde(default)]
    create_users: bool,
    #[serde(default)]
    groups: BTreeMap<String, String>,
}

const COMMON: [&str; 8] = [
    "control",
    "on_unavailable",
    "label",
    "refresh",
    "trust_names",
    "realms",
    "create_users",
    "groups",
];

/// Reads what stands below `[[backend]]`, and notes what does not hold.
pub(super) fn read(
    tables: &[(Table, Origin)],
    directory: &Path,
    problems: &mut Vec<Problem>,
) -> Vec<BackendSettings> {
    let mut read = Vec::new();
    for (number, (table, origin)) in tables.iter().enumerate() {
        let mut reader = Reader {
            called: format!("backend[{}]", number + 1),
            origin,
            directory,
            problems: Vec::new(),
        };
        let settings = reader.settings(table.clone());
        problems.extend(reader.problems);
        read.extend(settings);
    }
    read
}

struct Reader<'a> {
    /// How messages call it: by its name as soon as that is known.
    called: String,
    origin: &'a Origin,
    directory: &'a Path,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn refuse(&mut self, key: &str, reason: impl Into<String>) {
        let key = format!("{}.{key}", self.called);
        self.problems.push(Problem::of_key(self.origin.clone(), &key, reason));
    }

    fn settings(&mut self, mut table: Table) -> Option<BackendSettings> {
        let name = self.text(&mut table, "name")?;
        let name = match BackendName::parse(&name) {
            Ok(name) => name,
            Err(error) => {
                self.refuse("name", error.message);
                return None;
            }
        };
        self.called = format!("backend.{name}");
        let kind = self.text(&mut table, "kind");
        let common = self.common(&mut table);
        let section = self.section(table);
        let (kind, common) = (kind?, common?);
        let (place, refresh) = (self.place(&common), self.refresh(&common));
        Some(BackendSettings {
            name,
            kind,
            place: place?,
            refresh: refresh?,
            trust_names: common.trust_names,
            label: common.label,
            realms: common.realms,
            create_users: common.create_users,
            groups: common.groups,
            section: section?,
        })
    }

    fn text(&mut self, table: &mut Table, key: &str) -> Option<String> {
        match table.remove(key) {
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                self.refuse(key, "expected text");
                None
            }
            None => {
                self.refuse(key, "is missing");
                None
            }
        }
    }

    fn common(&mut self, table: &mut Table) -> Option<Common> {
        let common: Table =
            COMMON.iter().filter_map(|&key| Some((key.to_owned(), table.remove(key)?))).collect();
        match serde_path_to_error::deserialize::<_, Common>(Value::Table(common)) {
            Ok(common) => Some(common),
            Err(error) => {
                let key = error.path().to_string();
                let text = error.inner().message().to_owned();
                self.refuse(&key, text);
                None
            }
        }
    }

    fn refresh(&mut self, common: &Common) -> Option<Option<Duration>> {
        let Some(text) = &common.refresh else { return Some(None) };
        match text.parse::<HumanDuration>() {
            Ok(every) if every.0 >= Duration::from_mins(1) => Some(Some(every.0)),
            _ => {
                self.refuse("refresh", "expected a time of a minute or more, as 1h");
                None
            }
        }
    }

    fn place(&mut self, common: &Common) -> Option<Place> {
        let control = match common.control.as_deref().map(str::parse::<Control>) {
            None => Some(Control::default()),
            Some(Ok(control)) => Some(control),
            Some(Err(error)) => {
                self.refuse("control", error.to_string());
                None
            }
        };
        let cached = |text: &str| {
            let within = text.strip_prefix("cached:")?.parse::<HumanDuration>().ok()?;
            Some(OnUnavailable::Cached(within.0))
        };
        let on_unavailable = match common.on_unavailable.as_deref() {
            None | Some("fail") => Some(OnUnavailable::Fail),
            Some("skip") => Some(OnUnavailable::Skip),
            Some(text) => cached(text),
        };
        if on_unavailable.is_none() {
            self.refuse("on_unavailable", "expected fail, skip or cached:8h");
        }
        Some(Place { control: control?, on_unavailable: on_unavailable? })
    }

    /// What is left, with the secrets that lie in files of their own.
    fn section(&mut self, table: Table) -> Option<Section> {
        let (mut keys, mut secrets) = (serde_json::Map::new(), Vec::new());
        for (key, value) in table {
            match (key.strip_suffix("_file"), &value) {
                (Some(of), Value::String(file)) if is_secret(of) => {
                    let path = self.directory.join(file);
                    match secret_files::read(&path) {
                        Ok(secret) => secrets.push((of.to_owned(), secret)),
                        Err(bad) => self.refuse(&key, secret_files::says(&path, &bad)),
                    }
                }
                _ => match serde_json::to_value(&value) {
                    Ok(value) => {
                        keys.insert(key, value);
                    }
                    Err(_) => self.refuse(&key, "cannot be read"),
                },
            }
        }
        for (name, _) in &secrets {
            if keys.contains_key(name) {
                self.refuse(
                    &format!("{name}_file"),
                    format!("cannot be given together with {name}"),
                );
            }
        }
        let section = Section::of(serde_json::Value::Object(keys));
        self.problems.is_empty().then(|| {
            secrets
                .into_iter()
                .fold(section, |section, (key, secret)| section.with_secret(key, secret))
        })
    }
}

/// Whether a key of this name holds a secret, and may be given as a file (`…_file`) instead. Told
/// by the name alone: the kinds of backends are not all ours.
fn is_secret(key: &str) -> bool {
    ["password", "secret", "token", "key"].iter().any(|end| key.ends_with(end))
}

/// The keys of a backend that hold a secret in the place itself, as messages call them.
pub(super) fn exposed(table: &Table) -> Vec<String> {
    let name = table.get("name").and_then(Value::as_str).unwrap_or_default();
    let secrets = table.iter().filter(|(key, value)| is_secret(key) && value.is_str());
    secrets.map(|(key, _)| format!("backend.{name}.{key}")).collect()
}
