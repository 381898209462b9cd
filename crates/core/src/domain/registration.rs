//! Accounts that wait for their owner.

use super::{email::Email, user::PersonName, username::Username};
use crate::{id::RegistrationId, ports::hasher::PasswordHash, time::Timestamp};

/// What somebody registered, before anybody showed that the address is theirs. It is no account:
/// nobody can log in to it, nothing can be linked to it, and it keeps neither its name nor its
/// address from others.
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
}
