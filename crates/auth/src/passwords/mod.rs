//! Which new passwords are taken: [`PasswordRules`].
//!
//! Length, and what is easily guessed; nothing about kinds of characters (NIST SP 800-63B-4
//! section 3.1.1.2). Lists are compared with the whole password: a phrase that contains a listed
//! word is fine. The estimate of strength is a second opinion and refuses only what falls in
//! under a million guesses, which no unlisted password of the default length does unless it is
//! made of listed pieces; and where a site allows less than fifteen characters, digits alone are
//! refused below that length.

mod blocklist;

use vestibule_core::{
    Secret,
    policy::passwords::{
        DEFAULT_MIN_LENGTH, LEAST_MIN_LENGTH, PasswordPolicy, PasswordProblem, is_trivial,
        length_problem, resembles,
    },
};
use zxcvbn::Score;

pub use self::blocklist::{Blocklist, BlocklistError, Listed, shipped};

/// Digits alone are refused below this length: at fifteen there are enough of them.
const DIGITS_ALONE_FROM: usize = 15;

/// The asked-for length is below what any site may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("password.min_length: must be at least {LEAST_MIN_LENGTH}, not {0}")]
pub struct MinLengthError(usize);

/// The rules for new passwords, with their lists.
#[derive(Debug)]
pub struct PasswordRules {
    min_length: usize,
    site: Option<String>,
    blocklist: Blocklist,
}

impl Default for PasswordRules {
    /// Fifteen characters, our own list.
    fn default() -> Self {
        Self { min_length: DEFAULT_MIN_LENGTH, site: None, blocklist: Blocklist::shipped_only() }
    }
}

impl PasswordRules {
    /// Asks for so many code points.
    ///
    /// # Errors
    /// [`MinLengthError`] below eight.
    pub fn with_min_length(mut self, min_length: usize) -> Result<Self, MinLengthError> {
        if min_length < LEAST_MIN_LENGTH {
            return Err(MinLengthError(min_length));
        }
        self.min_length = min_length;
        Ok(self)
    }

    /// Refuses the site's name as it does the account's names.
    #[must_use]
    pub fn with_site(mut self, name: impl Into<String>) -> Self {
        self.site = Some(name.into());
        self
    }

    /// Takes other lists.
    #[must_use]
    pub fn with_blocklist(mut self, blocklist: Blocklist) -> Self {
        self.blocklist = blocklist;
        self
    }

    /// Whether the password is too near one of the words, or the local part of one.
    fn is_similar(&self, password: &str, context: &[&str]) -> bool {
        let words = context.iter().copied().chain(self.site.as_deref());
        words
            .flat_map(|word| [Some(word), word.split_once('@').map(|(local, _)| local)])
            .flatten()
            .any(|word| resembles(password, word))
    }

    fn listed_problem(&self, password: &str) -> Option<PasswordProblem> {
        if is_trivial(password) {
            let help = "the password is a repetition or a simple sequence; use a few unrelated \
                        words";
            return Some(PasswordProblem::new("common", help));
        }
        Some(match self.blocklist.find(password)? {
            Listed::Common => PasswordProblem::new(
                "common",
                "the password is on the list of those that are tried first; use a few unrelated \
                 words",
            ),
            Listed::Breached => PasswordProblem::new(
                "breached",
                "the password is known from a breach of another site; use one that is used \
                 nowhere else",
            ),
        })
    }

    fn weakness(password: &str, context: &[&str]) -> Option<PasswordProblem> {
        let digits = password.chars().all(char::is_numeric);
        if digits && password.chars().count() < DIGITS_ALONE_FROM {
            let help = "digits alone are guessed too easily at this length; use more of them, or \
                        a few unrelated words";
            return Some(PasswordProblem::new("weak", help));
        }
        (zxcvbn::zxcvbn(password, context).score() < Score::Two).then(|| {
            let help = "the password is guessed too easily; use a few unrelated words";
            PasswordProblem::new("weak", help)
        })
    }
}

impl PasswordPolicy for PasswordRules {
    fn check(&self, password: &Secret, context: &[&str]) -> Vec<PasswordProblem> {
        let Some(text) = password.expose_str() else {
            return vec![PasswordProblem::new("weak", "the password is not text (UTF-8)")];
        };
        let length = length_problem(text, self.min_length);
        // One that is too long is not looked at any further: that would cost the more.
        if let Some(problem) = length.as_ref().filter(|problem| problem.code == "too_long") {
            return vec![problem.clone()];
        }
        let mut problems: Vec<_> = length.into_iter().chain(self.listed_problem(text)).collect();
        if self.is_similar(text, context) {
            let help = "the password is nearly a name or the mail address of the account, or the \
                        site's name; use unrelated words";
            problems.push(PasswordProblem::new("too_similar", help));
        }
        // The estimate says nothing new about a password that has a plainer fault.
        if problems.is_empty() {
            problems.extend(Self::weakness(text, context));
        }
        problems
    }
}
