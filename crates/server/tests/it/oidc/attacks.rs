//! What strangers, and providers that are no friends, try.

use std::collections::BTreeSet;

use serde_json::json;
use url::Url;

use super::{arrive, depart, door, enter, hostile, pass, seen, site, who};
use crate::support::Db;

#[test]
fn atk_a100_an_answer_of_one_provider_is_not_taken_for_another() {
    let (honest, evil) = (hostile("good", "a100"), hostile("iss-not-announced", "a100"));
    let site = site(
        Db::Sqlite,
        vec![door("honest", &honest, &json!({})), door("evil", &evil, &json!({}))],
    );
    for (begun, ended) in [("honest", "evil"), ("evil", "honest")] {
        let mut visitor = site.visitor();
        let back = pass(&depart(&mut visitor, begun, "/"));
        let elsewhere =
            back.as_str().replace(&format!("/auth/{begun}/"), &format!("/auth/{ended}/"));
        arrive(&mut visitor, &elsewhere.parse().unwrap()).expect(400);
        assert!(!visitor.is_in());
        // The code of one has gone nowhere.
        let counts = &seen(if ended == "evil" { &evil } else { &honest })["counts"];
        assert!(counts["token"].is_null(), "{counts}");
    }
    for (mode, backend) in [("mix-up", "mixed"), ("iss-other", "other")] {
        let site = super::site(Db::Sqlite, vec![door(backend, &hostile(mode, "a100"), &json!({}))]);
        let mut visitor = site.visitor();
        assert_ne!(enter(&mut visitor, backend).status, 303, "{mode}");
        assert!(!visitor.is_in());
    }
}

#[test]
fn atk_a101_what_another_browser_began_logs_nobody_in() {
    let site = site(Db::Sqlite, vec![door("idp", &hostile("good", "a101"), &json!({}))]);
    let mut attacker = site.visitor();
    let back = pass(&depart(&mut attacker, "idp", "/"));
    let mut victim = site.visitor();
    arrive(&mut victim, &back).expect(400);
    assert!(!victim.is_in());
    // A browser that waits for a login of its own is another one all the same.
    let mut waiting = site.visitor();
    let back = pass(&depart(&mut attacker, "idp", "/"));
    depart(&mut waiting, "idp", "/");
    arrive(&mut waiting, &back).expect(400);
    assert!(!waiting.is_in());
    // And what was tried in vain is used up.
    arrive(&mut attacker, &back).expect(400);
}

#[test]
fn std_s32_each_answer_is_good_once_and_soon() {
    let site = site(Db::Sqlite, vec![door("idp", &hostile("good", "s32"), &json!({}))]);
    let mut visitor = site.visitor();
    let back = pass(&depart(&mut visitor, "idp", "/"));
    arrive(&mut visitor, &back).expect(303);
    let once_more = arrive(&mut visitor, &back).expect(400);
    assert!(once_more.text.contains("begin again"), "{}", once_more.text);

    let back = pass(&depart(&mut visitor, "idp", "/"));
    site.clock.advance(std::time::Duration::from_mins(11));
    arrive(&mut visitor, &back).expect(400);
}

#[test]
fn atk_a102_a_stolen_code_is_worth_nothing_in_another_login() {
    let site = site(Db::Sqlite, vec![door("idp", &hostile("good", "a102"), &json!({}))]);
    let (mut victim, mut attacker) = (site.visitor(), site.visitor());
    let stolen = pass(&depart(&mut victim, "idp", "/"));
    let code = stolen.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let mut own = pass(&depart(&mut attacker, "idp", "/"));
    let pairs: Vec<(String, String)> = own
        .query_pairs()
        .map(|(name, value)| {
            let value = if name == "code" { code.clone() } else { value.into_owned() };
            (name.into_owned(), value)
        })
        .collect();
    own.query_pairs_mut().clear().extend_pairs(pairs);
    assert_ne!(arrive(&mut attacker, &own).status, 303);
    assert!(!attacker.is_in());
}

