//! Ways to go wrong that have names, and the good provider's kinds of clients.

use oauth2::{PkceCodeChallenge, PkceCodeVerifier};
use serde_json::json;
use vestibule_auth::{backends::OidcFactory, testkit::Host};
use vestibule_core::{
    domain::identity::BackendName,
    ports::backend::{BackendFactory, Section, Verdict},
};

use crate::support::{arrive, backend, browser, depart, log_in, now, pass_as, peer, word};

/// A login at a provider that goes wrong in this way, the `times`th one.
async fn at(mode: &str, tag: &str, more: &serde_json::Value, times: usize) -> Verdict {
    let issuer = format!("{}/m/{mode}~{tag}", peer("VESTIBULE_TEST_OIDC_HOSTILE"));
    browser().post(format!("{issuer}/__reset")).send().await.unwrap();
    let (host, backend) = (Host::at(now()), backend(&issuer, more));
    for login in 1..times {
        let verdict = log_in(&host, &*backend, &format!("token-{login}")).await;
        assert_eq!(word(&verdict), "login", "{mode}: {verdict:?}");
    }
    log_in(&host, &*backend, "token-last").await
}

async fn nobody_gets_in_by(modes: &[&str], tag: &str) {
    for mode in modes {
        let verdict = at(mode, tag, &json!({}), 1).await;
        assert!(["fault", "refused"].contains(&word(&verdict)), "{mode}: {verdict:?}");
    }
}

#[tokio::test]
async fn atk_a110_metadata_of_another_issuer_are_not_taken() {
    let modes = ["discovery-issuer-mismatch", "discovery-issuer-slash", "discovery-issuer-case"];
    nobody_gets_in_by(&modes, "a110").await;
}

#[tokio::test]
async fn atk_a112_an_id_token_or_a_code_is_good_once() {
    for mode in ["id-token-replayed", "code-replayed"] {
        let verdict = at(mode, "a112", &json!({}), 2).await;
        assert!(["fault", "refused"].contains(&word(&verdict)), "{mode}: {verdict:?}");
    }
}

#[tokio::test]
async fn atk_a116_a_provider_that_turns_to_a_shared_secret_is_not_followed() {
    let modes = ["hs256-client-secret", "hs256-public-key", "hs256-modulus", "hs256-empty"];
    nobody_gets_in_by(&modes, "a116").await;
}

#[tokio::test]
async fn std_s52_signatures_are_of_the_published_keys_and_of_their_kinds() {
    nobody_gets_in_by(
        &[
            "jwks-symmetric",
            "jwks-other-alg",
            "jwks-for-encryption",
            "jwks-weak",
            "invalid-sig-key",
        ],
        "s52",
    )
    .await;
}

#[tokio::test]
async fn std_s53_instants_and_the_nonce_hold_and_so_does_what_was_asked_for() {
    let modes = ["nonce-invalid", "nonce-missing", "exp-past", "exp-missing", "missing-iat"];
    nobody_gets_in_by(&modes, "s53").await;
    nobody_gets_in_by(&["iat-future", "nbf-future"], "s53").await;
    // Right unless more is asked for.
    let (recent, strong) = (json!({ "max_age_seconds": 600 }), json!({ "acr_values": ["2"] }));
    for (mode, asked) in [("auth-time-old", &recent), ("acr-low", &strong)] {
        assert_eq!(word(&at(mode, "s53", &json!({}), 1).await), "login", "{mode}");
        let refused = at(mode, "s53", asked, 1).await;
        assert_eq!(word(&refused), "refused", "{mode}: {refused:?}");
    }
}

#[tokio::test]
async fn std_s55_an_id_token_belongs_to_the_access_token_that_it_names() {
    nobody_gets_in_by(&["at-hash-wrong"], "s55").await;
    assert_eq!(word(&at("at-hash-missing", "s55", &json!({}), 1).await), "login");
}

#[tokio::test]
async fn std_s57_an_unknown_key_makes_us_look_once_and_not_at_every_login() {
    let issuer = format!("{}/m/kid-unknown~s57", peer("VESTIBULE_TEST_OIDC_HOSTILE"));
    browser().post(format!("{issuer}/__reset")).send().await.unwrap();
    let (host, backend) = (Host::at(now()), backend(&issuer, &json!({})));
    for login in 0..5 {
        let verdict = log_in(&host, &*backend, &format!("token-{login}")).await;
        assert_eq!(word(&verdict), "fault");
    }
    let seen = browser().get(format!("{issuer}/__seen")).send().await.unwrap();
    let seen: serde_json::Value = serde_json::from_slice(&seen.bytes().await.unwrap()).unwrap();
    assert_eq!(seen["counts"]["jwks"], 2, "{}", seen["counts"]);
}

