//! The backend under test, as the host would run it, and people who try to get in by it.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use vestibule_core::{
    Secret,
    domain::identity::BackendName,
    ports::backend::{
        Attempt, Backend, Challenge, CredentialKind, Fault, ProxyHeaders, Step, Verdict,
    },
};

use super::{Extras, Finding, Fixture, Found, LeftOut, OverHttp, Peer, Report, ear::Secrets};
use crate::{
    runner::{Guarded, Limits},
    testkit::Host,
};

const CALLBACK: &str = "https://hall.example/back";

/// By what people get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Password,
    Visit,
    Headers,
}

impl Way {
    /// What its cases have behind their names; those of passwords have nothing.
    fn suffix(self) -> &'static str {
        match self {
            Self::Password => "",
            Self::Visit => " (by a visit)",
            Self::Headers => " (by headers)",
        }
    }
}

/// The backend under test, as the host would run it.
pub(super) struct Bench<'a> {
    pub(super) fixture: &'a Fixture,
    pub(super) extras: &'a Extras,
    pub(super) peer: &'a dyn Peer,
    /// The fixture's service, where that is what the backend asks.
    pub(super) service: Option<&'a OverHttp<'a>>,
    pub(super) backend: Arc<dyn Backend>,
    pub(super) host: Host,
    pub(super) way: Way,
    pub(super) secrets: Secrets,
    pub(super) report: Report,
    pub(super) visits: AtomicU32,
}

/// Somebody who was sent elsewhere.
pub(super) struct Sent {
    pub(super) url: String,
    pub(super) token: String,
    pub(super) state: Secret,
}

impl Sent {
    pub(super) fn back(&self, parameters: Vec<(String, String)>) -> Attempt {
        coming(parameters, &self.state)
    }
}

pub(super) fn coming(parameters: Vec<(String, String)>, state: &Secret) -> Attempt {
    Attempt::Return { callback: CALLBACK.to_owned(), parameters, state: state.clone() }
}

#[expect(clippy::expect_used, reason = "a constant that is a name")]
pub(super) fn bench_name() -> BackendName {
    BackendName::parse("under-test").expect("a name")
}

