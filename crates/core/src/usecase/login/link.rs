//! Linking who somebody is elsewhere to the account they are logged in to.

use std::sync::Arc;

use serde_json::json;

use super::{Door, Login, LoginError, addressed::failure_key, ask, door::is_entered, settle, tell};
use crate::{
    cx::{Actor, OpCx},
    domain::{
        change::Change,
        identity::{BackendName, Identity, Subject},
    },
    id::UserId,
    policy::chain::Heard,
    ports::{
        backend::{Assertion, Attempt, Verdict},
        store::{StoreError, Tx},
        throttle::WindowCount,
    },
    usecase::{
        authority::Authority,
        error::{AdminError, AdminResult, Forbidden},
        record::{Target, record},
        throttle::{CountKey, Reserved},
    },
};

impl Login {
    /// Links the person that the backend vouches for to the actor's account. Both are proved in the
    /// same browser: the account by a login not long ago, the person by this attempt.
    pub async fn link(
        &self,
        cx: &OpCx,
        backend: &str,
        attempt: &Attempt,
    ) -> Result<Identity, LoginError> {
        let user =
            cx.actor.user_id().ok_or_else(|| AdminError::from(Forbidden::NotAuthenticated))?;
        let door = self.linkable(backend, attempt)?;
        self.require_fresh(cx).await?;
        let places = match attempt {
            Attempt::Password { username, .. } => self.reserve(cx, user, username).await?,
            _ => Vec::new(),
        };
        let verdict = ask::one(door, attempt, &self.backend_cx(cx)).await;
        let guess = Heard::of(&verdict).is_wrong_guess();
        match verdict {
            // Failures are forgotten by a login alone: one's own person elsewhere is no leave to
            // guess at others.
            Verdict::Verified(assertion) => Ok(self.bind(cx, user, door, assertion).await?),
            Verdict::Fault(fault) => {
                Err(LoginError::Unavailable { retry_after: fault.retry_after() })
            }
            _ if places.is_empty() => Err(nobody_there().into()),
            // Half a proof is no wrong one: it is brought again, with the code.
            Verdict::Challenge(_) => Err(LoginError::CodeMissing),
            Verdict::Rejected(rejection) => {
                if guess {
                    self.note_guess(cx, door, rejection.reason.as_str(), places).await?;
                }
                let not_before = rejection.not_before.unwrap_or_else(|| cx.now());
                Err(LoginError::Refused { not_before })
            }
            _ => Err(LoginError::Refused { not_before: cx.now() }),
        }
    }

    /// Who it is that [`link`](Self::link) would link, in the words of the backend: to be shown
    /// before. What is brought can be no guess.
    pub async fn introduce(
        &self,
        cx: &OpCx,
        backend: &str,
        attempt: &Attempt,
    ) -> Result<String, LoginError> {
        let door = self.linkable(backend, attempt)?;
        if matches!(attempt, Attempt::Password { .. }) {
            return Err(nobody_there().into());
        }
        self.require_fresh(cx).await?;
        match ask::one(door, attempt, &self.backend_cx(cx)).await {
            Verdict::Verified(assertion) => {
                let named = assertion.account.or(assertion.username);
                Ok(named.unwrap_or_else(|| assertion.subject.as_str().to_owned()))
            }
            Verdict::Fault(fault) => {
                Err(LoginError::Unavailable { retry_after: fault.retry_after() })
            }
            _ => Err(nobody_there().into()),
        }
    }

    fn linkable(&self, backend: &str, attempt: &Attempt) -> Result<&Door, AdminError> {
        let door = self.doors().iter().find(|door| door.name().as_str() == backend);
        door.filter(|door| !door.is_local() && door.takes(attempt)).ok_or_else(|| {
            AdminError::field("backend", "unknown", "there is no such backend to link")
        })
    }

    pub(super) async fn require_fresh(&self, cx: &OpCx) -> AdminResult<()> {
        let cx = cx.clone();
        let fresh = move |tx: &mut dyn Tx| {
            let authority = Authority::load(tx, &cx)?;
            Ok::<_, AdminError>(authority.require_fresh()?)
        };
        self.store.read(fresh).await
    }

    /// Guesses at people elsewhere count as guesses at the account that makes them, and at the one
    /// that a login with that name would be for.
    async fn reserve(
        &self,
        cx: &OpCx,
        user: UserId,
        username: &str,
    ) -> Result<Vec<(CountKey, Reserved)>, LoginError> {
        let addressed = self.addressed(username).await?;
        let (own, theirs) = (CountKey::of_account(user), failure_key(&addressed, username));
        let stored = self.store.lookup(move |tx| tx.window_count(own.as_bytes())).await;
        let stored: Option<WindowCount> = stored.map_err(|error: StoreError| error)?;
        let mut places = Vec::new();
        let keys = [(own, stored), (theirs, addressed.failures)];
        for (key, stored) in keys.into_iter().take(if own == theirs { 1 } else { 2 }) {
            let place = self.throttle.reserve(key, stored, cx.now());
            let busy = |_| LoginError::Unavailable { retry_after: 60 };
            places.push((key, place.map_err(busy)?));
        }
        Ok(places)
    }

