//! Opening, keeping and ending sessions.

use std::time::Duration;

use serde_json::json;

use crate::support::{Db, PASSWORD, TestSite, on_every_database};

on_every_database!(
    asvs_v7_2_1_edited_cookies_open_nothing,
    asvs_v7_2_4_every_login_opens_a_new_session_and_ends_the_one_before,
    asvs_v7_3_1_an_idle_session_ends_and_a_used_one_does_not,
    asvs_v7_3_2_no_use_keeps_a_session_past_its_end,
    asvs_v7_4_1_a_session_that_was_ended_is_dead_on_the_server,
    asvs_v7_4_2_disabling_or_deleting_ends_all_sessions,
    asvs_v7_4_3_a_password_change_ends_the_other_sessions,
    asvs_v7_4_5_administrators_end_anybodys_sessions,
    asvs_v7_5_2_users_see_and_end_their_sessions_after_proving_who_they_are,
    asvs_v7_1_2_one_login_too_many_ends_the_oldest_session,
    atk_a060_a_planted_cookie_never_becomes_a_session,
    atk_a061_a_browser_two_users_share_never_shows_the_others_data,
    atk_a070_random_bytes_in_the_cookie_are_nobody,
    atk_a071_a_right_that_was_taken_is_gone_at_the_next_request,
    atk_a075_what_is_stored_opens_nothing,
    atk_a076_strangers_leave_no_sessions_behind,
    seed_cp_1_login_takes_json_or_a_form_and_replaces_the_session,
    seed_cp_7_logout_is_a_post_and_harmless_for_strangers,
    seed_om_14_sessions_last_as_long_as_cookie_age_says,
    seed_om_20_clearing_ends_exactly_the_expired,
    seed_om_31_a_disabled_user_is_out_at_once_and_back_when_enabled,
);

fn asvs_v7_2_1_edited_cookies_open_nothing(db: Db) {
    let site = TestSite::start(db);
    let mut user = site.logged_in("anna");
    let token = user.token();
    for at in [0, 20, 42, 63] {
        let mut edited: Vec<char> = token.chars().collect();
        edited[at] = if edited[at] == 'A' { 'B' } else { 'A' };
        let edited: String = edited.into_iter().collect();
        assert!(!user.with_token(&edited).is_in(), "{at}");
    }
    assert!(user.is_in());
}

fn asvs_v7_2_4_every_login_opens_a_new_session_and_ends_the_one_before(db: Db) {
    let site = TestSite::start(db);
    let mut user = site.logged_in("anna");
    let before = user.token();
    user.log_in("anna", PASSWORD).expect(200);
    assert_ne!(user.token(), before);
    assert!(!user.with_token(&before).is_in());
    assert!(user.is_in());
}

fn asvs_v7_3_1_an_idle_session_ends_and_a_used_one_does_not(db: Db) {
    let site = TestSite::plan(db).set("session.idle_timeout", "1h").start();
    let (mut used, mut idle) = (site.logged_in("used"), site.logged_in("idle"));
    for _ in 0..3 {
        site.clock.advance(Duration::from_mins(59));
        assert!(used.is_in());
    }
    assert!(!idle.is_in());
}

fn asvs_v7_3_2_no_use_keeps_a_session_past_its_end(db: Db) {
    let site = TestSite::start(db);
    let mut user = site.logged_in("anna");
    for _ in 0..23 {
        site.clock.advance(Duration::from_hours(1));
        assert!(user.is_in());
    }
    site.clock.advance(Duration::from_hours(1));
    assert!(!user.is_in());
}

fn asvs_v7_4_1_a_session_that_was_ended_is_dead_on_the_server(db: Db) {
    let site = TestSite::start(db);
    let mut user = site.logged_in("anna");
    let copy = user.with_token(&user.token());
    assert!(copy.clone().is_in());
    user.post("/api/v1/logout", &json!({})).expect(204);
    assert!(user.cookies.keys().eq(["vestibule-browser"]), "{:?}", user.cookies);
    assert!(!copy.clone().is_in());
}

fn asvs_v7_4_2_disabling_or_deleting_ends_all_sessions(db: Db) {
    let site = TestSite::start(db);
    let mut admin = site.admin();
    let (mut first, mut second) = (site.logged_in("first"), site.logged_in("second"));
    let id = |visitor: &mut crate::support::Visitor| {
        visitor.get("/api/v1/session").json()["user"]["id"].as_str().unwrap().to_owned()
    };
    let (first_id, second_id) = (id(&mut first), id(&mut second));
    let path = format!("/api/v1/users/{first_id}");
    admin.patch(&path, &json!({ "is_active": false })).expect(200);
    assert!(!first.is_in());
    admin.delete(&format!("/api/v1/users/{second_id}")).expect(204);
    assert!(!second.is_in());
}

