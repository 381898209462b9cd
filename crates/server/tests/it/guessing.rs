//! Guessing at names and passwords.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use serde_json::json;

use crate::support::{Answer, Db, PASSWORD, TestSite, on_every_database};

on_every_database!(
    atk_a006_parallel_guesses_do_not_beat_the_counter,
    right_passwords_at_the_same_moment_are_never_called_wrong,
    atk_a007_every_spelling_of_a_name_counts_as_one,
    atk_a008_a_slowed_account_is_slow_on_the_password_change_too,
    atk_a009_nobody_is_locked_out_for_good,
    atk_a013_the_right_password_of_a_slowed_account_is_answered_like_a_wrong_one,
    seed_om_56_failures_outlive_a_restart,
    std_s27_unknown_wrong_disabled_and_unusable_look_alike,
    asvs_v6_2_3_a_change_takes_the_present_password,
    seed_cn_12_login_by_name_or_address_in_any_case,
);

const WRONG: &str = "a long sentence that is not it";

fn reasons(site: &TestSite, reason: &str) -> usize {
    site.audit_texts("login.failed").iter().filter(|found| *found == reason).count()
}

fn atk_a006_parallel_guesses_do_not_beat_the_counter(db: Db) {
    let site = TestSite::start(db);
    site.user("anna");
    let crowded = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                for _ in 0..3 {
                    let answer = site.visitor().log_in("anna", WRONG);
                    // Nothing is said of a password that was not looked at.
                    if answer.status == 503 {
                        crowded.fetch_add(1, Ordering::Relaxed);
                    } else {
                        answer.expect(401);
                    }
                }
            });
        }
    });
    assert_eq!(reasons(&site, "wrong password"), 5);
    assert_eq!(reasons(&site, "too many failures"), 55 - crowded.into_inner());
}

fn right_passwords_at_the_same_moment_are_never_called_wrong(db: Db) {
    let site = TestSite::start(db);
    site.user("anna");
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                let answer = site.visitor().log_in("anna", PASSWORD);
                assert!([200, 503].contains(&answer.status), "{}", answer.text);
            });
        }
    });
    site.visitor().log_in("anna", PASSWORD).expect(200);
}

fn atk_a007_every_spelling_of_a_name_counts_as_one(db: Db) {
    let site = TestSite::start(db);
    site.account(vestibule_core::usecase::users::NewUser {
        username: "Zo\u{eb}".to_owned(),
        email: Some("zoe@example.org".to_owned()),
        ..Default::default()
    });
    let spellings = ["Zo\u{eb}", "zo\u{eb}", "ZOE\u{308}", " Zo\u{eb} ", "Zoe@Example.org"];
    for spelling in spellings {
        site.visitor().log_in(spelling, WRONG).expect(401);
    }
    site.visitor().log_in("Zo\u{eb}", PASSWORD).expect(401);
    assert_eq!(reasons(&site, "wrong password"), 5);
}

fn slow_down(site: &TestSite, name: &str) {
    for _ in 0..5 {
        site.visitor().log_in(name, WRONG).expect(401);
    }
}

fn atk_a008_a_slowed_account_is_slow_on_the_password_change_too(db: Db) {
    let site = TestSite::start(db);
    let mut anna = site.logged_in("anna");
    slow_down(&site, "anna");
    let change = json!({ "old_password": PASSWORD, "password": "quite another sentence here" });
    anna.post("/api/v1/password/change", &change).expect(503);
}

fn atk_a009_nobody_is_locked_out_for_good(db: Db) {
    let site = TestSite::start(db);
    site.user("anna");
    slow_down(&site, "anna");
    site.visitor().log_in("anna", PASSWORD).expect(401);
    site.clock.advance(Duration::from_mins(16));
    site.visitor().log_in("anna", PASSWORD).expect(200);
    let admin = &mut site.admin();
    let foreign = json!({ "username": "victim@example.org" });
    let answer = admin.post("/api/v1/users", &foreign).expect_problem(422, "invalid");
    assert_eq!(answer.json()["errors"]["username"][0]["code"], "foreign_address");
}

/// What two answers have to have in common for nobody to tell them apart.
fn seen(answer: &Answer) -> (u16, &str, Vec<(&str, &str)>) {
    let varies = |name: &str| matches!(name, "x-request-id" | "date");
    let headers = answer.headers.iter().filter(|(name, _)| !varies(name));
    let mut headers: Vec<_> = headers.map(|(n, v)| (n.as_str(), v.as_str())).collect();
    headers.sort_unstable();
    (answer.status, &answer.text, headers)
}

fn atk_a013_the_right_password_of_a_slowed_account_is_answered_like_a_wrong_one(db: Db) {
    let site = TestSite::start(db);
    site.user("anna");
    let wrong = site.visitor().log_in("anna", WRONG);
    slow_down(&site, "anna");
    let right = site.visitor().log_in("anna", PASSWORD);
    assert_eq!(seen(&right), seen(&wrong));
}

