//! Whom backends have to be asked about again, and about whom they could not tell.

use super::store::StoreResult;
use crate::{
    domain::identity::{BackendName, Identity, Source},
    id::{GroupId, UserId},
    time::Timestamp,
};

/// A look at somebody's standing at a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackendCheck {
    /// When the backend was last asked.
    pub checked_at: Timestamp,
    /// Since when it could not tell: what is known of the person is as old as that. `None` while
    /// it can.
    pub stale_since: Option<Timestamp>,
}

/// Where somebody's membership comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberSource {
    /// Whose membership it is.
    pub user: UserId,
    /// Who made it.
    pub source: Source,
    /// Since when its backend could not be asked about the person.
    pub stale_since: Option<Timestamp>,
}

/// Whom backends have to be asked about again, and about whom they could not tell.
pub trait CheckRepo {
    /// The last look at somebody's standing.
    fn backend_check(
        &mut self,
        backend: &BackendName,
        user: UserId,
    ) -> StoreResult<Option<BackendCheck>>;

    /// Writes a look down.
    fn put_backend_check(
        &mut self,
        backend: &BackendName,
        user: UserId,
        check: &BackendCheck,
    ) -> StoreResult<()>;

    /// The people of a backend who neither came in by it nor were asked about since `before`.
    fn identities_due(
        &mut self,
        backend: &BackendName,
        before: Timestamp,
        limit: u32,
    ) -> StoreResult<Vec<Identity>>;

    /// The users of others whom a backend last let in, or was last asked about, before `before`.
    fn entitled_due(
        &mut self,
        backend: &BackendName,
        before: Timestamp,
        limit: u32,
    ) -> StoreResult<Vec<UserId>>;

    /// Where the memberships of these users in a group come from. Those that somebody here made
    /// and nobody else are not in it.
    fn member_sources(
        &mut self,
        group: GroupId,
        users: &[UserId],
    ) -> StoreResult<Vec<MemberSource>>;
}
