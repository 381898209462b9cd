//! The kit itself: a backend that is right passes, and each that is wrong is caught by a case that
//! names the mistake.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bent;
mod bent_elsewhere;
mod elsewhere;
mod lab;
mod provider;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::{Value, json};
use vestibule_auth::{
    backends::UserOfficeFactory,
    http::{Address, HttpClient},
    testkit::{
        Asked, Reply, Service,
        conformance::{self, Fixture, Report},
    },
};
use vestibule_core::{
    Secret,
    domain::identity::{BackendName, Subject},
    ports::backend::{
        Assertion, Attempt, Backend, BackendCx, BackendFactory, CredentialKind, Descriptor, Fault,
        Method, NotMine, RejectReason, Section, SectionError, Verdict,
    },
};

const RIGHT: &str = "liquid helium at 4 kelvin";
const OTHER: &str = "liquid nitrogen at 77 kelvin";

/// Knows people by a number, and their names in any case.
fn service(asked: &Asked) -> Reply {
    let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    let name = body["username"].as_str().unwrap_or_default().to_lowercase();
    match (name.as_str(), body["password"].as_str()) {
        ("ann", Some(RIGHT)) => Reply::json(&json!({ "id": "4711" })),
        ("bert", Some(OTHER)) => Reply::json(&json!({ "id": "4712" })),
        ("carl", Some("dry ice")) => Reply::status(423),
        _ => Reply::status(401),
    }
}

/// What a backend of these tests does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    None,
    LeaksThePassword,
    SaysBadWhenItDoesNotKnow,
    TrustsWhatWasTyped,
    TakesAnyKey,
    Panics,
    BelievesPages,
}

struct Factory(Mistake);

#[derive(serde::Deserialize)]
struct Keys {
    url: String,
}

impl BackendFactory for Factory {
    fn kind(&self) -> &'static str {
        "tried"
    }

    fn build(&self, name: BackendName, section: Section) -> Result<Arc<dyn Backend>, SectionError> {
        let url = match self.0 {
            Mistake::TakesAnyKey => {
                let keys: serde_json::Map<String, Value> = section.read()?;
                keys["url"].as_str().unwrap().to_owned()
            }
            _ => section.read::<Keys>()?.url,
        };
        Ok(Arc::new(Tried {
            descriptor: Descriptor::new(name, self.kind(), [CredentialKind::Password]),
            mistake: self.0,
            url: url.parse().unwrap(),
            client: HttpClient::new(Duration::from_millis(500), None).unwrap(),
        }))
    }
}

struct Tried {
    descriptor: Descriptor,
    mistake: Mistake,
    url: Address,
    client: HttpClient,
}

impl Tried {
    async fn ask(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Result<Verdict, Fault> {
        let Attempt::Password { username, password, .. } = attempt else {
            return Ok(Verdict::NotMine(NotMine::WrongKind));
        };
        assert!(self.mistake != Mistake::Panics || !username.contains("{{"), "what a name");
        let body = json!({ "username": username, "password": password.expose_str() });
        let answer = self.client.post(&self.url, &body, None).await;
        if self.mistake == Mistake::LeaksThePassword {
            answer
                .as_ref()
                .map_err(|_| Fault::protocol(format!("asked {body} and got nothing")))?;
        }
        let answer = answer?;
        match answer.status {
            200 => {}
            401 => return Ok(Verdict::rejected(RejectReason::BadOrUnknown)),
            423 => return Ok(Verdict::rejected(RejectReason::Disabled)),
            other => return Err(Fault::protocol(format!("answered {other}"))),
        }
        let id = match self.mistake {
            Mistake::TrustsWhatWasTyped => username.clone(),
            Mistake::BelievesPages => answer
                .json()
                .ok()
                .map_or("4711".to_owned(), |told| told["id"].as_str().unwrap_or("4711").to_owned()),
            _ => {
                let told = answer.json()?;
                told["id"].as_str().ok_or_else(|| Fault::protocol("no id"))?.to_owned()
            }
        };
        let subject = Subject::parse(&id).map_err(|error| Fault::protocol(error.message))?;
        Ok(Verdict::Verified(Box::new(
            Assertion::new(subject).with_factor(Method::Password, cx.op.now()),
        )))
    }
}

#[async_trait]
impl Backend for Tried {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn authenticate(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict {
        match self.ask(attempt, cx).await {
            Ok(verdict) => verdict,
            Err(_) if self.mistake == Mistake::SaysBadWhenItDoesNotKnow => {
                Verdict::rejected(RejectReason::BadOrUnknown)
            }
            Err(fault) => Verdict::Fault(fault),
        }
    }
}

fn pair(name: &str, password: &str) -> (String, String) {
    (name.to_owned(), password.to_owned())
}

async fn try_out(mistake: Mistake) -> Report {
    let running = Service::start(service).unwrap();
    conformance::run(&Fixture {
        factory: Box::new(Factory(mistake)),
        section: Section::of(json!({ "url": running.url("/login") })),
        service: running,
        script: Arc::new(service),
        right: pair("ann", RIGHT),
        subject: "4711".to_owned(),
        spellings: vec!["Ann".to_owned()],
        other: pair("bert", OTHER),
        unknown: "nobody".to_owned(),
        disabled: Some(pair("carl", "dry ice")),
        secrets: Vec::new(),
    })
    .await
}

/// The cases that fail, and what they say.
async fn caught(mistake: Mistake) -> Vec<String> {
    let report = try_out(mistake).await;
    let failures = report.failures();
    failures.iter().map(|f| format!("{}: {}", f.case, f.wrong.as_deref().unwrap())).collect()
}

#[tokio::test]
async fn a_backend_that_is_right_passes_sixty_cases_and_more() {
    let report = try_out(Mistake::None).await;
    report.expect_all_well();
    assert!(report.findings.len() >= 60, "{report}");
    let mut names: Vec<_> = report.findings.iter().map(|finding| &finding.case).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), report.findings.len(), "each case has a name of its own");
}

