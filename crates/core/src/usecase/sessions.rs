//! Opening, listing and ending sessions.

mod browsers;

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{
    authority::Authority,
    error::{AdminError, AdminResult, Forbidden},
    login::{Farewell, LoginGrant},
    post::Postbox,
    principal::Principals,
    record::{Target, record},
    session_token::digest,
};
use crate::{
    cx::{Actor, OpCx},
    domain::{change::Change, login_step::LoginStep, rights, session::Session, user::User},
    id::{SessionId, UserId},
    ports::store::{Store, StoreError, Tx},
    secret::{Secret, TokenDigest},
    time::Timestamp,
};

/// A session that was just opened.
#[derive(Debug)]
pub struct Opened {
    /// The token for the cookie.
    pub token: Secret,
    /// The session as it is stored.
    pub session: Session,
    /// Whose it is.
    pub user: User,
    /// Whether it ends with the word of the backend, which may give it again.
    pub again: bool,
    /// For the cookie by which the browser is known from now on, if it had none.
    pub browser: Option<Secret>,
}

/// Why no session was opened for a login that had been verified.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The account was disabled, or removed, in the meantime.
    #[error("the account cannot be used")]
    NotLive,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens, lists and ends sessions.
pub struct Sessions {
    store: Store,
    principals: Arc<Principals>,
    /// For telling of logins from browsers that are new; nothing where nobody is told.
    postbox: Option<Postbox>,
}

impl Sessions {
    /// Over the store; tokens are sealed and limits kept as `principals` has it.
    pub fn new(store: Store, principals: Arc<Principals>, postbox: Option<Postbox>) -> Self {
        Self { store, principals, postbox }
    }

    /// Opens a session for a login and ends the one that the same browser had before.
    pub async fn open(
        &self,
        cx: &OpCx,
        grant: LoginGrant,
        previous: Option<SessionId>,
    ) -> Result<Opened, OpenError> {
        let limits = self.principals.limits();
        let token = self.principals.seal().issue(cx);
        let now = cx.now();
        let proved_at = grant.there.proved_at.map_or(now, |at| at.min(now));
        let ends_at = proved_at.plus(limits.absolute);
        let again = grant.there.ends_at.is_some();
        let session = Session {
            id: SessionId::generate(now, cx.entropy()),
            digest: digest(&token),
            user: grant.user,
            created_at: proved_at,
            last_seen_at: now,
            expires_at: match grant.there.ends_at {
                Some(at) => ends_at.min(at.max(now.plus(SHORTEST))),
                None => ends_at,
            },
            address: cx.client.address.clone(),
            user_agent: cx.client.user_agent.chars().take(300).collect(),
            backend: grant.backend.clone(),
        };
        let fresh = cx.client.browser.is_none().then(|| cx.new_token());
        let browser = match (&cx.client.browser, &fresh) {
            (None, Some(fresh)) => Some(TokenDigest::of(fresh.expose())),
            (known, _) => *known,
        };
        let farewell = farewell(&grant, &token, session.expires_at);
        let (cx, postbox) = (cx.clone(), self.postbox.clone());
        let (session, user) = self
            .store
            .write(move |tx| {
                let user = open(tx, &cx, &grant, &session, previous, limits.per_user, now)?;
                if let Some(farewell) = &farewell {
                    tx.insert_login_step(farewell)?;
                }
                if let Some(browser) = browser {
                    browsers::meet(tx, &cx, postbox.as_ref(), &user, browser)?;
                }
                Ok::<_, OpenError>((session.clone(), user))
            })
            .await?;
        Ok(Opened { token, session, user, again, browser: fresh })
    }

    /// What the backend that let somebody in wants to have back when they log out, by the token of
    /// their session; once.
    pub async fn farewell(&self, cx: &OpCx, token: &Secret) -> Result<Option<Secret>, StoreError> {
        let (digest, now) = (Farewell::digest(token), cx.now());
        let taken = self.store.write(move |tx| tx.take_login_step(&digest, now)).await;
        let taken: Option<LoginStep> = taken.map_err(|error: StoreError| error)?;
        Ok(taken.and_then(|step| Farewell::open(&step.sealed, token)))
    }

