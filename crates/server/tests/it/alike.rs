//! What nobody can learn by logging in as somebody else, and what many guesses are answered.

use std::time::{Duration, Instant};

use serde_json::json;
use vestibule_core::usecase::users::NewUser;

use super::programs::basic;
use crate::support::{Db, PASSWORD, Says, Script, TestSite};

const WRONG: &str = "a long sentence that is not it";

fn times<const N: usize>(site: &TestSite, names: [&str; N], rounds: usize) -> [Vec<Duration>; N] {
    let mut visitor = site.visitor();
    in_turn(names, rounds, |name| {
        visitor.log_in(name, WRONG).expect(401);
    })
}

/// How long each of these logins takes, in turn, so that whatever else goes on meets all alike.
fn in_turn<const N: usize>(
    names: [&str; N],
    rounds: usize,
    mut log_in: impl FnMut(&str),
) -> [Vec<Duration>; N] {
    let mut times = [const { Vec::new() }; N];
    for round in 0..rounds {
        for at in 0..N {
            // Not always in the same order: whoever comes first may wait longer.
            let at = (at + round) % N;
            let began = Instant::now();
            log_in(names[at]);
            times[at].push(began.elapsed());
        }
    }
    times
}

/// The chance that one of the first takes longer than one of the second: one half when nothing
/// tells them apart.
fn area(first: &[Duration], second: &[Duration]) -> f64 {
    let longer = first.iter().flat_map(|a| second.iter().map(move |b| a > b));
    let (mut count, mut all) = (0u32, 0u32);
    for is_longer in longer {
        count += u32::from(is_longer);
        all += 1;
    }
    f64::from(count) / f64::from(all)
}

fn site_with_all_kinds_of_accounts() -> TestSite {
    let plan = TestSite::plan(Db::Sqlite)
        .set("limits.login_failures_per_account", "unlimited")
        .set("limits.login_failures_per_site", "unlimited");
    let site = plan.start();
    let mut admin = site.admin();
    site.user("anna");
    site.account(NewUser { username: "gone".to_owned(), is_disabled: true, ..NewUser::default() });
    admin.post("/api/v1/users", &json!({ "username": "robot" })).expect(201);
    site
}

const ROUNDS: usize = 60;
/// Of 60 answers each the area strays from one half by a standard deviation of 0.053: this is
/// six of them, while a forgotten decoy hash comes out as 0 or 1.
const STRAYS: f64 = 0.32;

#[test]
fn atk_a001_an_unknown_name_takes_as_long_as_an_account_that_cannot_log_in() {
    let site = site_with_all_kinds_of_accounts();
    let [unknown, unusable] = times(&site, ["nobody", "robot"], ROUNDS);
    let area = area(&unknown, &unusable);
    assert!((area - 0.5).abs() < STRAYS, "area under the curve: {area}");
}

#[test]
fn atk_a002_a_program_is_refused_as_slowly_whosever_name_it_brings() {
    let plan = TestSite::plan(Db::Sqlite)
        .set("server.http_basic", "true")
        .set("limits.login_failures_per_account", "unlimited")
        .set("limits.login_failures_per_site", "unlimited");
    let site = plan.start();
    site.user("anna");
    let mut program = site.visitor();
    let [unknown, ours] = in_turn(["nobody", "anna"], ROUNDS, |name| {
        program.headers = vec![basic(name, WRONG)];
        program.get("/api/v1/session").expect(401);
    });
    let area = area(&unknown, &ours);
    assert!((area - 0.5).abs() < STRAYS, "area under the curve: {area}");
}

#[test]
fn atk_a001_a_slow_backend_does_not_tell_whose_names_are_known_without_it() {
    let slow = Duration::from_millis(120);
    let unix = Script::new("unix", Says::Slowly(slow, Box::new(Says::NotMine)));
    let door = unix.door();
    let plan = TestSite::plan(Db::Sqlite)
        .set("limits.login_failures_per_account", "unlimited")
        .set("limits.login_failures_per_site", "unlimited");
    let site = plan.extend(move |builder| builder.door(door)).start();
    site.user("anna");
    // What is slow is learned from the first refusal.
    site.visitor().log_in("nobody", WRONG).expect(401);
    let [unknown, ours] = times(&site, ["nobody", "anna"], 20);
    let area = area(&unknown, &ours);
    assert!((area - 0.5).abs() < STRAYS, "area under the curve: {area}");
}

