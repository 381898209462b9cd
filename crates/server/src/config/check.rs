//! What a section's validation works with: the values given, and a place for what it finds.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::{Table, Value};
use vestibule_core::Secret;

use super::{
    given::Given,
    report::{BadValue, Origin, Problem},
    secret_files,
};

/// The validation of one configuration.
///
/// What is found is collected, so that the operator sees all of it at once; a configuration with
/// any problem does not hold, whatever its sections could be made into.
pub(super) struct Check<'a> {
    given: &'a Given,
    directory: &'a Path,
    problems: Vec<Problem>,
}

impl<'a> Check<'a> {
    /// Files with relative names are looked for in `directory`.
    pub(super) fn new(given: &'a Given, directory: &'a Path) -> Self {
        Self { given, directory, problems: Vec::new() }
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// What was given for a section, as its raw struct; `None` after a problem was noted.
    pub(super) fn section<R: DeserializeOwned>(&mut self, section: &str) -> Option<R> {
        let table: Table = self
            .given
            .iter()
            .filter_map(|(key, given)| {
                let (of, name) = key.split_once('.')?;
                (of == section).then(|| (name.to_owned(), given.value.clone()))
            })
            .collect();
        let read = serde_path_to_error::deserialize(Value::Table(table));
        // The table of keys has looked at every value by now, so this does not come about; its
        // own message is left out because it may quote a secret.
        read.map_err(|error| {
            self.refuse(&format!("{section}.{}", error.path()), "does not fit its section");
        })
        .ok()
    }

    /// Whether the key was given at all.
    pub(super) fn given(&self, key: &str) -> bool {
        self.given.get(key).is_some()
    }

    /// Notes a problem with a key where it was given.
    pub(super) fn refuse(&mut self, key: &str, reason: impl Into<String>) {
        let origin = self.given.origin(key);
        self.problems.push(Problem::of_key(origin, key, reason));
    }

    /// A secret that may be given in place or as a file (`…_file`), not both; `None` when there
    /// is none, or after a problem was noted.
    pub(super) fn secret<T>(
        &mut self,
        key: &str,
        inline: Option<T>,
        file: Option<PathBuf>,
        read: impl FnOnce(&Secret) -> Result<T, BadValue>,
    ) -> Option<T> {
        let Some(file) = file else { return inline };
        let file_key = format!("{key}_file");
        if inline.is_some() {
            let place = match self.given.origin(key) {
                place @ Origin::File(_) if place == self.given.origin(&file_key) => String::new(),
                place => format!(" ({place})"),
            };
            self.refuse(&file_key, format!("cannot be given together with {key}{place}"));
            return None;
        }
        let path = self.directory.join(file);
        match secret_files::read(&path) {
            Ok(secret) => match read(&secret) {
                Ok(value) => return Some(value),
                Err(bad) => self.refuse(&file_key, secret_files::says(&path, &bad)),
            },
            Err(bad) => self.refuse(&file_key, secret_files::says(&path, &bad)),
        }
        None
    }

    /// The path of a folder that must be there; `None` after a problem was noted.
    pub(super) fn folder(&mut self, key: &str, path: &Path) -> Option<PathBuf> {
        let path = self.directory.join(path);
        if path.is_dir() {
            return Some(path);
        }
        self.refuse(key, secret_files::says(&path, &BadValue::new("is not a folder")));
        None
    }

    /// The path of something that need not be there yet.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }

    /// What a file holds, at most so many bytes; `None` after a problem was noted.
    pub(super) fn contents(&mut self, key: &str, path: &Path, most: u64) -> Option<Vec<u8>> {
        let path = self.readable(key, path)?;
        match std::fs::read(&path) {
            Ok(bytes) if bytes.len() as u64 <= most => Some(bytes),
            Ok(_) => {
                let bad = BadValue::new(format!("is larger than {most} bytes"));
                self.refuse(key, secret_files::says(&path, &bad));
                None
            }
            Err(error) => {
                let reason = format!("cannot be read: {}", secret_files::cause(&error));
                self.refuse(key, secret_files::says(&path, &BadValue::new(reason)));
                None
            }
        }
    }

    /// The path of a file that must be there and readable; `None` after a problem was noted.
    pub(super) fn readable(&mut self, key: &str, path: &Path) -> Option<PathBuf> {
        let path = self.directory.join(path);
        match secret_files::open(&path) {
            Ok(_) => Some(path),
            Err(bad) => {
                self.refuse(key, secret_files::says(&path, &bad));
                None
            }
        }
    }
}
