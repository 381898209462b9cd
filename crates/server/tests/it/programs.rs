//! Programs that bring a name and a password with every request (HTTP Basic).

use std::time::Duration;

use serde_json::json;
use vestibule_core::usecase::login::Door;

use crate::support::{
    Answer, Db, PASSWORD, Says, Script, TestSite, Visitor, block_on, grant, on_every_database,
    site::Plan,
};

on_every_database!(
    seed_cp_61_a_program_gets_in_by_name_and_password_only_where_that_is_switched_on,
    seed_cp_61_wrong_pairs_are_counted_and_limited_like_logins,
    seed_cp_61_a_pair_is_remembered_until_anything_about_the_account_changes,
    seed_cp_61_the_same_chain_is_asked_and_an_outage_is_503,
    seed_cp_61_a_name_that_a_backend_alone_knows_is_remembered_too,
    seed_cp_61_addresses_may_try_as_often_as_they_may_log_in,
    atk_a008_an_account_that_is_slowed_down_is_so_for_programs_too,
    atk_a020_no_other_name_and_password_come_to_what_is_remembered,
    atk_a067_what_a_browser_sends_by_itself_changes_nothing,
);

fn plan(db: Db) -> Plan {
    TestSite::plan(db).set("server.http_basic", "true")
}

pub(crate) fn basic(username: &str, password: &str) -> (String, String) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let pair = STANDARD.encode(format!("{username}:{password}"));
    ("authorization".to_owned(), format!("Basic {pair}"))
}

/// A program with this name and password.
fn program(site: &TestSite, username: &str, password: &str) -> Visitor {
    let mut program = site.visitor();
    program.headers.push(basic(username, password));
    program
}

/// How many passwords were found right so far.
fn verified(site: &TestSite) -> usize {
    site.audit_texts("login.program").len()
}

/// Has the site hear of all changes so far, as it does five times a second.
fn hear(site: &TestSite) {
    let principals = &site.vestibule.site().services.principals;
    block_on(principals.sync(&*site.clock)).unwrap();
}

fn challenges(answer: &Answer) -> Vec<&str> {
    let named = answer.headers.iter().filter(|(name, _)| name == "www-authenticate");
    named.map(|(_, value)| value.as_str()).collect()
}

fn seed_cp_61_a_program_gets_in_by_name_and_password_only_where_that_is_switched_on(db: Db) {
    let off = TestSite::start(db);
    off.user("anna");
    let refused = program(&off, "anna", PASSWORD).get("/api/v1/session");
    let refused = refused.expect_problem(401, "not_authenticated");
    assert!(!challenges(&refused).iter().any(|way| way.contains("Basic")), "{refused:?}");
    assert_eq!(off.audit_texts("login.failed"), Vec::<String>::new(), "it is not looked at");

    let on = off.replica_at(plan(db));
    let mut anna = program(&on, "anna", PASSWORD);
    let session = anna.get("/api/v1/session").expect(200);
    assert_eq!(session.json()["user"]["username"], "anna");
    assert_eq!(session.json()["csrf_token"], "");
    // No session comes of it, and no cookie.
    assert!(anna.cookies.is_empty());
    assert_eq!(on.database.connection().number("select count(*) as answer from sessions"), 0);
    assert_eq!(on.audit_texts("login.program"), ["local"]);
    // Extractors and guards of a service beside it know the program as well.
    assert_eq!(anna.get("/own/whoami").expect(200).text, "anna");
    anna.get("/own/inside").expect(200);
    anna.get("/own/start").expect(403);
    let id = session.json()["user"]["id"].as_str().unwrap().to_owned();
    let mut admin = on.admin();
    grant(&mut admin, &id, "calc.start");
    anna.get("/own/start").expect(200);
    // It changes what it may, without a token against forgery: it is no browser.
    let patch = json!({ "first_name": "Anna" });
    anna.patch(&format!("/api/v1/users/{id}"), &patch).expect(200);
    // What a program brings goes before a cookie that is there too.
    let mut both = admin.clone();
    both.headers.push(basic("anna", PASSWORD));
    assert_eq!(both.get("/own/whoami").expect(200).text, "anna");
    // Strangers are told of it, unless they are browsers.
    let told = on.visitor().get("/api/v1/session").expect(401);
    assert!(challenges(&told).iter().any(|way| way.starts_with("Basic ")), "{told:?}");
    let mut browser = on.visitor();
    browser.headers.push(("sec-fetch-site".to_owned(), "none".to_owned()));
    let told = browser.get("/api/v1/session").expect(401);
    assert!(!challenges(&told).iter().any(|way| way.contains("Basic")), "{told:?}");
}

