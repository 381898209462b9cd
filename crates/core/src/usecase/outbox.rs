//! Looking after the outbox: what waits, what went out, what was given up.

use std::time::Duration;

use serde_json::json;

use super::{
    authority::Authority,
    error::{AdminError, AdminResult},
    post::{Post, Postbox, Posted},
    record::{Target, record},
};
use crate::{
    cx::OpCx,
    domain::{
        email::Email,
        notice::{Notice, NoticeState, StoredNotice},
        page::{Page, PageRequest},
        rights,
    },
    id::NoticeId,
    ports::{
        outbox::{NoticeCounts, NoticeFilter},
        store::Store,
    },
};

/// How many rows one transaction removes, so that no writer waits long for it.
const AT_ONCE: u32 = 500;
/// For how long a mail that was asked for by hand is worth sending.
const TEST_LIFE: Duration = Duration::from_mins(10);

/// Looks after the outbox.
pub struct Outbox {
    store: Store,
    postbox: Postbox,
}

impl Outbox {
    /// Over the store.
    pub fn new(store: Store, postbox: Postbox) -> Self {
        Self { store, postbox }
    }

    /// What others post with.
    pub fn postbox(&self) -> &Postbox {
        &self.postbox
    }

    /// A page of notices, newest first.
    pub async fn list(
        &self,
        cx: &OpCx,
        filter: NoticeFilter,
        request: PageRequest<()>,
    ) -> AdminResult<Page<StoredNotice>> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                Authority::load(tx, &cx)?.require(rights::VIEW_OUTBOX)?;
                Ok(tx.notice_page(&filter, &request)?)
            })
            .await
    }

    /// One notice.
    pub async fn get(&self, cx: &OpCx, id: NoticeId) -> AdminResult<StoredNotice> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                Authority::load(tx, &cx)?.require(rights::VIEW_OUTBOX)?;
                tx.notice_by_id(id)?.ok_or(AdminError::NotFound("mail"))
            })
            .await
    }

    /// How many there are in each state.
    pub async fn counts(&self, cx: &OpCx) -> AdminResult<NoticeCounts> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                Authority::load(tx, &cx)?.require(rights::VIEW_OUTBOX)?;
                Ok(tx.notice_counts()?)
            })
            .await
    }

    /// Has a mail that is dead or waits be tried now, as if for the first time.
    pub async fn retry(&self, cx: &OpCx, id: NoticeId) -> AdminResult<()> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                let right = Authority::load(tx, &cx)?.require(rights::CHANGE_OUTBOX)?;
                let stored = tx.notice_by_id(id)?.ok_or(AdminError::NotFound("mail"))?;
                if !tx.retry_notice(id, cx.now())? {
                    return Err(not_now(&stored));
                }
                let target = Target::new("notice", id, &stored.kind);
                record(tx, &cx, "outbox.retried", target, right, json!({ "count": 1 }))?;
                Ok(())
            })
            .await
    }

    /// The same of all that are dead. Answers how many.
    pub async fn retry_dead(&self, cx: &OpCx) -> AdminResult<u64> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                let right = Authority::load(tx, &cx)?.require(rights::CHANGE_OUTBOX)?;
                let count = tx.retry_dead_notices(cx.now())?;
                let target = Target::new("outbox", "", "dead");
                record(tx, &cx, "outbox.retried", target, right, json!({ "count": count }))?;
                Ok(count)
            })
            .await
    }

    /// Removes one mail, also one that still waits: it is then never sent.
    pub async fn delete(&self, cx: &OpCx, id: NoticeId) -> AdminResult<()> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                let right = Authority::load(tx, &cx)?.require(rights::CHANGE_OUTBOX)?;
                let stored = tx.notice_by_id(id)?.ok_or(AdminError::NotFound("mail"))?;
                if !tx.delete_notice(id, cx.now())? {
                    return Err(not_now(&stored));
                }
                let details = json!({ "count": 1, "state": stored.state.as_str() });
                let target = Target::new("notice", id, &stored.kind);
                record(tx, &cx, "outbox.purged", target, right, details)?;
                Ok(())
            })
            .await
    }

    /// Removes what was settled longer ago than this; of one state, if one is named. What waits
    /// stays. Answers how many.
    pub async fn purge(
        &self,
        cx: &OpCx,
        state: Option<NoticeState>,
        older_than: Duration,
    ) -> AdminResult<u64> {
        if state == Some(NoticeState::Waiting) {
            let reason = "what waits is removed one by one";
            return Err(AdminError::field("state", "not_settled", reason));
        }
        let before = cx.now().minus(older_than);
        let mut total = 0;
        loop {
            let cx = cx.clone();
            let removed = self
                .store
                .write::<_, AdminError>(move |tx| {
                    let right = Authority::load(tx, &cx)?.require(rights::CHANGE_OUTBOX)?;
                    let count = tx.purge_notices(state, before, AT_ONCE)?;
                    if count > 0 {
                        let name = state.map_or("settled", NoticeState::as_str);
                        let target = Target::new("outbox", "", name);
                        record(tx, &cx, "outbox.purged", target, right, json!({ "count": count }))?;
                    }
                    Ok(count)
                })
                .await?;
            total += removed;
            if removed < u64::from(AT_ONCE) {
                return Ok(total);
            }
        }
    }

    /// Posts a mail that says that mail works. Answers which it is.
    pub async fn post_test(&self, cx: &OpCx, to: &str) -> AdminResult<NoticeId> {
        let to = Email::parse(to)?;
        let (cx, postbox) = (cx.clone(), self.postbox.clone());
        self.store
            .write(move |tx| {
                Authority::load(tx, &cx)?.require(rights::CHANGE_OUTBOX)?;
                let until = cx.now().plus(TEST_LIFE);
                let post = Post::to(to.clone(), Notice::Test).until(until);
                match postbox.post(tx, &cx, post)? {
                    Posted::Queued(id) => Ok(id),
                    Posted::OverBudget { .. } => Err(AdminError::Busy { retry_after: 60 }),
                }
            })
            .await
    }
}

fn not_now(stored: &StoredNotice) -> AdminError {
    let message = match stored.state {
        NoticeState::Waiting => "the mail is being sent at this moment".to_owned(),
        state => format!("the mail is {state}"),
    };
    AdminError::conflict("not_waiting", message)
}