    /// Goes on under a new token, as after a proof of identity: the session that the actor acts
    /// in ends, and another begins in its place. `None` when the actor acts in none.
    pub async fn renew(&self, cx: &OpCx) -> AdminResult<Option<Opened>> {
        let Actor::User { id, session: Some(previous), .. } = cx.actor else {
            return Ok(None);
        };
        let token = self.principals.seal().issue(cx);
        let (now, cx) = (cx.now(), cx.clone());
        let ends = now.plus(self.principals.limits().absolute);
        let stored = digest(&token);
        let renewed = self
            .store
            .write::<_, AdminError>(move |tx| {
                tx.announce(Change::User(id), now)?;
                let user = tx.user_by_id(id)?.filter(|user| user.is_live(now));
                let before = tx.session_by_id(previous)?;
                let (Some(user), Some(before)) = (user, before) else {
                    return Err(Forbidden::NotAuthenticated.into());
                };
                let session = Session {
                    id: SessionId::generate(now, cx.entropy()),
                    digest: stored,
                    created_at: now,
                    last_seen_at: now,
                    // The own password is no word of a backend's, which may have run out.
                    expires_at: ends,
                    ..before
                };
                tx.insert_session(&session)?;
                tx.move_upstream_session(previous, session.id)?;
                tx.delete_session(previous)?;
                let target = Target::new("session", session.id, &user.username);
                record(tx, &cx, "session.renewed", target, "own session", json!({}))?;
                Ok((session, user))
            })
            .await?;
        let (session, user) = renewed;
        Ok(Some(Opened { token, session, user, again: false, browser: None }))
    }

    /// The actor's own live sessions, oldest first.
    pub async fn own(&self, cx: &OpCx) -> AdminResult<Vec<Session>> {
        let user = cx.actor.user_id().ok_or(Forbidden::NotAuthenticated)?;
        let (now, limits) = (cx.now(), self.principals.limits());
        let sessions = self.store.read::<_, StoreError>(move |tx| tx.sessions_of(user)).await?;
        let live = |s: &Session| limits.hold(s.expires_at, s.last_seen_at, now);
        Ok(sessions.into_iter().filter(live).collect())
    }

    /// Somebody's sessions, expired ones included.
    pub async fn of(&self, cx: &OpCx, user: UserId) -> AdminResult<Vec<Session>> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                if !authority.is(user) {
                    authority.require(rights::VIEW_SESSION)?;
                }
                Ok(tx.sessions_of(user)?)
            })
            .await
    }

    /// Ends the session that the actor acts in, and tells by which backend it was opened. Harmless
    /// when it has ended already.
    pub async fn log_out(&self, cx: &OpCx) -> AdminResult<Option<String>> {
        let Actor::User { id, session: Some(session), .. } = cx.actor else {
            return Ok(None);
        };
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                tx.announce(Change::User(id), cx.now())?;
                let ended = tx.session_by_id(session)?;
                if tx.delete_session(session)? {
                    let target = Target::new("session", session, cx.actor.name());
                    record(tx, &cx, "logout", target, "own session", json!({}))?;
                }
                Ok(ended.map(|ended| ended.backend))
            })
            .await
    }

    /// Ends one session: one's own, or anybody's by permission. What the actor may not end does
    /// not exist for them.
    pub async fn end(&self, cx: &OpCx, session: SessionId) -> AdminResult<()> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                let missing = || AdminError::NotFound("session");
                let found = tx.session_by_id(session)?.ok_or_else(missing)?;
                let right = if authority.is(found.user) {
                    "own session".to_owned()
                } else {
                    authority.right(rights::END_SESSION).ok_or_else(missing)?
                };
                if !is_current(&cx, session) {
                    authority.require_fresh()?;
                }
                tx.announce(Change::User(found.user), cx.now())?;
                if !tx.delete_session(session)? {
                    return Err(missing());
                }
                let target = Target::new("session", session, found.user);
                record(tx, &cx, "session.ended", target, right, json!({}))?;
                Ok(())
            })
            .await
    }

    /// Ends all of the actor's other sessions. Answers how many.
    pub async fn end_others(&self, cx: &OpCx) -> AdminResult<u64> {
        let user = cx.actor.user_id().ok_or(Forbidden::NotAuthenticated)?;
        let spared = match cx.actor {
            Actor::User { session, .. } => session,
            Actor::System(_) | Actor::Anonymous => None,
        };
        self.end_of(cx, user, spared).await
    }

    /// Ends all sessions of a user. Answers how many.
    pub async fn end_all_of(&self, cx: &OpCx, user: UserId) -> AdminResult<u64> {
        self.end_of(cx, user, None).await
    }

    async fn end_of(&self, cx: &OpCx, user: UserId, spared: Option<SessionId>) -> AdminResult<u64> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                tx.announce(Change::User(user), cx.now())?;
                let authority = Authority::load(tx, &cx)?;
                let right = if authority.is(user) {
                    "own sessions".to_owned()
                } else {
                    authority.require(rights::END_SESSION)?
                };
                authority.require_fresh()?;
                let owner = tx.user_by_id(user)?.ok_or(AdminError::NotFound("user"))?;
                let ended = tx.delete_sessions_of(user, spared)?;
                let details = json!({ "ended": ended });
                record(tx, &cx, "session.all_ended", Target::user(&owner), right, details)?;
                Ok(ended)
            })
            .await
    }
}

