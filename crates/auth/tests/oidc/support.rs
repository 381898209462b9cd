//! A visitor's way to a provider and back, as a browser and the core make it.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Url, redirect::Policy};
use serde_json::{Value, json};
use vestibule_auth::{backends::OidcFactory, testkit::Host};
use vestibule_core::{
    Secret, Timestamp,
    domain::identity::BackendName,
    ports::backend::{Attempt, Backend, BackendFactory, RejectReason, Section, Step, Verdict},
};

pub(crate) const CALLBACK: &str = "http://127.0.0.1:9/auth/idp/callback";

/// The address of a service that `scripts/test` starts.
pub(crate) fn peer(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: eval \"$(tests/peers/oidc/peer start DIR)\"")
    })
}

pub(crate) fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "real providers have real clocks")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_micros(i64::try_from(now.as_micros()).unwrap())
}

pub(crate) fn browser() -> Client {
    let timeout = Duration::from_secs(20);
    Client::builder().redirect(Policy::none()).timeout(timeout).no_proxy().build().unwrap()
}

/// A backend for this issuer, with these keys besides.
pub(crate) fn backend(issuer: &str, more: &Value) -> Arc<dyn Backend> {
    let mut keys = json!({
        "issuer": issuer,
        "client_id": peer("VESTIBULE_TEST_OIDC_CLIENT"),
        "timeout_seconds": 5.0,
    });
    for (name, value) in more.as_object().unwrap() {
        keys[name] = value.clone();
    }
    let mut section = Section::of(keys);
    let has_own = more.get("client_secret").is_some();
    if !has_own && more.get("client_auth") != Some(&json!("none")) {
        section = section.with_secret("client_secret", Secret::new(secret()));
    }
    OidcFactory.build(BackendName::parse("idp").unwrap(), section).unwrap()
}

pub(crate) fn secret() -> String {
    peer("VESTIBULE_TEST_OIDC_SECRET")
}

/// Where the visitor is sent, and what is kept.
pub(crate) async fn depart(
    host: &Host,
    backend: &dyn Backend,
    token: &str,
) -> Result<(Url, Secret), Verdict> {
    let visit =
        Attempt::Visit { callback: CALLBACK.to_owned(), token: token.to_owned(), again: None };
    match backend.authenticate(&visit, &host.cx()).await {
        Verdict::Challenge(challenge) => {
            let Step::Redirect { url } = challenge.step else { panic!("no redirect") };
            Ok((url.parse().unwrap(), challenge.state))
        }
        other => Err(other),
    }
}

/// What comes of an answer that the browser brings back. As the core does, an answer without the
/// one right token never reaches the backend.
pub(crate) async fn arrive(
    host: &Host,
    backend: &dyn Backend,
    answer: &Url,
    token: &str,
    state: Secret,
) -> Verdict {
    let parameters: Vec<(String, String)> = answer.query_pairs().into_owned().collect();
    let mut states = parameters.iter().filter(|(name, _)| name == "state");
    let is_ours = states.next().is_some_and(|(_, value)| value == token) && states.next().is_none();
    if !is_ours {
        return Verdict::rejected(RejectReason::BadOrUnknown);
    }
    let callback = CALLBACK.to_owned();
    backend.authenticate(&Attempt::Return { callback, parameters, state }, &host.cx()).await
}

/// A login at a provider that asks nobody anything.
pub(crate) async fn log_in(host: &Host, backend: &dyn Backend, token: &str) -> Verdict {
    let (url, state) = match depart(host, backend, token).await {
        Ok(departed) => departed,
        Err(verdict) => return verdict,
    };
    let answer = browser().get(url).send().await.unwrap();
    let location = answer.headers().get("location").expect("the provider sends the visitor back");
    let location: Url = location.to_str().unwrap().parse().unwrap();
    arrive(host, backend, &location, token, state).await
}

/// What a verdict is in the words of the list of modes.
pub(crate) fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Verified(_) => "login",
        Verdict::Rejected(_) => "refused",
        Verdict::Fault(_) => "fault",
        _ => "something else",
    }
}

/// At the certified provider, as one of its people, as a browser without scripts goes there.
pub(crate) async fn pass_as(account: &str, at_provider: &Url) -> Url {
    let origin = at_provider.origin();
    let timeout = Duration::from_secs(20);
    let browser = Client::builder().redirect(Policy::none()).timeout(timeout).no_proxy();
    let browser = browser.build().unwrap();
    let (mut at, mut jar) = (at_provider.clone(), std::collections::BTreeMap::new());
    while at.origin() == origin {
        let cookies = |jar: &std::collections::BTreeMap<String, String>| {
            let all: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            all.join("; ")
        };
        let mut answer =
            browser.get(at.clone()).header("cookie", cookies(&jar)).send().await.unwrap();
        keep(&answer, &mut jar);
        if answer.status() == 200 {
            let form = format!("login={account}&password={account}-pass-1");
            let request = browser.post(at.clone()).header("cookie", cookies(&jar));
            let kind = "application/x-www-form-urlencoded";
            answer = request.header("content-type", kind).body(form).send().await.unwrap();
            keep(&answer, &mut jar);
        }
        let location = answer.headers().get("location").expect("a way on");
        at = at.join(location.to_str().unwrap()).unwrap();
    }
    at
}

fn keep(answer: &reqwest::Response, jar: &mut std::collections::BTreeMap<String, String>) {
    for cookie in answer.headers().get_all("set-cookie") {
        let (pair, _) = cookie.to_str().unwrap().split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        jar.insert(name.to_owned(), value.to_owned());
    }
}
