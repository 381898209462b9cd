//! What keeps a session alive, what ends it, and what never begins one.

use std::time::Duration;

use serde_json::{Value, json};
use vestibule_core::{
    Clock, TokenDigest,
    domain::ticket::{Purpose, Ticket},
    ports::store::StoreError,
};

use crate::support::{
    Db, PASSWORD, Post, TestSite, Visitor, grant, id_of, on_every_database, site::block_on,
    with_address,
};

on_every_database!(
    seed_om_18_an_idle_limit_stands_beside_the_absolute_one,
    seed_om_21_a_session_of_an_older_release_works_or_ends_cleanly,
    seed_om_23_people_end_their_sessions_and_administrators_anybodys,
    seed_cn_18_a_password_change_asks_for_the_old_one_and_ends_the_other_sessions,
    std_s24_a_password_change_makes_a_new_id_and_unknown_ids_are_never_taken,
    std_s17_a_sessions_secret_is_made_at_the_login_and_dead_at_the_logout,
    atk_a063_a_request_under_way_does_not_revive_an_ended_session,
    atk_a215_a_right_that_is_taken_away_is_gone_within_a_second_everywhere,
    atk_a223_the_link_of_a_deleted_account_is_dead,
    asvs_v7_5_3_the_gravest_actions_take_a_fresh_login,
    flt_f89_when_the_clock_jumps_no_session_comes_back,
);

fn seed_om_18_an_idle_limit_stands_beside_the_absolute_one(db: Db) {
    let site = TestSite::plan(db)
        .set("session.idle_timeout", "1h")
        .set("session.cookie_age", "3h")
        .start();
    let mut busy = site.logged_in("busy");
    for _ in 0..5 {
        site.clock.advance(Duration::from_mins(35));
        assert!(busy.is_in());
    }
    site.clock.advance(Duration::from_mins(10));
    assert!(!busy.is_in(), "3 h 5 min after the login");
}

fn seed_om_21_a_session_of_an_older_release_works_or_ends_cleanly(db: Db) {
    let site = TestSite::start(db);
    let mut anna = site.logged_in("anna");
    // Written by a backend that this release no longer has.
    let old = "update sessions set backend = 'gone', user_agent = '', address = ''";
    site.database.connection().execute(old);
    let other = site.replica();
    assert!(anna.at(&other.origin).is_in());
    assert_eq!(anna.get("/api/v1/sessions").expect(200).json()["count"], 1);
    // Cookies in the form of other times and other programs.
    for form in ["0123456789abcdef0123456789abcdef", &"k".repeat(43), "eyJhbGciOiJIUzI1NiJ9.e30.x"]
    {
        let mut visitor = anna.with_token(form);
        assert!(!visitor.is_in());
        visitor.log_in("anna", PASSWORD).expect(200);
        assert!(visitor.is_in());
    }
}

fn devices(visitor: &mut Visitor) -> Vec<Value> {
    visitor.get("/api/v1/sessions").expect(200).json()["results"].as_array().unwrap().clone()
}

fn seed_om_23_people_end_their_sessions_and_administrators_anybodys(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut here) = (site.admin(), site.logged_in("anna"));
    let mut others = [site.visitor(), site.visitor()];
    for other in &mut others {
        other.log_in("anna", PASSWORD).expect(200);
    }
    assert_eq!(devices(&mut here).len(), 3);
    let own = devices(&mut others[0]).into_iter().find(|s| s["is_current"] == true).unwrap();
    here.delete(&format!("/api/v1/sessions/{}", own["id"].as_str().unwrap())).expect(204);
    assert!(!others[0].is_in() && others[1].is_in());
    here.delete("/api/v1/sessions").expect(204);
    assert!(!others[1].is_in() && here.is_in());
    let path = format!("/api/v1/users/{}/sessions", id_of(&mut here));
    site.logged_in("eve").delete(&path).expect(403);
    assert_eq!(admin.get(&path).expect(200).json()["count"], 1);
    admin.delete(&path).expect(204);
    assert!(!here.is_in());
}

fn change(visitor: &mut Visitor, old: &str, new: &str) -> u16 {
    let change = json!({ "old_password": old, "password": new });
    let answer = visitor.post("/api/v1/password/change", &change);
    if answer.status == 200 {
        visitor.csrf = answer.json()["csrf_token"].as_str().map(str::to_owned);
    }
    answer.status
}

const NEW: &str = "quite another sentence to get in";

fn seed_cn_18_a_password_change_asks_for_the_old_one_and_ends_the_other_sessions(db: Db) {
    let site = TestSite::start(db);
    let (mut here, mut there) = (site.logged_in("anna"), site.visitor());
    there.log_in("anna", PASSWORD).expect(200);
    assert_eq!(change(&mut here, "not the old password", NEW), 422);
    assert!(there.is_in());
    assert_eq!(change(&mut here, PASSWORD, NEW), 200);
    assert!(here.is_in() && !there.is_in());
    site.visitor().log_in("anna", PASSWORD).expect(401);
    site.visitor().log_in("anna", NEW).expect(200);
}

