//! Backends to which nobody types a password: those that send people elsewhere, and the one that
//! believes a proxy.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use vestibule_auth::{
    backends::{OAuth2Factory, OidcFactory, ShibbolethFactory},
    testkit::{
        Asked, Reply, Service,
        conformance::{self, Extras, Fixture, Nobody},
    },
};
use vestibule_core::{
    Secret,
    ports::backend::{BackendFactory, Section},
};

use super::{
    pair,
    provider::{ACCESS_TOKENS, CLIENT, Provider, SECRET},
};

const ANN: &str = "6f1c9c1e-0d0f-4d43-9b1a-1b2f3c4d5e01";
const BERT: &str = "6f1c9c1e-0d0f-4d43-9b1a-1b2f3c4d5e02";
const NOBODY: &str = "6f1c9c1e-0d0f-4d43-9b1a-1b2f3c4d5e99";
pub(super) const PROXY: &str = "secret-between-the-hall-and-the-proxy";

fn unknowing() -> Service {
    Service::start(|_| Reply::Cut).unwrap()
}

/// A backend that sends people to the provider, with all that there is to try.
fn provided(
    factory: Box<dyn BackendFactory>,
    keys: impl FnOnce(&Service) -> Value,
    subject: impl FnOnce(&Service) -> String,
) -> (Fixture, Extras) {
    let service = unknowing();
    let provider = Provider::at(&service);
    let (serving, telling) = (Arc::clone(&provider), Arc::clone(&provider));
    let section = Section::of(keys(&service)).with_secret("client_secret", Secret::new(SECRET));
    let fixture = Fixture {
        factory,
        section,
        subject: subject(&service),
        service,
        script: Arc::new(move |asked: &Asked| serving.serve(asked)),
        right: pair("ann", ""),
        spellings: vec!["ANN".to_owned()],
        other: pair("bert", ""),
        unknown: "nobody".to_owned(),
        disabled: Some(pair("carl", "")),
        secrets: vec![SECRET.to_owned(), ACCESS_TOKENS.to_owned()],
    };
    let extras = Extras {
        tell_groups: Some(Box::new(move |groups| {
            telling.tell_groups(groups);
            true
        })),
        visits: Some(Box::new(move |url, who| provider.visited(url, who))),
        ..Extras::default()
    };
    (fixture, extras)
}

/// A provider of OAuth 2.0.
pub(super) fn oauth2(
    factory: impl FnOnce(OAuth2Factory) -> Box<dyn BackendFactory>,
) -> (Fixture, Extras) {
    let keys = |service: &Service| {
        json!({
            "authorization_url": service.url("/authorize"),
            "token_url": service.url("/token"),
            "user_url": service.url("/user"),
            "client_id": CLIENT,
            "subject_field": "sub",
            "username_field": "login",
            "groups_field": "groups",
            "timeout_seconds": 0.5,
        })
    };
    provided(factory(OAuth2Factory), keys, |service| format!("\"4711\" {}", service.url("/user")))
}

/// Ann and Bert behind a proxy that has a secret to show, and an office that knows their hashes.
pub(super) fn shibboleth(
    factory: impl FnOnce(ShibbolethFactory) -> Box<dyn BackendFactory>,
) -> (Fixture, Extras) {
    let office = |asked: &Asked| {
        let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        match body["eaa_hash"].as_str() {
            Some(ANN) => Reply::json(&json!("ann")),
            Some(BERT) => Reply::json(&json!("bert")),
            _ => Reply::status(404),
        }
    };
    let service = Service::start(office).unwrap();
    let section = Section::of(json!({
        "hash_url": service.url("/hash"),
        "mail_header": "mail",
        "groups_header": "groups",
        "timeout_seconds": 0.5,
    }));
    let fixture = Fixture {
        factory: factory(ShibbolethFactory),
        section: section.with_secret("proxy_secret", Secret::new(PROXY)),
        service,
        script: Arc::new(office),
        right: pair("ann", ""),
        subject: ANN.to_owned(),
        spellings: Vec::new(),
        other: pair("bert", ""),
        unknown: "nobody".to_owned(),
        disabled: None,
        secrets: vec![PROXY.to_owned()],
    };
    let groups = Arc::new(Mutex::new(String::new()));
    let told = Arc::clone(&groups);
    let extras = Extras {
        tell_groups: Some(Box::new(move |groups| {
            // Who is in none has no such header; that nobody knows cannot be said by one.
            let names = groups.map(|names| names.join(";"));
            let is_known = names.is_some();
            *told.lock().unwrap() = names.unwrap_or_default();
            is_known
        })),
        headers: Some(Box::new(move |who| {
            let (hash, groups) = match who {
                "ann" => (ANN, groups.lock().unwrap().clone()),
                "bert" => (BERT, "staff".to_owned()),
                _ => (NOBODY, String::new()),
            };
            let said = [
                ("X-Vestibule-Proxy-Secret", PROXY),
                ("EAAHash", hash),
                ("uid", who),
                ("mail", &format!("{who}@hall.example")),
                ("groups", &groups),
            ];
            let set = said.into_iter().filter(|(_, value)| !value.is_empty());
            set.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect()
        })),
        ..Extras::default()
    };
    (fixture, extras)
}

