//! What an operator may write, and what stops the start.

use serde_json::{Value, json};
use vestibule_core::{Secret, ports::backend::Section};

use crate::support::{built, exported};

fn refusal(more: &Value) -> String {
    let mut keys = json!({ "url": "ldaps://directory.example", "user_base": "dc=example" });
    for (key, value) in more.as_object().unwrap() {
        keys[key] = value.clone();
    }
    built(Section::of(keys)).map(drop).unwrap_err().to_string()
}

#[test]
fn what_does_not_hold_stops_the_start_and_is_named() {
    for (more, says) in [
        (json!({ "url": "directory" }), "url: is not a URL"),
        (json!({ "url": "https://x" }), "url: expected ldap:// or ldaps://"),
        (json!({ "url": 5 }), "url: expected an address or a list of addresses"),
        (json!({ "url": [] }), "url: is empty: there is nothing to ask"),
        (
            json!({ "url": "ldaps://x/dc=org" }),
            "url: expected an address and a port, and nothing else",
        ),
        (
            json!({ "url": "ldaps://ann:secret@x" }),
            "url: expected an address and a port, and nothing else",
        ),
        (json!({ "start_tls": true }), "start_tls: is for ldap:// and not for ldaps://"),
        (json!({ "ca_file": "/nowhere/ca.pem" }), "ca_file: cannot be read"),
        (json!({ "ca_file": "/dev/null" }), "ca_file: holds no certificate in PEM form"),
        (json!({ "bind_dn": "cn=x" }), "bind_password: is missing: bind_dn wants it"),
        (json!({ "bind_password": "x" }), "bind_dn: is missing: bind_password wants it"),
        (json!({ "bind_dn": "", "bind_password": "x" }), "bind_dn: is empty"),
        (json!({ "bind_dn": "cn=x", "bind_password": "" }), "bind_password: is empty"),
        (json!({ "user_base": "people" }), "user_base: is no name in a directory"),
        (json!({ "user_filter": "(uid=x)" }), "user_filter: has no {username}"),
        (json!({ "user_filter": "(!(uid={username}))" }), "user_filter: has a {username} in a (!"),
        (json!({ "subject_attribute": "DN" }), "subject_attribute: a name in the directory"),
        (json!({ "subject_attribute": "entryDN" }), "subject_attribute: a name in the directory"),
        (json!({ "mail_attribute": "mail)" }), "mail_attribute: is no attribute's name"),
        (json!({ "groups_from": "everywhere" }), "groups_from: expected "),
        (json!({ "groups_from": "search" }), "group_base: is missing: groups_from wants it"),
        (json!({ "group_filter": "(member={dn})" }), "group_filter: counts only with"),
        (json!({ "group_attribute": "memberOf" }), "group_attribute: counts only with"),
        (json!({ "nested_group_filter": "(member={dn})" }), "nested_group_filter: counts only"),
        (
            json!({ "groups_from": "search", "group_base": "dc=x", "group_filter": "(a=b)" }),
            "group_filter: has neither {username} nor {dn}",
        ),
        (json!({ "nested_depth": 21 }), "nested_depth: expected 0 to 20"),
        (json!({ "pool_size": 0 }), "pool_size: expected 1 to 100"),
        (json!({ "page_size": 0 }), "page_size: expected 1 to 1000"),
        (json!({ "max_groups": 0 }), "max_groups: expected 1 to 10000"),
        (json!({ "timeout_seconds": 0.0 }), "timeout_seconds: expected up to 9 seconds"),
        (json!({ "timeout_seconds": 10 }), "timeout_seconds: expected up to 9 seconds"),
        (json!({ "connect_timeout_seconds": -1.0 }), "connect_timeout_seconds: expected up"),
        (json!({ "user_bse": "x" }), "user_bse: unknown key"),
    ] {
        let refused = refusal(&more);
        assert!(refused.starts_with(says), "{more}: {refused}");
        assert!(!refused.contains("secret"), "{refused}");
    }
}

#[test]
fn nothing_goes_over_the_network_in_the_clear_unless_that_is_written() {
    let says = refusal(&json!({ "url": "ldap://directory.example" }));
    assert!(says.starts_with("url: is ldap:// without start_tls"), "{says}");
    let mixed = json!({ "url": ["ldaps://directory.example", "ldap://192.0.2.1"] });
    assert!(refusal(&mixed).starts_with("url: is ldap:// without start_tls"));
    let fine = |keys: Value| built(Section::of(keys)).map(drop).unwrap();
    for url in ["ldap://127.0.0.1", "ldap://localhost:3389", "ldap://[::1]/", "ldaps://d.example"] {
        fine(json!({ "url": url, "user_base": "dc=example" }));
    }
    fine(json!({ "url": "ldap://d.example", "user_base": "dc=x", "start_tls": true }));
    fine(json!({ "url": "ldap://d.example", "user_base": "dc=x", "allow_plaintext": true }));
    let ca = exported("_CA");
    let section = Section::of(json!({
        "url": "ldaps://d.example",
        "ca_file": ca,
        "user_base": "dc=x",
        "bind_dn": "cn=reader,dc=x",
        "subject_attribute": "objectGUID",
    }));
    built(section.with_secret("bind_password", Secret::new("x"))).map(drop).unwrap();
}
