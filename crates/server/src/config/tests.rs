//! The configuration as a whole: sources, refusals, secrets, the reference, the command.

mod bad;
mod bad_rows;
mod command;
mod editor;
mod fuzz;
mod page;
mod secrets;
mod sources;

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{ConfigError, Loaded, Sources, load};

/// A working directory with files of its own.
struct Site {
    directory: TempDir,
    sources: Sources,
}

impl Site {
    /// Without any file.
    fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sources =
            Sources { directory: directory.path().to_owned(), ..Sources::new(None, Vec::new()) };
        Self { directory, sources }
    }

    /// With this `vestibule.toml`.
    fn with(text: impl AsRef<[u8]>) -> Self {
        let site = Self::empty();
        site.write("vestibule.toml", text, 0o600);
        site
    }

    fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.sources.environment.push((name.into(), value.into()));
        self
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path("vestibule.toml")).unwrap()
    }

    /// The names of everything in the directory, sorted.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn load(&self) -> Result<Loaded, ConfigError> {
        load(&self.sources)
    }

    /// The one problem there is, as `key: reason` with the directory taken out.
    fn only_problem(&self) -> String {
        let error = self.load().unwrap_err();
        assert_eq!(error.problems.len(), 1, "{error}");
        plain(&error.to_string(), self.directory.path())
    }
}

/// The message with the random name of the test's directory left out.
fn plain(message: &str, directory: &Path) -> String {
    message.replace(&format!("{}/", directory.display()), "")
}

/// 48 bytes that could be a pepper.
const PEPPER: &str = "q9fK2vXz7LmT4bRw8YcN1hJd6GsE3pUa5oViBtMkCxZyQrWe";
