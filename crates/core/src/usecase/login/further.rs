//! Logins that take more than one step: the visitor is sent elsewhere and comes back, or types a
//! code after the password.

use std::time::Duration;

use super::{
    Brought, Door, Login, LoginError, LoginGrant,
    ask::{self, Heardings},
    seal::{Waiting, WhatFor},
};
use crate::{
    cx::OpCx,
    domain::{identity::Identity, login_step::LoginStep},
    id::UserId,
    ports::{
        backend::{Answer, Attempt, BackendCx, Challenge, CredentialKind, Fault, Step, Verdict},
        store::StoreError,
    },
    secret::{Secret, TokenDigest},
    time::Timestamp,
    usecase::error::{AdminError, Forbidden},
};

/// For how long a login waits for the visitor.
const PATIENCE: Duration = Duration::from_mins(10);

/// How a visitor is sent elsewhere.
#[derive(Debug)]
pub struct Departure<'a> {
    /// By which backend.
    pub backend: &'a str,
    /// The absolute address they come back to.
    pub callback: String,
    /// Where they go afterwards.
    pub next: String,
    /// What the browser is known by, which has to be the one that comes back.
    pub browser: &'a Secret,
    /// Whether to link the person there to the actor's account, instead of logging in.
    pub links: bool,
    /// For whom it goes on, where nobody pressed anything.
    pub again: Option<Again>,
}

/// Somebody whose session has ended because the word of a backend has run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    /// Whose session it was: nobody else comes in by it.
    pub user: UserId,
    /// How long ago they may have proved there who they are.
    pub within: Duration,
}

/// How a visitor comes back.
pub struct Arrival<'a> {
    /// By which backend, as the address says.
    pub backend: &'a str,
    /// The query's parameters, decoded.
    pub parameters: Vec<(String, String)>,
    /// What the browser is known by.
    pub browser: Option<Secret>,
}

/// What came of a visit elsewhere.
#[derive(Debug)]
pub enum Arrived {
    /// The visitor may open a session.
    LoggedIn {
        /// The right to open it.
        grant: LoginGrant,
        /// Where they go now.
        next: String,
    },
    /// The person there is linked to the actor's account.
    Linked {
        /// The link.
        identity: Identity,
        /// Where they go now.
        next: String,
    },
}

/// A code that the visitor has to type before the login goes on.
#[derive(Debug)]
pub struct CodeWanted {
    /// What the code has to be brought with, once and soon.
    pub token: Secret,
    /// What the visitor is asked for; empty for a code of no special kind.
    pub prompt: String,
    /// Before this instant no answer goes out, where somebody found the password wrong.
    pub not_before: Timestamp,
}

impl Login {
    /// Where to send a visitor who pressed a backend's button.
    pub async fn depart(&self, cx: &OpCx, departure: Departure<'_>) -> Result<String, LoginError> {
        let named = self.doors.iter().position(|door| {
            door.name().as_str() == departure.backend
                && door.backend.descriptor().takes.contains(&CredentialKind::Redirect)
        });
        let at = named.ok_or_else(|| LoginError::UnknownBackend(departure.backend.to_owned()))?;
        let link_to = if departure.links { Some(self.linking(cx).await?) } else { None };
        let token = cx.new_token();
        let text = token.expose_str().unwrap_or_default().to_owned();
        let again = departure.again.map(|again| again.within);
        let attempt = Attempt::Visit { callback: departure.callback.clone(), token: text, again };
        let verdict = ask::one(&self.doors[at], &attempt, &self.backend_cx(cx)).await;
        let challenge = match verdict {
            Verdict::Challenge(challenge) => challenge,
            Verdict::Fault(fault) => return self.cannot_send(cx, at, &fault).await,
            _ => {
                let fault = Fault::Bug("it sends nobody anywhere".to_owned());
                return self.cannot_send(cx, at, &fault).await;
            }
        };
        let Step::Redirect { url } = challenge.step else {
            let fault = Fault::Bug("it sends nobody anywhere".to_owned());
            return self.cannot_send(cx, at, &fault).await;
        };
        let again = departure.again.map(|again| again.user.to_string());
        let (callback, next) = (departure.callback, departure.next);
        let what_for = WhatFor::Return { callback, next, link_to, again };
        let waiting = Waiting { kept: challenge.state.expose().to_vec(), what_for };
        let browser = Some(TokenDigest::of(departure.browser.expose()));
        self.keep(cx, at, &token, browser, &waiting).await?;
        Ok(url)
    }

