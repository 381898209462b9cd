//! Where one-time links and the instance's own marks are kept.

use super::store::StoreResult;
use crate::{
    domain::ticket::{Purpose, Subject, Ticket},
    id::UserId,
    secret::TokenDigest,
    time::Timestamp,
};

/// Where one-time links and the instance's own marks are kept.
pub trait TicketRepo {
    /// Adds a link.
    fn insert_ticket(&mut self, ticket: &Ticket) -> StoreResult<()>;

    /// Looks a live link up without using it.
    fn ticket(
        &mut self,
        digest: &TokenDigest,
        purpose: Purpose,
        now: Timestamp,
    ) -> StoreResult<Option<Ticket>>;

    /// Looks a link up though it has expired or, where it is kept, was used.
    fn spent_ticket(
        &mut self,
        digest: &TokenDigest,
        purpose: Purpose,
    ) -> StoreResult<Option<Ticket>>;

    /// Uses a link up, if it is live and for this purpose. Of any number of parallel callers
    /// exactly one gets it.
    fn redeem_ticket(
        &mut self,
        digest: &TokenDigest,
        purpose: Purpose,
        now: Timestamp,
    ) -> StoreResult<Option<Ticket>>;

    /// Removes every link for a purpose. Answers how many.
    fn delete_tickets(&mut self, purpose: Purpose) -> StoreResult<u64>;

    /// Removes every link of a user, or every one for a purpose. Answers how many.
    fn delete_tickets_of(&mut self, user: UserId, purpose: Option<Purpose>) -> StoreResult<u64>;

    /// Removes the links that one takes the place of: all others of its user, or that open what it
    /// opens, for the same purpose. `spares_twins` leaves those that end when it does. Answers how
    /// many.
    fn delete_tickets_beside(&mut self, newest: &Ticket, spares_twins: bool) -> StoreResult<u64>;

    /// Removes every link that opens this. Answers how many.
    fn delete_tickets_about(&mut self, subject: Subject) -> StoreResult<u64>;

    /// Removes the links that expired before this instant. Answers how many.
    fn purge_tickets(&mut self, now: Timestamp) -> StoreResult<u64>;

    /// A mark of this instance (a short text by name), the same for all replicas.
    fn instance_mark(&mut self, name: &str) -> StoreResult<Option<String>>;

    /// Sets a mark unless it is there already. Of any number of parallel callers exactly one is
    /// told `true`.
    fn set_instance_mark(&mut self, name: &str, value: &str) -> StoreResult<bool>;
}
