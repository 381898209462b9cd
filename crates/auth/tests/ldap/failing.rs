//! A directory that is slow, broken or hostile: always a fault, always in time, never an entry.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vestibule_core::{Secret, ports::backend::Section};

use crate::support::{PEOPLE, Proxy, at, built, exported, fault, keys_at, refused, verified, with};

/// What the proxy does, and what it comes to.
fn ways() -> Vec<(Value, &'static [&'static str])> {
    vec![
        (json!({ "way": "delay", "seconds_late": 5 }), &["timeout"]),
        (json!({ "way": "hang" }), &["timeout"]),
        (json!({ "way": "hang-middle" }), &["timeout"]),
        (json!({ "way": "hang-middle", "after": 9 }), &["timeout"]),
        (json!({ "way": "drip", "interval": 0.2 }), &["timeout"]),
        (json!({ "way": "black-hole" }), &["timeout"]),
        (json!({ "way": "cut" }), &["unavailable"]),
        (json!({ "way": "cut", "after": 0 }), &["unavailable"]),
        (json!({ "way": "reset" }), &["unavailable"]),
        (json!({ "way": "garbage" }), &["protocol"]),
        (json!({ "way": "http" }), &["protocol"]),
        (json!({ "way": "huge-length" }), &["protocol"]),
        (json!({ "way": "deep" }), &["protocol"]),
        (json!({ "way": "wrong-id" }), &["protocol"]),
        (json!({ "way": "disconnect" }), &["unavailable"]),
        (json!({ "way": "result", "code": 51 }), &["unavailable"]),
        (json!({ "way": "result", "code": 52 }), &["unavailable"]),
        (json!({ "way": "result", "code": 80 }), &["unavailable"]),
        (json!({ "way": "result", "code": 2 }), &["protocol"]),
        (json!({ "way": "result", "code": 13 }), &["misconfigured"]),
        (json!({ "way": "result", "code": 49 }), &["misconfigured", "protocol"]),
        (json!({ "way": "flood" }), &["protocol"]),
    ]
}

fn hurried() -> Value {
    json!({ "timeout_seconds": 0.8, "connect_timeout_seconds": 0.4 })
}

#[tokio::test]
async fn however_the_directory_fails_it_is_a_fault_and_in_time() {
    let proxy = Proxy::alone().await;
    for (way, words) in ways() {
        for is_connected in [false, true] {
            proxy.mend().await;
            let setting = at(&exported("_PROXY"), &hurried());
            if is_connected {
                verified(setting.right("ann").await);
            }
            proxy.way(&way).await;
            let began = Instant::now();
            for verdict in [setting.right("ann").await, setting.entitle("ann").await] {
                let (word, says) = fault(&verdict);
                assert!(words.contains(&word), "{way}, connected {is_connected}: {word}, {says}");
                assert!(!says.contains("pass-1"), "{says}");
            }
            assert!(began.elapsed() < Duration::from_secs(3), "{way}: {:?}", began.elapsed());
            // Once it is over, all is as before.
            proxy.mend().await;
            verified(setting.right("ann").await);
        }
    }
}

#[tokio::test]
async fn a_password_that_is_never_answered_is_a_fault_in_time() {
    let proxy = Proxy::alone().await;
    for way in [json!({ "way": "hang" }), json!({ "way": "drip", "interval": 0.3 })] {
        let setting = at(&exported("_PROXY"), &hurried());
        verified(setting.right("ann").await);
        // The connection that searches goes on; the next one, that of the password, does not.
        let mut way = way;
        way["connections"] = json!(1);
        proxy.way(&way).await;
        let began = Instant::now();
        assert_eq!(fault(&setting.right("ann").await).0, "timeout", "{way}");
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        proxy.mend().await;
    }
}

#[tokio::test]
async fn however_connecting_fails_it_is_a_fault_and_in_time() {
    let proxy = Proxy::alone().await;
    for (mode, word) in [
        ("refuse", "unavailable"),
        ("close", "unavailable"),
        ("reset", "unavailable"),
        ("hang", "timeout"),
        ("unanswered", "timeout"),
    ] {
        proxy.tell("listeners/plain", &json!({ "mode": mode })).await;
        let setting = at(&exported("_PROXY"), &hurried());
        assert_eq!(fault(&setting.right("ann").await).0, word, "{mode}");
        proxy.mend().await;
        verified(setting.right("ann").await);
    }
}

