//! Nobody reads along, and nobody takes the directory's place.

use serde_json::json;
use vestibule_core::ports::backend::Verdict;

use crate::support::{Proxy, at, exported, fault, verified};

#[tokio::test]
async fn encrypted_from_the_start_and_on_demand() {
    verified(at(&exported("S"), &json!({})).right("ann").await);
    verified(at(&exported(""), &json!({ "start_tls": true })).right("ann").await);
    verified(at(&exported("S_PROXY_GOOD"), &json!({})).right("ann").await);
}

#[tokio::test]
async fn a_certificate_that_is_not_believed_ends_it_before_a_word_is_said() {
    let log = || std::fs::read_to_string(exported("_FOREIGN_LOG")).unwrap();
    let before = log().matches("BIND").count();
    let mut all = vec![
        at(&exported("S_FOREIGN"), &json!({})),
        at(&exported("_FOREIGN"), &json!({ "start_tls": true })),
        // The system believes none of them.
        at(&exported("S"), &json!({ "ca_file": null })),
    ];
    for name in ["EXPIRED", "FUTURE", "OTHER_HOST", "CA_LEAF", "SELF_SIGNED", "FOREIGN"] {
        all.push(at(&exported(&format!("S_PROXY_{name}")), &json!({})));
    }
    for setting in &all {
        let (word, says) = fault(&setting.right("ann").await);
        assert_eq!(word, "misconfigured", "{says}");
        assert!(says.starts_with("the directory's certificate is not believed: "), "{says}");
    }
    assert_eq!(log().matches("BIND").count(), before);
    let trusting = json!({ "ca_file": exported("_FOREIGN_CA") });
    verified(at(&exported("S_FOREIGN"), &trusting).right("ann").await);
}

#[tokio::test]
async fn encryption_that_is_taken_away_or_forged_ends_it_before_a_word_is_said() {
    let proxy = Proxy::alone().await;
    for (way, word) in [
        (json!({ "way": "starttls-refused", "code": 52 }), "unavailable"),
        (json!({ "way": "starttls-refused", "code": 2 }), "misconfigured"),
        (json!({ "way": "starttls-refused", "code": 53 }), "misconfigured"),
        (json!({ "way": "starttls-silent" }), "timeout"),
        (json!({ "way": "starttls-certificate" }), "misconfigured"),
        (json!({ "way": "starttls-certificate", "certificate": "expired" }), "misconfigured"),
        (json!({ "way": "starttls-inject" }), "protocol"),
        (json!({ "way": "starttls-inject", "id": 1 }), "protocol"),
    ] {
        proxy.mend().await;
        proxy.way(&way).await;
        let keys = json!({ "start_tls": true, "connect_timeout_seconds": 0.3 });
        let verdict = at(&exported("_PROXY"), &keys).log_in("ann", "wrong-canary").await;
        assert_eq!(fault(&verdict).0, word, "{way}: {verdict:?}");
        for secret in ["wrong-canary", "reader-pass-1"] {
            let seen = proxy.hear(&format!("seen?text={secret}")).await;
            assert_eq!(seen, json!([]), "{way}");
        }
    }
    proxy.mend().await;
}

#[tokio::test]
async fn referrals_are_not_followed() {
    let proxy = Proxy::alone().await;
    // A search from the top meets one, and what it finds besides is found.
    let from_the_top = at(&exported(""), &json!({ "user_base": exported("_SUFFIX") }));
    verified(from_the_top.right("ann").await);
    assert!(!matches!(from_the_top.right("nobody-here").await, Verdict::Fault(_)));
    // A base that is elsewhere is one.
    let elsewhere = at(&exported(""), &json!({ "user_base": "dc=elsewhere,dc=example" }));
    let (word, says) = fault(&elsewhere.right("ann").await);
    assert_eq!(word, "misconfigured");
    assert!(says.ends_with("result 10 (referral): referrals are not followed"), "{says}");
    assert_eq!(proxy.hear("requests?listener=bait").await, json!([]));
}