#[tokio::test]
async fn seed_cp_52_tokens_of_another_issuer_client_or_time_are_refused() {
    nobody_gets_in_by(
        &["invalid-iss", "invalid-aud", "nonce-invalid", "invalid-sig-rs256", "exp-past"],
        "cp52",
    )
    .await;
    nobody_gets_in_by(&["idtoken-sig-none", "idtoken-sig-none-case"], "cp52").await;
}

#[test]
fn std_s35_there_is_no_other_flow_to_be_had() {
    let refused = |more: serde_json::Value| {
        let mut keys = json!({ "issuer": "https://idp.example", "client_id": "vestibule" });
        keys.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let name = BackendName::parse("idp").unwrap();
        OidcFactory.build(name, Section::of(keys)).err().map(|error| error.to_string())
    };
    assert_eq!(refused(json!({})), None);
    for key in ["response_type", "response_mode", "grant_type", "flow"] {
        let error = refused(json!({ key: "token" })).unwrap();
        assert_eq!(error, format!("{key}: unknown key"));
    }
    assert_eq!(
        refused(json!({ "issuer": "http://idp.example" })).unwrap().split(':').next(),
        Some("issuer")
    );
    assert!(refused(json!({ "scopes": ["profile"] })).unwrap().starts_with("scopes: "));
    assert!(
        refused(json!({ "client_auth": "private_key_jwt" })).unwrap().starts_with("client_auth: ")
    );
}

#[tokio::test]
async fn std_s41_the_challenge_is_the_verifiers_digest_as_the_standard_has_it() {
    // RFC 7636, appendix B.
    let verifier = PkceCodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned());
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    assert_eq!(challenge.as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    // And ours, as it is kept and as it is sent.
    let (host, backend) = (Host::at(now()), backend(&peer("VESTIBULE_TEST_OIDC"), &json!({})));
    let (url, kept) = depart(&host, &*backend, "token").await.unwrap();
    let kept: serde_json::Value = serde_json::from_slice(kept.expose()).unwrap();
    let verifier = kept["verifier"].as_str().unwrap();
    assert!((43..=128).contains(&verifier.len()));
    assert!(verifier.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c)));
    let sent = url.query_pairs().find(|(name, _)| name == "code_challenge").unwrap().1;
    let verifier = PkceCodeVerifier::new(verifier.to_owned());
    assert_eq!(sent, PkceCodeChallenge::from_code_verifier_sha256(&verifier).as_str());
}

#[tokio::test]
async fn each_kind_of_client_of_the_certified_provider_logs_in() {
    for (client, auth) in [
        ("vestibule", json!({})),
        ("vestibule-post", json!({ "client_auth": "client_secret_post" })),
        ("vestibule-public", json!({ "client_auth": "none" })),
        ("vestibule-odd", json!({})),
        ("vestibule-es256", json!({})),
        ("vestibule-eddsa", json!({})),
    ] {
        let mut more = auth;
        more["client_id"] = json!(client);
        if more.get("client_auth") != Some(&json!("none")) {
            more["client_secret"] = json!(clients_secret(client).await);
        }
        let (host, backend) = (Host::at(now()), backend(&peer("VESTIBULE_TEST_OIDC"), &more));
        let (url, kept) = depart(&host, &*backend, "token").await.unwrap();
        let back = pass_as("bert", &url).await;
        let verdict = arrive(&host, &*backend, &back, "token", kept).await;
        let Verdict::Verified(person) = verdict else { panic!("{client}: {verdict:?}") };
        assert_eq!(person.username.as_deref(), Some("bert"), "{client}");
    }
}

async fn clients_secret(client: &str) -> String {
    let control = peer("VESTIBULE_TEST_OIDC_CONTROL");
    let clients = browser().get(format!("{control}/clients")).send().await.unwrap();
    let clients: serde_json::Value =
        serde_json::from_slice(&clients.bytes().await.unwrap()).unwrap();
    let of = |found: &serde_json::Value| found["client_secret"].as_str().map(str::to_owned);
    let listed = match &clients {
        serde_json::Value::Array(all) => all.iter().find(|c| c["client_id"] == client).and_then(of),
        by_id => of(&by_id[client]),
    };
    listed.unwrap_or_else(|| panic!("no secret of {client} in {clients}"))
}