fn seed_cp_61_wrong_pairs_are_counted_and_limited_like_logins(db: Db) {
    let site = plan(db).start();
    site.user("anna");
    for (username, password) in [("anna", "wrong"), ("nobody", "wrong"), ("anna", "")] {
        let answer = program(&site, username, password).get("/api/v1/session");
        answer.expect_problem(401, "login_failed");
    }
    let texts = site.audit_texts("login.failed");
    assert_eq!(texts.len(), 3, "{texts:?}");
    for _ in 0..4 {
        program(&site, "ANNA", "wrong").get("/api/v1/session").expect(401);
    }
    // Five are enough, for every way in and for the right password as well.
    program(&site, "anna", PASSWORD).get("/api/v1/session").expect_problem(401, "login_failed");
    site.visitor().log_in("anna", PASSWORD).expect(401);
    assert_eq!(verified(&site), 0);
    site.clock.advance(Duration::from_mins(16));
    program(&site, "anna", PASSWORD).get("/api/v1/session").expect(200);
    for bad in ["Basic", "Basic ", "Basic !!!", "Basic YW5uYQ==", "Basic OnB3", "Basic gDpw"] {
        let mut visitor = site.visitor();
        visitor.headers.push(("authorization".to_owned(), bad.to_owned()));
        let answer = visitor.get("/api/v1/session");
        assert!(matches!(answer.status, 400 | 401), "{bad}: {}", answer.status);
    }
    let mut twice = program(&site, "anna", PASSWORD);
    twice.headers.push(basic("admin", PASSWORD));
    twice.get("/api/v1/session").expect_problem(400, "malformed");
}

fn seed_cp_61_a_pair_is_remembered_until_anything_about_the_account_changes(db: Db) {
    let site = plan(db).start();
    let id = site.user("anna");
    let mut admin = site.admin();
    hear(&site);
    let mut anna = program(&site, "anna", PASSWORD);
    for _ in 0..5 {
        anna.get("/own/whoami").expect(200);
    }
    assert_eq!(verified(&site), 1, "once for all of them");
    site.clock.advance(Duration::from_secs(61));
    anna.get("/own/whoami").expect(200);
    assert_eq!(verified(&site), 2);
    // Another password is in force at once, also when it was set by another process.
    let other = site.replica_at(plan(db));
    let mut admin_there = admin.at(&other.origin);
    let set = json!({ "password": "another long sentence to get in" });
    admin_there.put(&format!("/api/v1/users/{id}/password"), &set).expect(204);
    let began = std::time::Instant::now();
    while anna.get("/own/whoami").status == 200 {
        assert!(began.elapsed() < Duration::from_secs(5), "the old password goes on");
    }
    let mut anna = program(&site, "anna", "another long sentence to get in");
    anna.get("/own/whoami").expect(200);
    let path = format!("/api/v1/users/{id}");
    admin.patch(&path, &json!({ "is_active": false })).expect(200);
    anna.get("/own/whoami").expect(401);
    admin.patch(&path, &json!({ "is_active": true })).expect(200);
    anna.get("/own/whoami").expect(200);
    admin.delete(&path).expect(204);
    anna.get("/own/whoami").expect(401);
}

fn seed_cp_61_the_same_chain_is_asked_and_an_outage_is_503(db: Db) {
    let script = Script::new("office", Says::verified("anna"));
    let door = Door { create_users: true, ..script.door() };
    let site = plan(db).extend(move |builder| builder.door(door)).start();
    let mut anna = program(&site, "anna", "there");
    assert_eq!(anna.get("/own/whoami").expect(200).text, "anna");
    assert_eq!(script.asked(), ["anna:there"]);
    // Nothing is remembered of an account that was made a moment ago.
    hear(&site);
    anna.get("/own/whoami").expect(200);
    assert_eq!(script.asked(), ["anna:there"]);
    anna.get("/own/whoami").expect(200);
    assert_eq!(script.asked(), Vec::<String>::new(), "remembered");
    script.says(Says::unavailable());
    site.clock.advance(Duration::from_secs(61));
    anna.get("/api/v1/session").expect_problem(503, "login_unavailable");
    script.says(Says::WantsCode("123456", Box::new(Says::verified("anna"))));
    anna.get("/api/v1/session").expect_problem(401, "second_factor_required");
}

fn seed_cp_61_a_name_that_a_backend_alone_knows_is_remembered_too(db: Db) {
    let script = Script::new("office", Says::verified("anna"));
    let door = Door { create_users: true, ..script.door() };
    let site = plan(db)
        .set("limits.login_per_address", "10/1h")
        .extend(move |builder| builder.door(door))
        .start();
    let mut anna = program(&site, "anna@facility.example", "there");
    assert_eq!(anna.get("/own/whoami").expect(200).text, "anna", "the account is made");
    script.asked();
    hear(&site);
    for _ in 0..40 {
        assert_eq!(anna.get("/own/whoami").expect(200).text, "anna");
    }
    let asked = script.asked();
    assert!((1..=2).contains(&asked.len()), "{asked:?}");
    // And forgotten as others are.
    let mut admin = site.admin();
    let id = anna.get("/api/v1/session").expect(200).json()["user"]["id"].clone();
    let path = format!("/api/v1/users/{}", id.as_str().unwrap());
    admin.patch(&path, &json!({ "is_active": false })).expect(200);
    anna.get("/own/whoami").expect(401);
    admin.patch(&path, &json!({ "is_active": true })).expect(200);
    script.says(Says::NotMine);
    anna.get("/own/whoami").expect(401);
}