fn seed_om_56_failures_outlive_a_restart(db: Db) {
    let site = TestSite::start(db);
    site.user("anna");
    slow_down(&site, "anna");
    let restarted = site.replica();
    restarted.visitor().log_in("anna", PASSWORD).expect(401);
    site.clock.advance(Duration::from_mins(16));
    restarted.visitor().log_in("anna", PASSWORD).expect(200);
    // A success clears the count: four more failures are let through.
    for _ in 0..4 {
        restarted.visitor().log_in("anna", WRONG).expect(401);
    }
    restarted.visitor().log_in("anna", PASSWORD).expect(200);
}

fn std_s27_unknown_wrong_disabled_and_unusable_look_alike(db: Db) {
    let site = TestSite::start(db);
    let mut admin = site.admin();
    site.user("anna");
    let gone = site.user("gone");
    let path = format!("/api/v1/users/{gone}");
    admin.patch(&path, &json!({ "is_active": false })).expect(200);
    admin.post("/api/v1/users", &json!({ "username": "robot" })).expect(201);
    let wrong = site.visitor().log_in("anna", WRONG).expect_problem(401, "login_failed");
    for (name, password) in
        [("nobody", WRONG), ("gone", PASSWORD), ("gone", WRONG), ("robot", ""), ("robot", "!")]
    {
        assert_eq!(seen(&site.visitor().log_in(name, password)), seen(&wrong), "{name}");
    }
    let mut reasons = site.audit_texts("login.failed");
    reasons.sort();
    assert_eq!(
        reasons,
        [
            "account disabled or expired",
            "account disabled or expired",
            "no usable password",
            "no usable password",
            "unknown account",
            "wrong password"
        ]
    );
}

fn asvs_v6_2_3_a_change_takes_the_present_password(db: Db) {
    let site = TestSite::start(db);
    let mut anna = site.logged_in("anna");
    let new = "quite another sentence here";
    anna.post("/api/v1/password/change", &json!({ "password": new })).expect(400);
    let change = json!({ "old_password": WRONG, "password": new });
    let answer = anna.post("/api/v1/password/change", &change).expect_problem(422, "invalid");
    assert_eq!(answer.json()["errors"]["old_password"][0]["code"], "wrong");
    site.visitor().log_in("anna", PASSWORD).expect(200);
}

fn seed_cn_12_login_by_name_or_address_in_any_case(db: Db) {
    let site = TestSite::start(db);
    site.account(vestibule_core::usecase::users::NewUser {
        username: "Anna Weiß".to_owned(),
        email: Some("Anna@Example.org".to_owned()),
        ..Default::default()
    });
    for name in ["Anna Weiß", "ANNA WEISS", "anna@example.org", "ANNA@EXAMPLE.ORG"] {
        let session = site.visitor().log_in(name, PASSWORD).expect(200).json();
        assert_eq!(session["user"]["username"], "Anna Weiß", "{name}");
    }
}

#[test]
fn atk_a011_an_untrusted_peer_is_counted_by_its_own_address() {
    let site = TestSite::plan(Db::Sqlite).set("limits.login_per_address", "3/1m").start();
    for number in 0..3 {
        let mut visitor = site.visitor();
        visitor.headers.push(("x-forwarded-for".to_owned(), format!("10.0.0.{number}")));
        visitor.log_in("nobody", WRONG).expect(401);
    }
    let mut visitor = site.visitor();
    visitor.headers.push(("x-forwarded-for".to_owned(), "10.0.0.9".to_owned()));
    let answer = visitor.log_in("nobody", WRONG).expect_problem(429, "too_many_requests");
    assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
}

#[test]
fn atk_a014_long_passwords_cost_nothing() {
    let site = TestSite::start(Db::Sqlite);
    site.visitor().log_in("anna", &"x".repeat(1 << 20)).expect(413);
    site.visitor().log_in("anna", &"x".repeat(4097)).expect_problem(422, "invalid");
}

#[test]
fn asvs_v6_2_10_a_password_does_not_run_out() {
    let site = TestSite::start(Db::Sqlite);
    site.user("anna");
    site.clock.advance(Duration::from_hours(5 * 365 * 24));
    site.visitor().log_in("anna", PASSWORD).expect(200);
}

#[test]
fn asvs_v6_2_2_people_change_their_password() {
    let site = TestSite::start(Db::Sqlite);
    let mut anna = site.logged_in("anna");
    let new = "quite another sentence here";
    let change = |new: &str| json!({ "old_password": PASSWORD, "password": new });
    let refused = anna.post("/api/v1/password/change", &change("password12345678"));
    let refused = refused.expect_problem(422, "invalid").json();
    assert_eq!(refused["errors"]["password"][0]["code"], "common", "{refused}");
    anna.post("/api/v1/password/change", &change(new)).expect(200);
    site.visitor().log_in("anna", PASSWORD).expect(401);
    site.visitor().log_in("anna", new).expect(200);
}