#[test]
fn atk_a108_a_login_leads_to_places_of_our_own_alone() {
    let site = site(Db::Sqlite, vec![door("idp", &hostile("good", "a108"), &json!({}))]);
    let mut payloads = Vec::new();
    for host in ["evil.example", "evil.example:80", "evil.example/%2f..", "ann@evil.example"] {
        for before in [
            "//",
            "///",
            "////",
            "/\\",
            "\\\\",
            "\\/",
            "/\t/",
            "\t//",
            "/\n/",
            "https://",
            "https:",
            "http:///",
            "//\\",
            "/%09/",
            "/%5c",
            "%2f%2f",
            "/.//",
            "/..//",
            " //",
            "/\u{1}/",
            "javascript://",
            "data:text/html,",
            "//[::1]@",
            "/ /",
            "@",
            "https:\\\\",
            "\u{2028}//",
            "//%00",
            "/\r\n/",
            "ftp://",
        ] {
            payloads.push(format!("{before}{host}"));
        }
    }
    assert_eq!(payloads.len(), 120);
    let origin: Url = site.origin.parse().unwrap();
    let mut visitor = site.visitor();
    let back = pass(&depart(&mut visitor, "idp", "/own/whoami?x=1"));
    let fine = arrive(&mut visitor, &back).expect(303);
    assert_eq!(fine.header("location"), Some("/own/whoami?x=1"));
    for payload in payloads {
        let back = pass(&depart(&mut visitor, "idp", &payload));
        let answer = arrive(&mut visitor, &back).expect(303);
        let location = answer.header("location").unwrap();
        // As browsers read it: backslashes are slashes, and controls are not there.
        let read: String = location.chars().filter(|c| !c.is_control()).collect();
        let led = origin.join(&read.replace('\\', "/")).unwrap();
        assert_eq!(led.origin(), origin.origin(), "{payload:?} led to {location:?}");
    }
}