#[test]
fn seed_cn_14_wrong_name_wrong_password_and_disabled_take_the_same_time() {
    let site = site_with_all_kinds_of_accounts();
    let [unknown, wrong, disabled] = times(&site, ["nobody", "anna", "gone"], ROUNDS);
    for (name, other) in [("wrong", &wrong), ("disabled", &disabled)] {
        let area = area(&unknown, other);
        assert!((area - 0.5).abs() < STRAYS, "{name}: area under the curve: {area}");
    }
}

#[test]
fn atk_a015_one_guess_at_each_of_many_accounts_is_noticed_and_slowed_down() {
    let site = TestSite::plan(Db::Sqlite)
        .set("limits.login_per_address", "60/1m")
        .set("limits.login_failures_per_site", "20/10m")
        .set("server.trusted_proxies", "[\"127.0.0.0/8\"]")
        .start();
    site.user("anna");
    let from = |address: String| {
        let mut visitor = site.visitor();
        visitor.headers.push(("x-forwarded-for".to_owned(), address));
        visitor
    };
    let flooded = || site.audit_texts("login.flood").len();
    for guess in 0..20 {
        let mut visitor = from(format!("198.51.100.{}", guess % 5));
        visitor.log_in(&format!("account{guess}"), WRONG).expect(401);
    }
    assert_eq!(flooded(), 0);
    let slowed_from = Instant::now();
    let mut visitor = from("198.51.100.1".to_owned());
    let mut let_through = 0;
    let refused = loop {
        let answer = visitor.log_in(&format!("more{let_through}"), WRONG);
        if answer.status == 429 {
            break answer;
        }
        let_through += 1;
        assert!(let_through < 300, "{let_through} guesses after {:?}", slowed_from.elapsed());
    };
    assert!(refused.header("retry-after").is_some());
    assert_eq!(flooded(), 1, "told once");
    // Whoever has not guessed is not in the way of their own login.
    from("203.0.113.9".to_owned()).log_in("anna", PASSWORD).expect(200);
    // It ends when the failures do.
    site.clock.advance(Duration::from_mins(11));
    from("198.51.100.1".to_owned()).log_in("anna", PASSWORD).expect(200);
}

#[test]
fn std_s13_wrong_passwords_in_a_row_are_limited() {
    let site = TestSite::start(Db::Sqlite);
    site.user("anna");
    for _ in 0..100 {
        site.visitor().log_in("anna", WRONG).expect(401);
    }
    // All but the first five were refused without a look at what was typed.
    let reasons = site.audit_texts("login.failed");
    let looked_at = reasons.iter().filter(|reason| *reason == "wrong password").count();
    assert_eq!((reasons.len(), looked_at), (100, 5));
    site.visitor().log_in("anna", PASSWORD).expect(401);
}

#[test]
fn what_was_tried_while_an_account_was_off_counts_until_it_is_on_again() {
    let site = TestSite::start(Db::Sqlite);
    let anna = format!("/api/v1/users/{}", site.user("anna"));
    let mut admin = site.admin();
    admin.patch(&anna, &json!({ "is_active": false })).expect(200);
    for _ in 0..20 {
        site.visitor().log_in("anna", PASSWORD).expect(401);
    }
    let reasons = site.audit_texts("login.failed");
    let looked_at = reasons.iter().filter(|reason| reason.contains("disabled")).count();
    assert_eq!((reasons.len(), looked_at), (20, 5));
    admin.patch(&anna, &json!({ "is_active": true })).expect(200);
    // For a minute each replica goes by what it counted itself; the window is of fifteen.
    site.clock.advance(Duration::from_secs(61));
    site.visitor().log_in("anna", PASSWORD).expect(200);
}

#[test]
fn std_s05_no_time_that_passes_asks_for_a_new_password() {
    let site = TestSite::start(Db::Sqlite);
    site.user("anna");
    for _ in 0..5 {
        site.clock.advance(Duration::from_hours(365 * 24));
        let answer = site.visitor().log_in("anna", PASSWORD).expect(200);
        assert!(!answer.text.contains("password"), "{}", answer.text);
    }
}

