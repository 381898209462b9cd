//! Putting mail into the outbox, within the transaction of what it tells of.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::json;

use super::{
    news::NewsRules,
    record::{Target, record},
    throttle::{CountKey, FailureLimit},
};
use crate::{
    cx::OpCx,
    domain::{
        email::Email,
        notice::{Lane, Notice, NoticeState, StoredNotice},
    },
    id::{AnnouncementId, NoticeId, UserId},
    ports::store::{StoreError, StoreErrorKind, StoreResult, Tx},
    time::Timestamp,
};

/// What all mail of a site has in common.
#[derive(Clone, Debug, Default)]
pub struct PostRules {
    /// What stands behind the `@` of every Message-ID.
    pub domain: Arc<str>,
    /// In which language, where nothing else is said.
    pub language: Arc<str>,
    /// How many that strangers asked for may go to one address.
    pub per_address: Option<FailureLimit>,
    /// How many that strangers asked for may go out altogether.
    pub per_site: Option<FailureLimit>,
    /// Who is told about the site itself.
    pub admins: Arc<[Email]>,
    /// What else they are told.
    pub news: NewsRules,
}

/// Puts mail into the outbox. Use cases hold one and call it in their transaction:
///
/// ```ignore
/// self.postbox.post(tx, &cx, Post::to(email, notice).about(user.id))?;
/// ```
#[derive(Clone, Debug)]
pub struct Postbox {
    rules: Arc<PostRules>,
    over_budget: Arc<AtomicU64>,
}

/// A notice on its way into the outbox.
#[derive(Clone, Debug)]
pub struct Post {
    to: Email,
    notice: Notice,
    user: Option<UserId>,
    announcement: Option<AnnouncementId>,
    lane: Lane,
    language: Option<String>,
    expires_at: Option<Timestamp>,
}

impl Post {
    /// To one address; every mail has one recipient.
    pub fn to(to: Email, notice: Notice) -> Self {
        Self {
            to,
            notice,
            user: None,
            announcement: None,
            lane: Lane::Personal,
            language: None,
            expires_at: None,
        }
    }

    /// About an account: whose link it is, if there is one.
    #[must_use]
    pub fn about(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }

    /// One of an announcement's many.
    #[must_use]
    pub fn of(mut self, announcement: AnnouncementId) -> Self {
        self.announcement = Some(announcement);
        self.bulk()
    }

    /// One of many.
    #[must_use]
    pub fn bulk(mut self) -> Self {
        self.lane = Lane::Bulk;
        self
    }

    /// In a language other than the site's.
    #[must_use]
    pub fn in_language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Not worth sending from then on; when its link, if it has one, dies.
    #[must_use]
    pub fn until(mut self, at: Timestamp) -> Self {
        self.expires_at = Some(at);
        self
    }
}

/// What became of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It will be sent once the transaction is committed.
    Queued(NoticeId),
    /// The address, or the site as a whole, had enough mail of the kind that strangers ask for.
    /// Whoever asked is not told.
    OverBudget {
        /// Whether it is the first that is not sent for that reason.
        is_first: bool,
    },
}

impl Postbox {
    /// With what all mail has in common.
    pub fn new(rules: PostRules) -> Self {
        Self { rules: Arc::new(rules), over_budget: Arc::default() }
    }

    /// How many were not sent because there had been enough, since this process began.
    pub fn over_budget(&self) -> u64 {
        self.over_budget.load(Ordering::Relaxed)
    }

