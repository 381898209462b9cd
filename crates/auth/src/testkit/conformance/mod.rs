//! Whether a backend does what is expected of one: every case has a name and says what it found.
//!
//! `docs/writing-a-backend.md` shows how a plugin's own test calls it.

mod answers;
mod config;
mod crowds;
mod names;
mod outages;

use std::{fmt, sync::Arc};

use vestibule_core::{
    domain::identity::BackendName,
    ports::backend::{Backend, BackendFactory, Fault, Section, Verdict},
};

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
    backend: Arc<dyn Backend>,
    host: Host,
    report: Report,
}

/// Runs all cases.
pub async fn run(fixture: &Fixture) -> Report {
    let built = fixture.factory.build(bench_name(), fixture.section.clone());
    let backend = match built {
        Ok(backend) => backend,
        Err(error) => {
            let wrong = Some(format!("its own section is refused: {error}"));
            return Report { findings: vec![Finding { case: "build".to_owned(), wrong }] };
        }
    };
    let mut bench = Bench { fixture, backend, host: Host::default(), report: Report::default() };
    config::run(&mut bench);
    answers::run(&mut bench).await;
    names::run(&mut bench).await;
    outages::run(&mut bench).await;
    crowds::run(&mut bench).await;
    bench.report
}

#[expect(clippy::expect_used, reason = "a constant that is a name")]
fn bench_name() -> BackendName {
    BackendName::parse("under-test").expect("a name")
}

impl Bench<'_> {
    fn note(&mut self, case: impl Into<String>, found: Found) {
        self.report.findings.push(Finding { case: case.into(), wrong: found.err() });
    }

    /// Has the service work again.
    fn mend(&self) {
        let script = Arc::clone(&self.fixture.script);
        self.fixture.service.does(move |asked| script(asked));
    }

    /// The backend with the host's guard around it, impatient and without a breaker, so that each
    /// case stands for itself.
    fn guarded(&self) -> Guarded {
        let limits = Limits {
            deadline: std::time::Duration::from_secs(2),
            faults: u32::MAX,
            ..Limits::default()
        };
        Guarded::new(Arc::clone(&self.backend), limits)
    }

    async fn log_in(&self, username: &str, password: &str) -> Verdict {
        self.host.log_in(&self.guarded(), username, password).await
    }

    /// Whether any secret stands in a text.
    fn leak(&self, text: &str) -> Found {
        let passwords = [&self.fixture.right.1, &self.fixture.other.1];
        for secret in self.fixture.secrets.iter().chain(passwords) {
            if text.contains(secret.as_str()) {
                return Err("it shows a secret in what is meant for the log".to_owned());
            }
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
