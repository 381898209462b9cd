//! Whether a backend does what is expected of one: every case has a name and says what it found.
//!
//! `docs/writing-a-backend.md` shows how a plugin's own test calls it.

mod answers;
mod bench;
mod codes;
mod config;
mod crowds;
mod ear;
mod extras;
mod groups;
mod headers;
mod http;
mod names;
mod outages;
mod passwords;
mod report;
mod timing;
mod visits;

use std::sync::{Arc, atomic::AtomicU32};

use tracing::instrument::WithSubscriber;
use vestibule_core::ports::backend::{BackendFactory, CredentialKind, Section};

use self::{
    bench::{Bench, Way, bench_name},
    ear::{Ear, Secrets},
    http::OverHttp,
};
pub use self::{
    extras::{Asks, Code, ComeBack, Extras, Nobody, Peer, TellGroups, Vouch},
    report::{Finding, LeftOut, Report},
};
use super::{Asked, Host, Reply, Service};

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
    /// A login name that the service knows, and its password, which is empty where nobody types
    /// one. The password is unlike anything else: wherever it turns up, it has leaked.
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

/// What a case says: nothing, or what is wrong.
type Found = Result<(), String>;

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
            let findings = vec![Finding { case: "build".to_owned(), wrong }];
            return Report { findings, ..Report::default() };
        }
    };
    let over_http = OverHttp(fixture);
    let passwords = [&fixture.right.1, &fixture.other.1];
    let secrets = Secrets::of(fixture.secrets.iter().chain(passwords));
    let mut bench = Bench {
        fixture,
        extras,
        peer: extras.peer.as_deref().unwrap_or(&over_http),
        service: extras.peer.is_none().then_some(&over_http),
        backend,
        host: Host::default(),
        way: Way::Password,
        secrets: secrets.clone(),
        report: Report::default(),
        visits: AtomicU32::default(),
    };
    let ear = Ear::new(secrets);
    // Too large for one stack frame with all that it awaits.
    Box::pin(all(&mut bench)).with_subscriber(ear.listener()).await;
    bench.way = Way::Password;
    bench.note("secrets: nothing that is logged shows one", ear.heard().map_or(Ok(()), Err));
    bench.report
}

async fn all(bench: &mut Bench<'_>) {
    config::run(bench);
    answers::kinds(bench).await;
    answers::entitlement(bench).await;
    outages::entitlement(bench).await;
    outages::probe(bench).await;
    if bench.takes(CredentialKind::Password) {
        by_one_way(bench).await;
        passwords::run(bench).await;
        names::typed(bench).await;
        timing::run(bench).await;
        codes::run(bench).await;
    } else {
        bench.leave_out("passwords", "it takes none");
        bench.leave_out("timing", "nobody types a name that time could tell something of");
        bench.leave_out("codes", "nobody types any");
    }
    match (bench.takes(CredentialKind::Redirect), &bench.extras.visits) {
        (false, _) => bench.leave_out("visits", "it sends nobody elsewhere"),
        (true, None) => bench.note("visits: they can be tried", Err(not_told("visits"))),
        (true, Some(_)) => {
            bench.way = Way::Visit;
            by_one_way(bench).await;
            names::brought(bench).await;
            visits::run(bench).await;
        }
    }
    bench.way = Way::Password;
    match (bench.takes(CredentialKind::Headers), &bench.extras.headers) {
        (false, _) => bench.leave_out("headers", "it believes no proxy"),
        (true, None) => bench.note("headers: they can be tried", Err(not_told("headers"))),
        (true, Some(_)) => {
            bench.way = Way::Headers;
            by_one_way(bench).await;
            names::vouched(bench).await;
            headers::run(bench).await;
        }
    }
}

/// What there is to try however people get in.
async fn by_one_way(bench: &mut Bench<'_>) {
    answers::run(bench).await;
    outages::run(bench).await;
    groups::run(bench).await;
    crowds::run(bench).await;
}

fn not_told(what: &str) -> String {
    format!("it takes them, and `Extras::{what}` does not say how they are made")
}
