//! What was given, by key: the last source that names a key wins, and all are looked at.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{
    kind::shown,
    reference::{self, Key},
    report::{Origin, Problem},
    suggest,
};

/// Beyond so many problems no more suggestions are looked for; nobody reads them.
const MOST_SUGGESTIONS: usize = 100;

/// One value and where it was given.
#[derive(Clone)]
pub(super) struct GivenValue {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// The values given so far, and what was wrong with those that are not among them.
///
/// It has no `Debug`, for it holds the secrets as they were written.
#[derive(Default)]
pub(super) struct Given {
    values: BTreeMap<&'static str, GivenValue>,
    /// What stands below each `[[backend]]`.
    pub(super) backends: Vec<(Table, Origin)>,
    problems: Vec<Problem>,
}

impl Given {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &GivenValue)> {
        self.values.iter().map(|(key, given)| (*key, given))
    }

    pub(super) fn get(&self, key: &str) -> Option<&GivenValue> {
        self.values.get(key)
    }

    pub(super) fn origin(&self, key: &str) -> Origin {
        self.get(key).map_or(Origin::BuiltIn, |given| given.origin.clone())
    }

    pub(super) fn take_problems(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.problems)
    }

    /// Notes a problem.
    pub(super) fn refuse(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Takes in a whole document.
    pub(super) fn offer_document(&mut self, document: Table, origin: &Origin) {
        for (name, value) in document {
            match value {
                Value::Array(backends) if name == "backend" => {
                    for backend in backends {
                        self.offer_backend(backend, origin);
                    }
                }
                value if name == "backend" => {
                    let reason = format!("expected sections [[backend]], got {}", shown(&value));
                    self.refuse(Problem::of_key(origin.clone(), &name, reason));
                }
                Value::Table(section) if reference::has_section(&name) => {
                    for (key, value) in section {
                        self.offer(&format!("{name}.{key}"), value, origin);
                    }
                }
                value if reference::has_section(&name) => {
                    let reason = format!("expected a section [{name}], got {}", shown(&value));
                    self.refuse(Problem::of_key(origin.clone(), &name, reason));
                }
                Value::Table(section) if !section.is_empty() => {
                    for key in section.keys() {
                        self.unknown(&format!("{name}.{key}"), origin);
                    }
                }
                Value::Table(_) => {
                    let reason = "unknown section".to_owned();
                    self.refuse(Problem::of_key(origin.clone(), &name, reason));
                }
                _ => self.unknown(&name, origin),
            }
        }
    }

    fn offer_backend(&mut self, backend: Value, origin: &Origin) {
        if let Value::Table(keys) = backend {
            return self.backends.push((keys, origin.clone()));
        }
        // What it is may be a secret that slipped, and is not told.
        let reason = "expected sections [[backend]]";
        self.refuse(Problem::of_key(origin.clone(), "backend", reason));
    }

    /// Takes in one value, unless there is no such key or it cannot be its value.
    pub(super) fn offer(&mut self, name: &str, value: Value, origin: &Origin) {
        match reference::find(name) {
            Some(key) => match refusal(key, &value) {
                None => self.keep(key, value, origin),
                Some(reason) => self.refuse(Problem::of_key(origin.clone(), name, reason)),
            },
            None => self.unknown(name, origin),
        }
    }

    /// Takes in one value that was written as text, as in the environment.
    pub(super) fn offer_text(&mut self, name: &str, text: &str, origin: &Origin) {
        let Some(key) = reference::find(name) else {
            return self.unknown(name, origin);
        };
        match key.kind.read(text) {
            Ok(value) => self.offer(name, value, origin),
            Err(bad) => {
                let reason = quoting(key, &bad.to_string(), &Value::String(text.to_owned()));
                self.refuse(Problem::of_key(origin.clone(), name, reason));
            }
        }
    }

    fn keep(&mut self, key: &'static Key, value: Value, origin: &Origin) {
        self.values.insert(key.name, GivenValue { value, origin: origin.clone() });
    }

    /// Notes that there is no such key, and which one may have been meant.
    pub(super) fn unknown(&mut self, name: &str, origin: &Origin) {
        let near = (self.problems.len() < MOST_SUGGESTIONS)
            .then(|| suggest::nearest(name, reference::KEYS.iter().map(|key| key.name)))
            .flatten();
        let reason = match (near, origin) {
            (Some(near), Origin::Environment(_)) => {
                format!("unknown key; did you mean {}?", reference::variable(near))
            }
            (Some(near), _) => format!("unknown key; did you mean {near}?"),
            (None, _) => "unknown key".to_owned(),
        };
        self.refuse(Problem::of_key(origin.clone(), name, reason));
    }
}

/// Why the value cannot be the key's, if it cannot.
fn refusal(key: &Key, value: &Value) -> Option<String> {
    let bad = key.kind.check(value).err()?;
    Some(quoting(key, &bad.to_string(), value))
}

/// A reason with the value it is about, unless that is a secret.
fn quoting(key: &Key, reason: &str, value: &Value) -> String {
    if key.is_secret() { reason.to_owned() } else { format!("{reason}, got {}", shown(value)) }
}