    async fn note_guess(
        &self,
        cx: &OpCx,
        door: &Door,
        reason: &'static str,
        places: Vec<(CountKey, Reserved)>,
    ) -> Result<(), StoreError> {
        let (now, start) = (cx.now(), self.throttle.window_start(cx.now()));
        let keys: Vec<CountKey> = places.iter().map(|(key, _)| *key).collect();
        let (own, name) = (cx.clone(), door.name().clone());
        let counts = self.store.write(move |tx| {
            let target = Target::new("user", "", "unknown");
            let details = json!({ "backend": name.as_str(), "to": "link" });
            record(tx, &own, "login.failed", target, reason, details)?;
            keys.iter().map(|key| tx.count_one(key.as_bytes(), now, start)).collect()
        });
        let counts: Vec<u32> = counts.await.map_err(|error: StoreError| error)?;
        for ((_, place), count) in places.into_iter().zip(counts) {
            place.failed(WindowCount { since: now, count });
        }
        Ok(())
    }

    async fn bind(
        &self,
        cx: &OpCx,
        user: UserId,
        door: &Door,
        assertion: Box<Assertion>,
    ) -> AdminResult<Identity> {
        let said = Arc::new(settle::Asserted::of(door, assertion));
        let (cx, postbox, way) = (cx.clone(), self.postbox.clone(), door.called().to_owned());
        self.store
            .write(move |tx| {
                tx.announce(Change::User(user), cx.now())?;
                Authority::load(tx, &cx)?.require_fresh()?;
                let subject = said.assertion.subject.clone();
                if let Some(known) = tx.identity(&said.backend, &subject)? {
                    return if known.user == user { Ok(known) } else { Err(taken()) };
                }
                let owner = tx.user_by_id(user)?.ok_or(Forbidden::NotAuthenticated)?;
                let named = said.assertion.account.as_deref();
                if named.is_some_and(|named| !settle::is_name_of(&owner, named)) {
                    return Err(taken());
                }
                settle::link(tx, &cx, &owner, &said, "own account, both proved")?;
                settle::follow_groups(tx, &cx, &owner, &said)?;
                tell::changed(tx, &cx, &postbox, &owner, &way, true)?;
                tx.identity(&said.backend, &subject)?.ok_or(AdminError::NotFound("identity"))
            })
            .await
    }

    /// Ends a link of the actor's own account, with the memberships that came by it. The last way
    /// into an account stays.
    pub async fn unlink(&self, cx: &OpCx, backend: &str, subject: &str) -> AdminResult<()> {
        let Actor::User { id: user, .. } = cx.actor else {
            return Err(Forbidden::NotAuthenticated.into());
        };
        let missing = || AdminError::NotFound("identity");
        let (backend, subject) = (
            backend.parse().map_err(|_| missing())?,
            Subject::parse(subject).map_err(|_| missing())?,
        );
        let (way, doors) = (self.way_of(&backend), self.doors.clone());
        let (cx, postbox) = (cx.clone(), self.postbox.clone());
        self.store
            .write(move |tx| {
                tx.announce(Change::User(user), cx.now())?;
                let authority = Authority::load(tx, &cx)?;
                let known = tx.identity(&backend, &subject)?.filter(|known| known.user == user);
                let known = known.ok_or_else(missing)?;
                authority.require_fresh()?;
                let others = tx.identities_of(user)?;
                let has_password = tx.user_password(user)?.is_some_and(|hash| hash.is_usable());
                let is_left = |other: &&Identity| {
                    other.backend != known.backend || other.subject != known.subject
                };
                let left = others.iter().filter(is_left).map(|other| &other.backend);
                if !is_entered(&doors, has_password, left) {
                    let message = "it is the only way into the account";
                    return Err(AdminError::conflict("last_way_in", message));
                }
                let owner = tx.user_by_id(user)?.ok_or(Forbidden::NotAuthenticated)?;
                let current = match cx.actor {
                    Actor::User { session, .. } => session,
                    _ => None,
                };
                for session in tx.sessions_of(user)? {
                    // Whoever came in by it is out, but for this very browser.
                    if session.backend == backend.as_str() && Some(session.id) != current {
                        tx.delete_session(session.id)?;
                    }
                }
                tell::sever(tx, &cx, &owner, &known, &others, "own account")?;
                tell::changed(tx, &cx, &postbox, &owner, &way, false)?;
                Ok(())
            })
            .await
    }

    /// What the login page calls a way in; its name, where it is one no more.
    fn way_of(&self, backend: &BackendName) -> String {
        let door = self.doors().iter().find(|door| door.name() == backend);
        door.map_or(backend.as_str(), |door| door.called()).to_owned()
    }

    /// The identities of the actor's own account.
    pub async fn identities(&self, cx: &OpCx) -> AdminResult<Vec<Identity>> {
        let user = cx.actor.user_id().ok_or(Forbidden::NotAuthenticated)?;
        let found = self.store.read(move |tx| tx.identities_of(user)).await;
        Ok(found.map_err(|error: StoreError| error)?)
    }
}

fn nobody_there() -> AdminError {
    let message = "nobody is vouched for there who could be linked";
    AdminError::conflict("not_vouched_for", message)
}

fn taken() -> AdminError {
    AdminError::conflict("identity_taken", "that person has another account here")
}
