//! What an operator may write.

use serde_json::{Value, json};
use vestibule_auth::backends::RemoteFactory;
use vestibule_core::{
    Secret,
    ports::backend::{BackendFactory, CredentialKind, Section},
};

use super::{build, name, section};

fn refused(section: Section) -> String {
    RemoteFactory.build(name(), section).err().unwrap().to_string()
}

#[test]
fn what_does_not_hold_is_refused_by_its_key() {
    let of = |keys: Value| refused(section(keys));
    assert_eq!(of(json!({})), "url: is missing");
    assert!(of(json!({ "url": "http://lab.example/" })).starts_with("url: is http, so that"));
    assert!(of(json!({ "url": "https://x:y@lab.example/" })).starts_with("url: expected an https"));
    assert!(of(json!({ "url": "unix:x.sock" })).starts_with("url: expected unix: and a path"));
    assert!(of(json!({ "url": "https://lab.example/?x" })).starts_with("url: expected an address"));
    let https = |key: &str, value: Value| of(json!({ "url": "https://lab.example", key: value }));
    assert!(https("timeout_seconds", json!(9.5)).starts_with("timeout_seconds: expected up to"));
    assert!(https("certificates", json!("none")).starts_with("certificates: is no certificate"));
    assert!(https("takes", json!(["card"])).starts_with("takes[0]: expected"));
    assert!(https("takes", json!([])).starts_with("takes: is empty, and entitlement is false"));
    assert_eq!(https("entitelment", json!(true)), "entitelment: unknown key");
}

#[test]
fn nobody_is_asked_without_a_token() {
    let keys = json!({ "url": "https://lab.example" });
    let refused = |section: Section| refused(section);
    assert!(refused(Section::of(keys.clone())).starts_with("token_file: is missing"));
    for (token, says) in [
        ("too-short", "token: is shorter than 16 characters"),
        ("with a blank in between", "token: expected letters, digits"),
        ("with-a-line\nin-between", "token: expected letters, digits"),
    ] {
        let said = refused(Section::of(keys.clone()).with_secret("token", Secret::new(token)));
        assert!(said.starts_with(says), "{said}");
        assert!(!said.contains(token));
    }
}

#[test]
fn it_takes_what_the_operator_says() {
    let takes = |keys: Value| build(keys).descriptor().takes.clone();
    let url = "https://lab.example";
    assert_eq!(takes(json!({ "url": url })), [CredentialKind::Password]);
    let both = json!({ "url": url, "takes": ["password", "redirect"] });
    assert_eq!(takes(both), [CredentialKind::Password, CredentialKind::Redirect]);
    let only = build(json!({ "url": url, "takes": [], "entitlement": true }));
    assert!(only.descriptor().takes.is_empty() && only.entitlement().is_some());
}
