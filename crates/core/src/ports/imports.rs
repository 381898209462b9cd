//! What was brought over from elsewhere, so that an import can be run again.

use super::store::StoreResult;
use crate::{
    domain::{
        grant::Grant,
        group::{Group, Membership},
        user::User,
    },
    id::UserId,
    ports::hasher::PasswordHash,
};

/// That a foreign row became one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportLink {
    /// Which system it came from.
    pub source: String,
    /// Which kind of row: `user`, `group`, `grant`, `membership`.
    pub kind: String,
    /// Its key there.
    pub foreign_key: String,
    /// Our id, as 16 bytes.
    pub local_id: [u8; 16],
    /// A digest of the foreign row as it was last taken over.
    pub fingerprint: [u8; 32],
}

/// By what an account is found, and which it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenKeys {
    /// The key of its login name.
    pub username: String,
    /// The key of its mail address, if it has one.
    pub email: Option<String>,
    /// The account.
    pub user: UserId,
}

/// What was brought over from elsewhere, and how many rows are written at once.
pub trait ImportRepo {
    /// All links of one kind from one source.
    fn import_links(&mut self, source: &str, kind: &str) -> StoreResult<Vec<ImportLink>>;

    /// Adds links, or replaces those with the same source, kind and foreign key.
    fn put_import_links(&mut self, links: &[ImportLink]) -> StoreResult<()>;

    /// Adds links that are not there yet; a conflict when one is.
    fn insert_import_links(&mut self, links: &[ImportLink]) -> StoreResult<()>;

    /// Adds many accounts with as few statements as the database allows.
    fn insert_users(&mut self, users: &[(User, PasswordHash)]) -> StoreResult<()>;

    /// Adds many groups.
    fn insert_groups(&mut self, groups: &[Group]) -> StoreResult<()>;

    /// Adds many memberships.
    fn insert_memberships(&mut self, memberships: &[Membership]) -> StoreResult<()>;

    /// Adds many grants.
    fn insert_grants(&mut self, grants: &[Grant]) -> StoreResult<()>;

    /// By what all accounts are found: what an import of many is checked against at once.
    fn taken_keys(&mut self) -> StoreResult<Vec<TakenKeys>>;
}
