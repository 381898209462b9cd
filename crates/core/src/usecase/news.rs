//! Telling the site's administrators what they asked to be told of, not more often than anybody
//! reads it.

use std::{collections::BTreeSet, time::Duration};

use super::{post::Postbox, throttle::CountKey};
use crate::{
    cx::OpCx,
    domain::{
        notice::{Notice, NoticeState, SiteNews},
        user::User,
        username::Username,
    },
    id::NoticeId,
    ports::store::{Store, StoreError, StoreResult, Tx},
};

/// Of how many accounts they are told within the time; a flood of registrations is none of mails.
const MOST_ACCOUNTS: u32 = 20;
/// For how long they are not told again of the same.
const QUIET: Duration = Duration::from_hours(1);

/// What the site's administrators asked to be told of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewsRules {
    /// Every account that is made.
    pub of_accounts: bool,
    /// That a server process begins and ends.
    pub of_starts: bool,
    /// Failed logins of the accounts with these names.
    pub watched: Vec<Username>,
}

impl Postbox {
    /// Tells of an account that was made just now, if they want to know.
    pub(super) fn tell_of_account(
        &self,
        tx: &mut dyn Tx,
        cx: &OpCx,
        user: &User,
    ) -> StoreResult<()> {
        if !self.news().of_accounts || !self.has_admins() {
            return Ok(());
        }
        let now = cx.now();
        let key = CountKey::of_new_accounts();
        let told = tx.count_one(key.as_bytes(), now, now.minus(QUIET))?;
        if told <= MOST_ACCOUNTS {
            let is_last = told == MOST_ACCOUNTS;
            self.post_to_admins(tx, cx, &notice(cx, SiteNews::AccountMade, Some(user), is_last))?;
        }
        Ok(())
    }

    /// Tells that somebody did not get into an account, if it is watched: once within the time.
    pub(super) fn tell_of_failed_login(
        &self,
        tx: &mut dyn Tx,
        cx: &OpCx,
        user: &User,
    ) -> StoreResult<()> {
        let is_watched = self.news().watched.iter().any(|name| name.key() == user.username.key());
        if !is_watched || !self.has_admins() {
            return Ok(());
        }
        let now = cx.now();
        let key = CountKey::of_watched(user.id);
        if tx.count_one(key.as_bytes(), now, now.minus(QUIET))? == 1 {
            self.post_to_admins(tx, cx, &notice(cx, SiteNews::LoginFailed, Some(user), true))?;
        }
        Ok(())
    }
}

fn notice(cx: &OpCx, news: SiteNews, user: Option<&User>, is_last: bool) -> Notice {
    Notice::SiteNews {
        news,
        username: user.map(|user| user.username.as_str().to_owned()).unwrap_or_default(),
        at: cx.now(),
        address: cx.client.address.clone(),
        is_last,
    }
}

/// Tells that a server process begins and ends.
#[derive(Clone)]
pub struct Starts {
    store: Store,
    postbox: Postbox,
}

impl Starts {
    /// Over the store; `postbox` knows who is to be told, and whether.
    pub fn new(store: Store, postbox: Postbox) -> Self {
        Self { store, postbox }
    }

    /// Tells it, if they want to know; answers the mails.
    pub async fn tell(&self, cx: &OpCx, news: SiteNews) -> Result<BTreeSet<NoticeId>, StoreError> {
        if !self.postbox.news().of_starts || !self.postbox.has_admins() {
            return Ok(BTreeSet::new());
        }
        let (cx, postbox) = (cx.clone(), self.postbox.clone());
        self.store
            .write::<_, StoreError>(move |tx| {
                let posted = postbox.post_to_admins(tx, &cx, &notice(&cx, news, None, false))?;
                Ok(posted.into_iter().collect())
            })
            .await
    }

    /// Whether any of these mails still waits to be sent.
    pub async fn still_waits(&self, mails: &BTreeSet<NoticeId>) -> Result<bool, StoreError> {
        let mails = mails.clone();
        self.store
            .read::<_, StoreError>(move |tx| {
                for id in &mails {
                    let stored = tx.notice_by_id(*id)?;
                    if stored.is_some_and(|stored| stored.state == NoticeState::Waiting) {
                        return Ok(true);
                    }
                }
                Ok(false)
            })
            .await
    }
}