fn std_s24_a_password_change_makes_a_new_id_and_unknown_ids_are_never_taken(db: Db) {
    let site = TestSite::start(db);
    let mut anna = site.logged_in("anna");
    let (before, copy) = (anna.token(), anna.clone());
    assert_eq!(change(&mut anna, PASSWORD, NEW), 200);
    assert_ne!(anna.token(), before);
    assert!(!copy.clone().is_in(), "the old token still opens the session");
    // The new proof of origin counts, the old one does not.
    let path = format!("/api/v1/users/{}", id_of(&mut anna));
    anna.patch(&path, &json!({ "first_name": "Anna" })).expect(200);
    anna.csrf = copy.csrf;
    anna.patch(&path, &json!({ "first_name": "X" })).expect_problem(403, "csrf_token_wrong");
    let mut planted = site.visitor().with_token(&"A".repeat(64));
    planted.log_in("anna", NEW).expect(200);
    assert_ne!(planted.token(), "A".repeat(64));
}

fn std_s17_a_sessions_secret_is_made_at_the_login_and_dead_at_the_logout(db: Db) {
    let site = TestSite::start(db);
    let mut anna = site.visitor();
    anna.get("/login").expect(200);
    assert!(anna.cookies.is_empty(), "no secret before the login");
    site.user("anna");
    let answer = anna.log_in("anna", PASSWORD).expect(200);
    let cookie = answer.header("set-cookie").unwrap().to_lowercase();
    assert!(!cookie.contains("max-age") && !cookie.contains("expires"), "{cookie}");
    // 32 random bytes and a seal of 16, six bits to a character.
    assert_eq!(anna.token().len(), 64);
    let copy = anna.clone();
    anna.post("/api/v1/logout", &json!({})).expect(204);
    assert!(!copy.clone().is_in());
}

fn atk_a063_a_request_under_way_does_not_revive_an_ended_session(db: Db) {
    let site = TestSite::start(db);
    let mut anna = site.logged_in("anna");
    // Its use is due to be written down, which must not write the session down again.
    site.clock.advance(Duration::from_mins(2));
    let mut slow = anna.clone();
    let answer = std::thread::scope(|scope| {
        let under_way = scope.spawn(move || slow.get("/own/slow"));
        std::thread::sleep(Duration::from_millis(150));
        anna.clone().post("/api/v1/logout", &json!({})).expect(204);
        under_way.join().unwrap()
    });
    assert_eq!(answer.header("set-cookie"), None);
    let housekeeping = &site.vestibule.site().services.housekeeping;
    block_on(housekeeping.write_seen()).unwrap();
    assert!(!anna.is_in());
    let other = site.replica();
    assert!(!anna.at(&other.origin).is_in());
    let sessions = site.database.connection().number("select count(*) as answer from sessions");
    assert_eq!(sessions, 0);
}

fn atk_a215_a_right_that_is_taken_away_is_gone_within_a_second_everywhere(db: Db) {
    let site = TestSite::start(db);
    let other = site.replica();
    let (mut admin, mut anna) = (site.admin(), site.logged_in("anna"));
    let anna_id = id_of(&mut anna);
    let mut there = anna.at(&other.origin);
    for round in 0..5 {
        let granted = grant(&mut admin, &anna_id, "calc.start");
        anna.get("/own/start").expect(200);
        let began = std::time::Instant::now();
        while there.get("/own/start").status != 200 {
            assert!(began.elapsed() < Duration::from_secs(1), "round {round}: not there yet");
        }
        admin.delete(&format!("/api/v1/grants/{granted}")).expect(204);
        anna.get("/own/start").expect(403);
        let began = std::time::Instant::now();
        while there.get("/own/start").status != 403 {
            assert!(began.elapsed() < Duration::from_secs(1), "round {round}: still there");
        }
    }
}

fn atk_a223_the_link_of_a_deleted_account_is_dead(db: Db) {
    let site = TestSite::start(db);
    let mut admin = site.admin();
    let anna = site.user("anna");
    let ticket = Ticket {
        digest: TokenDigest::of(b"what the link holds"),
        purpose: Purpose::FirstSuperuser,
        user: Some(anna.parse().unwrap()),
        expires_at: site.operator().now().plus(Duration::from_hours(1)),
        subject: None,
        email: None,
    };
    let store = &site.vestibule.site().services.store;
    let (digest, purpose, now) = (ticket.digest, ticket.purpose, site.operator().now());
    block_on(store.write::<_, StoreError>(move |tx| tx.insert_ticket(&ticket))).unwrap();
    let look = || block_on(store.read::<_, StoreError>(move |tx| tx.ticket(&digest, purpose, now)));
    assert!(look().unwrap().is_some());
    admin.delete(&format!("/api/v1/users/{anna}")).expect(204);
    assert!(look().unwrap().is_none());
    let redeem = move |tx: &mut dyn vestibule_core::ports::store::Tx| {
        tx.redeem_ticket(&digest, purpose, now)
    };
    assert!(block_on(store.write::<_, StoreError>(redeem)).unwrap().is_none());
}

