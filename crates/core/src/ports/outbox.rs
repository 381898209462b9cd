//! Where notices wait for the mail server.

use super::store::StoreResult;
use crate::{
    domain::{
        notice::{Lane, NoticeState, StoredNotice},
        page::{Page, PageRequest},
    },
    id::{LeaseId, NoticeId, UserId},
    time::Timestamp,
};

/// Which notices a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoticeFilter {
    /// Only those in this state.
    pub state: Option<NoticeState>,
    /// Only those of this kind.
    pub kind: Option<String>,
    /// Only those to the address with this key.
    pub recipient: Option<String>,
}

/// What somebody who has time to send takes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The present instant.
    pub now: Timestamp,
    /// Who takes them.
    pub lease: LeaseId,
    /// Until when nobody else does.
    pub until: Timestamp,
    /// How many at most.
    pub limit: u32,
    /// Of this lane alone.
    pub lane: Option<Lane>,
    /// This one and no other, due or not.
    pub only: Option<NoticeId>,
}

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// A mail server has taken it; the text is its answer.
    Sent(String),
    /// To be tried again from that instant on.
    Retry(Timestamp, String),
    /// It was not tried after all: due again at that instant, as if nothing had been.
    Back(Timestamp, String),
    /// Given up.
    Dead(String),
    /// Not worth sending any more.
    Expired(String),
}

/// How many notices there are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoticeCounts {
    /// Still to be sent.
    pub waiting: u64,
    /// Taken by a mail server.
    pub sent: u64,
    /// Given up.
    pub dead: u64,
    /// Their link died first.
    pub expired: u64,
}

/// Where notices wait for the mail server.
pub trait OutboxRepo {
    /// Adds a notice behind all others to the same recipient. Whoever observes the store is told
    /// of [`Change::Mail`](crate::domain::change::Change::Mail) once it is committed.
    fn insert_notice(&mut self, notice: &StoredNotice) -> StoreResult<()>;

    /// When the first of those that wait in a lane is due.
    fn next_notice_due(&mut self, lane: Lane) -> StoreResult<Option<Timestamp>>;

    /// Takes on notices that are due, the personal ones first, those that are due longest first.
    /// Of those to one recipient in one lane only the oldest that waits; one that expires does not
    /// wait for one that was refused for now, nor for what waits behind that. Each has one attempt
    /// more. Of any number of parallel callers one gets each.
    fn claim_notices(&mut self, claim: &Claim) -> StoreResult<Vec<StoredNotice>>;

    /// Writes down what came of an attempt. That it was sent is true whoever has it now; all else
    /// counts for the holder of the lease alone. Answers whether it was written down.
    fn settle_notice(
        &mut self,
        id: NoticeId,
        lease: LeaseId,
        now: Timestamp,
        settlement: &Settlement,
    ) -> StoreResult<bool>;

    /// Ends the waiting of those that are not worth sending any more, but for those that somebody
    /// sends at the moment. Answers how many.
    fn expire_notices(&mut self, now: Timestamp) -> StoreResult<u64>;

    /// The same of those of some kinds that are about an account, whatever their time: their
    /// links were taken back. One that somebody sends at the moment ends if it is refused for now.
    fn expire_notices_about(
        &mut self,
        user: UserId,
        kinds: &[&str],
        now: Timestamp,
    ) -> StoreResult<u64>;

    /// The same of those that say what this one says, to the same recipient, and were refused for
    /// now: this one takes their place.
    fn replace_notices(&mut self, by: &StoredNotice) -> StoreResult<u64>;

    /// One notice.
    fn notice_by_id(&mut self, id: NoticeId) -> StoreResult<Option<StoredNotice>>;

    /// A page of notices, newest first.
    fn notice_page(
        &mut self,
        filter: &NoticeFilter,
        request: &PageRequest<()>,
    ) -> StoreResult<Page<StoredNotice>>;

    /// Has a notice that is dead or waits be tried now, as if for the first time. Answers whether
    /// there was such a one that nobody sends at the moment.
    fn retry_notice(&mut self, id: NoticeId, now: Timestamp) -> StoreResult<bool>;

    /// The same of all that are dead. Answers how many.
    fn retry_dead_notices(&mut self, now: Timestamp) -> StoreResult<u64>;

    /// Removes a notice, unless somebody sends it at the moment.
    fn delete_notice(&mut self, id: NoticeId, now: Timestamp) -> StoreResult<bool>;

    /// Removes at most `limit` of those that were settled before an instant; of one state, if one
    /// is named. Those that wait are never among them. Answers how many.
    fn purge_notices(
        &mut self,
        state: Option<NoticeState>,
        before: Timestamp,
        limit: u32,
    ) -> StoreResult<u64>;

    /// How many there are in each state.
    fn notice_counts(&mut self) -> StoreResult<NoticeCounts>;
}
