//! Accounts that wait for their owner, or for an administrator.

use super::{email::Email, invalid::FieldError, text, user::PersonName, username::Username};
use crate::{id::RegistrationId, ports::hasher::PasswordHash, time::Timestamp};

/// What somebody registered, before anybody showed that the address is theirs or, where an
/// administrator is asked, before one said yes. It is no account: nobody can log in to it, nothing
/// can be linked to it, and it keeps neither its name nor its address from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Its id; ordered by time.
    pub id: RegistrationId,
    /// The login name.
    pub username: Username,
    /// The mail address, to which the link goes.
    pub email: Email,
    /// Given name; may be empty.
    pub first_name: PersonName,
    /// Family name; may be empty.
    pub last_name: PersonName,
    /// The password, as it will be stored.
    pub password: PasswordHash,
    /// When it was registered.
    pub created_at: Timestamp,
    /// From when on it is forgotten.
    pub expires_at: Timestamp,
    /// When its link was used; from then on it waits for an administrator.
    pub confirmed_at: Option<Timestamp>,
    /// To which version of the site's policy its owner agreed when they registered.
    pub policy: Option<String>,
}

/// Why an administrator refuses one: a line of at most 500 characters, which may be empty.
pub fn parse_reason(input: &str) -> Result<String, FieldError> {
    text::line("reason", input.trim(), 500)
}

/// That somebody agreed to the site's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// To which version.
    pub version: String,
    /// When.
    pub at: Timestamp,
}
