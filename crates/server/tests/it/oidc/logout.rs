//! Logouts that the provider tells.

use std::time::Duration;

use serde_json::{Value, json};

use super::{arrive, door, enter, hostile, pass, peer, seen, site};
use crate::support::{Db, Visitor};

/// The modes of the step, with what is right to make of each.
fn modes() -> Vec<(String, Vec<String>)> {
    let listed = Visitor::new(&peer("VESTIBULE_TEST_OIDC_HOSTILE")).get("/__modes").json();
    let of_logout = |mode: &&Value| mode["step"] == "logout";
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let right = |mode: &Value| {
        let may = mode["may"].as_array().into_iter().flatten();
        [&mode["expect"]].into_iter().chain(may).map(text).collect()
    };
    let listed = listed.as_array().unwrap().iter().filter(of_logout);
    listed.map(|mode| (text(&mode["mode"]), right(mode))).collect()
}

#[test]
fn logout_tokens_end_the_sessions_they_are_about_and_no_others() {
    let modes = modes();
    assert!(modes.len() >= 39, "only {} modes", modes.len());
    let mut wrong = Vec::new();
    for (mode, right) in &modes {
        let issuer = hostile(mode, "logout");
        Visitor::new(&issuer).post("/__reset", &json!({}));
        let site = site(Db::Sqlite, vec![door("idp", &issuer, &json!({}))]);
        let mut ann = site.visitor();
        enter(&mut ann, "idp").expect(303);
        let url = format!("{}/auth/idp/backchannel-logout", site.origin);
        let told = Visitor::new(&issuer).post("/__logout", &json!({ "url": url })).json();
        let status = told["answers"].as_array().and_then(|all| all.last());
        let status = status.and_then(|answer| answer["status"].as_u64()).unwrap_or(0);
        let is_over = !ann.is_in();
        let word = match status {
            200..300 => "logout",
            400..500 => "refused",
            _ => "something else",
        };
        // A session ends by what is believed, the first time at the latest.
        let is_believed = right[0] == "logout" || mode == "logout-replayed";
        let is_left = is_believed == is_over || right.len() > 1;
        if !right.iter().any(|right| right == word) || !is_left {
            wrong.push(format!("{mode}: {status}, ended: {is_over}; expected {right:?}: {told}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_logout_there_ends_no_session_that_was_opened_by_another_door() {
    let issuer = hostile("logout-sub-only", "doors");
    let site = site(Db::Sqlite, vec![door("idp", &issuer, &json!({}))]);
    let mut by_password = site.logged_in("berta");
    let linking = by_password.post("/api/v1/identities", &json!({ "backend": "idp" })).expect(202);
    let back = pass(&linking.json()["location"].as_str().unwrap().parse().unwrap());
    arrive(&mut by_password, &back).expect(303);
    let mut by_provider = site.visitor();
    enter(&mut by_provider, "idp").expect(303);
    let url = format!("{}/auth/idp/backchannel-logout", site.origin);
    Visitor::new(&issuer).post("/__logout", &json!({ "url": url })).expect(200);
    assert!(!by_provider.is_in(), "all that the person has by that door");
    assert!(by_password.is_in(), "and nothing else");
}

#[test]
fn atk_a111_made_up_keys_make_nobody_ask_for_ever() {
    let issuer = hostile("logout-sig-unknown-kid", "a111");
    let site = site(Db::Sqlite, vec![door("idp", &issuer, &json!({}))]);
    Visitor::new(&issuer).post("/__reset", &json!({}));
    enter(&mut site.visitor(), "idp").expect(303);
    let url = format!("{}/auth/idp/backchannel-logout", site.origin);
    for _ in 0..200 {
        Visitor::new(&issuer).post("/__logout", &json!({ "url": url }));
    }
    let fetched = seen(&issuer)["counts"]["jwks"].as_u64().unwrap_or(0);
    // By the look at the start, if it came after the reset, by the login, and by all strangers once.
    assert!((1..=3).contains(&fetched), "the keys were fetched {fetched} times");
    // The door is as open as before: strangers cannot shut it by what they send.
    site.clock.advance(Duration::from_secs(1));
    enter(&mut site.visitor(), "idp").expect(303);
}
