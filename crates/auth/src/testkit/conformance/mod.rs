//! Whether a backend does what is expected of one: every case has a name and says what it found.
//!
//! `docs/writing-a-backend.md` shows how a plugin's own test calls it.

mod answers;
mod config;
mod crowds;
mod ear;
mod extras;
mod groups;
mod http;
mod names;
mod outages;
mod steps;
mod timing;

use std::{fmt, sync::Arc};

use tracing::instrument::WithSubscriber;
use vestibule_core::{
    domain::identity::BackendName,
    ports::backend::{Attempt, Backend, BackendFactory, CredentialKind, Fault, Section, Verdict},
};

pub use self::extras::{Asks, Code, ComeBack, Extras, Peer, TellGroups, Visits};
use self::{ear::Ear, http::OverHttp};
use super::{Asked, Host, Reply, Service};
use crate::runner::{Guarded, Limits};

/// A backend to look at, and what its service knows.
pub struct Fixture {
    /// Makes the backend.
    pub factory: Box<dyn BackendFactory>,
    /// A section that works.
    pub section: Section,
    /// The service that it asks.
    pub service: Service,
    /// What the service does as long as nothing is wrong.
    pub script: Arc<dyn Fn(&Asked) -> Reply + Send + Sync>,
    /// A login name that the service knows, and its password. The password is unlike anything
    /// else: wherever it turns up, it has leaked.
    pub right: (String, String),
    /// By what the service knows that person for good.
    pub subject: String,
    /// Other ways to write that login name, which the service takes for the same person.
    pub spellings: Vec<String>,
    /// Another person's login name and password.
    pub other: (String, String),
    /// A login name that the service does not know.
    pub unknown: String,
    /// A login name and password whose account the service has switched off, where it has such.
    pub disabled: Option<(String, String)>,
    /// Secrets of the section that must never be seen.
    pub secrets: Vec<String>,
}

/// What one case found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which case.
    pub case: String,
    /// What is wrong, in a sentence; nothing when all is well.
    pub wrong: Option<String>,
}

