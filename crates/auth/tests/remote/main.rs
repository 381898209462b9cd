//! The remote backend, against a service that answers by the schema, and in all other ways.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod settings;
mod socket;
mod steps;

use std::sync::Arc;

use serde_json::{Value, json};
use vestibule_auth::{
    backends::RemoteFactory,
    testkit::{Asked, Host, Reply, Service},
};
use vestibule_core::{
    Secret,
    domain::identity::{BackendName, Subject},
    ports::backend::{Backend, BackendFactory, Fault, RejectReason, Section, Verdict},
};

const TOKEN: &str = "token-of-the-hall-4711";
const SCHEMA: &str = include_str!("../../../../docs/remote-backend.schema.json");

fn name() -> BackendName {
    BackendName::parse("cryolab").unwrap()
}

fn keys(service: &Service) -> Value {
    json!({ "url": service.url("/vestibule/"), "timeout_seconds": 0.5 })
}

fn section(keys: Value) -> Section {
    Section::of(keys).with_secret("token", Secret::new(TOKEN))
}

fn build(keys: Value) -> Arc<dyn Backend> {
    RemoteFactory.build(name(), section(keys)).unwrap()
}

/// An answer to this question.
fn answer(asked: &Asked, rest: &Value) -> Reply {
    let question: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    let mut all = json!({ "version": 1, "id": question["id"] });
    all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    Reply::json(&all)
}

/// A laboratory's service.
fn cryolab(asked: &Asked) -> Reply {
    if asked.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return Reply::status(401);
    }
    let question: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    let credential = &question["credential"];
    let login = credential["username"].as_str().unwrap_or_default().to_lowercase();
    let no = |reason: &str| json!({ "verdict": "rejected", "reason": reason });
    let told = match (asked.path.as_str(), login.as_str(), credential["password"].as_str()) {
        ("/vestibule/probe", ..) => json!({ "verdict": "ready", "about": "cryolab" }),
        ("/vestibule/judge", ..) => match question["username"].as_str() {
            Some("ann") => json!({ "verdict": "verified", "subject": "4711" }),
            _ => no("not_entitled"),
        },
        (_, "ann", Some("liquid helium at 4 kelvin")) => json!({
            "verdict": "verified", "subject": "4711", "username": "ann", "groups": ["dewar-3"],
        }),
        (_, "bert", Some("liquid nitrogen at 77 kelvin")) => {
            json!({ "verdict": "verified", "subject": "4712", "username": "bert" })
        }
        (_, "carl", Some("dry ice")) => no("disabled"),
        _ => no("bad_or_unknown"),
    };
    answer(asked, &told)
}

struct Setting {
    service: Service,
    backend: Arc<dyn Backend>,
    host: Host,
}

fn setting() -> Setting {
    let service = Service::start(cryolab).unwrap();
    let mut keys = keys(&service);
    keys["entitlement"] = json!(true);
    Setting { backend: build(keys), service, host: Host::default() }
}

impl Setting {
    /// Asks all three questions while the service does this; answers the fault of each.
    async fn faults(&self, script: impl Fn(&Asked) -> Reply + Send + 'static) -> [Fault; 3] {
        self.service.does(script);
        let of = |verdict: Verdict| match verdict {
            Verdict::Fault(fault) => fault,
            other => panic!("no fault: {other:?}"),
        };
        let log_in = self.host.log_in(&*self.backend, "ann", "liquid helium at 4 kelvin").await;
        let entitle = self.host.entitle(&*self.backend, "ann").await;
        let look = self.backend.probe().unwrap().look().await;
        [of(log_in), of(entitle), look.unwrap_err()]
    }

    /// The same where nothing but a broken protocol can be the reason.
    async fn protocol(&self, what: &str, script: impl Fn(&Asked) -> Reply + Send + 'static) {
        for fault in self.faults(script).await {
            assert!(matches!(fault, Fault::Protocol(_)), "{what}: {fault:?}");
        }
    }
}

#[tokio::test]
async fn what_is_asked_is_as_the_schema_has_it() {
    let Setting { service, backend, host } = setting();
    let known_as = Subject::parse("4711").unwrap();
    host.log_in(&*backend, " Ann ", "pass\u{7}wort").await;
    host.log_in_again(&*backend, ("ann", "liquid helium at 4 kelvin"), &known_as).await;
    host.entitle(&*backend, "ann").await;
    backend.probe().unwrap().look().await.unwrap();

    let schema = jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    let mut bodies = Vec::new();
    for asked in service.asked() {
        assert_eq!(asked.method, "POST");
        assert_eq!(asked.header("content-type"), Some("application/json"));
        assert_eq!(asked.header("authorization"), Some(&*format!("Bearer {TOKEN}")));
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        assert!(schema.is_valid(&body), "{body}");
        assert_eq!(body["backend"], "cryolab");
        bodies.push((asked.path, body));
    }
    let paths: Vec<_> = bodies.iter().map(|(path, _)| path.as_str()).collect();
    let all = ["authenticate", "authenticate", "judge", "probe"];
    assert_eq!(paths, all.map(|path| format!("/vestibule/{path}")));
    let first = &bodies[0].1;
    let typed = json!({ "kind": "password", "username": " Ann ", "password": "pass\u{7}wort" });
    assert_eq!(first["credential"], typed, "as it was typed");
    assert_eq!((&first["from"], &first["known_as"]), (&json!("192.0.2.7"), &Value::Null));
    assert_eq!(bodies[1].1["known_as"], "4711");
    let mut ids: Vec<_> = bodies.iter().map(|(_, body)| body["id"].to_string()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 4, "each question has an id of its own");
}