fn seed_cp_61_addresses_may_try_as_often_as_they_may_log_in(db: Db) {
    let site = plan(db).set("limits.login_per_address", "3/1h").start();
    site.user("anna");
    hear(&site);
    let mut anna = program(&site, "anna", PASSWORD);
    for _ in 0..20 {
        anna.get("/own/whoami").expect(200);
    }
    for _ in 0..2 {
        program(&site, "anna", "wrong").get("/own/whoami").expect(401);
    }
    let answer = program(&site, "anna", "wrong").get("/own/whoami").expect(429);
    assert!(answer.header("retry-after").is_some());
    site.visitor().log_in("anna", PASSWORD).expect(429);
    // What is remembered needs no try.
    anna.get("/own/whoami").expect(200);
}

fn atk_a020_no_other_name_and_password_come_to_what_is_remembered(db: Db) {
    let site = plan(db).set("limits.login_failures_per_account", "unlimited").start();
    site.user("anna");
    hear(&site);
    program(&site, "anna", PASSWORD).get("/own/whoami").expect(200);
    let long = "n".repeat(5000);
    for (username, password) in [
        ("ann", format!("a{PASSWORD}")),
        (&*format!("anna{PASSWORD}"), String::new()),
        (&*format!("{long}anna"), PASSWORD.to_owned()),
        ("anna ", format!("{PASSWORD} ")),
    ] {
        let answer = program(&site, username, &password).get("/own/whoami");
        assert!(matches!(answer.status, 400 | 401), "{username}: {}", answer.status);
    }
    assert_eq!(verified(&site), 1);
}

fn atk_a067_what_a_browser_sends_by_itself_changes_nothing(db: Db) {
    let site = plan(db).start();
    let id = site.user("anna");
    let anna = program(&site, "anna", PASSWORD);
    let path = format!("/api/v1/users/{id}");
    let patch = json!({ "first_name": "Mallory" });
    for place in ["cross-site", "same-site"] {
        let mut browser = anna.clone();
        browser.headers.push(("sec-fetch-site".to_owned(), place.to_owned()));
        browser.get("/api/v1/session").expect_problem(403, "cross_site");
        browser.patch(&path, &patch).expect_problem(403, "cross_site");
    }
    for place in ["same-origin", "none"] {
        let mut browser = anna.clone();
        browser.headers.push(("sec-fetch-site".to_owned(), place.to_owned()));
        browser.get("/api/v1/session").expect(200);
        browser.patch(&path, &patch).expect_problem(403, "not_for_browsers");
    }
    let mut old = anna.clone();
    old.headers.push(("origin".to_owned(), "https://evil.example".to_owned()));
    old.patch(&path, &patch).expect_problem(403, "cross_site");
    let names = "select first_name as answer from users where username = 'anna'";
    assert_eq!(site.database.connection().texts(names), [""]);
}

#[test]
fn seed_cp_61_over_plain_http_no_password_is_taken() {
    let site = plan(Db::Sqlite)
        .set("site.base_url", "https://hall.example")
        .set("server.allowed_hosts", "[\"127.0.0.1\"]")
        .set("server.trusted_proxies", "[\"127.0.0.1\"]")
        .start_with_own_url();
    site.user("anna");
    let mut anna = program(&site, "anna", PASSWORD);
    anna.get("/api/v1/session").expect(200);
    anna.headers.push(("x-forwarded-proto".to_owned(), "https".to_owned()));
    anna.get("/api/v1/session").expect(200);
    anna.headers.pop();
    anna.headers.push(("x-forwarded-proto".to_owned(), "http".to_owned()));
    anna.get("/api/v1/session").expect_problem(403, "tls_required");
    let http = TestSite::plan(Db::Sqlite)
        .set("server.http_basic", "true")
        .set("site.base_url", "http://hall.example");
    assert!(http.refusal().contains("http is allowed with a loopback host only"));
}

fn atk_a008_an_account_that_is_slowed_down_is_so_for_programs_too(db: Db) {
    let site = plan(db).start();
    site.user("anna");
    for _ in 0..5 {
        site.visitor().log_in("anna", "wrong").expect(401);
    }
    let mut anna = program(&site, "anna", PASSWORD);
    anna.get("/api/v1/session").expect_problem(401, "login_failed");
    site.clock.advance(Duration::from_mins(16));
    anna.get("/api/v1/session").expect(200);
}
