//! User accounts.

use super::{email::Email, invalid::FieldError, text, username::Username};
use crate::{id::UserId, time::Timestamp};

/// An account: who someone is here. What the person may do follows from grants and groups.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent marks of an account")]
pub struct User {
    /// The account's id.
    pub id: UserId,
    /// The login name, unique ignoring case.
    pub username: Username,
    /// The mail address, unique ignoring case; not every account has one.
    pub email: Option<Email>,
    /// Whether a person proved to read mail at that address.
    pub email_verified: bool,
    /// Given name; may be empty.
    pub first_name: PersonName,
    /// Family name; may be empty.
    pub last_name: PersonName,
    /// Whether the account may be used at all.
    pub is_active: bool,
    /// Whether the person is staff, for services that ask for that; it opens nothing by itself.
    pub is_staff: bool,
    /// Whether every permission is held without being granted.
    pub is_superuser: bool,
    /// From when on the account may not be used any more.
    pub expires_at: Option<Timestamp>,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When its owner last logged in.
    pub last_login_at: Option<Timestamp>,
    /// When its password was last set here (not: re-hashed or imported).
    pub password_changed_at: Option<Timestamp>,
}

impl User {
    /// Whether the account may be used at this instant.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.is_active && self.expires_at.is_none_or(|end| now < end)
    }
}

/// A given or family name: one line, possibly empty, at most 150 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonName(String);

impl PersonName {
    /// The most characters a name may have.
    pub const MAX_CHARS: usize = 150;

    /// Reads a name; `field` says which one, for the error.
    pub fn parse(field: &'static str, input: &str) -> Result<Self, FieldError> {
        text::line(field, input.trim(), Self::MAX_CHARS).map(Self)
    }

    /// A name read back from storage.
    pub fn from_stored(name: String) -> Self {
        Self(name)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, taken out.
    pub fn into_string(self) -> String {
        self.0
    }
}
