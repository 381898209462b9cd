//! Logging in: from what a visitor brought to the right to open a session.

mod addressed;
mod ask;
mod convert;
mod door;
mod further;
mod link;
mod names;
mod notes;
mod outcome;
mod person;
mod refresh;
mod refusing;
mod seal;
mod settle;
pub(super) mod tell;
mod upstream;

use std::sync::Arc;

use serde_json::json;

pub(super) use self::seal::Farewell;
use self::{
    addressed::{Addressed, failure_key},
    ask::{Brought, Heardings},
    door::{Known, identifying},
    names::Owned,
    outcome::There,
    settle::{Asserted, Unsettled},
};
pub use self::{
    convert::{Conversions, NewPassword, Person},
    door::Door,
    further::{Again, Arrival, Arrived, CodeWanted, Departure},
    names::GivenNames,
    outcome::{LoginError, LoginGrant},
    refresh::Refreshed,
    upstream::EndError,
};
use super::{
    post::Postbox,
    record::{Target, record},
    throttle::{CountKey, Full, Reserved, Throttle},
};
use crate::{
    cx::OpCx,
    domain::{identity::BackendName, user::User},
    policy::chain::Conclusion,
    ports::{
        backend::{Assertion, Attempt, BackendCx},
        hasher::{HashError, PasswordHasher},
        store::{Store, StoreError, StoreErrorKind, Tx},
    },
    time::Timestamp,
};

/// Logs people in.
pub struct Login {
    store: Store,
    hasher: Arc<dyn PasswordHasher>,
    doors: Vec<Door>,
    names: GivenNames,
    throttle: Arc<Throttle>,
    postbox: Postbox,
}

/// One login, from the first question to its end.
struct Trial<'a> {
    cx: &'a OpCx,
    addressed: Addressed,
    /// What a wrong password counts towards; nothing where none was typed.
    guess: Option<(CountKey, Reserved)>,
    button: Option<&'a str>,
    /// When it began, before anybody looked at a password.
    began: Timestamp,
}

impl Login {
    /// With the ways in, in the operator's order.
    pub fn new(
        store: Store,
        hasher: Arc<dyn PasswordHasher>,
        doors: Vec<Door>,
        names: GivenNames,
        throttle: Arc<Throttle>,
        postbox: Postbox,
    ) -> Self {
        Self { store, hasher, doors, names, throttle, postbox }
    }

    /// The ways in, in their order.
    pub fn doors(&self) -> &[Door] {
        &self.doors
    }

    /// Judges what a visitor brought. `backend` names the one way in that is to be tried.
    pub async fn attempt(
        &self,
        cx: &OpCx,
        attempt: Attempt,
        backend: Option<&str>,
    ) -> Result<LoginGrant, LoginError> {
        let brought = Brought { attempt: &attempt, answered: None };
        match (&attempt, backend) {
            (Attempt::Password { .. }, _) => self.guess(cx, brought, backend).await,
            (Attempt::Headers(_), Some(name)) => self.judge_unguessed(cx, brought, name).await,
            // Whoever is sent elsewhere departs and arrives.
            _ => Err(LoginError::StepLost),
        }
    }