#[tokio::test]
async fn the_user_office_passes() {
    let office = |asked: &Asked| {
        let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        if asked.path == "/authorized" {
            return Reply::json(&json!({ "result": body["login"] == "ann" }));
        }
        match (body["username"].as_str(), body["password"].as_str()) {
            (Some("ann"), Some(RIGHT)) | (Some("bert"), Some(OTHER)) => Reply::status(200),
            _ => Reply::status(401),
        }
    };
    let running = Service::start(office).unwrap();
    let section = Section::of(json!({
        "login_url": running.url("/login"),
        "authorized_url": running.url("/authorized"),
        "username": "hall",
        "timeout_seconds": 0.5,
    }));
    let report = conformance::run(&Fixture {
        factory: Box::new(UserOfficeFactory),
        section: section.with_secret("password", Secret::new("hunter2")),
        service: running,
        script: Arc::new(office),
        right: pair("ann", RIGHT),
        subject: "ann".to_owned(),
        spellings: Vec::new(),
        other: pair("bert", OTHER),
        unknown: "nobody".to_owned(),
        disabled: None,
        secrets: vec!["hunter2".to_owned()],
    })
    .await;
    report.expect_all_well();
}

#[tokio::test]
async fn the_remote_backend_passes_with_all_that_there_is_to_try() {
    let (fixture, extras) = lab::laboratory(|factory| Box::new(factory));
    let report = conformance::run_with(&fixture, &extras).await;
    report.expect_all_well();
    report.expect_left_out(&["outages: half-way", "headers"]);
    let groups =
        ["config", "answers", "names", "outages", "groups", "crowds", "timing", "codes", "visits"];
    for group in groups {
        let of_it = |finding: &&conformance::Finding| finding.case.starts_with(group);
        assert!(report.findings.iter().filter(of_it).count() > 1, "{group}");
    }
}

#[tokio::test]
async fn one_that_leaks_the_password_is_caught() {
    let caught = caught(Mistake::LeaksThePassword).await;
    assert!(caught.iter().any(|said| said.contains("shows a secret")), "{caught:#?}");
}

#[tokio::test]
async fn one_that_says_bad_when_it_does_not_know_is_caught() {
    let caught = caught(Mistake::SaysBadWhenItDoesNotKnow).await;
    let says = "reads as a wrong password and locks people out; it is a fault";
    assert!(caught.iter().filter(|said| said.contains(says)).count() > 10, "{caught:#?}");
}

#[tokio::test]
async fn one_that_trusts_what_was_typed_is_caught() {
    let caught = caught(Mistake::TrustsWhatWasTyped).await;
    let says = "has to come from the service, not from what was typed";
    assert!(caught.iter().any(|said| said.contains(says)), "{caught:#?}");
}

#[tokio::test]
async fn one_that_passes_over_misspelt_keys_is_caught() {
    let caught = caught(Mistake::TakesAnyKey).await;
    assert!(
        caught.iter().any(|said| said.contains("a misspelt key is passed over")),
        "{caught:#?}"
    );
}

#[tokio::test]
async fn one_that_lets_in_whom_a_portal_answers_for_is_caught() {
    let caught = caught(Mistake::BelievesPages).await;
    assert!(caught.iter().any(|said| said.contains("it lets somebody in")), "{caught:#?}");
}

#[tokio::test]
async fn one_that_panics_on_a_name_is_caught() {
    let caught = caught(Mistake::Panics).await;
    assert_eq!(caught, ["names: a template: it answers with a fault (bug)"]);
}
