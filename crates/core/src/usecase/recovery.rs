//! Forgotten passwords: a link by mail, and another password by it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::json;

use super::{
    error::{AdminError, AdminResult},
    login::tell,
    password::Passwords,
    post::{Post, Postbox, Posted},
    record::{Target, record},
    throttle::{CountKey, Throttle},
};
use crate::{
    cx::OpCx,
    domain::{
        change::Change,
        email::Email,
        identity::BackendName,
        notice::Notice,
        ticket::{Purpose, Ticket},
        user::User,
    },
    ports::store::{Store, StoreResult, Tx},
    secret::{Secret, TokenDigest},
    time::Timestamp,
};

/// For how long a link that sets another password is good, from when it was asked for.
pub const RESET_LIFE: Duration = Duration::from_hours(1);
/// For how long the link of an account that was made for somebody is good.
pub const WELCOME_LIFE: Duration = Duration::from_hours(7 * 24);

/// The ways to log in, as far as they decide who sets a password here.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// Whether passwords that are kept here let anybody in.
    pub has_local: bool,
    /// What the login page calls the ways in whose accounts are kept elsewhere.
    pub elsewhere: BTreeMap<BackendName, String>,
}

/// Gives people who forgot their password another one.
pub struct Recovery {
    store: Store,
    passwords: Passwords,
    postbox: Postbox,
    throttle: Arc<Throttle>,
    ways: Ways,
}

/// Where somebody's password is.
enum Kept {
    Here,
    /// With these; none when nobody knows.
    Elsewhere(Vec<String>),
}

impl Recovery {
    /// Over the store. `throttle` is the one that logins count in.
    pub fn new(
        store: Store,
        passwords: Passwords,
        postbox: Postbox,
        throttle: Arc<Throttle>,
        ways: Ways,
    ) -> Self {
        Self { store, passwords, postbox, throttle, ways }
    }

    /// Mails a link to whoever has this address, if somebody has and may log in. Nobody is told
    /// whether: the answer is the same for all addresses that are any.
    pub async fn forgot(&self, cx: &OpCx, typed: &str) -> AdminResult<()> {
        let email = Email::parse(typed)?;
        let (ways, postbox, cx) = (self.ways.clone(), self.postbox.clone(), cx.clone());
        self.store
            .write::<_, AdminError>(move |tx| {
                let now = cx.now();
                let Some(user) = tx.user_by_email_key(email.key())?.filter(|u| u.is_live(now))
                else {
                    return Ok(());
                };
                // The mail goes where the account says and not where somebody typed.
                let Some(address) = user.email.clone() else { return Ok(()) };
                let username = user.username.as_str().to_owned();
                let (notice, what) = match ways.kept(tx, &user)? {
                    Kept::Here => (Notice::Reset { username }, "a link was sent"),
                    Kept::Elsewhere(ways) => {
                        let notice = Notice::ResetElsewhere { username, ways };
                        (notice, "the account is kept elsewhere")
                    }
                };
                let post = Post::to(address, notice).about(user.id).until(now.plus(RESET_LIFE));
                let what = match postbox.post(tx, &cx, post)? {
                    Posted::OverBudget { is_first: false } => return Ok(()),
                    Posted::OverBudget { is_first: true } => "over budget",
                    Posted::Queued(_) => what,
                };
                let target = Target::user(&user);
                record(tx, &cx, "user.reset_requested", target, what, json!({}))?;
                Ok(())
            })
            .await
    }

    /// Whose password the link sets; uses nothing up.
    pub async fn look(&self, cx: &OpCx, token: &Secret) -> AdminResult<User> {
        let (now, digest, ways) = (cx.now(), TokenDigest::of(token.expose()), self.ways.clone());
        self.store
            .read::<_, AdminError>(move |tx| {
                let ticket = tx.ticket(&digest, Purpose::Reset, now)?;
                let ticket = ticket.ok_or(AdminError::DeadLink)?;
                owner(tx, &ways, &ticket, now)?.ok_or(AdminError::DeadLink)
            })
            .await
    }

