//! Where announcements are kept, and whom each still has to be posted to.

use super::store::StoreResult;
use crate::{
    domain::{
        announcement::{Announcement, Words},
        notice::Lane,
        page::{Page, PageRequest},
    },
    id::{AnnouncementId, GroupId, UserId},
    time::Timestamp,
};

/// Some of those who have accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum People {
    /// All of them.
    All,
    /// The superusers.
    Superusers,
    /// The direct members of these groups, as far as their memberships have not expired.
    MembersOf(Vec<GroupId>),
    /// These, as far as they exist.
    These(Vec<UserId>),
}

/// Somebody who has an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// The account.
    pub id: UserId,
    /// Whether it has a mail address.
    pub has_address: bool,
}

/// Some of those whom an announcement still has to be posted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Of which announcement.
    pub announcement: AnnouncementId,
    /// Which batch it is.
    pub number: u32,
    /// Whom it is for.
    pub people: Vec<UserId>,
}

/// Where announcements are kept.
pub trait AnnouncementRepo {
    /// Those who have accounts, each once, in no particular order; only those whose accounts can
    /// be used, where `only_live` says so.
    fn people(
        &mut self,
        which: &People,
        now: Timestamp,
        only_live: bool,
    ) -> StoreResult<Vec<Person>>;

    /// Adds an announcement, with those whom it has to be posted to in batches. Of its progress
    /// only `without_address` is stored: the rest follows.
    fn insert_announcement(
        &mut self,
        announcement: &Announcement,
        batches: &[Vec<UserId>],
    ) -> StoreResult<()>;

    /// One announcement, with how far it has got.
    fn announcement(&mut self, id: AnnouncementId) -> StoreResult<Option<Announcement>>;

    /// What an announcement says; `None` once it was taken back.
    fn announcement_words(&mut self, id: AnnouncementId) -> StoreResult<Option<Words>>;

    /// A page of announcements, newest first.
    fn announcement_page(&mut self, request: &PageRequest<()>) -> StoreResult<Page<Announcement>>;

    /// The first batch of the oldest announcement that still has one.
    fn next_announcement_batch(&mut self) -> StoreResult<Option<Batch>>;

    /// Takes a batch on, for good: what is posted to its people in the same transaction is posted
    /// once. `None` when it was not there to be taken any more, or the announcement was taken
    /// back; else whether it is also for those whose accounts cannot be used.
    fn take_announcement_batch(&mut self, batch: &Batch) -> StoreResult<Option<bool>>;

    /// Counts people of a batch to whom it was not posted after all.
    fn count_unreached(
        &mut self,
        id: AnnouncementId,
        without_address: u64,
        left_out: u64,
    ) -> StoreResult<()>;

    /// Takes back what still waits of an announcement, but for what is being sent at the moment.
    /// Answers whether it had not been taken back before.
    fn cancel_announcement(&mut self, id: AnnouncementId, now: Timestamp) -> StoreResult<bool>;

    /// How many mails of a lane wait for their first attempt or are being sent: those that were
    /// refused for now are not counted.
    fn notices_waiting(&mut self, lane: Lane) -> StoreResult<u64>;
}
