//! Providers that are down, slow or changing.

use std::time::Duration;

use serde_json::json;

use super::{arrive, depart, door, enter, enter_as, hostile, now, pass, site};
use crate::support::{Db, PASSWORD, TestSite, Visitor};

#[test]
fn flt_f40_a_provider_that_is_down_at_the_start_keeps_nobody_else_out() {
    // Nobody listens there.
    let site = site(Db::Sqlite, vec![door("idp", "http://127.0.0.1:9/realm", &json!({}))]);
    let answer = site.visitor().get("/auth/idp/login").expect(503);
    assert!(answer.header("retry-after").is_some());
    site.user("ann");
    site.visitor().log_in("ann", PASSWORD).expect(200);
    assert_eq!(site.audit_texts("login.undecided"), ["unavailable"]);
}

#[test]
fn flt_f45_a_token_endpoint_that_fails_is_a_page_to_try_again_and_no_session() {
    for mode in ["token-500", "token-503", "token-stall", "token-html"] {
        let site = site(Db::Sqlite, vec![door("idp", &hostile(mode, "f45"), &json!({}))]);
        let mut visitor = site.visitor();
        let back = pass(&depart(&mut visitor, "idp", "/"));
        let answer = arrive(&mut visitor, &back).expect(503);
        assert!(answer.header("retry-after").is_some(), "{mode}");
        assert!(answer.text.contains("Log in"), "{mode}: {}", answer.text);
        assert!(!visitor.is_in(), "{mode}");
        // What was begun is used up: nothing is sent there twice.
        arrive(&mut visitor, &back).expect(400);
        assert_eq!(site.audit_texts("login.failed"), Vec::<String>::new(), "{mode}");
    }
}

#[test]
fn flt_f46_a_page_that_got_in_between_is_a_fault() {
    for mode in ["discovery-html", "token-html", "userinfo-html", "jwks-html"] {
        let site = site(Db::Sqlite, vec![door("idp", &hostile(mode, "f46"), &json!({}))]);
        let mut visitor = site.visitor();
        let answer = visitor.get("/auth/idp/login");
        let answer = match answer.header("location") {
            Some(url) => arrive(&mut visitor, &pass(&url.parse().unwrap())),
            None => answer,
        };
        answer.expect(503);
        assert!(!visitor.is_in(), "{mode}");
    }
}

#[test]
fn flt_f44_clocks_may_differ_by_a_minute_and_no_more() {
    let site = site(Db::Sqlite, vec![door("idp", &hostile("good", "f44"), &json!({}))]);
    let enter_at = |seconds: i64| {
        let by = Duration::from_secs(seconds.unsigned_abs());
        let at = if seconds < 0 { now().minus(by) } else { now().plus(by) };
        site.clock.set(at);
        enter(&mut site.visitor(), "idp").status
    };
    assert_eq!(enter_at(0), 303);
    // The provider's tokens are good for some minutes: ours is fast by less than that.
    assert_eq!(enter_at(50), 303);
    assert_eq!(enter_at(-50), 303);
    assert_eq!(enter_at(-70), 503);
    assert_eq!(enter_at(24 * 3600), 503);
    assert_eq!(site.audit_texts("login.undecided").len(), 2);
}

/// A provider of its own, for tests that turn its keys or switch it off.
struct OwnProvider {
    folder: tempfile::TempDir,
    issuer: String,
}

impl OwnProvider {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let told = Self::peer("start", &folder);
        let issuer = told
            .lines()
            .find_map(|line| line.strip_prefix("export VESTIBULE_TEST_OIDC="))
            .unwrap_or_else(|| panic!("{told}"));
        let issuer = issuer.trim_matches(['\'', '"']).to_owned();
        Self { folder, issuer }
    }

    fn peer(call: &str, folder: &tempfile::TempDir) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/peers/oidc/peer");
        let output = std::process::Command::new(script)
            .arg(call)
            .arg(folder.path().join("oidc"))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn control(&self, call: &str, body: &serde_json::Value) {
        Visitor::new(&self.issuer).post(&format!("/__control/{call}"), body).expect(200);
    }

    fn count(&self, endpoint: &str) -> u64 {
        let counts = Visitor::new(&self.issuer).get("/__control/counts").expect(200).json();
        counts[endpoint].as_u64().unwrap_or(0)
    }
}

impl Drop for OwnProvider {
    fn drop(&mut self) {
        Self::peer("stop", &self.folder);
    }
}

fn at(provider: &OwnProvider) -> TestSite {
    site(Db::Sqlite, vec![door("idp", &provider.issuer, &json!({}))])
}

#[test]
fn flt_f42_a_key_that_changes_costs_no_login() {
    let provider = OwnProvider::start();
    let site = at(&provider);
    enter_as(&mut site.visitor(), "idp", "ann").expect(303);
    // A new key, the old one still published; then one that is changed while the visitor is there.
    provider.control("rotate", &json!({}));
    let before = provider.count("jwks");
    enter_as(&mut site.visitor(), "idp", "ann").expect(303);
    assert_eq!(provider.count("jwks"), before + 1, "one look for the new key is enough");
    site.clock.advance(Duration::from_secs(301));
    let mut visitor = site.visitor();
    let back = super::pass_as("bert", &depart(&mut visitor, "idp", "/"));
    provider.control("rotate", &json!({ "keep": false }));
    arrive(&mut visitor, &back).expect(303);
}

#[test]
fn flt_f41_what_was_known_is_used_for_a_day_and_no_longer() {
    let provider = OwnProvider::start();
    let site = at(&provider);
    enter_as(&mut site.visitor(), "idp", "ann").expect(303);
    provider.control("options", &json!({ "down": true }));
    // The provider tells nothing of itself, and visitors are still sent to it.
    site.clock.advance(Duration::from_hours(23));
    site.visitor().get("/auth/idp/login").expect(303);
    site.clock.advance(Duration::from_hours(2));
    site.visitor().get("/auth/idp/login").expect(503);
    provider.control("options", &json!({ "down": null }));
    // It is left alone for a moment after it failed.
    site.clock.advance(Duration::from_mins(1));
    site.visitor().get("/auth/idp/login").expect(303);
}
