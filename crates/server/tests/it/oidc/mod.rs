//! Logging in by `OpenID` Connect, from the button to the session, at the providers of
//! `tests/peers/oidc`.

mod accounts;
mod again;
mod attacks;
mod browser;
mod faults;
mod logout;

use serde_json::{Value, json};
use url::Url;
use vestibule_auth::backends::OidcFactory;
use vestibule_core::{
    Secret, Timestamp,
    domain::identity::BackendName,
    ports::backend::{BackendFactory, Section},
    usecase::login::Door,
};

use crate::support::{Answer, Db, TestSite, Visitor};

/// What `scripts/test` says of the providers that it started.
pub(crate) fn peer(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: eval \"$(tests/peers/oidc/peer start DIR)\"")
    })
}

/// The good provider's issuer.
fn good() -> String {
    peer("VESTIBULE_TEST_OIDC")
}

/// The issuer of the provider that goes wrong in this way; the tag keeps tests apart.
fn hostile(mode: &str, tag: &str) -> String {
    format!("{}/m/{mode}~{tag}", peer("VESTIBULE_TEST_OIDC_HOSTILE"))
}

pub(crate) fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "real providers have real clocks")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_micros(i64::try_from(now.as_micros()).unwrap())
}

/// A door to a provider, by which accounts are made.
fn door(name: &str, issuer: &str, more: &Value) -> Door {
    let mut keys = json!({
        "issuer": issuer,
        "client_id": peer("VESTIBULE_TEST_OIDC_CLIENT"),
        "timeout_seconds": 5.0,
    });
    for (key, value) in more.as_object().unwrap() {
        keys[key] = value.clone();
    }
    let secret = Secret::new(peer("VESTIBULE_TEST_OIDC_SECRET"));
    let section = Section::of(keys).with_secret("client_secret", secret);
    let backend = OidcFactory.build(BackendName::parse(name).unwrap(), section).unwrap();
    Door { create_users: true, ..Door::new(backend) }
}

/// A site with these doors beside the local one, at the time that it is.
fn site(db: Db, doors: Vec<Door>) -> TestSite {
    let extend = move |builder| doors.into_iter().fold(builder, vestibule_server::Builder::door);
    let site = TestSite::plan(db).extend(extend).start();
    site.clock.set(now());
    site
}

/// To the provider: where it is that the visitor is sent.
pub(crate) fn depart(visitor: &mut Visitor, backend: &str, next: &str) -> Url {
    let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    let answer = visitor.get(&format!("/auth/{backend}/login?next={next}")).expect(303);
    answer.header("location").unwrap().parse().unwrap()
}

/// At a provider that asks nobody anything: where it sends the visitor back to.
fn pass(at_provider: &Url) -> Url {
    let answer = Visitor::new("").get(at_provider.as_str());
    let location = answer.header("location").unwrap_or_else(|| panic!("{}", answer.text));
    location.parse().unwrap()
}

/// Back with what the provider gave.
pub(crate) fn arrive(visitor: &mut Visitor, back: &Url) -> Answer {
    visitor.get(&format!("{}?{}", back.path(), back.query().unwrap_or_default()))
}

/// The whole way at a provider that asks nobody anything.
fn enter(visitor: &mut Visitor, backend: &str) -> Answer {
    let back = pass(&depart(visitor, backend, "/"));
    let answer = arrive(visitor, &back);
    if answer.status == 303 {
        let session = visitor.get("/api/v1/session");
        visitor.csrf = session.json()["csrf_token"].as_str().map(str::to_owned);
    }
    answer
}

/// Who is logged in.
fn who(visitor: &mut Visitor) -> Value {
    visitor.get("/api/v1/session").expect(200).json()
}

/// What the hostile provider saw.
fn seen(issuer: &str) -> Value {
    Visitor::new(issuer).get("/__seen").expect(200).json()
}

/// At the good provider, as one of its people, as a browser without scripts goes there. The
/// password of everybody is their name and `-pass-1`.
pub(crate) fn pass_as(account: &str, at_provider: &Url) -> Url {
    let origin = at_provider.origin().ascii_serialization();
    let mut browser = Visitor::new("");
    let mut at = at_provider.clone();
    loop {
        let answer = browser.get(at.as_str());
        if answer.status == 200 {
            let password = format!("{account}-pass-1");
            let fields = [("login", account), ("password", password.as_str())];
            let answer = browser.form(at.as_str(), &fields);
            at = at.join(answer.header("location").expect("a right password")).unwrap();
        } else {
            at = at.join(answer.header("location").expect("a way on")).unwrap();
        }
        if at.origin().ascii_serialization() != origin {
            return at;
        }
    }
}

/// The whole way at the good provider.
fn enter_as(visitor: &mut Visitor, backend: &str, account: &str) -> Answer {
    let back = pass_as(account, &depart(visitor, backend, "/"));
    let answer = arrive(visitor, &back);
    if answer.status == 303 {
        let session = visitor.get("/api/v1/session").expect(200);
        visitor.csrf = session.json()["csrf_token"].as_str().map(str::to_owned);
    }
    answer
}