#[test]
fn atk_a108_a_link_leads_to_places_of_our_own_alone() {
    let site = site(Db::Sqlite, vec![door("idp", &hostile("good", "a108-link"), &json!({}))]);
    let mut berta = site.logged_in("berta");
    for (next, led) in [
        ("/own/whoami?x=1", "/own/whoami?x=1"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/.//evil.example", "/"),
    ] {
        let asked = json!({ "backend": "idp", "next": next });
        let begun = berta.post("/api/v1/identities", &asked).expect(202).json();
        let back = pass(&begun["location"].as_str().unwrap().parse().unwrap());
        let answer = arrive(&mut berta, &back).expect(303);
        assert_eq!(answer.header("location"), Some(led), "{next}");
    }
}

#[test]
fn std_s37_each_step_answers_303_and_stores_nothing() {
    let site = site(Db::Sqlite, vec![door("idp", &hostile("good", "s37"), &json!({}))]);
    let mut visitor = site.visitor();
    let out = visitor.get("/auth/idp/login").expect(303);
    assert_eq!(out.header("cache-control"), Some("no-store"));
    let back = pass(&out.header("location").unwrap().parse().unwrap());
    let home = arrive(&mut visitor, &back).expect(303);
    assert_eq!(home.header("cache-control"), Some("no-store"));
    assert_eq!(home.text, "");
}

#[test]
fn std_s36_the_code_is_told_to_no_other_page() {
    let site = site(Db::Sqlite, vec![door("idp", &hostile("good", "s36"), &json!({}))]);
    let mut visitor = site.visitor();
    let back = pass(&depart(&mut visitor, "idp", "/"));
    let home = arrive(&mut visitor, &back).expect(303);
    // What is on other sites is told nothing of where the visitor was, and no page is shown here.
    assert_eq!(home.header("referrer-policy"), Some("same-origin"));
    assert_eq!(home.text, "");
    assert!(!home.header("location").unwrap().contains("code"));
}

#[test]
fn atk_a114_a_providers_own_text_is_shown_to_nobody() {
    for mode in ["error-markup", "error-newlines", "error-long", "token-error-markup"] {
        let site = site(Db::Sqlite, vec![door("idp", &hostile(mode, "a114"), &json!({}))]);
        let mut visitor = site.visitor();
        let answer = enter(&mut visitor, "idp");
        assert!((400..600).contains(&answer.status), "{mode}: {}", answer.status);
        assert!(!answer.text.contains("alert(") && !answer.text.contains("<script"), "{mode}");
        assert!(answer.text.len() < 5000, "{mode}");
        for reason in site.audit_texts("login.failed") {
            assert!(!reason.contains(['<', '\n', '\u{1b}']) && reason.len() < 200, "{reason:?}");
        }
    }
}

#[test]
fn atk_a118_a_name_given_to_another_provider_lets_nobody_in_as_somebody_else() {
    let first = hostile("good", "a118-one");
    let second = hostile("good", "a118-two");
    let site = site(Db::Sqlite, vec![door("idp", &first, &json!({}))]);
    let mut ann = site.visitor();
    enter(&mut ann, "idp").expect(303);
    let id = who(&mut ann)["user"]["id"].clone();

    // The same database, the same name, the same subject, another issuer.
    let doors = vec![door("idp", &second, &json!({}))];
    let replaced = site.replica_with(move |builder| {
        doors.into_iter().fold(builder, vestibule_server::Builder::door)
    });
    let mut other = replaced.visitor();
    let answer = enter(&mut other, "idp").expect(403);
    assert!(answer.text.contains("there is an account of the name"), "{}", answer.text);
    // And one that is taken out lets nobody in.
    let without = site.replica();
    without.visitor().get("/auth/idp/login").expect(400);
    assert_eq!(who(&mut ann)["user"]["id"], id);
}

#[test]
fn atk_a120_s256_is_sent_whatever_is_announced() {
    for mode in ["discovery-no-s256", "discovery-no-pkce"] {
        let issuer = hostile(mode, "a120");
        let site = site(Db::Sqlite, vec![door("idp", &issuer, &json!({}))]);
        let mut visitor = site.visitor();
        let url = depart(&mut visitor, "idp", "/");
        let method = url.query_pairs().find(|(name, _)| name == "code_challenge_method");
        assert_eq!(method.unwrap().1, "S256", "{mode}");
        let back = pass(&url);
        arrive(&mut visitor, &back).expect(303);
        assert_eq!(seen(&issuer)["complaints"], json!([]), "{mode}");
    }
}

#[test]
fn std_s34_nothing_that_is_sent_is_ever_sent_again() {
    let site = site(Db::Sqlite, vec![door("idp", &hostile("good", "s34"), &json!({}))]);
    let mut visitor = site.visitor();
    let mut before = BTreeSet::new();
    for _ in 0..500 {
        let url = depart(&mut visitor, "idp", "/");
        for (name, value) in url.query_pairs().into_owned() {
            if ["state", "nonce", "code_challenge"].contains(&name.as_str()) {
                assert!(before.insert(value.clone()), "{name} came twice: {value}");
            }
        }
    }
    assert_eq!(before.len(), 1500);
}

#[test]
fn std_s30_there_is_one_address_to_come_back_to_for_each_provider() {
    let doors = vec![
        door("one", &hostile("good", "s30-1"), &json!({})),
        door("two", &hostile("good", "s30-2"), &json!({})),
    ];
    let site = site(Db::Sqlite, doors);
    for backend in ["one", "two"] {
        let mut visitor = site.visitor();
        // What the request claims of the host changes nothing.
        visitor.headers.push(("x-forwarded-host".to_owned(), "evil.example".to_owned()));
        let url = depart(&mut visitor, backend, "/");
        let redirect = url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1;
        assert_eq!(redirect, format!("{}/auth/{backend}/callback", site.origin));
    }
}

#[test]
fn word_of_an_outage_that_visitors_bring_closes_the_door_to_nobody() {
    let site =
        site(Db::Sqlite, vec![door("idp", &hostile("iss-not-announced", "reported"), &json!({}))]);
    for _ in 0..8 {
        let mut visitor = site.visitor();
        let state = depart(&mut visitor, "idp", "/");
        let state = state.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let path = format!("/auth/idp/callback?error=server_error&state={state}");
        visitor.get(&path).expect(503);
        assert!(!visitor.is_in());
    }
    enter(&mut site.visitor(), "idp").expect(303);
    assert_eq!(site.audit_texts("login.undecided"), ["reported"; 8]);
}

#[test]
fn a_login_is_begun_by_going_there_and_not_by_a_picture_of_another_site() {
    let site = site(Db::Sqlite, vec![door("idp", &hostile("good", "picture"), &json!({}))]);
    let mut visitor = site.visitor();
    visitor.headers.push(("sec-fetch-dest".to_owned(), "image".to_owned()));
    visitor.get("/auth/idp/login").expect(403);
    visitor.headers.clear();
    visitor.headers.push(("sec-fetch-dest".to_owned(), "document".to_owned()));
    visitor.get("/auth/idp/login").expect(303);
}