    /// Puts a notice into the outbox; it goes out if and when the transaction is committed.
    pub fn post(&self, tx: &mut dyn Tx, cx: &OpCx, post: Post) -> StoreResult<Posted> {
        let now = cx.now();
        if let Some(refused) = self.count(tx, cx, &post)? {
            return Ok(refused);
        }
        let is_on_request = post.notice.is_on_request();
        let id = NoticeId::generate(now, cx.entropy());
        let data = serde_json::to_string(&post.notice)
            .map_err(|error| StoreError::because(StoreErrorKind::Other, error))?;
        let stored = StoredNotice {
            id,
            message_id: format!("{id}@{}", self.rules.domain),
            recipient: post.to,
            user: post.user,
            announcement: post.announcement,
            language: post.language.unwrap_or_else(|| self.rules.language.as_ref().to_owned()),
            lane: post.lane,
            kind: post.notice.kind().to_owned(),
            data,
            created_at: now,
            expires_at: post.expires_at,
            state: NoticeState::Waiting,
            attempts: 0,
            due_at: now,
            lease: None,
            settled_at: None,
            reason: String::new(),
        };
        // Whoever asks again had no answer to the first. With the second they need it no more: its
        // link would only make them wonder which of the two is good.
        if is_on_request {
            tx.replace_notices(&stored)?;
        }
        tx.insert_notice(&stored)?;
        Ok(Posted::Queued(id))
    }

    /// Counts a notice among those that strangers ask for, where it is one, as [`Self::post`] does;
    /// answers whether there were enough. By itself it is for what must look as if it were posted.
    pub(super) fn count(
        &self,
        tx: &mut dyn Tx,
        cx: &OpCx,
        post: &Post,
    ) -> StoreResult<Option<Posted>> {
        if !post.notice.is_on_request() {
            return Ok(None);
        }
        let Some(is_first) = self.over(tx, cx, post)? else { return Ok(None) };
        self.over_budget.fetch_add(1, Ordering::Relaxed);
        Ok(Some(Posted::OverBudget { is_first }))
    }

    /// Whether there is anybody to be told about the site.
    pub fn has_admins(&self) -> bool {
        !self.rules.admins.is_empty()
    }

    /// Tells each of the site's administrators; answers the mails.
    pub fn post_to_admins(
        &self,
        tx: &mut dyn Tx,
        cx: &OpCx,
        notice: &Notice,
    ) -> StoreResult<Vec<NoticeId>> {
        let mut posted = Vec::with_capacity(self.rules.admins.len());
        for admin in self.rules.admins.iter() {
            if let Posted::Queued(id) =
                self.post(tx, cx, Post::to(admin.clone(), notice.clone()))?
            {
                posted.push(id);
            }
        }
        Ok(posted)
    }

    pub(super) fn news(&self) -> &NewsRules {
        &self.rules.news
    }

    /// Within how long somebody had mail sent to more addresses of their choice than an address is
    /// sent, if they had.
    pub(super) fn is_asked_often(
        &self,
        tx: &mut dyn Tx,
        key: CountKey,
        now: Timestamp,
    ) -> StoreResult<Option<Duration>> {
        let Some(FailureLimit { count, window }) = self.rules.per_address else { return Ok(None) };
        let asked = tx.count_one(key.as_bytes(), now, now.minus(window))?;
        Ok((asked > count).then_some(window))
    }

    /// Whether there was enough mail of the kind, and if so whether this is the first too many.
    /// Counted by the database, so that two at once make two.
    fn over(&self, tx: &mut dyn Tx, cx: &OpCx, post: &Post) -> StoreResult<Option<bool>> {
        let (now, rules) = (cx.now(), &*self.rules);
        // Mails that lead nowhere are worth one each window: nobody is to use up by them what is
        // meant for the links that people wait for.
        let news = rules.per_address.filter(|_| post.notice.is_news_on_request());
        let budgets = [
            (CountKey::of_news_to(&post.to), news.map(|limit| FailureLimit { count: 1, ..limit })),
            (CountKey::of_mail_to(&post.to), rules.per_address),
            (CountKey::of_all_mail(), rules.per_site),
        ];
        for (key, budget) in budgets {
            let Some(budget) = budget else { continue };
            let start = now.minus(budget.window);
            let count = tx.count_one(key.as_bytes(), now, start)?;
            if count <= budget.count {
                continue;
            }
            let is_first = count == budget.count.saturating_add(1);
            if is_first && key == CountKey::of_all_mail() {
                let right = "limits.mail_per_site";
                record(tx, cx, "mail.over_budget", Target::new("site", "", ""), right, json!({}))?;
            }
            return Ok(Some(is_first));
        }
        Ok(None)
    }
}
