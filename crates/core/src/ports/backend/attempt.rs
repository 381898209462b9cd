//! What a visitor brings to the door.

use crate::secret::Secret;

/// What a visitor brought.
#[derive(Debug)]
#[non_exhaustive]
pub enum Attempt {
    /// A name and a password typed into a form or sent by a program.
    Password {
        /// Login name or mail address, as typed.
        username: String,
        /// The password, as typed.
        password: Secret,
    },
}

/// The kinds of [`Attempt`], by which a backend says what it can judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CredentialKind {
    /// [`Attempt::Password`]
    Password,
}

impl Attempt {
    /// Its kind.
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::Password { .. } => CredentialKind::Password,
        }
    }
}
