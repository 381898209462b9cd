//! Telling many people something by mail.
//!
//! Whom an announcement is for is settled when it is sent, in one transaction, however many they
//! are: it writes down their ids in batches and nothing else. The mails are posted batch by batch
//! by whichever server process comes to it ([`Announcements::spread`]), each batch in a transaction
//! that also removes it, so that each person gets one mail whatever breaks in between. No more than
//! a few hundred wait in the outbox at a time, beside those that a mail server has put off.

mod audience;

use std::time::Duration;

use serde_json::json;

use self::audience::people_of;
use super::{
    authority::Authority,
    error::{AdminError, AdminResult},
    invitations::own_change,
    post::{Post, Postbox},
    record::{Target, record},
};
use crate::{
    cx::OpCx,
    domain::{
        announcement::{Announcement, Audience, Progress, Words},
        notice::{Lane, Notice},
        page::{Page, PageRequest},
        rights,
    },
    id::{AnnouncementId, UserId},
    ports::{
        announcements::{Batch, Person},
        store::{Store, StoreError, Tx},
    },
};

/// How many mails are posted in one transaction.
const BATCH: usize = 100;
/// Nothing more is posted while so many of the outbox wait to be told to many for the first time:
/// what is taken back need not be looked for among thousands. Those that were refused for now hold
/// up nobody else.
const ENOUGH_WAITING: u64 = 200;
/// For how long the same announcement is taken for a slip of whoever sends it.
const SLIP: Duration = Duration::from_mins(10);
/// Among how many of the last ones it is looked for.
const RECENT: u32 = 20;

/// What is to be told, and to whom.
#[derive(Clone, Debug)]
pub struct NewAnnouncement {
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// Whom it is for.
    pub audience: Audience,
    /// Whether it is also for those whose accounts cannot be used.
    pub include_inactive: bool,
}

/// What sending would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// How many people it is for.
    pub people: u64,
    /// How many of them have no address.
    pub without_address: u64,
    /// What the others would get.
    pub notice: Notice,
}

/// Tells many people something.
#[derive(Clone)]
pub struct Announcements {
    store: Store,
    postbox: Postbox,
}

impl Announcements {
    /// Over the store.
    pub fn new(store: Store, postbox: Postbox) -> Self {
        Self { store, postbox }
    }