/// An answer nested a hundred thousand deep ends a program that reads it by recursion; one of two
/// gigabytes ends it otherwise.
#[tokio::test]
async fn what_is_too_deep_or_too_long_is_not_read() {
    let proxy = Proxy::alone().await;
    for (way, says) in [
        ("deep", "the directory answered something that is no answer"),
        ("huge-length", "the directory answered more than 1 MiB"),
        ("flood", "the directory answered more than 1 MiB"),
        ("garbage", "the directory answered something that is not LDAP"),
        ("wrong-id", "the directory answered what it was not asked"),
    ] {
        proxy.mend().await;
        let setting = at(&exported("_PROXY"), &json!({}));
        verified(setting.right("ann").await);
        proxy.way(&json!({ "way": way })).await;
        assert_eq!(fault(&setting.right("ann").await), ("protocol", says.to_owned()), "{way}");
    }
    proxy.mend().await;
}

/// In the clear nobody can tell; but nobody is let in as somebody whose entry it is not.
#[tokio::test]
async fn another_entry_than_the_one_asked_for_is_not_taken() {
    let proxy = Proxy::alone().await;
    let setting = at(&exported("_PROXY"), &json!({}));
    let subject = setting.person("ann").await.subject;
    proxy.way(&json!({ "way": "other-entry" })).await;
    let verdict = setting.again(("ann", "ann-pass-1"), &subject).await;
    let says = "the directory answered with somebody else's entry";
    assert_eq!(fault(&verdict), ("protocol", says.to_owned()));
    // Who comes in under no name comes in as the anonymous visitor, with any password.
    for dn in ["", " "] {
        proxy.way(&json!({ "way": "other-entry", "dn": dn })).await;
        let verdict = setting.log_in("ann", "any").await;
        assert_eq!(fault(&verdict), ("protocol", says.to_owned()), "{dn:?}");
    }
    proxy.mend().await;
}

#[tokio::test]
async fn our_own_account_that_is_refused_is_a_fault() {
    let section = |password: &str| {
        let keys = json!({
            "url": exported(""),
            "bind_dn": exported("_READER_DN"),
            "user_base": PEOPLE,
        });
        Section::of(keys).with_secret("bind_password", Secret::new(password))
    };
    let setting = |section| crate::support::Setting {
        backend: built(section).unwrap(),
        host: vestibule_auth::testkit::Host::default(),
    };
    let (word, says) = fault(&setting(section("wrong")).right("ann").await);
    assert_eq!(word, "misconfigured");
    let expected = "the directory refuses our own account: result 49 (invalidCredentials)";
    assert_eq!(says, expected);
    // Whoever searches without an account finds nothing here, as the server wants it.
    let anonymous = Section::of(json!({ "url": exported(""), "user_base": PEOPLE }));
    let verdict = setting(anonymous).right("ann").await;
    assert!(
        matches!(&verdict, vestibule_core::ports::backend::Verdict::Fault(_))
            || matches!(&verdict, vestibule_core::ports::backend::Verdict::NotMine(_)),
        "{verdict:?}"
    );
    let nowhere = with(&json!({ "user_base": "ou=nowhere,dc=facility,dc=org" }));
    assert_eq!(fault(&nowhere.right("ann").await).0, "misconfigured");
}

#[tokio::test]
async fn nothing_secret_is_shown() {
    let section = keys_at(&exported(""), &json!({}));
    assert!(!format!("{section:?}").contains("reader-pass-1"));
    let setting = with(&json!({}));
    for verdict in [setting.right("ann").await, setting.log_in("ann", "canary-1").await] {
        let shown = format!("{verdict:?}");
        assert!(!shown.contains("ann-pass-1") && !shown.contains("canary-1"), "{shown}");
    }
    assert!(refused(&setting.log_in("ann", "canary-1").await).as_str() == "wrong password");
}

#[tokio::test]
async fn many_at_once_are_each_answered_about_themselves() {
    let setting = with(&json!({ "pool_size": 3 }));
    let ann = setting.person("ann").await.subject;
    let asks = (0..60).map(|number| {
        let setting = &setting;
        async move {
            match number % 3 {
                0 => (0, setting.right("ann").await),
                1 => (1, setting.right("bert").await),
                _ => (2, setting.log_in("ann", "bert-pass-1").await),
            }
        }
    });
    for (kind, verdict) in futures_util::future::join_all(asks).await {
        match kind {
            0 => assert_eq!(verified(verdict).subject, ann),
            1 => assert_ne!(verified(verdict).subject, ann),
            _ => assert_eq!(refused(&verdict).as_str(), "wrong password"),
        }
    }
}