    /// Sets another password by a link, which is used up by it, as is every other link of the
    /// account; all its sessions end. A password that is refused leaves the link as it is.
    pub async fn reset(&self, cx: &OpCx, token: &Secret, new: &Secret) -> AdminResult<()> {
        // Nobody without a link has passwords hashed or judged for them.
        let user = self.look(cx, token).await?;
        let hash = self.passwords.accept(&user, new).await?;
        let (id, key) = (user.id, CountKey::of_account(user.id));
        let (passwords, postbox) = (self.passwords.clone(), self.postbox.clone());
        let (ways, cx) = (self.ways.clone(), cx.clone());
        let digest = TokenDigest::of(token.expose());
        self.store
            .write::<_, AdminError>(move |tx| {
                let now = cx.now();
                tx.announce(Change::User(id), now)?;
                let ticket = tx.redeem_ticket(&digest, Purpose::Reset, now)?;
                let ticket = ticket.filter(|t| t.user == Some(id)).ok_or(AdminError::DeadLink)?;
                let mut user = owner(tx, &ways, &ticket, now)?.ok_or(AdminError::DeadLink)?;
                if !user.email_verified {
                    user.email_verified = true;
                    tx.update_user(&user)?;
                    ways.end_links(tx, &cx, &postbox, &user)?;
                }
                tx.update_user_password(id, &hash, Some(now))?;
                tx.delete_sessions_of(id, None)?;
                tx.forget_count(key.as_bytes())?;
                passwords.tell(tx, &cx, &user)?;
                let right = "link sent by mail";
                record(tx, &cx, "user.password_reset", Target::user(&user), right, json!({}))?;
                Ok(())
            })
            .await?;
        self.throttle.forgive(key);
        Ok(())
    }
}

impl Ways {
    /// Where the password of an account is. Without one here it is where the account is linked to;
    /// an account that is linked to nothing gets its first password by mail.
    fn kept(&self, tx: &mut dyn Tx, user: &User) -> StoreResult<Kept> {
        if !self.has_local {
            return Ok(Kept::Elsewhere(self.elsewhere.values().cloned().collect()));
        }
        if tx.user_password(user.id)?.is_some_and(|hash| hash.is_usable()) {
            return Ok(Kept::Here);
        }
        let identities = tx.identities_of(user.id)?;
        if identities.is_empty() {
            return Ok(Kept::Here);
        }
        let labels = identities.iter().filter_map(|one| self.elsewhere.get(&one.backend).cloned());
        Ok(Kept::Elsewhere(labels.collect()))
    }
}

impl Ways {
    /// Ends what leads into an account from elsewhere: whoever had it linked had not shown that
    /// they read mail at its address, and somebody has now.
    fn end_links(
        &self,
        tx: &mut dyn Tx,
        cx: &OpCx,
        postbox: &Postbox,
        user: &User,
    ) -> StoreResult<()> {
        let links = tx.identities_of(user.id)?;
        for (at, link) in links.iter().enumerate() {
            let right = "linked before the address was shown to be its owner's";
            tell::sever(tx, cx, user, link, &links[at..], right)?;
            let label = self.elsewhere.get(&link.backend);
            let way = label.map_or(link.backend.as_str(), String::as_str);
            tell::changed(tx, cx, postbox, user, way, false)?;
        }
        Ok(())
    }
}

/// Whose link it is, if they may still use it: it went to the address that they have.
fn owner(
    tx: &mut dyn Tx,
    ways: &Ways,
    ticket: &Ticket,
    now: Timestamp,
) -> StoreResult<Option<User>> {
    let Some(id) = ticket.user else { return Ok(None) };
    let Some(user) = tx.user_by_id(id)?.filter(|user| user.is_live(now)) else {
        return Ok(None);
    };
    let is_theirs = ticket.email.as_ref().map(Email::key) == user.email.as_ref().map(Email::key);
    let is_here = matches!(ways.kept(tx, &user)?, Kept::Here);
    Ok((is_theirs && is_here).then_some(user))
}