/// What all cases found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Case by case.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The cases that found something wrong.
    pub fn failures(&self) -> Vec<&Finding> {
        self.findings.iter().filter(|finding| finding.wrong.is_some()).collect()
    }

    /// Fails a test with all that is wrong, case by case.
    ///
    /// # Panics
    /// When anything is wrong.
    pub fn expect_all_well(&self) {
        assert!(self.failures().is_empty(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures = self.failures();
        writeln!(f, "{} cases, {} failed", self.findings.len(), failures.len())?;
        for Finding { case, wrong } in failures {
            writeln!(f, "  {case}: {}", wrong.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }
}

/// What a case says: nothing, or what is wrong.
type Found = Result<(), String>;

/// The backend under test, as the host would run it.
struct Bench<'a> {
    fixture: &'a Fixture,
    extras: &'a Extras,
    peer: &'a dyn Peer,
    backend: Arc<dyn Backend>,
    host: Host,
    report: Report,
}

/// Runs all cases of a backend that takes passwords and asks a service over HTTP.
pub async fn run(fixture: &Fixture) -> Report {
    run_with(fixture, &Extras::default()).await
}

/// Runs all cases, with whatever else there is to try.
pub async fn run_with(fixture: &Fixture, extras: &Extras) -> Report {
    let built = fixture.factory.build(bench_name(), fixture.section.clone());
    let backend = match built {
        Ok(backend) => backend,
        Err(error) => {
            let wrong = Some(format!("its own section is refused: {error}"));
            return Report { findings: vec![Finding { case: "build".to_owned(), wrong }] };
        }
    };
    let over_http = OverHttp(fixture);
    let peer = extras.peer.as_deref().unwrap_or(&over_http);
    let (host, report) = (Host::default(), Report::default());
    let mut bench = Bench { fixture, extras, peer, backend, host, report };
    let ear = Ear::new(bench.secrets().map(str::to_owned).collect());
    // Too large for one stack frame with all that it awaits.
    Box::pin(all(&mut bench)).with_subscriber(ear.clone()).await;
    bench.note("secrets: nothing that is logged shows one", ear.heard().map_or(Ok(()), Err));
    bench.report
}

async fn all(bench: &mut Bench<'_>) {
    config::run(bench);
    answers::kinds(bench).await;
    if bench.takes(CredentialKind::Password) {
        answers::run(bench).await;
        names::run(bench).await;
        outages::run(bench).await;
        groups::run(bench).await;
        crowds::run(bench).await;
        timing::run(bench).await;
    }
    steps::run(bench).await;
}

#[expect(clippy::expect_used, reason = "a constant that is a name")]
fn bench_name() -> BackendName {
    BackendName::parse("under-test").expect("a name")
}

impl Bench<'_> {
    fn note(&mut self, case: impl Into<String>, found: Found) {
        self.report.findings.push(Finding { case: case.into(), wrong: found.err() });
    }

    fn takes(&self, kind: CredentialKind) -> bool {
        self.backend.descriptor().takes.contains(&kind)
    }

    /// Has the service work again.
    fn mend(&self) {
        self.peer.works();
    }

    /// Has the service be away.
    fn away(&self) {
        if let Some(how) = self.peer.failures().first() {
            self.peer.fails(how);
        }
    }

    /// The backend with the host's guard around it, impatient and without a breaker, so that each
    /// case stands for itself.
    fn guarded(&self) -> Guarded {
        let limits =
            Limits { deadline: self.extras.patience, faults: u32::MAX, ..Limits::default() };
        Guarded::new(Arc::clone(&self.backend), limits)
    }

    async fn log_in(&self, username: &str, password: &str) -> Verdict {
        self.log_in_at(&self.guarded(), username, password).await
    }

    async fn log_in_at(&self, guarded: &Guarded, username: &str, password: &str) -> Verdict {
        self.ask_at(guarded, &Attempt::password(username, password)).await
    }

    async fn ask(&self, attempt: &Attempt) -> Verdict {
        self.ask_at(&self.guarded(), attempt).await
    }

    async fn ask_at(&self, guarded: &Guarded, attempt: &Attempt) -> Verdict {
        match &self.extras.host {
            Some(host) => host.ask(guarded, attempt).await,
            None => guarded.authenticate(attempt, &self.host.cx()).await,
        }
    }

    async fn entitle(&self, username: &str) -> Verdict {
        self.host.entitle(&self.guarded(), username).await
    }

    /// What must never be seen.
    fn secrets(&self) -> impl Iterator<Item = &str> {
        let passwords = [&self.fixture.right.1, &self.fixture.other.1];
        let all = self.fixture.secrets.iter().chain(passwords);
        all.map(String::as_str).filter(|secret| !secret.is_empty())
    }

    /// Whether any secret stands in a text.
    fn leak(&self, text: &str) -> Found {
        if self.secrets().any(|secret| text.contains(secret)) {
            return Err("it shows a secret in what is meant for the log".to_owned());
        }
        Ok(())
    }
}

/// What an answer is, in a word or two; never what it holds.
fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Verified(_) => "verified".to_owned(),
        Verdict::Rejected(rejection) => format!("rejected ({})", rejection.reason.as_str()),
        Verdict::NotMine(why) => format!("not mine ({})", why.as_str()),
        Verdict::Challenge(_) => "a challenge".to_owned(),
        Verdict::Fault(fault) => format!("fault ({})", fault.as_str()),
        _ => "something new".to_owned(),
    }
}

fn expect_fault(verdict: &Verdict) -> Result<&Fault, String> {
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

fn expect_no_entry(verdict: &Verdict) -> Found {
    match verdict {
        Verdict::Verified(_) => Err("it lets somebody in".to_owned()),
        Verdict::Fault(fault) => Err(format!("it answers with a fault ({})", fault.as_str())),
        _ => Ok(()),
    }
}
