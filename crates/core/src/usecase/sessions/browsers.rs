//! Browsers that people log in from, and those that are new to an account.

use std::time::Duration;

use super::super::{
    post::{Post, Postbox},
    throttle::CountKey,
};
use crate::{
    cx::OpCx,
    domain::{notice::Notice, session::KnownBrowser, user::User},
    ports::store::{StoreError, Tx},
    secret::TokenDigest,
};

/// How many browsers of an account are remembered; one more has the one forgotten that was not seen
/// for longest.
const MOST_BROWSERS: usize = 20;
/// How late it may be written down that a browser was seen.
const SEEN_WITHIN: Duration = Duration::from_hours(24);
/// An owner is told of new browsers once within so long: programs that keep no cookies are new each
/// time they log in.
const TELL_AGAIN: Duration = Duration::from_hours(1);

/// Remembers the browser of a login. The owner is told when it is not one of those that the account
/// was used from before; of the very first nobody is told.
pub(super) fn meet(
    tx: &mut dyn Tx,
    cx: &OpCx,
    postbox: Option<&Postbox>,
    user: &User,
    browser: TokenDigest,
) -> Result<(), StoreError> {
    let now = cx.now();
    let known = tx.browsers_of(user.id)?;
    let found = known.iter().find(|known| known.digest == browser);
    if found.is_some_and(|found| now.since(found.seen_at) < SEEN_WITHIN) {
        return Ok(());
    }
    if found.is_none()
        && known.len() >= MOST_BROWSERS
        && let Some(oldest) = known.first()
    {
        tx.delete_browser(user.id, &oldest.digest)?;
    }
    tx.put_browser(user.id, &KnownBrowser { digest: browser, seen_at: now })?;
    let (Some(postbox), Some(email)) = (postbox, &user.email) else { return Ok(()) };
    if found.is_some() || known.is_empty() {
        return Ok(());
    }
    let key = CountKey::of_new_browser(user.id);
    if tx.count_one(key.as_bytes(), now, now.minus(TELL_AGAIN))? == 1 {
        let notice = Notice::NewBrowser {
            username: user.username.as_str().to_owned(),
            browser: match cx.client.user_agent.as_str() {
                "" => "nothing".to_owned(),
                text => text.chars().take(300).collect(),
            },
            at: now,
            address: cx.client.address.clone(),
        };
        postbox.post(tx, cx, Post::to(email.clone(), notice).about(user.id))?;
    }
    Ok(())
}