#[test]
fn seed_cp_55_every_change_of_users_and_rights_is_in_the_audit_list() {
    let site = TestSite::start(Db::Sqlite);
    let mut admin = site.admin();
    let anna = admin.post("/api/v1/users", &json!({ "username": "anna" })).expect(201).id();
    let user = format!("/api/v1/users/{anna}");
    admin.patch(&user, &json!({ "first_name": "Anna" })).expect(200);
    admin.put(&format!("{user}/password"), &json!({ "password": PASSWORD })).expect(204);
    let lab = admin.post("/api/v1/groups", &json!({ "name": "lab" })).expect(201).id();
    let sub = admin.post("/api/v1/groups", &json!({ "name": "sub" })).expect(201).id();
    let group = format!("/api/v1/groups/{lab}");
    admin.patch(&group, &json!({ "description": "x" })).expect(200);
    admin.post(&format!("{group}/members"), &json!({ "user": anna })).expect(204);
    admin.post(&format!("{group}/groups"), &json!({ "group": sub })).expect(204);
    admin.delete(&format!("{group}/groups/{sub}")).expect(204);
    let allow = json!({ "user": anna, "permission": "calc.view" });
    let grant = admin.post("/api/v1/grants", &allow).expect(201).id();
    admin.delete(&format!("/api/v1/grants/{grant}")).expect(204);
    admin.put("/api/v1/objects/calc/7", &json!({ "owner": anna })).expect(201);
    admin.put("/api/v1/objects/calc/7", &json!({ "level": "read-only" })).expect(200);
    admin.delete("/api/v1/objects/calc/7").expect(204);
    admin.delete(&format!("{group}/members/{anna}")).expect(204);
    admin.delete(&group).expect(204);
    admin.delete(&user).expect(204);
    let log = admin.get("/api/v1/audit?page_size=200").expect(200).json();
    let events = log["results"].as_array().unwrap();
    for action in [
        "user.added",
        "user.changed",
        "user.password_set",
        "user.deleted",
        "group.added",
        "group.changed",
        "group.member_added",
        "group.member_removed",
        "group.nested",
        "group.unnested",
        "group.deleted",
        "grant.added",
        "grant.removed",
        "object.added",
        "object.changed",
        "object.deleted",
    ] {
        let of_admin =
            |event: &&serde_json::Value| event["action"] == action && event["actor"] == "admin";
        let event = events.iter().find(of_admin).unwrap_or_else(|| panic!("no {action}"));
        assert_eq!(event["address"], "127.0.0.1", "{event}");
        assert!(event["at"].as_str().unwrap().starts_with("2026-01-01T"), "{event}");
        assert!(!event["target"].as_str().unwrap().is_empty(), "{event}");
        assert!(!event["right"].as_str().unwrap().is_empty(), "{event}");
    }
}

#[test]
fn seed_om_30_what_an_account_holds() {
    let site = TestSite::start(Db::Sqlite);
    let mut admin = site.admin();
    let wanted = json!({
        "username": "n".repeat(255), "email": "anna@example.org",
        "first_name": "Anna", "last_name": "Weiß", "is_active": true, "is_staff": true,
    });
    let user = admin.post("/api/v1/users", &wanted).expect(201).json();
    for (field, value) in wanted.as_object().unwrap() {
        assert_eq!(&user[field], value, "{field}");
    }
    for (field, value) in
        [("username", "n".repeat(256)), ("username", String::new()), ("email", "anna".to_owned())]
    {
        let mut wrong = json!({ "username": "bert" });
        wrong[field] = json!(value);
        let answer = admin.post("/api/v1/users", &wrong).expect_problem(422, "invalid");
        assert!(answer.json()["errors"].get(field).is_some(), "{}", answer.text);
    }
    for taken in [
        json!({ "username": "N".repeat(255) }),
        json!({ "username": "bert", "email": "ANNA@example.org" }),
    ] {
        admin.post("/api/v1/users", &taken).expect_problem(422, "invalid");
    }
}

#[test]
fn seed_cp_59_a_whole_site_runs_on_embedded_sqlite() {
    let site = TestSite::start(Db::Sqlite);
    assert!(site.database.url().starts_with("sqlite:"), "{}", site.database.url());
    assert!(site.database.file().is_file());
    assert!(site.logged_in("anna").is_in());
}