#[tokio::test]
async fn an_answer_to_another_question_is_none() {
    let setting = setting();
    let yes = json!({ "version": 1, "verdict": "verified", "subject": "4711" });
    let mut replayed = yes.clone();
    replayed["id"] = json!("kept-from-yesterday");
    setting.protocol("another id", move |_| Reply::json(&replayed)).await;
    setting.protocol("no id", move |_| Reply::json(&yes)).await;
    setting
        .protocol("another version", |asked| {
            let mut told: Value = serde_json::from_str(&asked.body).unwrap();
            told = json!({ "version": 2, "id": told["id"], "verdict": "verified", "subject": "1" });
            Reply::json(&told)
        })
        .await;
}

#[tokio::test]
async fn flt_f33_what_the_schema_does_not_have_is_no_answer() {
    let setting = setting();
    for rest in [
        json!({ "verdict": "ok", "subject": "4711" }),
        json!({ "verdict": "verified" }),
        json!({ "verdict": "verified", "subject": 4711 }),
        json!({ "verdict": "verified", "subject": "" }),
        json!({ "verdict": "verified", "subject": null }),
        json!({ "verdict": "verified", "subject": "4711", "group": ["dewar-3"] }),
        json!({ "verdict": "verified", "subject": "4711", "groups": "dewar-3" }),
        json!({ "verdict": "rejected" }),
        json!({ "verdict": "rejected", "reason": "whim" }),
        json!({ "verified": true }),
        json!({}),
    ] {
        let what = rest.to_string();
        setting.protocol(&what, move |asked| answer(asked, &rest)).await;
    }
    setting
        .protocol("a key twice", |asked| {
            let question: Value = serde_json::from_str(&asked.body).unwrap();
            let body = format!(
                r#"{{"version": 1, "id": {}, "verdict": "rejected", "verdict": "verified",
                    "subject": "4711"}}"#,
                question["id"]
            );
            Reply::of(200, "application/json", &body)
        })
        .await;
    setting
        .protocol("another media type", |asked| match cryolab(asked) {
            Reply::Answer(200, _, body) => {
                Reply::of(200, "text/html", &String::from_utf8(body).unwrap())
            }
            other => other,
        })
        .await;
}

#[tokio::test]
async fn no_status_is_a_refusal() {
    let setting = setting();
    for status in [201, 202, 204, 206, 302, 307, 400, 404, 405, 409, 422, 423] {
        setting.protocol(&status.to_string(), move |_| Reply::status(status)).await;
    }
    for status in [429, 500, 503] {
        for fault in setting.faults(move |_| Reply::status(status)).await {
            assert!(matches!(fault, Fault::Unavailable { .. }), "{status}: {fault:?}");
        }
    }
    for status in [401, 403] {
        // Nor does what would be an answer count under another status.
        let script = move |asked: &Asked| match cryolab(asked) {
            Reply::Answer(_, headers, body) => Reply::Answer(status, headers, body),
            other => other,
        };
        for fault in setting.faults(script).await {
            assert!(matches!(fault, Fault::Misconfigured(_)), "{status}: {fault:?}");
            assert!(!format!("{fault:?} {fault}").contains(TOKEN));
        }
    }
}

#[tokio::test]
async fn a_service_that_says_it_cannot_tell_is_believed() {
    let setting = setting();
    let down = json!({
        "verdict": "fault", "kind": "unavailable", "what": "the disk is gone", "retry_after": 77,
    });
    for fault in setting.faults(move |asked| answer(asked, &down)).await {
        let what = "the disk is gone".to_owned();
        assert_eq!(fault, Fault::Unavailable { what, retry_after: 77 });
    }
}

#[tokio::test]
async fn what_was_typed_never_comes_back_as_a_reason() {
    let Setting { service, backend, host } = setting();
    for told in [
        json!({ "verdict": "rejected", "reason": "bad", "detail": "not hunter2, surely" }),
        json!({ "verdict": "fault", "kind": "bug", "what": "no column hunter2" }),
        json!({ "verdict": "fault", "kind": "unavailable", "what": "hunter2" }),
        json!({ "verdict": "fault", "kind": "misconfigured", "what": "hunter2" }),
        json!({ "verdict": "fault", "kind": "protocol", "what": "hunter2" }),
        json!({ "verdict": "rejected", "reason": "bad", "hunter2": 1 }),
    ] {
        service.does(move |asked| answer(asked, &told));
        let verdict = format!("{:?}", host.log_in(&*backend, "ann", "hunter2").await);
        assert!(!verdict.contains("hunter2") && verdict.contains("withheld"), "{verdict}");
    }
    let told = json!({ "verdict": "rejected", "reason": "locked", "detail": "until noon" });
    service.does(move |asked| answer(asked, &told));
    let verdict = host.log_in(&*backend, "ann", "hunter2").await;
    assert!(matches!(verdict, Verdict::Rejected(no)
        if no.reason == RejectReason::Locked && no.for_audit() == "until noon"));
}

#[tokio::test]
async fn whoever_may_come_in_is_judged_without_a_password() {
    let Setting { service, backend, host } = setting();
    let verdict = host.entitle(&*backend, "ann").await;
    assert!(matches!(verdict, Verdict::Verified(person) if person.factors.is_empty()));
    let verdict = host.entitle(&*backend, "bert").await;
    assert!(matches!(verdict, Verdict::Rejected(no) if no.reason == RejectReason::NotEntitled));
    let asked = service.asked();
    assert!(asked.iter().all(|asked| !asked.body.contains("credential")));
    let plain = build(keys(&service));
    assert!(plain.entitlement().is_none(), "only where the operator says so");
}