/// However soon the word of a backend runs out: what was opened can be used.
const SHORTEST: Duration = Duration::from_mins(1);

fn farewell(grant: &LoginGrant, token: &Secret, expires_at: Timestamp) -> Option<LoginStep> {
    let farewell = grant.there.farewell.as_ref()?;
    Some(LoginStep {
        digest: Farewell::digest(token),
        backend: grant.backend.parse().ok()?,
        browser: None,
        sealed: Farewell::seal(farewell, token)?,
        expires_at,
    })
}

fn is_current(cx: &OpCx, session: SessionId) -> bool {
    matches!(cx.actor, Actor::User { session: Some(own), .. } if own == session)
}

fn open(
    tx: &mut dyn Tx,
    cx: &OpCx,
    grant: &LoginGrant,
    session: &Session,
    previous: Option<SessionId>,
    per_user: u32,
    now: Timestamp,
) -> Result<User, OpenError> {
    // First of all, so that what is read of the account is as whoever was writing it left it.
    tx.update_user_last_login(grant.user, now)?;
    let mut user = tx.user_by_id(grant.user)?.ok_or(OpenError::NotLive)?;
    let is_past = grant
        .password_of
        .is_some_and(|began| user.password_changed_at.is_some_and(|changed| changed > began));
    if is_past || !user.is_live(now) {
        return Err(OpenError::NotLive);
    }
    end_previous(tx, cx, previous, now)?;
    end_oldest(tx, cx, &user, per_user, now)?;
    if let Some((old, new)) = &grant.rehash {
        tx.upgrade_user_password(user.id, old, new)?;
    }
    for key in &grant.failures {
        tx.forget_count(key.as_bytes())?;
    }
    user.last_login_at = Some(now);
    tx.insert_session(session)?;
    if let (Some(upstream), Ok(backend)) = (&grant.there.session, grant.backend.parse()) {
        tx.insert_upstream_session(session.id, &backend, upstream)?;
    }
    let details = json!({ "backend": grant.backend, "session": session.id });
    record(tx, cx, "login.succeeded", Target::user(&user), &grant.backend, details)?;
    Ok(user)
}

/// A browser has one session: logging in again ends the one before, whoever's it was.
fn end_previous(
    tx: &mut dyn Tx,
    cx: &OpCx,
    previous: Option<SessionId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(id) = previous else { return Ok(()) };
    let Some(session) = tx.session_by_id(id)? else {
        return Ok(());
    };
    tx.announce(Change::User(session.user), now)?;
    tx.delete_session(id)?;
    let target = Target::new("session", id, session.user);
    record(tx, cx, "session.replaced", target, "login in the same browser", json!({}))
}

/// Makes room when the user has as many sessions as one may: the oldest end.
fn end_oldest(
    tx: &mut dyn Tx,
    cx: &OpCx,
    user: &User,
    per_user: u32,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sessions = tx.sessions_of(user.id)?;
    let room = usize::try_from(per_user.saturating_sub(1)).unwrap_or(usize::MAX);
    let Some(surplus) = sessions.len().checked_sub(room).filter(|surplus| *surplus > 0) else {
        return Ok(());
    };
    tx.announce(Change::User(user.id), now)?;
    for session in &sessions[..surplus] {
        tx.delete_session(session.id)?;
        let target = Target::new("session", session.id, &user.username);
        record(tx, cx, "session.displaced", target, "session.max_per_user", json!({}))?;
    }
    Ok(())
}