    /// Whose account somebody is to be linked to.
    async fn linking(&self, cx: &OpCx) -> Result<String, AdminError> {
        let user = cx.actor.user_id().ok_or(Forbidden::NotAuthenticated)?;
        self.require_fresh(cx).await?;
        Ok(user.to_string())
    }

    async fn cannot_send<T>(&self, cx: &OpCx, at: usize, fault: &Fault) -> Result<T, LoginError> {
        let backend = Some(self.doors[at].name().clone());
        self.note(cx, "login.undecided", None, fault.as_str(), backend).await?;
        Err(LoginError::Unavailable { retry_after: fault.retry_after() })
    }

    /// Goes on with a visitor who came back.
    pub async fn arrive(&self, cx: &OpCx, arrival: Arrival<'_>) -> Result<Arrived, LoginError> {
        // Exactly one, so that nobody can tell us one thing and the backend another.
        let mut states = arrival.parameters.iter().filter(|(name, _)| name == "state");
        let (Some((_, token)), None) = (states.next(), states.next()) else {
            return Err(LoginError::StepLost);
        };
        let token = Secret::new(token.as_str());
        let (step, waiting) = self.take(cx, &token).await?;
        let browser = arrival.browser.map(|browser| TokenDigest::of(browser.expose()));
        let is_same_browser = step.browser.is_some() && step.browser == browser;
        let WhatFor::Return { callback, next, link_to, again } = waiting.what_for else {
            return Err(LoginError::StepLost);
        };
        if !is_same_browser || step.backend.as_str() != arrival.backend {
            return Err(LoginError::StepLost);
        }
        let state = Secret::new(waiting.kept);
        let attempt = Attempt::Return { callback, parameters: arrival.parameters, state };
        if let Some(link_to) = link_to {
            let same_user = cx.actor.user_id().is_some_and(|user| user.to_string() == link_to);
            if !same_user {
                return Err(LoginError::StepLost);
            }
            let identity = self.link(cx, arrival.backend, &attempt).await?;
            return Ok(Arrived::Linked { identity, next });
        }
        let brought = Brought { attempt: &attempt, answered: None };
        let judged = self.judge_unguessed(cx, brought, arrival.backend).await;
        match (again, judged) {
            (None, judged) => Ok(Arrived::LoggedIn { grant: judged?, next }),
            (Some(user), Ok(grant)) if grant.user.to_string() == user => {
                Ok(Arrived::LoggedIn { grant, next })
            }
            (
                Some(_),
                Ok(_)
                | Err(
                    LoginError::Refused { .. }
                    | LoginError::NoAccount { .. }
                    | LoginError::LinkNeeded { .. },
                ),
            ) => Err(LoginError::NotAgain { next }),
            (Some(_), Err(error)) => Err(error),
        }
    }

    /// Goes on with a visitor who has typed a code.
    pub async fn answer(
        &self,
        cx: &OpCx,
        token: &Secret,
        code: Secret,
    ) -> Result<LoginGrant, LoginError> {
        let (step, waiting) = self.take(cx, token).await?;
        let WhatFor::Code { username, password, button } = waiting.what_for else {
            return Err(LoginError::StepLost);
        };
        let password = Secret::new(password.to_vec());
        let answer = Answer { code, state: Some(Secret::new(waiting.kept)) };
        let plain = Attempt::password(username.clone(), password.clone());
        let answered = Attempt::Password { username, password, answer: Some(answer) };
        let brought = Brought { attempt: &plain, answered: Some((&step.backend, &answered)) };
        self.guess(cx, brought, button.as_deref()).await
    }