fn asvs_v7_4_3_a_password_change_ends_the_other_sessions(db: Db) {
    let site = TestSite::start(db);
    let (mut here, mut there) = (site.logged_in("anna"), site.visitor());
    there.log_in("anna", PASSWORD).expect(200);
    let new = "quite another sentence to get in";
    let change = json!({ "old_password": PASSWORD, "password": new });
    here.post("/api/v1/password/change", &change).expect(200);
    assert!(here.is_in());
    assert!(!there.is_in());
    there.log_in("anna", PASSWORD).expect(401);
    there.log_in("anna", new).expect(200);
}

fn asvs_v7_4_5_administrators_end_anybodys_sessions(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut user) = (site.admin(), site.logged_in("anna"));
    let id = user.get("/api/v1/session").json()["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{id}/sessions");
    assert_eq!(admin.get(&path).expect(200).json()["count"], 1);
    admin.delete(&path).expect(204);
    assert!(!user.is_in());
    let events = admin.get("/api/v1/audit?action=session.all_ended").json();
    assert_eq!(events["results"][0]["target"], "anna");
}

fn asvs_v7_5_2_users_see_and_end_their_sessions_after_proving_who_they_are(db: Db) {
    let site = TestSite::start(db);
    let (mut here, mut there) = (site.logged_in("anna"), site.visitor());
    there.log_in("anna", PASSWORD).expect(200);
    let listed = here.get("/api/v1/sessions").expect(200).json();
    assert_eq!(listed["count"], 2);
    let sessions = listed["results"].as_array().unwrap();
    let other = sessions.iter().find(|s| s["is_current"] == false).unwrap()["id"].clone();
    let path = format!("/api/v1/sessions/{}", other.as_str().unwrap());
    site.clock.advance(Duration::from_mins(16));
    here.delete(&path).expect_problem(403, "reauthentication_required");
    assert!(there.is_in());
    here.log_in("anna", PASSWORD).expect(200);
    here.delete(&path).expect(204);
    assert!(!there.is_in());
    assert!(here.is_in());
    // Nobody else's can be ended, or even told apart from one that does not exist.
    let mut stranger = site.logged_in("eve");
    let own = here.get("/api/v1/sessions").json()["results"][0]["id"].clone();
    let path = format!("/api/v1/sessions/{}", own.as_str().unwrap());
    stranger.delete(&path).expect_problem(404, "not_found");
    assert!(here.is_in());
}

fn asvs_v7_1_2_one_login_too_many_ends_the_oldest_session(db: Db) {
    let site = TestSite::plan(db).set("session.max_per_user", "3").start();
    site.user("anna");
    let mut devices: Vec<_> = (0..4)
        .map(|_| {
            site.clock.advance(Duration::from_secs(1));
            let mut device = site.visitor();
            device.log_in("anna", PASSWORD).expect(200);
            device
        })
        .collect();
    let alive: Vec<_> = devices.iter_mut().map(crate::support::Visitor::is_in).collect();
    assert_eq!(alive, [false, true, true, true]);
}

fn atk_a060_a_planted_cookie_never_becomes_a_session(db: Db) {
    let site = TestSite::start(db);
    site.user("anna");
    for planted in ["planted", &"A".repeat(64)] {
        let mut victim = site.visitor().with_token(planted);
        victim.log_in("anna", PASSWORD).expect(200);
        assert_ne!(victim.token(), planted);
        assert!(!site.visitor().with_token(planted).is_in());
    }
}

fn atk_a061_a_browser_two_users_share_never_shows_the_others_data(db: Db) {
    let site = TestSite::start(db);
    site.user("anna");
    site.user("bert");
    let mut browser = site.visitor();
    for name in ["anna", "bert", "anna"] {
        browser.log_in(name, PASSWORD).expect(200);
        assert_eq!(browser.get("/api/v1/session").json()["user"]["username"], name);
        assert_eq!(browser.get("/own/whoami").text, name);
        browser.post("/api/v1/logout", &json!({})).expect(204);
        browser.get("/own/whoami").expect(401);
    }
}

fn atk_a070_random_bytes_in_the_cookie_are_nobody(db: Db) {
    let site = TestSite::start(db);
    for value in ["", "x", "%00", "....", "\"quoted\"", &"z".repeat(3000)] {
        site.visitor().with_token(value).get("/api/v1/session").expect(401);
    }
}

fn atk_a071_a_right_that_was_taken_is_gone_at_the_next_request(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut user) = (site.admin(), site.logged_in("anna"));
    let id = user.get("/api/v1/session").json()["user"]["id"].clone();
    user.get("/own/start").expect(403);
    let grant = json!({ "user": id, "permission": "calc.start" });
    let grant = admin.post("/api/v1/grants", &grant).expect(201).id();
    user.get("/own/start").expect(200);
    admin.delete(&format!("/api/v1/grants/{grant}")).expect(204);
    user.get("/own/start").expect(403);
}

