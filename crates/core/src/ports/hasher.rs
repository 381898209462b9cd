//! The port through which passwords are hashed and verified.

use async_trait::async_trait;

use crate::{secret::Secret, time::Timestamp};

/// A password hash as it is stored: scheme, cost, salt and digest in one line of text.
///
/// Never printed whole: the debug form shows the scheme alone.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes the stored text as it is.
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The mark of an account that has no password (Django's convention: a leading `!`).
    pub fn unusable() -> Self {
        Self("!".to_owned())
    }

    /// Whether it is a hash at all, which some password could match.
    pub fn is_usable(&self) -> bool {
        let text = self.0.trim();
        !text.is_empty() && !text.starts_with(['!', '*'])
    }

    /// The text to store.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = self.0.trim_start_matches('$').split('$').next().unwrap_or_default();
        let shown = if self.0.contains('$') { scheme } else { "" };
        write!(f, "PasswordHash({shown}…)")
    }
}

/// What a comparison of a password with a stored hash found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Whether the password is the one.
    pub matches: bool,
    /// Whether the stored hash falls short of the current scheme, cost or pepper and should be
    /// replaced while the password is at hand. Only meaningful when it matches.
    pub outdated: bool,
    /// When an answer about a password that did **not** match may leave the house, so that
    /// all such answers take the same time whatever was (not) stored.
    pub not_before: Timestamp,
}

/// Why no answer about a password can be given. None of these is a wrong password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// The queue of the hashing pool is full; worth trying again after this many seconds.
    #[error("too many logins at once")]
    Busy {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// The password has more bytes than any scheme is given (4096).
    #[error("the password is longer than {max} bytes")]
    TooLong {
        /// The most bytes that are taken.
        max: usize,
    },
    /// The hasher itself failed: a bug, or memory is short.
    #[error("password hashing failed: {0}")]
    Failed(&'static str),
}

/// Hashes and verifies passwords on threads of its own, bounded in number and queue.
///
/// Implementations normalise to NFC before hashing (NIST SP 800-63B-4); a stored hash is tried
/// with the password as typed and, when that differs, in its NFC form.
/// Dropping the future does not free the place: the work that was begun is finished.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Hashes with the current scheme and a fresh salt.
    async fn hash(&self, password: &Secret) -> Result<PasswordHash, HashError>;

    /// Compares with a stored hash. `None` (unknown account), an unusable, empty or unreadable
    /// hash, and one of a scheme nobody knows all cost as much as a real comparison and never
    /// match.
    async fn verify(
        &self,
        password: &Secret,
        stored: Option<&PasswordHash>,
    ) -> Result<Verification, HashError>;
}