    /// Asks the visitor for the code that a backend wants.
    pub(super) async fn ask_for_code(
        &self,
        cx: &OpCx,
        at: usize,
        heard: Heardings,
        attempt: &Attempt,
        button: Option<&str>,
    ) -> Result<CodeWanted, LoginError> {
        let not_before = heard.not_before().unwrap_or_else(|| cx.now());
        let (Some(Challenge { step: Step::Code { prompt }, state }), Attempt::Password { .. }) =
            (heard.challenge, attempt)
        else {
            return Err(LoginError::Unavailable { retry_after: 5 });
        };
        let Attempt::Password { username, password, .. } = attempt else {
            return Err(LoginError::StepLost);
        };
        let what_for = WhatFor::Code {
            username: username.clone(),
            password: password.expose().to_vec().into(),
            button: button.map(str::to_owned),
        };
        let token = cx.new_token();
        let waiting = Waiting { kept: state.expose().to_vec(), what_for };
        self.keep(cx, at, &token, None, &waiting).await?;
        Ok(CodeWanted { token, prompt, not_before })
    }

    async fn keep(
        &self,
        cx: &OpCx,
        at: usize,
        token: &Secret,
        browser: Option<TokenDigest>,
        waiting: &Waiting,
    ) -> Result<(), LoginError> {
        let step = LoginStep {
            digest: TokenDigest::of(token.expose()),
            backend: self.doors[at].name().clone(),
            browser,
            sealed: waiting.seal(token).ok_or(LoginError::Unavailable { retry_after: 5 })?,
            expires_at: cx.now().plus(PATIENCE),
        };
        let insert = self.store.write::<_, StoreError>(move |tx| tx.insert_login_step(&step));
        Ok(insert.await?)
    }

    async fn take(&self, cx: &OpCx, token: &Secret) -> Result<(LoginStep, Waiting), LoginError> {
        let (digest, now) = (TokenDigest::of(token.expose()), cx.now());
        let taken = self.store.write(move |tx| tx.take_login_step(&digest, now)).await;
        let taken: Option<LoginStep> = taken.map_err(|error: StoreError| error)?;
        let step = taken.ok_or(LoginError::StepLost)?;
        let waiting = Waiting::open(&step.sealed, token).ok_or(LoginError::StepLost)?;
        Ok((step, waiting))
    }

    pub(super) fn backend_cx<'a>(&'a self, cx: &'a OpCx) -> BackendCx<'a> {
        BackendCx {
            op: cx,
            store: &self.store,
            hasher: &*self.hasher,
            account: None,
            known_as: None,
        }
    }

    /// Whether there is such a backend.
    pub(super) fn require_known(&self, name: &str) -> Result<(), LoginError> {
        let is_known = self.doors.iter().any(|door| door.name().as_str() == name);
        if is_known { Ok(()) } else { Err(LoginError::UnknownBackend(name.to_owned())) }
    }

    /// The doors that have a button of their own, because they lead elsewhere.
    pub fn buttons(&self) -> impl Iterator<Item = &Door> {
        let leads_elsewhere = |kind: &CredentialKind| {
            matches!(kind, CredentialKind::Redirect | CredentialKind::Headers)
        };
        let doors = self.doors.iter().filter(|door| !door.only_entitles());
        doors.filter(move |door| door.backend.descriptor().takes.iter().any(leads_elsewhere))
    }

    /// Whether anybody can log in by a name and a password.
    pub fn takes_passwords(&self) -> bool {
        self.doors_that_take(CredentialKind::Password).next().is_some()
    }

    /// Whether some passwords are judged elsewhere.
    pub fn asks_elsewhere(&self) -> bool {
        self.doors_that_take(CredentialKind::Password).any(|door| !door.is_local())
    }

    fn doors_that_take(&self, kind: CredentialKind) -> impl Iterator<Item = &Door> {
        let doors = self.doors.iter().filter(|door| !door.only_entitles());
        doors.filter(move |door| door.backend.descriptor().takes.contains(&kind))
    }
}
