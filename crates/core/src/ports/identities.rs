//! Where identities from elsewhere are kept, and which memberships come from where.

use super::store::StoreResult;
use crate::{
    domain::identity::{BackendName, Identity, Source, Subject},
    id::{GroupId, UserId},
    time::Timestamp,
};

/// Where identities from elsewhere are kept, and which memberships come from where.
pub trait IdentityRepo {
    /// Whose account this person of a backend has here.
    fn identity(
        &mut self,
        backend: &BackendName,
        subject: &Subject,
    ) -> StoreResult<Option<Identity>>;

    /// All identities of an account, in the order in which they were linked.
    fn identities_of(&mut self, user: UserId) -> StoreResult<Vec<Identity>>;

    /// Links. A conflict when that person has an account here already.
    fn insert_identity(&mut self, identity: &Identity) -> StoreResult<()>;

    /// Writes down that the person came in, and when their groups were told last.
    fn touch_identity(
        &mut self,
        backend: &BackendName,
        subject: &Subject,
        used_at: Timestamp,
        groups_at: Option<Timestamp>,
    ) -> StoreResult<bool>;

    /// Ends a link.
    fn delete_identity(&mut self, backend: &BackendName, subject: &Subject) -> StoreResult<bool>;

    /// The groups that a source has put a user into.
    fn groups_from(&mut self, user: UserId, source: &Source) -> StoreResult<Vec<GroupId>>;

    /// Where a membership comes from. One without any source was made by hand.
    fn membership_sources(&mut self, group: GroupId, user: UserId) -> StoreResult<Vec<Source>>;

    /// Adds a source to a membership that there is. Answers whether it was not there yet.
    fn put_membership_source(
        &mut self,
        group: GroupId,
        user: UserId,
        source: &Source,
    ) -> StoreResult<bool>;

    /// Takes a source away; the membership itself stays. Answers whether there was one.
    fn delete_membership_source(
        &mut self,
        group: GroupId,
        user: UserId,
        source: &Source,
    ) -> StoreResult<bool>;

    /// When a backend last let this user in, as far as it has a say about users of others.
    fn entitled_at(
        &mut self,
        backend: &BackendName,
        user: UserId,
    ) -> StoreResult<Option<Timestamp>>;

    /// Writes down that a backend lets this user in, or (`None`) that it does not.
    fn put_entitled_at(
        &mut self,
        backend: &BackendName,
        user: UserId,
        at: Option<Timestamp>,
    ) -> StoreResult<()>;
}