fn atk_a075_what_is_stored_opens_nothing(db: Db) {
    let site = TestSite::start(db);
    let mut user = site.logged_in("anna");
    let session = user.get("/api/v1/sessions").json()["results"][0]["id"].clone();
    let digest = vestibule_core::TokenDigest::of(user.token().as_bytes());
    let hex = digest.as_bytes().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    for stored in [session.as_str().unwrap(), &hex] {
        assert!(!site.visitor().with_token(stored).is_in());
    }
}

fn atk_a076_strangers_leave_no_sessions_behind(db: Db) {
    let site = TestSite::start(db);
    let mut user = site.logged_in("anna");
    for _ in 0..20 {
        let mut stranger = site.visitor();
        stranger.get("/api/v1/session").expect(401);
        stranger.log_in("anna", "wrong").expect(401);
        assert!(stranger.cookies.is_empty());
    }
    assert_eq!(user.get("/api/v1/sessions").json()["count"], 1);
}

fn seed_cp_1_login_takes_json_or_a_form_and_replaces_the_session(db: Db) {
    let site = TestSite::start(db);
    site.user("anna");
    let mut visitor = site.visitor();
    visitor.form("/api/v1/login", &[("username", "anna"), ("password", PASSWORD)]).expect(200);
    let first = visitor.token();
    visitor.log_in("anna", PASSWORD).expect(200);
    assert_ne!(visitor.token(), first);
    assert!(!visitor.with_token(&first).is_in());
    visitor.form("/api/v1/login", &[("username", "anna")]).expect(400);
    visitor.log_in("anna", "wrong").expect(401);
}

fn seed_cp_7_logout_is_a_post_and_harmless_for_strangers(db: Db) {
    let site = TestSite::start(db);
    let mut user = site.logged_in("anna");
    user.get("/api/v1/logout").expect(405);
    assert!(user.is_in());
    user.post("/api/v1/logout", &json!({})).expect(204);
    site.visitor().post("/api/v1/logout", &json!({})).expect(204);
}

fn seed_om_14_sessions_last_as_long_as_cookie_age_says(db: Db) {
    let site = TestSite::plan(db).set("session.cookie_age", "2h").start();
    let mut user = site.logged_in("anna");
    site.clock.advance(Duration::from_mins(119));
    assert!(user.is_in());
    site.clock.advance(Duration::from_mins(2));
    assert!(!user.is_in());
}

fn seed_om_20_clearing_ends_exactly_the_expired(db: Db) {
    let site = TestSite::start(db);
    let mut old = site.logged_in("old");
    site.clock.advance(Duration::from_hours(23));
    let mut young = site.logged_in("young");
    site.clock.advance(Duration::from_hours(2));
    let housekeeping = &site.vestibule.site().services.housekeeping;
    let cleared = futures_executor::block_on(housekeeping.clear_sessions(&site.operator()));
    assert_eq!(cleared.unwrap(), 1);
    assert!(!old.is_in());
    assert!(young.is_in());
}

fn seed_om_31_a_disabled_user_is_out_at_once_and_back_when_enabled(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut user) = (site.admin(), site.logged_in("anna"));
    let id = user.get("/api/v1/session").json()["user"]["id"].clone();
    let grant = json!({ "user": id, "permission": "calc.start" });
    admin.post("/api/v1/grants", &grant).expect(201);
    let path = format!("/api/v1/users/{}", id.as_str().unwrap());
    admin.patch(&path, &json!({ "is_active": false })).expect(200);
    assert!(!user.is_in());
    user.log_in("anna", PASSWORD).expect(401);
    admin.patch(&path, &json!({ "is_active": true })).expect(200);
    user.log_in("anna", PASSWORD).expect(200);
    user.get("/own/start").expect(200);
}

#[test]
fn atk_a073_a_busy_session_is_written_down_once_a_minute() {
    let site = TestSite::start(Db::Sqlite);
    let mut user = site.logged_in("anna");
    let principals = &site.vestibule.site().services.principals;
    let take = || principals.take_seen().len();
    take();
    for _ in 0..200 {
        user.get("/own/whoami").expect(200);
    }
    assert_eq!(take(), 0, "the first minute is covered by the login itself");
    site.clock.advance(Duration::from_secs(61));
    for _ in 0..200 {
        user.get("/own/whoami").expect(200);
    }
    assert_eq!(take(), 1);
}

#[test]
fn seed_oq_2_programs_are_told_and_browsers_are_sent_to_the_login_page() {
    let site = TestSite::start(Db::Sqlite);
    for path in ["/own/whoami", "/own/inside"] {
        site.visitor().get(path).expect_problem(401, "not_authenticated");
        let mut browser = site.visitor();
        browser.headers.push(("accept".to_owned(), "text/html,*/*;q=0.8".to_owned()));
        let answer = browser.get(&format!("{path}?page=2")).expect(303);
        let encoded = path.replace('/', "%2F");
        assert_eq!(answer.header("location"), Some(&*format!("/login?next={encoded}%3Fpage%3D2")));
        browser.get("/api/v1/session").expect(401);
        browser.send("POST", "/own/whoami", None).expect(401);
    }
}
