//! Changing passwords.

use std::sync::Arc;

use serde_json::json;

use super::{
    authority::Authority,
    error::{AdminError, AdminResult, Forbidden},
    links::cut,
    login::MAX_PASSWORD_BYTES,
    post::{Post, Postbox},
    record::{Target, record},
    throttle::{CountKey, Throttle},
};
use crate::{
    cx::{Actor, OpCx},
    domain::{change::Change, notice::Notice, registration::Registration, rights, user::User},
    id::UserId,
    policy::facts::Facts,
    ports::{
        hasher::{PasswordHash, PasswordHasher},
        judge::PasswordJudge,
        store::{Store, StoreError, StoreResult, Tx},
        throttle::WindowCount,
    },
    secret::Secret,
};

/// Changes passwords: one's own with the old one, others' by permission.
#[derive(Clone)]
pub struct Passwords {
    store: Store,
    hasher: Arc<dyn PasswordHasher>,
    judge: Arc<dyn PasswordJudge>,
    throttle: Arc<Throttle>,
    postbox: Postbox,
    site_name: Arc<str>,
}

impl Passwords {
    /// With the rules that new passwords must hold. `throttle` is the one that logins count in.
    pub fn new(
        store: Store,
        hasher: Arc<dyn PasswordHasher>,
        judge: Arc<dyn PasswordJudge>,
        throttle: Arc<Throttle>,
        postbox: Postbox,
        site_name: &str,
    ) -> Self {
        Self { store, hasher, judge, throttle, postbox, site_name: site_name.into() }
    }

    /// Changes the actor's own password; all their other sessions end. A wrong old password
    /// counts as a failed login.
    pub async fn change_own(&self, cx: &OpCx, old: &Secret, new: &Secret) -> AdminResult<()> {
        let Actor::User { id, session, .. } = cx.actor else {
            return Err(Forbidden::NotAuthenticated.into());
        };
        let key = CountKey::of_account(id);
        let (user, stored) = self.prove(cx, id, "old_password", old).await?;
        let hash = self.accept(&user, new).await?;
        let (this, cx) = (self.clone(), cx.clone());
        self.store
            .write(move |tx| {
                let now = cx.now();
                tx.announce(Change::User(id), now)?;
                // Only if it is still the password that was just verified.
                if tx.user_password(id)? != stored
                    || !tx.update_user_password(id, &hash, Some(now))?
                {
                    return Err(changed_meanwhile());
                }
                tx.delete_sessions_of(id, session)?;
                tx.forget_count(key.as_bytes())?;
                this.tell(tx, &cx, &user)?;
                let right = "own password, old one given";
                record(tx, &cx, "user.password_changed", Target::user(&user), right, json!({}))?;
                Ok(())
            })
            .await
    }

    /// Has somebody show that they know their password. Answers the account, and the hash that it
    /// matched; `field` is what a wrong one is told of.
    pub(super) async fn prove(
        &self,
        cx: &OpCx,
        id: UserId,
        field: &'static str,
        password: &Secret,
    ) -> AdminResult<(User, Option<PasswordHash>)> {
        let key = CountKey::of_account(id);
        let (user, stored, failures) = self
            .store
            .lookup::<_, StoreError>(move |tx| {
                Ok((tx.user_by_id(id)?, tx.user_password(id)?, tx.window_count(key.as_bytes())?))
            })
            .await?;
        let user = user.ok_or(Forbidden::NotAuthenticated)?;
        let wrong = AdminError::field(field, "wrong", "is not the present password");
        self.check_old(cx, &user, failures, password, stored.as_ref(), wrong).await?;
        Ok((user, stored))
    }

