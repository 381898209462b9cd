//! Handing what waits in the outbox to somebody who sends it, and writing down what came of it.

use std::time::Duration;

use serde_json::json;

use super::{
    post::Postbox,
    record::{Target, record},
    throttle::CountKey,
};
use crate::{
    cx::OpCx,
    domain::{
        announcement::{TAKEN_BACK, Words},
        email::Email,
        notice::{Lane, Notice, StoredNotice},
        ticket::{Purpose, Subject, Ticket},
    },
    id::{LeaseId, NoticeId},
    ports::{
        outbox::{Claim, NoticeCounts, Settlement},
        store::{Store, StoreError, StoreResult, Tx},
    },
    secret::{Secret, TokenDigest},
    time::Timestamp,
};

/// For how long whoever takes a notice on has it to themselves. Longer than any attempt lasts; a
/// notice whose sender was killed is tried again after it.
pub const LEASE: Duration = Duration::from_mins(3);
/// Whoever began it so often and never said what came of it did not survive it.
const MOST_ATTEMPTS: u32 = 30;
/// How often a notice that this release cannot read is left for a newer one.
const UNREADABLE_ATTEMPTS: u32 = 5;
const UNREADABLE_PAUSE: Duration = Duration::from_mins(5);
/// Administrators are told of mails that were given up once within so long.
const TELL_AGAIN: Duration = Duration::from_hours(1);

/// A notice with all it takes to send it.
pub struct Parcel {
    /// Which it is.
    pub id: NoticeId,
    /// By what right it is sent.
    pub lease: LeaseId,
    /// Until when.
    pub until: Timestamp,
    /// To whom.
    pub recipient: Email,
    /// The same at every attempt; without angle brackets.
    pub message_id: String,
    /// In which language.
    pub language: String,
    /// When it was posted.
    pub posted_at: Timestamp,
    /// How often it was begun, this attempt included.
    pub attempts: u32,
    /// What it says.
    pub notice: Notice,
    /// What its link opens with, made for this attempt. Nowhere else in the world is it kept.
    pub token: Option<Secret>,
    /// When the link dies.
    pub expires_at: Option<Timestamp>,
}

/// Between the outbox and whoever sends.
#[derive(Clone)]
pub struct Delivery {
    store: Store,
    postbox: Postbox,
}

impl Delivery {
    /// Over the store; `postbox` is for telling administrators.
    pub fn new(store: Store, postbox: Postbox) -> Self {
        Self { store, postbox }
    }

    /// When the first of those that wait in a lane is due.
    pub async fn next_due(&self, lane: Lane) -> Result<Option<Timestamp>, StoreError> {
        self.store.read(move |tx| tx.next_notice_due(lane)).await
    }

    /// How many there are in each state.
    pub async fn counts(&self) -> Result<NoticeCounts, StoreError> {
        self.store.read(|tx| tx.notice_counts()).await
    }

    /// Takes on what is due in a lane, in the order in which it is to be sent. Ends the waiting
    /// of what is not worth sending any more first.
    pub async fn take(&self, cx: &OpCx, lane: Lane, limit: u32) -> Result<Vec<Parcel>, StoreError> {
        self.claim(cx, limit, Some(lane), None).await
    }

    /// Takes on one notice, due or not; `None` when somebody else has it or it waits no more.
    pub async fn take_one(&self, cx: &OpCx, id: NoticeId) -> Result<Option<Parcel>, StoreError> {
        Ok(self.claim(cx, 1, None, Some(id)).await?.pop())
    }

    async fn claim(
        &self,
        cx: &OpCx,
        limit: u32,
        lane: Option<Lane>,
        only: Option<NoticeId>,
    ) -> Result<Vec<Parcel>, StoreError> {
        let (this, cx) = (self.clone(), cx.clone());
        self.store
            .write(move |tx| {
                let now = cx.now();
                tx.expire_notices(now)?;
                let lease = LeaseId::generate(now, cx.entropy());
                let until = now.plus(LEASE);
                let claimed = tx.claim_notices(&Claim { now, lease, until, limit, lane, only })?;
                let mut parcels = Vec::with_capacity(claimed.len());
                for stored in claimed {
                    parcels.extend(this.parcel(tx, &cx, stored, lease, until)?);
                }
                Ok(parcels)
            })
            .await
    }