    /// Judges a name and a password, unless there were too many wrong ones.
    async fn guess(
        &self,
        cx: &OpCx,
        brought: Brought<'_>,
        button: Option<&str>,
    ) -> Result<LoginGrant, LoginError> {
        let Attempt::Password { username, password, .. } = brought.attempt else {
            return Err(LoginError::StepLost);
        };
        if let Some(name) = button {
            self.require_known(name)?;
        }
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(LoginError::PasswordTooLong { max: MAX_PASSWORD_BYTES });
        }
        let began = cx.now();
        let addressed = self.addressed(username).await?;
        let key = failure_key(&addressed, username);
        let place = match self.throttle.reserve(key, addressed.failures, cx.now()) {
            Ok(place) => place,
            // Whoever has the right password is not told that it is wrong.
            Err(Full::UnderWay) => return Err(LoginError::Unavailable { retry_after: 1 }),
            Err(Full::Failures) => {
                // As much work as a wrong password, whatever the password is.
                let done = self.hasher.verify(password, None).await.map_err(unavailable)?;
                self.note(cx, "login.failed", addressed.account, TOO_MANY, None).await?;
                return Err(LoginError::Refused { not_before: done.not_before });
            }
        };
        let trial = Trial { cx, addressed, guess: Some((key, place)), button, began };
        self.judge(brought, trial).await
    }

    /// Judges what can be right or wrong, but not guessed.
    async fn judge_unguessed(
        &self,
        cx: &OpCx,
        brought: Brought<'_>,
        backend: &str,
    ) -> Result<LoginGrant, LoginError> {
        self.require_known(backend)?;
        let (addressed, button, began) = (Addressed::nobody(), Some(backend), cx.now());
        self.judge(brought, Trial { cx, addressed, guess: None, button, began }).await
    }

    async fn judge(
        &self,
        brought: Brought<'_>,
        trial: Trial<'_>,
    ) -> Result<LoginGrant, LoginError> {
        let typed = match brought.attempt {
            Attempt::Password { username, password, .. } => Some((username, password)),
            _ => None,
        };
        let username = typed.map_or("", |(username, _)| username);
        let account = trial.addressed.account.as_ref().map(|user| user.id);
        let bcx = BackendCx { account, ..self.backend_cx(trial.cx) };
        let ties = trial.addressed.ties.as_ref();
        let known = Known { button: trial.button, username, ties };
        let identifying = identifying(&self.doors, &known);
        let mut heard = ask::who(&self.doors, &identifying, ties, brought, &bcx).await;
        let mut entered = None;
        if self.doors.iter().any(Door::only_entitles)
            && let Conclusion::Accept(at) = heard.conclude()
            && let Some(assertion) = heard.assertion_of(at)
        {
            let owned = self.existing(at, assertion).await?;
            let whom =
                self.whom(at, assertion, typed.map(|(name, _)| name.as_str()), owned.as_ref());
            // Others are asked by a name. One that the visitor chose somewhere would be anybody's.
            if whom.is_nobody_to_one_of(&self.doors) {
                let user = owned.map(|owned| Box::new(owned.user));
                return self.turn_away(at, Unsettled::ChosenName(user), trial).await;
            }
            ask::entitlement(&self.doors, &whom, &mut heard, &bcx).await?;
            entered = owned.map(|owned| owned.user);
        }
        match heard.conclude() {
            Conclusion::Accept(at) => self.accept(at, heard, trial).await,
            Conclusion::Refuse(Some(at)) => self.refuse(at, &heard, entered, trial).await,
            Conclusion::Refuse(None) => {
                let not_before = match typed {
                    // Nobody knew the name: the same work as a wrong password.
                    Some((_, password)) => {
                        let done = self.hasher.verify(password, None).await;
                        done.map_err(unavailable)?.not_before
                    }
                    None => trial.cx.now(),
                };
                self.count_failure(trial, UNKNOWN_ACCOUNT, None, Vec::new()).await?;
                Err(LoginError::Refused { not_before })
            }
            Conclusion::TryLater(at) => self.put_off(at, &heard, trial).await,
            Conclusion::Challenge(_) if matches!(brought.attempt, Attempt::Headers(_)) => {
                Err(heard.sign_on_first())
            }
            Conclusion::Challenge(at) => {
                let (cx, button) = (trial.cx, trial.button);
                // Whoever is asked for a code by one may have guessed wrong at another.
                if let Some((by, reason)) = heard.wrong_guess() {
                    let backend = Some(self.doors[by].name().clone());
                    let guessed_at = heard.guessed_at(&self.doors);
                    self.count_failure(trial, reason, backend, guessed_at).await?;
                }
                let wanted = self.ask_for_code(cx, at, heard, brought.attempt, button).await?;
                Err(LoginError::CodeWanted(wanted))
            }
        }
    }

    /// The account that the person enters already.
    async fn existing(
        &self,
        at: usize,
        assertion: &Assertion,
    ) -> Result<Option<Owned>, StoreError> {
        let (door, assertion) = (&self.doors[at], assertion.clone());
        let (name, is_local) = (door.name().clone(), door.is_local());
        self.store
            .lookup(move |tx| {
                let user = settle::existing(tx, &name, is_local, &assertion)?;
                user.map(|user| Owned::of(tx, user)).transpose()
            })
            .await
    }

    async fn accept(
        &self,
        at: usize,
        heard: Heardings,
        trial: Trial<'_>,
    ) -> Result<LoginGrant, LoginError> {
        let door = &self.doors[at];
        let silent = heard.silent;
        let (mut first, mut others) = (None, Vec::new());
        for (by, assertion) in heard.assertions {
            let asserted = Asserted::of(&self.doors[by], assertion);
            if by == at { first = Some(asserted) } else { others.push(asserted) }
        }
        let first = first.ok_or(LoginError::Unavailable { retry_after: 5 })?;
        let guessed_at = if door.is_local() {
            Some(Vec::new())
        } else {
            self.guessed_at(door.name(), &first.assertion, &trial).await?
        };
        let Some(mut failures) = guessed_at else {
            let (cx, backend) = (trial.cx, Some(door.name().clone()));
            self.note(cx, "login.failed", trial.addressed.account, TOO_MANY, backend).await?;
            return Err(LoginError::Refused { not_before: cx.now() });
        };
        let there = There::of(&first.assertion);
        let rehash = first.assertion.rehash.clone().filter(|_| door.is_local());
        let user = match first.is_all_there_is(&others).filter(|_| silent.is_empty()) {
            Some(user) => user,
            None => match self.settle(trial.cx, first, others, silent).await {
                Ok(user) => user.id,
                Err(unsettled) => return self.turn_away(at, unsettled, trial).await,
            },
        };
        for theirs in &failures {
            self.throttle.forgive(*theirs);
        }
        let key = trial.guess.map(|(key, place)| {
            place.succeeded();
            key
        });
        failures.extend(trial.addressed.failures.and(key));
        let backend = door.name().to_string();
        // Passwords elsewhere are not changed here.
        let password_of = door.is_local().then_some(trial.began);
        Ok(LoginGrant { user, backend, rehash, failures, there, password_of })
    }

    async fn settle(
        &self,
        cx: &OpCx,
        first: Asserted,
        others: Vec<Asserted>,
        silent: Vec<BackendName>,
    ) -> Result<User, Unsettled> {
        let (cx, said) = (cx.clone(), Arc::new((first, others, silent)));
        for _ in 0..2 {
            let (cx, said, postbox) = (cx.clone(), Arc::clone(&said), self.postbox.clone());
            let work =
                move |tx: &mut dyn Tx| settle::settle(tx, &cx, &postbox, &said.0, &said.1, &said.2);
            match self.store.write(work).await {
                // The same person came in for the first time twice at once: now they are known.
                Err(Unsettled::Store(error)) if error.is_duplicate() => {}
                settled => return settled,
            }
        }
        Err(Unsettled::Store(StoreError::new(StoreErrorKind::Contended)))
    }

    /// Writes down that failed logins come in a flood, all over the site.
    pub async fn report_flood(&self, cx: &OpCx) -> Result<(), StoreError> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                let target = Target::new("site", "", "login");
                record(tx, &cx, "login.flood", target, "login_failures_per_site", json!({}))
            })
            .await
    }
}

/// The most bytes a password may have, before anything is done with it.
pub const MAX_PASSWORD_BYTES: usize = 4096;

/// Why a login failed that may have been the right password.
const TOO_MANY: &str = "too many failures";

/// Why a login failed whose name nobody knows.
const UNKNOWN_ACCOUNT: &str = "unknown account";

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn unavailable(error: HashError) -> LoginError {
    match error {
        HashError::Busy { retry_after } => LoginError::Unavailable { retry_after },
        HashError::TooLong { max } => LoginError::PasswordTooLong { max },
        HashError::Failed(_) => LoginError::Unavailable { retry_after: 5 },
    }
}
