//! Who somebody is elsewhere, and which account here that belongs to.

use std::{fmt, str::FromStr};

use super::invalid::FieldError;
use crate::{id::UserId, time::Timestamp};

/// The name that the operator gave a way to log in: `local`, `unix`, `user-office`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackendName(String);

impl BackendName {
    /// The most characters a name has.
    pub const MAX: usize = 40;

    /// Reads a name: a small letter, then small letters, digits, `-` and `_`. It stands in URLs,
    /// in the database and in the audit log.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let wrong = |message: &str| Err(FieldError::new("name", "invalid", message));
        if text.len() > Self::MAX {
            return wrong("is longer than 40 characters");
        }
        let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        if !text.starts_with(|c: char| c.is_ascii_lowercase()) || !text.chars().all(is_inner) {
            return wrong("is a small letter, followed by small letters, digits, `-` and `_`");
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BackendName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BackendName {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        Self::parse(text)
    }
}

/// By what a backend knows a person for good: it stays when they are renamed. Compared byte by
/// byte (`OpenID` Connect Core 1.0 section 2: `sub` is case-sensitive and at most 255 long).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(String);

impl Subject {
    /// The most bytes a subject has.
    pub const MAX: usize = 255;

    /// Takes a subject as it is: nothing is trimmed or folded, so that two people never become
    /// one. Empty ones, longer ones and control characters are refused.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let wrong = |message: &str| Err(FieldError::new("subject", "invalid", message));
        if text.is_empty() {
            return wrong("is empty");
        }
        if text.len() > Self::MAX {
            return wrong("is longer than 255 bytes");
        }
        if text.chars().any(char::is_control) {
            return wrong("contains control characters");
        }
        Ok(Self(text.to_owned()))
    }

    /// The subject as the backend wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Subject {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        Self::parse(text)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a membership comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Somebody here made it.
    ByHand,
    /// A backend told of it, and takes it away again when it tells of it no more.
    Backend(BackendName),
}

impl Source {
    /// As it is stored; no backend has an empty name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::ByHand => "",
            Self::Backend(name) => name.as_str(),
        }
    }
}

impl FromStr for Source {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        if text.is_empty() { Ok(Self::ByHand) } else { text.parse().map(Self::Backend) }
    }
}

/// A person as one backend knows them, bound to an account here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Which backend.
    pub backend: BackendName,
    /// Who they are there.
    pub subject: Subject,
    /// Whose account here that is.
    pub user: UserId,
    /// Since when.
    pub linked_at: Timestamp,
    /// When they last came in by it.
    pub used_at: Timestamp,
    /// When the backend last told which groups they are in; `None` where it never did.
    pub groups_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::{BackendName, Subject};

    #[test]
    fn a_name_is_what_can_stand_in_a_url() {
        for good in ["local", "unix", "user-office", "uo_2", "a"] {
            assert_eq!(BackendName::parse(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(41);
        for bad in ["", "Local", "2nd", "a b", "a/b", "ä", "a.b", "-a", "_", &long] {
            assert!(BackendName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn atk_a106_subjects_are_kept_apart_to_the_byte() {
        let subject = |text: &str| Subject::parse(text).unwrap();
        for (one, other) in [("ann", "Ann"), ("ann", "ann "), ("1", "1.0"), ("e\u{301}", "é")] {
            assert_ne!(subject(one), subject(other));
        }
    }

    #[test]
    fn atk_a106_what_cannot_be_a_subject_is_refused() {
        let long = "é".repeat(128);
        for bad in ["", "a\0b", "a\nb", "\u{7f}", "\u{85}", &long] {
            assert!(Subject::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Subject::parse(&"a".repeat(255)).is_ok());
    }
}
