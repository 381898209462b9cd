//! What a new password must hold.

use std::collections::BTreeMap;

use crate::secret::Secret;

/// One thing that is wrong with a new password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordProblem {
    /// A stable word for programs: `too_short`, `too_long`, `common`, `too_similar`, `weak`.
    pub code: &'static str,
    /// Numbers that belong to it, by name: `min_length`.
    pub params: BTreeMap<&'static str, u64>,
    /// What is wrong and what would help, for people. Never the password itself.
    pub help: String,
}

impl PasswordProblem {
    /// A problem without numbers.
    pub fn new(code: &'static str, help: impl Into<String>) -> Self {
        Self {
            code,
            params: BTreeMap::new(),
            help: help.into(),
        }
    }

    /// The same problem with a number.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: u64) -> Self {
        self.params.insert(name, value);
        self
    }
}

/// Judges new passwords. There are no composition rules and no expiry (NIST SP 800-63B-4).
pub trait PasswordPolicy: Send + Sync {
    /// Everything that is wrong with the password; nothing when it may be used. `context` holds
    /// words that people guess first: the account's names, its mail address, the site's name.
    fn check(&self, password: &Secret, context: &[&str]) -> Vec<PasswordProblem>;
}

/// All problems in one sentence.
pub fn summary(problems: &[PasswordProblem]) -> String {
    problems
        .iter()
        .map(|problem| problem.help.as_str())
        .collect::<Vec<_>>()
        .join("; ")
}
