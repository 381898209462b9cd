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

/// Which rows links are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinksOf<'a> {
    /// Which system they came from.
    pub source: &'a str,
    /// Which kind of row: `user`, `group`, `grant`, `membership`.
    pub kind: &'a str,
}

/// That a foreign row became one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportLink {
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
///
/// Where one of many rows is refused, nothing of the transaction can be kept any more: to be able
/// to take the others back alone would double what an import costs.
pub trait ImportRepo {
    /// All links of one kind from one source.
    fn import_links(&mut self, of: LinksOf<'_>) -> StoreResult<Vec<ImportLink>>;

    /// Adds links, or replaces those with the same foreign key; of several with one key the last
    /// counts.
    fn put_import_links(&mut self, of: LinksOf<'_>, links: &[ImportLink]) -> StoreResult<()>;

    /// Adds links that are not there yet; a conflict when one is.
    fn insert_import_links(&mut self, of: LinksOf<'_>, links: &[ImportLink]) -> StoreResult<()>;

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