impl Bench<'_> {
    pub(super) fn note(&mut self, case: impl Into<String>, found: Found) {
        let case = case.into() + self.way.suffix();
        self.report.findings.push(Finding { case, wrong: found.err() });
    }

    /// Says that some cases are not tried.
    pub(super) fn leave_out(&mut self, cases: &str, why: &'static str) {
        let cases = format!("{cases}{}", self.way.suffix());
        self.report.left_out.push(LeftOut { cases, why });
    }

    pub(super) fn takes(&self, kind: CredentialKind) -> bool {
        self.backend.descriptor().takes.contains(&kind)
    }

    /// Has the service work again.
    pub(super) fn mend(&self) {
        self.peer.works();
    }

    /// Has the service be away.
    pub(super) fn away(&self) {
        if let Some(how) = self.peer.failures().first() {
            self.peer.fails(how);
        }
    }

    /// The backend with the host's guard around it, impatient and without a breaker, so that each
    /// case stands for itself.
    pub(super) fn guarded(&self) -> Guarded {
        self.guard(Arc::clone(&self.backend), u32::MAX)
    }

    /// Another one like it, which knows nothing yet.
    pub(super) fn anew(&self) -> Result<Guarded, String> {
        let built = self.fixture.factory.build(bench_name(), self.fixture.section.clone());
        Ok(self.guard(built.map_err(|error| error.to_string())?, u32::MAX))
    }

    /// With the breaker that it has in a server.
    pub(super) fn with_breaker(&self) -> Guarded {
        self.guard(Arc::clone(&self.backend), Limits::default().faults)
    }

    fn guard(&self, backend: Arc<dyn Backend>, faults: u32) -> Guarded {
        let limits = Limits { deadline: self.extras.patience, faults, ..Limits::default() };
        Guarded::new(backend, limits)
    }

    /// Somebody comes in, by the way that is tried: with a name and a password, by going elsewhere
    /// as that person, or by being that person to the proxy.
    pub(super) async fn log_in(&self, username: &str, password: &str) -> Verdict {
        self.log_in_at(&self.guarded(), username, password).await
    }

    pub(super) async fn log_in_at(
        &self,
        guarded: &Guarded,
        username: &str,
        password: &str,
    ) -> Verdict {
        let attempt = match self.way {
            Way::Password => Attempt::password(username, password),
            Way::Headers => headers(self.vouched(username)),
            Way::Visit => match self.send_at(guarded).await {
                Ok(sent) => sent.back(self.come_back(&sent.url, username)),
                Err(verdict) => return verdict,
            },
        };
        self.ask_at(guarded, &attempt).await
    }

    /// What one person brought, mixed with another's: it is nobody's.
    pub(super) async fn mixed_up_at(&self, guarded: &Guarded) -> Verdict {
        let Fixture { right, other, .. } = self.fixture;
        let attempt = match self.way {
            Way::Password => Attempt::password(right.0.as_str(), other.1.as_str()),
            Way::Headers => headers([self.vouched(&right.0), self.vouched(&other.0)].concat()),
            Way::Visit => match (self.send_at(guarded).await, self.send_at(guarded).await) {
                (Ok(one), Ok(two)) => two.back(self.come_back(&one.url, &right.0)),
                (Err(verdict), _) | (_, Err(verdict)) => return verdict,
            },
        };
        self.ask_at(guarded, &attempt).await
    }

    pub(super) async fn ask(&self, attempt: &Attempt) -> Verdict {
        self.ask_at(&self.guarded(), attempt).await
    }

    pub(super) async fn ask_at(&self, guarded: &Guarded, attempt: &Attempt) -> Verdict {
        match &self.extras.host {
            Some(host) => host.ask(guarded, attempt).await,
            None => guarded.authenticate(attempt, &self.host.cx()).await,
        }
    }

    /// Sends somebody elsewhere; what else comes of it is no way to get in.
    pub(super) async fn send_at(&self, guarded: &Guarded) -> Result<Sent, Verdict> {
        let number = self.visits.fetch_add(1, Ordering::Relaxed);
        let token = format!("token-{number}-of-the-hall");
        let visit =
            Attempt::Visit { callback: CALLBACK.to_owned(), token: token.clone(), again: None };
        match self.ask_at(guarded, &visit).await {
            Verdict::Challenge(Challenge { step: Step::Redirect { url }, state }) => {
                self.secrets.add(state.expose_str().unwrap_or_default());
                Ok(Sent { url, token, state })
            }
            other => Err(other),
        }
    }

    /// What this person brings back from there. All but the token and the service's name for
    /// itself lets people in, and is not to be seen.
    pub(super) fn come_back(&self, url: &str, username: &str) -> Vec<(String, String)> {
        let come_back = self.extras.visits.as_ref();
        let brought = come_back.map(|come_back| come_back(url, username)).unwrap_or_default();
        for (_, value) in brought.iter().filter(|(name, _)| name != "state" && name != "iss") {
            self.secrets.add(value);
        }
        brought
    }

    /// Which headers the proxy sets for this person.
    pub(super) fn vouched(&self, username: &str) -> Vec<(String, Vec<u8>)> {
        self.extras.headers.as_ref().map(|headers| headers(username)).unwrap_or_default()
    }

    pub(super) async fn entitle(&self, username: &str) -> Verdict {
        self.host.entitle(&self.guarded(), username).await
    }

    /// Whether any secret stands in a text.
    pub(super) fn leak(&self, text: &str) -> Found {
        if self.secrets.are_in(text) {
            return Err("it shows a secret in what is meant for the log".to_owned());
        }
        Ok(())
    }
}

pub(super) fn headers(all: Vec<(String, Vec<u8>)>) -> Attempt {
    Attempt::Headers(ProxyHeaders::new(all))
}

/// What an answer is, in a word or two; never what it holds.
pub(super) fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Verified(_) => "verified".to_owned(),
        Verdict::Rejected(rejection) => format!("rejected ({})", rejection.reason.as_str()),
        Verdict::NotMine(why) => format!("not mine ({})", why.as_str()),
        Verdict::Challenge(_) => "a challenge".to_owned(),
        Verdict::Fault(fault) => format!("fault ({})", fault.as_str()),
        _ => "something new".to_owned(),
    }
}

pub(super) fn expect_fault(verdict: &Verdict) -> Result<&Fault, String> {
    match verdict {
        Verdict::Fault(fault) => Ok(fault),
        Verdict::Verified(_) => Err("it lets somebody in".to_owned()),
        other => Err(format!(
            "it answers {} where it could not know: that reads as a wrong password and locks \
             people out; it is a fault",
            word(other)
        )),
    }
}

pub(super) fn expect_no_entry(verdict: &Verdict) -> Found {
    match verdict {
        Verdict::Verified(_) => Err("it lets somebody in".to_owned()),
        Verdict::Fault(fault) => Err(format!("it answers with a fault ({})", fault.as_str())),
        _ => Ok(()),
    }
}

/// A fault is as good as a refusal where what was brought is nobody's own.
pub(super) fn no_entry(verdict: &Verdict) -> Found {
    match verdict {
        Verdict::Verified(_) => Err("it lets somebody in".to_owned()),
        Verdict::Fault(fault) if fault.as_str() == "bug" => Err(format!("it fails: {fault}")),
        _ => Ok(()),
    }
}