    /// Has whoever opens the link of a registration show that it was they who chose its password.
    /// Wrong ones are counted as failed logins are.
    pub(super) async fn prove_chosen(
        &self,
        cx: &OpCx,
        waiting: &Registration,
        password: &Secret,
    ) -> AdminResult<()> {
        let what = "is not the password that was chosen when this account was registered";
        let wrong = AdminError::field("password", "wrong", what);
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(wrong);
        }
        let key = CountKey::of_registration(waiting.id);
        let failures =
            self.store.lookup::<_, StoreError>(move |tx| tx.window_count(key.as_bytes())).await?;
        let Ok(place) = self.throttle.reserve(key, failures, cx.now()) else {
            return Err(AdminError::Busy { retry_after: 60 });
        };
        if self.hasher.verify(password, Some(&waiting.password)).await?.matches {
            place.succeeded();
            return Ok(());
        }
        let (now, start) = (cx.now(), self.throttle.window_start(cx.now()));
        let count = self
            .store
            .write::<_, StoreError>(move |tx| tx.count_one(key.as_bytes(), now, start))
            .await?;
        place.failed(WindowCount { since: now, count });
        Err(wrong)
    }

    /// What follows from another password, within the transaction that sets it: links of old die,
    /// and the owner is told.
    pub(super) fn tell(&self, tx: &mut dyn Tx, cx: &OpCx, user: &User) -> StoreResult<()> {
        let now = cx.now();
        cut(tx, user.id, now)?;
        if let Some(email) = &user.email {
            let notice = Notice::PasswordChanged {
                username: user.username.as_str().to_owned(),
                at: now,
                address: cx.client.address.clone(),
            };
            self.postbox.post(tx, cx, Post::to(email.clone(), notice).about(user.id))?;
        }
        Ok(())
    }

    /// Sets somebody's password by permission; all their sessions end.
    pub async fn set(&self, cx: &OpCx, user: UserId, new: &Secret) -> AdminResult<()> {
        let target = self.store.read(move |tx| tx.user_by_id(user)).await?;
        let target = target.ok_or(AdminError::NotFound("user"))?;
        let hash = self.accept(&target, new).await?;
        self.put(cx, user, hash, "user.password_set").await
    }

    /// Takes somebody's password away, so that none matches any more; all their sessions end.
    pub async fn make_unusable(&self, cx: &OpCx, user: UserId) -> AdminResult<()> {
        self.put(cx, user, PasswordHash::unusable(), "user.password_removed").await
    }

    /// Checks a new password for somebody and hashes it.
    pub async fn accept(&self, user: &User, new: &Secret) -> AdminResult<PasswordHash> {
        self.judge(user, new).await?;
        Ok(self.hasher.hash(new).await?)
    }

    /// Checks a new password for somebody.
    pub async fn judge(&self, user: &User, new: &Secret) -> AdminResult<()> {
        let context = [
            user.username.as_str(),
            user.first_name.as_str(),
            user.last_name.as_str(),
            user.email.as_ref().map_or("", |email| email.as_str()),
            &*self.site_name,
        ];
        let problems = self.judge.judge(new, &context).await?;
        if problems.is_empty() { Ok(()) } else { Err(AdminError::Password(problems)) }
    }

    async fn put(
        &self,
        cx: &OpCx,
        user: UserId,
        hash: PasswordHash,
        action: &'static str,
    ) -> AdminResult<()> {
        let (this, cx) = (self.clone(), cx.clone());
        self.store
            .write(move |tx| {
                let now = cx.now();
                tx.announce(Change::User(user), now)?;
                let authority = Authority::load(tx, &cx)?;
                let right = authority.require(rights::SET_PASSWORD)?;
                authority.require_fresh()?;
                let facts = Facts::load(tx, &authority.catalogue, user, now)?
                    .ok_or(AdminError::NotFound("user"))?;
                authority.require_not_outranked(&facts)?;
                tx.update_user_password(user, &hash, Some(now))?;
                tx.delete_sessions_of(user, None)?;
                this.tell(tx, &cx, facts.user())?;
                record(tx, &cx, action, Target::user(facts.user()), right, json!({}))?;
                Ok(())
            })
            .await
    }

    async fn check_old(
        &self,
        cx: &OpCx,
        user: &User,
        failures: Option<WindowCount>,
        old: &Secret,
        stored: Option<&PasswordHash>,
        wrong: AdminError,
    ) -> AdminResult<()> {
        if old.len() > MAX_PASSWORD_BYTES {
            return Err(wrong);
        }
        let key = CountKey::of_account(user.id);
        let Ok(place) = self.throttle.reserve(key, failures, cx.now()) else {
            return Err(AdminError::Busy { retry_after: 60 });
        };
        if self.hasher.verify(old, stored).await?.matches {
            place.succeeded();
            return Ok(());
        }
        let (now, own, user) = (cx.now(), cx.clone(), user.clone());
        let start = self.throttle.window_start(now);
        let count = self
            .store
            .write::<_, StoreError>(move |tx| {
                let count = tx.count_one(key.as_bytes(), now, start)?;
                let right = "wrong old password";
                let target = Target::user(&user);
                record(tx, &own, "user.password_change_failed", target, right, json!({}))?;
                Ok(count)
            })
            .await?;
        place.failed(WindowCount { since: now, count });
        Err(wrong)
    }
}

fn changed_meanwhile() -> AdminError {
    AdminError::conflict("changed_meanwhile", "the password was changed by somebody else meanwhile")
}
