//! Where invitations are kept.

use super::store::StoreResult;
use crate::{
    domain::{
        invitation::Invitation,
        page::{Page, PageRequest},
    },
    id::{InvitationId, UserId},
    time::Timestamp,
};

/// Where invitations are kept. They go with the account of whoever made them, and lose the groups
/// that are removed.
pub trait InvitationRepo {
    /// Adds one with its groups; any number may be made to one address.
    fn insert_invitation(&mut self, invitation: &Invitation) -> StoreResult<()>;

    /// One that has not expired.
    fn invitation(&mut self, id: InvitationId, now: Timestamp) -> StoreResult<Option<Invitation>>;

    /// All to this address that have not expired, the newest first.
    fn invitations_to(&mut self, email_key: &str, now: Timestamp) -> StoreResult<Vec<Invitation>>;

    /// A page of those that have not expired, or of those of one person, the oldest first.
    fn invitation_page(
        &mut self,
        invited_by: Option<UserId>,
        now: Timestamp,
        request: &PageRequest<()>,
    ) -> StoreResult<Page<Invitation>>;

    /// Removes one. Of any number of parallel callers exactly one is told `true`.
    fn delete_invitation(&mut self, id: InvitationId) -> StoreResult<bool>;

    /// Removes those that expired before this instant. Answers how many.
    fn purge_invitations(&mut self, now: Timestamp) -> StoreResult<u64>;
}