    /// The notice made ready; `None` when there is nothing to send, which is then written down.
    fn parcel(
        &self,
        tx: &mut dyn Tx,
        cx: &OpCx,
        stored: StoredNotice,
        lease: LeaseId,
        until: Timestamp,
    ) -> StoreResult<Option<Parcel>> {
        let (id, now) = (stored.id, cx.now());
        if stored.attempts > MOST_ATTEMPTS {
            let reason = format!("was begun {MOST_ATTEMPTS} times and never settled");
            self.give_up(tx, cx, &stored, lease, reason)?;
            return Ok(None);
        }
        let Some(notice) = stored.notice() else {
            let reason = "this release cannot read it".to_owned();
            if stored.attempts >= UNREADABLE_ATTEMPTS {
                self.give_up(tx, cx, &stored, lease, reason)?;
            } else {
                let later = Settlement::Retry(now.plus(UNREADABLE_PAUSE), reason);
                tx.settle_notice(id, lease, now, &later)?;
            }
            return Ok(None);
        };
        let Some(notice) = in_full(tx, notice)? else {
            let reason = TAKEN_BACK.to_owned();
            tx.settle_notice(id, lease, now, &Settlement::Expired(reason))?;
            return Ok(None);
        };
        let token = match notice.link() {
            None => None,
            Some(purpose) => {
                let is_gone = is_gone(tx, &stored, &notice, purpose, now)?;
                let Some(expires_at) = stored.expires_at.filter(|_| !is_gone) else {
                    let reason = "what its link leads to is gone".to_owned();
                    tx.settle_notice(id, lease, now, &Settlement::Expired(reason))?;
                    return Ok(None);
                };
                let token = cx.new_token();
                let subject = notice.subject();
                tx.insert_ticket(&Ticket {
                    digest: TokenDigest::of(token.expose()),
                    purpose,
                    user: stored.user,
                    expires_at,
                    subject,
                    email: Some(stored.recipient.clone()),
                })?;
                Some(token)
            }
        };
        Ok(Some(Parcel {
            id,
            lease,
            until,
            recipient: stored.recipient,
            message_id: stored.message_id,
            language: stored.language,
            posted_at: stored.created_at,
            attempts: stored.attempts,
            notice,
            token,
            expires_at: stored.expires_at,
        }))
    }

    /// Writes down what came of an attempt. Answers whether it was still this sender's to say.
    pub async fn settle(
        &self,
        cx: &OpCx,
        parcel: &Parcel,
        settlement: Settlement,
    ) -> Result<bool, StoreError> {
        let (this, cx) = (self.clone(), cx.clone());
        let (id, lease, is_first) = (parcel.id, parcel.lease, parcel.attempts <= 1);
        let link = parcel.token.as_ref().zip(parcel.notice.link());
        let link = link.map(|(token, purpose)| (TokenDigest::of(token.expose()), purpose));
        self.store
            .write(move |tx| {
                if let Settlement::Dead(reason) = &settlement {
                    return match tx.notice_by_id(id)? {
                        Some(stored) => this.give_up(tx, &cx, &stored, lease, reason.clone()),
                        None => Ok(false),
                    };
                }
                let is_settled = tx.settle_notice(id, lease, cx.now(), &settlement)?;
                if let (true, Settlement::Sent(_), Some((digest, purpose))) =
                    (is_settled, &settlement, link)
                    // One that was taken back meanwhile takes the place of none.
                    && let Some(ticket) = tx.ticket(&digest, purpose, cx.now())?
                {
                    // The newest mail's link is the one that works, once that mail is on its way. A
                    // second attempt may be the second copy of a mail that arrived: both links work.
                    tx.delete_tickets_beside(&ticket, !is_first)?;
                }
                Ok(is_settled)
            })
            .await
    }

    /// Gives a notice up, with an event, and tells the administrators, unless they were told of
    /// another just before or it was they who were to be told.
    fn give_up(
        &self,
        tx: &mut dyn Tx,
        cx: &OpCx,
        stored: &StoredNotice,
        lease: LeaseId,
        reason: String,
    ) -> StoreResult<bool> {
        let now = cx.now();
        if !tx.settle_notice(stored.id, lease, now, &Settlement::Dead(reason.clone()))? {
            return Ok(false);
        }
        let target = Target::new("notice", stored.id, &stored.kind);
        let details = json!({ "attempts": stored.attempts });
        record(tx, cx, "mail.given_up", target, &reason, details)?;
        if stored.notice().is_some_and(|notice| notice.is_about_the_site()) {
            return Ok(true);
        }
        let key = CountKey::of_given_up_mail();
        if tx.count_one(key.as_bytes(), now, now.minus(TELL_AGAIN))? == 1 {
            let notice = Notice::Undelivered {
                about: stored.kind.clone(),
                id: stored.id.to_string(),
                reason,
                dead: tx.notice_counts()?.dead,
            };
            self.postbox.post_to_admins(tx, cx, &notice)?;
        }
        Ok(true)
    }
}

/// The notice with its words, where the outbox holds none; `None` when they were taken back.
fn in_full(tx: &mut dyn Tx, notice: Notice) -> StoreResult<Option<Notice>> {
    let Notice::Announcement { announcement } = notice else {
        return Ok(Some(notice));
    };
    let words = tx.announcement_words(announcement)?;
    Ok(words.map(|Words { subject, text }| Notice::Message { subject, text, link: None }))
}

/// Whether what a link would lead to is not there any more. Somebody may have been about to send
/// the mail when its link was taken back, and failed: it waits again, and must not go out.
fn is_gone(
    tx: &mut dyn Tx,
    stored: &StoredNotice,
    notice: &Notice,
    purpose: Purpose,
    now: Timestamp,
) -> StoreResult<bool> {
    match notice.subject() {
        Some(Subject::Registration(id)) => {
            let waiting = tx.registration(id, now)?;
            return Ok(waiting.is_none_or(|waiting| waiting.confirmed_at.is_some()));
        }
        Some(Subject::Invitation(id)) => return Ok(tx.invitation(id, now)?.is_none()),
        None => {}
    }
    let Some(user) = stored.user else {
        return Ok(false);
    };
    let Some(user) = tx.user_by_id(user)? else {
        return Ok(true);
    };
    let is_past = user.password_changed_at.is_some_and(|at| at > stored.created_at);
    let is_elsewhere = purpose == Purpose::Reset
        && user.email.as_ref().is_none_or(|email| email.key() != stored.recipient.key());
    Ok(is_past || is_elsewhere || !user.is_live(now))
}