fn asvs_v7_5_3_the_gravest_actions_take_a_fresh_login(db: Db) {
    let site = TestSite::start(db);
    let mut admin = site.admin();
    let anna = site.user("anna");
    let path = format!("/api/v1/users/{anna}");
    site.clock.advance(Duration::from_mins(16));
    for answer in [
        admin.patch(&path, &json!({ "is_superuser": true })),
        admin.patch(&path, &json!({ "is_staff": true })),
        admin.put(&format!("{path}/password"), &json!({ "password": NEW })),
        admin.delete(&path),
        admin.delete(&format!("{path}/sessions")),
        admin.post("/api/v1/users", &json!({ "username": "s", "is_superuser": true })),
    ] {
        answer.expect_problem(403, "reauthentication_required");
    }
    admin.patch(&path, &json!({ "first_name": "Anna" })).expect(200);
    admin.log_in("admin", PASSWORD).expect(200);
    admin.patch(&path, &json!({ "is_staff": true })).expect(200);
}

fn flt_f89_when_the_clock_jumps_no_session_comes_back(db: Db) {
    let site = TestSite::start(db);
    let mut anna = site.logged_in("anna");
    let mut bert = site.logged_in("bert");
    // An hour back: what was ended stays ended, what is in force stays so.
    bert.post("/api/v1/logout", &json!({})).expect(204);
    site.clock.set(site.clock.now().minus(Duration::from_hours(1)));
    assert!(!bert.is_in());
    assert!(anna.is_in());
    // A year ahead: everything has ended, and is cleared away.
    site.clock.advance(Duration::from_hours(365 * 24));
    assert!(!anna.is_in());
    let housekeeping = &site.vestibule.site().services.housekeeping;
    block_on(housekeeping.run(&site.operator())).unwrap();
    // And back to today: nothing of it returns.
    site.clock.set(site.clock.now().minus(Duration::from_hours(365 * 24)));
    assert!(!anna.is_in());
    anna.log_in("anna", PASSWORD).expect(200);
    assert!(anna.is_in());
}

#[test]
fn asvs_v7_6_2_no_session_begins_without_a_login() {
    let site = TestSite::start(Db::Sqlite);
    site.user("anna");
    let basic = "Basic YW5uYTphIGxvbmcgc2VudGVuY2UgdG8gZ2V0IGluIHdpdGg=";
    for (name, value) in [
        ("remote-user", "anna"),
        ("x-remote-user", "anna"),
        ("x-forwarded-user", "anna"),
        ("authorization", basic),
        ("cookie", "vestibule=anna; sessionid=anna"),
    ] {
        for path in ["/", "/login", "/api/v1/session", "/api/v1/login", "/own/whoami"] {
            let mut visitor = site.visitor();
            visitor.headers.push((name.to_owned(), value.to_owned()));
            let answer = visitor.get(path);
            let opened = visitor.cookies.values().any(|value| !value.is_empty());
            assert!(!opened, "{name} at {path}: {}", answer.status);
        }
    }
    assert_eq!(site.database.connection().number("select count(*) as answer from sessions"), 0);
}

#[test]
fn std_s49_the_cookie_stays_within_what_browsers_keep() {
    let site = TestSite::plan(Db::Sqlite)
        .set("session.expire_at_browser_close", "false")
        .set("session.cookie_age", "400d")
        .start();
    site.user("anna");
    let answer = site.visitor().log_in("anna", PASSWORD).expect(200);
    let cookie = answer.header("set-cookie").unwrap();
    let mut parts = cookie.split(';').map(str::trim);
    // RFC 6265bis, 5.6 and 5.5: 4096 bytes of name and value, 1024 of an attribute, 400 days.
    assert!(parts.next().unwrap().len() <= 4096);
    for attribute in parts {
        assert!(attribute.len() <= 1024);
        if let Some(seconds) = attribute.strip_prefix("Max-Age=") {
            assert!(seconds.parse::<u64>().unwrap() <= 400 * 24 * 3600);
        }
    }
    assert!(cookie.contains("Max-Age=") && cookie.chars().all(|c| !c.is_control()));
}

#[test]
fn atk_a027_the_database_holds_no_secret_in_the_clear() {
    let (site, post) = Post::site(Db::Sqlite);
    let link = block_on(site.vestibule.first_superuser_link("")).unwrap().unwrap();
    let link = link.rsplit('/').next().unwrap().to_owned();
    let anna = site.logged_in("anna");
    with_address(&site, "bert");
    let forgotten = json!({ "email": "bert@example.org" });
    site.visitor().post("/api/v1/password/forgot", &forgotten).expect(202);
    let mailed = post.token(&site, "bert@example.org");
    let file = site.database.file();
    let mut stored = std::fs::read(&file).unwrap();
    let log = format!("{}-wal", file.display());
    stored.extend(std::fs::read(log).unwrap_or_default());
    let holds = |secret: &[u8]| stored.windows(secret.len()).any(|window| window == secret);
    assert!(holds(b"anna"), "the account is there to be seen");
    for secret in [anna.token(), anna.csrf.unwrap(), PASSWORD.to_owned(), link, mailed] {
        assert!(secret.len() > 20 && !holds(secret.as_bytes()), "a secret is in the file");
    }
}