#[tokio::test]
async fn a_provider_of_openid_connect_passes() {
    let keys = |service: &Service| json!({ "issuer": service.url(""), "client_id": CLIENT, "timeout_seconds": 0.5 });
    let subject = |service: &Service| format!("4711 {}", service.url(""));
    let (fixture, extras) = provided(Box::new(OidcFactory), keys, subject);
    let report = conformance::run_with(&fixture, &extras).await;
    report.expect_all_well();
    report.expect_left_out(&["entitlement", "passwords", "timing", "codes", "headers"]);
    assert!(report.findings.len() >= 100, "{report}");
}

#[tokio::test]
async fn a_provider_of_oauth2_passes() {
    let (fixture, extras) = oauth2(|factory| Box::new(factory));
    let report = conformance::run_with(&fixture, &extras).await;
    report.expect_all_well();
    report.expect_left_out(&["entitlement", "probe", "passwords", "timing", "codes", "headers"]);
    assert!(report.findings.len() >= 100, "{report}");
}

#[tokio::test]
async fn a_single_sign_on_in_front_passes() {
    let (fixture, extras) = shibboleth(|factory| Box::new(factory));
    let report = conformance::run_with(&fixture, &extras).await;
    report.expect_all_well();
    report.expect_left_out(&[
        "entitlement",
        "passwords",
        "timing",
        "codes",
        "visits",
        "answers: an account that is switched off (by headers)",
        "outages: half-way (by headers)",
        "groups: what it cannot find out (by headers)",
    ]);
    assert!(report.findings.len() >= 80, "{report}");
}

#[tokio::test]
async fn one_that_asks_nobody_passes_and_says_what_could_not_be_tried() {
    let (mut fixture, mut extras) = shibboleth(|factory| Box::new(factory));
    fixture.section = Section::of(json!({ "mail_header": "mail", "groups_header": "groups" }))
        .with_secret("proxy_secret", Secret::new(PROXY));
    extras.peer = Some(Box::new(Nobody));
    // Whom the proxy does not know has no hash.
    let known = extras.headers.take().unwrap();
    extras.headers = Some(Box::new(move |who| {
        let is_known = |name: &str| name != "EAAHash" || who != "nobody";
        known(who).into_iter().filter(|(name, _)| is_known(name)).collect()
    }));
    let report = conformance::run_with(&fixture, &extras).await;
    report.expect_all_well();
    let left_out = report.to_string();
    for said in [
        "left out: outages (by headers): it asks nobody",
        "left out: crowds: a silent service (by headers): what it asks cannot be made silent",
        "left out: visits: it sends nobody elsewhere",
    ] {
        assert!(left_out.contains(said), "{left_out}");
    }
}

#[tokio::test]
async fn one_of_which_the_fixture_does_not_say_how_people_get_in_does_not_pass() {
    let (fixture, _) = oauth2(|factory| Box::new(factory));
    let report = conformance::run(&fixture).await;
    let said = "visits: they can be tried: it takes them, and `Extras::visits` does not say how";
    assert!(report.to_string().contains(said), "{report}");
    let (fixture, _) = shibboleth(|factory| Box::new(factory));
    let report = conformance::run(&fixture).await;
    let said = "headers: they can be tried: it takes them, and `Extras::headers` does not say how";
    assert!(report.to_string().contains(said), "{report}");
}
