//! The command line: rights and sessions, and what scripts rely on. Accounts, groups and databases are
//! in `tests/cli`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "../it/support/process.rs"]
#[expect(dead_code, reason = "these tests use less of it than the others")]
mod process;
#[path = "../it/support/visitor.rs"]
#[expect(dead_code, reason = "these tests use less of it than the others")]
mod visitor;

mod rights;
mod usage;

use std::process::Command;

use serde_json::Value;

use process::{command, run};

/// A hall of its own in a folder of its own.
struct Hall {
    folder: tempfile::TempDir,
    url: String,
}

/// What a command said.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Hall {
    /// With an up to date database.
    fn new() -> Self {
        let hall = Self::empty();
        hall.says(&["migrate"]);
        hall
    }

    /// Without a database.
    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("hall.db").display());
        Self { folder, url }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(&self.url, arguments);
        command.current_dir(self.folder.path());
        command
    }

    fn try_with(&self, arguments: &[&str], input: &str) -> Said {
        let output = run(self.command(arguments), input);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    fn tries(&self, arguments: &[&str]) -> Said {
        self.try_with(arguments, "")
    }

    /// What a command that succeeds says.
    #[track_caller]
    fn says(&self, arguments: &[&str]) -> String {
        let said = self.tries(arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
        said.out
    }

    /// The same as JSON.
    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.says(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Insists that a command fails with this status and a word of why.
    #[track_caller]
    fn fails(&self, arguments: &[&str], code: i32, why: &str) -> Said {
        let said = self.tries(arguments);
        assert_eq!(said.code, Some(code), "{arguments:?}: {said:?}");
        assert!(said.err.contains(why), "{arguments:?}: {said:?}");
        assert!(!said.err.contains("panicked"), "{said:?}");
        said
    }
}
