//! Another mail address for the own account, shown to be one's own first.

use std::time::Duration;

use serde_json::json;

use super::{
    authority::Authority,
    error::{AdminError, AdminResult, Forbidden},
    links::cut,
    password::Passwords,
    post::{Post, Postbox},
    record::{Target, record},
    throttle::CountKey,
    users::{require_free, taken},
};
use crate::{
    cx::{Actor, OpCx},
    domain::{change::Change, email::Email, notice::Notice, ticket::Purpose, user::User},
    id::UserId,
    ports::store::{Store, Tx},
    secret::{Secret, TokenDigest},
};

/// For how long the link to the new address is good.
pub const CHANGE_LIFE: Duration = Duration::from_hours(24);

/// Changes people's own mail address.
pub struct Readdressing {
    store: Store,
    passwords: Passwords,
    postbox: Postbox,
}

impl Readdressing {
    /// Over the store; the password is asked for by `passwords`.
    pub fn new(store: Store, passwords: Passwords, postbox: Postbox) -> Self {
        Self { store, passwords, postbox }
    }

    /// Mails a link to the address that is to be the actor's, and a notice to the one they have.
    /// Whoever has a password here shows that they know it; all others have just logged in. Nobody
    /// is told whether the address is somebody else's, but for that other.
    pub async fn request(
        &self,
        cx: &OpCx,
        typed: &str,
        password: Option<&Secret>,
    ) -> AdminResult<()> {
        let id = own_id(cx)?;
        let email = Email::parse(typed)?;
        let has_password =
            self.store.read::<_, AdminError>(move |tx| Ok(tx.user_password(id)?)).await?;
        let has_password = has_password.is_some_and(|hash| hash.is_usable());
        if has_password {
            let password = password.ok_or_else(|| {
                AdminError::field("password", "required", "your password is needed for this")
            })?;
            self.passwords.prove(cx, id, "password", password).await?;
        }
        let (cx, postbox) = (cx.clone(), self.postbox.clone());
        self.store
            .write::<_, AdminError>(move |tx| {
                let now = cx.now();
                let authority = Authority::load(tx, &cx)?;
                if !has_password {
                    authority.require_fresh()?;
                }
                let user = tx.user_by_id(id)?.ok_or(Forbidden::NotAuthenticated)?;
                if let Some(window) =
                    postbox.is_asked_often(tx, CountKey::of_changes_by(id), now)?
                {
                    return Err(AdminError::TooOften { retry_after: window.as_secs() });
                }
                if user.email.as_ref() == Some(&email) {
                    return Err(AdminError::field("email", "same", "is the address you have"));
                }
                let asked = User { email: Some(email.clone()), ..user.clone() };
                match (tx.user_by_email_key(email.key())?, require_free(tx, &asked)) {
                    (Some(owner), Err(AdminError::Invalid(_))) => {
                        if let Some(address) = owner.email.clone().filter(|_| owner.is_live(now)) {
                            let username = owner.username.as_str().to_owned();
                            let notice = Notice::AddressKnown { username };
                            postbox.post(tx, &cx, Post::to(address, notice).about(owner.id))?;
                        }
                    }
                    // It is somebody's login name: nobody reads mail there for all we know.
                    (None, Err(AdminError::Invalid(_))) => {}
                    (_, Err(error)) => return Err(error),
                    (_, Ok(())) => {
                        let username = user.username.as_str().to_owned();
                        let post = Post::to(email.clone(), Notice::EmailChange { username });
                        let post = post.about(id).until(now.plus(CHANGE_LIFE));
                        postbox.post(tx, &cx, post)?;
                    }
                }
                tell(tx, &cx, &postbox, &user, false)?;
                let (right, target) = ("own account", Target::user(&user));
                record(tx, &cx, "user.email_change_requested", target, right, json!({}))?;
                Ok(())
            })
            .await
    }

    /// Makes the address that a link was sent to the actor's; the link is used up by it. A link of
    /// somebody else's stays as it is.
    pub async fn confirm(&self, cx: &OpCx, token: &Secret) -> AdminResult<User> {
        let id = own_id(cx)?;
        let (cx, postbox) = (cx.clone(), self.postbox.clone());
        let digest = TokenDigest::of(token.expose());
        self.store
            .write::<_, AdminError>(move |tx| {
                let now = cx.now();
                tx.announce(Change::User(id), now)?;
                Authority::load(tx, &cx)?;
                let ticket = tx.redeem_ticket(&digest, Purpose::EmailChange, now)?;
                let ticket = ticket.filter(|ticket| ticket.user == Some(id));
                let email = ticket.and_then(|ticket| ticket.email);
                let email = email.ok_or(AdminError::DeadLink)?;
                let before = tx.user_by_id(id)?.ok_or(Forbidden::NotAuthenticated)?;
                let after = User { email: Some(email), email_verified: true, ..before.clone() };
                require_free(tx, &after)?;
                tx.update_user(&after).map_err(taken)?;
                cut(tx, id, now)?;
                tell(tx, &cx, &postbox, &before, true)?;
                let (right, target) = ("link sent by mail", Target::user(&after));
                record(tx, &cx, "user.email_changed", target, right, json!({}))?;
                Ok(after)
            })
            .await
    }
}

fn own_id(cx: &OpCx) -> Result<UserId, Forbidden> {
    match cx.actor {
        Actor::User { id, .. } => Ok(id),
        _ => Err(Forbidden::NotAuthenticated),
    }
}

/// Tells the address that the account has, or had.
pub(super) fn tell(
    tx: &mut dyn Tx,
    cx: &OpCx,
    postbox: &Postbox,
    user: &User,
    is_done: bool,
) -> AdminResult<()> {
    if let Some(email) = &user.email {
        let (at, address) = (cx.now(), cx.client.address.clone());
        let username = user.username.as_str().to_owned();
        let notice = Notice::EmailChanged { username, at, address, is_done };
        postbox.post(tx, cx, Post::to(email.clone(), notice).about(user.id))?;
    }
    Ok(())
}