    /// What sending would come to; nothing is sent.
    pub async fn preview(&self, cx: &OpCx, new: NewAnnouncement) -> AdminResult<Preview> {
        let words = Words::parse(&new.subject, &new.text)?;
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                authority.require(rights::SEND_ANNOUNCEMENT)?;
                let people = people_of(tx, &authority.catalogue, &new, cx.now())?;
                let Words { subject, text } = words.clone();
                Ok(Preview {
                    people: number(people.len()),
                    without_address: number(without_address(&people)),
                    notice: Notice::Message { subject, text, link: None },
                })
            })
            .await
    }

    /// Sends it, to all whom it is for at this moment and nobody who comes later.
    pub async fn send(&self, cx: &OpCx, new: NewAnnouncement) -> AdminResult<Announcement> {
        let words = Words::parse(&new.subject, &new.text)?;
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                let now = cx.now();
                // One after the other, so that of a button pressed twice the second press is seen.
                tx.announce(own_change(&cx), now)?;
                let authority = Authority::load(tx, &cx)?;
                let right = authority.require(rights::SEND_ANNOUNCEMENT)?;
                authority.require_fresh()?;
                let people = people_of(tx, &authority.catalogue, &new, now)?;
                let without_address = without_address(&people);
                let reached: Vec<UserId> =
                    people.iter().filter(|person| person.has_address).map(|p| p.id).collect();
                if reached.is_empty() {
                    let message = "there is nobody among them who has a mail address";
                    return Err(AdminError::field("to", "nobody", message));
                }
                let announcement = Announcement {
                    id: AnnouncementId::generate(now, cx.entropy()),
                    words: words.clone(),
                    audience: new.audience.clone(),
                    include_inactive: new.include_inactive,
                    author_id: cx.actor.user_id(),
                    author: cx.actor.name().to_owned(),
                    created_at: now,
                    cancelled_at: None,
                    progress: Progress {
                        waiting: number(reached.len()),
                        without_address: number(without_address),
                        ..Progress::default()
                    },
                };
                require_no_slip(tx, &announcement)?;
                let batches: Vec<Vec<UserId>> = reached.chunks(BATCH).map(<[_]>::to_vec).collect();
                tx.insert_announcement(&announcement, &batches)?;
                let details = json!({
                    "to": announcement.audience,
                    "include_inactive": announcement.include_inactive,
                    "people": people.len(),
                    "without_address": without_address,
                });
                record(tx, &cx, "announcement.sent", target(&announcement), right, details)?;
                Ok(announcement)
            })
            .await
    }

    /// A page of announcements, newest first.
    pub async fn list(
        &self,
        cx: &OpCx,
        request: PageRequest<()>,
    ) -> AdminResult<Page<Announcement>> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                Authority::load(tx, &cx)?.require(rights::SEND_ANNOUNCEMENT)?;
                Ok(tx.announcement_page(&request)?)
            })
            .await
    }

    /// One announcement, with how far it has got.
    pub async fn get(&self, cx: &OpCx, id: AnnouncementId) -> AdminResult<Announcement> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                Authority::load(tx, &cx)?.require(rights::SEND_ANNOUNCEMENT)?;
                tx.announcement(id)?.ok_or(AdminError::NotFound("announcement"))
            })
            .await
    }

    /// Takes back what still waits of it.
    pub async fn cancel(&self, cx: &OpCx, id: AnnouncementId) -> AdminResult<Announcement> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                let right = Authority::load(tx, &cx)?.require(rights::SEND_ANNOUNCEMENT)?;
                let before = tx.announcement(id)?.ok_or(AdminError::NotFound("announcement"))?;
                if before.cancelled_at.is_none() && before.progress.waiting == 0 {
                    let message = "it has gone out to everybody already";
                    return Err(AdminError::conflict("not_waiting", message));
                }
                if !tx.cancel_announcement(id, cx.now())? {
                    return Ok(before);
                }
                let after = tx.announcement(id)?.ok_or(AdminError::NotFound("announcement"))?;
                let details = json!({ "waited": before.progress.waiting });
                record(tx, &cx, "announcement.cancelled", target(&after), right, details)?;
                Ok(after)
            })
            .await
    }

    /// Posts the next few mails of what was announced, if there are any and the outbox has room.
    /// Answers whether it is worth calling again at once. May be called by any number of server
    /// processes at any time.
    pub async fn spread(&self, cx: &OpCx) -> Result<bool, StoreError> {
        let next = self
            .store
            .read::<_, StoreError>(|tx| match tx.next_announcement_batch()? {
                Some(batch) if tx.notices_waiting(Lane::Bulk)? < ENOUGH_WAITING => Ok(Some(batch)),
                _ => Ok(None),
            })
            .await?;
        let Some(batch) = next else { return Ok(false) };
        let (cx, postbox) = (cx.clone(), self.postbox.clone());
        self.store.write(move |tx| post(tx, &cx, &postbox, &batch)).await?;
        Ok(true)
    }
}

/// Posts to the people of a batch, unless somebody else has or it was taken back.
fn post(tx: &mut dyn Tx, cx: &OpCx, postbox: &Postbox, batch: &Batch) -> Result<(), StoreError> {
    let Some(include_inactive) = tx.take_announcement_batch(batch)? else {
        return Ok(());
    };
    let id = batch.announcement;
    let mut users = tx.users_by_ids(&batch.people)?;
    users.sort_unstable_by_key(|user| user.id);
    let (mut posted, mut without_address) = (0, 0);
    for user in users {
        if !include_inactive && !user.is_live(cx.now()) {
            continue;
        }
        let Some(email) = user.email else {
            without_address += 1;
            continue;
        };
        let notice = Notice::Announcement { announcement: id };
        postbox.post(tx, cx, Post::to(email, notice).about(user.id).of(id))?;
        posted += 1;
    }
    let left_out = number(batch.people.len()) - posted - without_address;
    if without_address + left_out > 0 {
        tx.count_unreached(id, without_address, left_out)?;
    }
    Ok(())
}

/// Refuses what the same person has sent to the same people a moment ago: a button that was
/// pressed twice, a program that did not hear the answer.
fn require_no_slip(tx: &mut dyn Tx, new: &Announcement) -> AdminResult<()> {
    let request = PageRequest { size: RECENT, ..PageRequest::default() };
    let recent = tx.announcement_page(&request)?.items;
    let is_same = |old: &Announcement| {
        old.author_id == new.author_id
            && old.words == new.words
            && old.audience == new.audience
            && old.cancelled_at.is_none()
            && new.created_at.since(old.created_at) < SLIP
    };
    match recent.iter().find(|old| is_same(old)) {
        None => Ok(()),
        Some(old) => {
            let message = format!("it was sent already, less than ten minutes ago: {}", old.id);
            Err(AdminError::conflict("just_sent", message))
        }
    }
}

fn target(announcement: &Announcement) -> Target {
    Target::new("announcement", announcement.id, &announcement.words.subject)
}

fn without_address(people: &[Person]) -> usize {
    people.iter().filter(|person| !person.has_address).count()
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
