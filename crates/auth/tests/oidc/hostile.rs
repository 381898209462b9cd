//! Providers that go wrong in all the ways there are.

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use vestibule_auth::testkit::Host;
use vestibule_core::ports::backend::Verdict;

use crate::support::{backend, browser, log_in, now, peer, word};

/// One way to go wrong, and what is right to make of it.
struct Mode {
    name: String,
    step: String,
    right: Vec<String>,
    logins: u64,
    about: String,
    module: Option<String>,
}

async fn modes() -> Vec<Mode> {
    let hostile = peer("VESTIBULE_TEST_OIDC_HOSTILE");
    let listed = browser().get(format!("{hostile}/__modes")).send().await.unwrap();
    let listed: Value = serde_json::from_slice(&listed.bytes().await.unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let read = |mode: &Value| Mode {
        name: text(&mode["mode"]),
        step: text(&mode["step"]),
        right: [&mode["expect"]]
            .into_iter()
            .chain(mode["may"].as_array().into_iter().flatten())
            .map(text)
            .collect(),
        logins: mode["flows"].as_u64().unwrap_or(1),
        about: text(&mode["about"]),
        module: mode["module"].as_str().map(str::to_owned),
    };
    listed.as_array().unwrap().iter().map(read).collect()
}

/// What comes of a mode, and what the provider saw of us meanwhile.
async fn tried(mode: &Mode, tag: &str) -> (Verdict, Value) {
    let issuer = format!("{}/m/{}~{tag}", peer("VESTIBULE_TEST_OIDC_HOSTILE"), mode.name);
    // Whoever ran before left a state behind.
    browser().post(format!("{issuer}/__reset")).send().await.unwrap();
    let (host, backend) = (Host::at(now()), backend(&issuer, &json!({})));
    let mut last = None;
    for login in 1..=mode.logins {
        let verdict = log_in(&host, &*backend, &format!("token-{login}")).await;
        let is_last = login == mode.logins;
        assert!(is_last || word(&verdict) == "login", "{}: login {login}: {verdict:?}", mode.name);
        last = Some(verdict);
    }
    let seen = browser().get(format!("{issuer}/__seen")).send().await.unwrap();
    (last.unwrap(), serde_json::from_slice(&seen.bytes().await.unwrap()).unwrap())
}

/// Tries all that are wanted, several at once; answers what was not as it has to be.
async fn wrong(wanted: impl Fn(&Mode) -> bool, tag: &str) -> (usize, Vec<String>) {
    let modes: Vec<Mode> = modes().await.into_iter().filter(wanted).collect();
    let results: Vec<Option<String>> = stream::iter(&modes)
        .map(|mode| async move {
            let (verdict, seen) = tried(mode, tag).await;
            let mut wrong = Vec::new();
            if !mode.right.iter().any(|right| right == word(&verdict)) {
                wrong.push(format!("{verdict:?}, expected {:?}", mode.right));
            }
            if seen["complaints"].as_array().is_some_and(|complaints| !complaints.is_empty()) {
                wrong.push(format!("the provider complains: {}", seen["complaints"]));
            }
            for trap in ["bait", "thief-jwks"] {
                if !seen["counts"][trap].is_null() {
                    wrong.push(format!("we went into the trap {trap}"));
                }
            }
            let about = &mode.about;
            (!wrong.is_empty()).then(|| format!("{} ({about}): {}", mode.name, wrong.join("; ")))
        })
        .buffer_unordered(16)
        .collect()
        .await;
    (modes.len(), results.into_iter().flatten().collect())
}

/// A step of the flow, with the number of modes that there are at least.
async fn all_of(step: &str, at_least: usize) {
    let (tried, wrong) = wrong(|mode| mode.step == step, step).await;
    assert!(tried >= at_least, "only {tried} modes of {step} were tried");
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn std_s58_all_24_modules_of_the_conformance_suite_come_out_right() {
    let (tried, wrong) = wrong(|mode| mode.module.is_some(), "s58").await;
    assert_eq!(tried, 24);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn std_s56_metadata_of_a_broken_or_hostile_provider_let_nobody_in() {
    all_of("discovery", 45).await;
}

#[tokio::test]
async fn atk_a101_a_foreign_or_broken_answer_of_the_browser_lets_nobody_in() {
    all_of("authorize", 30).await;
}

#[tokio::test]
async fn atk_a115_a_hostile_token_endpoint_is_a_fault_within_the_deadline() {
    all_of("token", 40).await;
}

#[tokio::test]
async fn std_s51_id_tokens_that_are_not_ours_and_of_now_let_nobody_in() {
    all_of("id_token", 95).await;
}

#[tokio::test]
async fn flt_f43_keys_that_are_none_let_nobody_in() {
    all_of("jwks", 30).await;
}

#[tokio::test]
async fn std_s54_what_the_userinfo_endpoint_says_of_others_is_not_believed() {
    all_of("userinfo", 40).await;
}
