//! Putting mail into the outbox, within the transaction of what it tells of.

use std::sync::Arc;

use super::throttle::{FailureKey, FailureLimit};
use crate::{
    cx::OpCx,
    domain::{
        email::Email,
        notice::{Lane, Notice, NoticeState, StoredNotice},
    },
    id::{NoticeId, UserId},
    ports::store::{StoreError, StoreErrorKind, StoreResult, Tx},
    time::Timestamp,
};

/// What all mail of a site has in common.
#[derive(Clone, Debug)]
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
}

/// Puts mail into the outbox. Use cases hold one and call it in their transaction:
///
/// ```ignore
/// self.postbox.post(tx, &cx, Post::to(email, notice).about(user.id))?;
/// ```
#[derive(Clone, Debug)]
pub struct Postbox(Arc<PostRules>);

/// A notice on its way into the outbox.
#[derive(Clone, Debug)]
pub struct Post {
    to: Email,
    notice: Notice,
    user: Option<UserId>,
    lane: Lane,
    language: Option<String>,
    expires_at: Option<Timestamp>,
}

impl Post {
    /// To one address; every mail has one recipient.
    pub fn to(to: Email, notice: Notice) -> Self {
        Self { to, notice, user: None, lane: Lane::Personal, language: None, expires_at: None }
    }

    /// About an account: whose link it is, if there is one.
    #[must_use]
    pub fn about(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
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
    OverBudget,
}

impl Postbox {
    /// With what all mail has in common.
    pub fn new(rules: PostRules) -> Self {
        Self(Arc::new(rules))
    }

    /// Puts a notice into the outbox; it goes out if and when the transaction is committed.
    pub fn post(&self, tx: &mut dyn Tx, cx: &OpCx, post: Post) -> StoreResult<Posted> {
        let now = cx.now();
        let is_on_request = post.notice.is_on_request();
        if is_on_request && self.is_over_budget(tx, &post.to, now)? {
            return Ok(Posted::OverBudget);
        }
        let id = NoticeId::generate(now, cx.entropy());
        let data = serde_json::to_string(&post.notice)
            .map_err(|error| StoreError::because(StoreErrorKind::Other, error))?;
        let stored = StoredNotice {
            id,
            message_id: format!("{id}@{}", self.0.domain),
            recipient: post.to,
            user: post.user,
            language: post.language.unwrap_or_else(|| self.0.language.as_ref().to_owned()),
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

    /// Tells each of the site's administrators.
    pub fn post_to_admins(&self, tx: &mut dyn Tx, cx: &OpCx, notice: &Notice) -> StoreResult<()> {
        for admin in self.0.admins.iter() {
            self.post(tx, cx, Post::to(admin.clone(), notice.clone()))?;
        }
        Ok(())
    }

    /// Counted by the database, so that two at once make two.
    fn is_over_budget(&self, tx: &mut dyn Tx, to: &Email, now: Timestamp) -> StoreResult<bool> {
        let budgets = [
            (FailureKey::of_mail_to(to), self.0.per_address),
            (FailureKey::of_all_mail(), self.0.per_site),
        ];
        for (key, budget) in budgets {
            if let Some(budget) = budget {
                let start = now.minus(budget.window);
                if tx.add_failure(key.as_bytes(), now, start)? > budget.count {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
