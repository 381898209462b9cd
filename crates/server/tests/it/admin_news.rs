//! What `site.admins` are told when they ask for it: new accounts, failed logins, starts and stops.

use std::time::Duration;

use serde_json::json;
use vestibule_core::{domain::identity::Subject, ports::backend::Assertion, usecase::login::Door};

use crate::support::{
    Db, PASSWORD, Post, Says, Script, TestSite, on_every_database, site::Plan, with_address,
};

on_every_database!(
    seed_om_55_administrators_are_told_of_accounts_however_they_are_made,
    seed_om_55_an_account_that_was_approved_is_told_of_once_it_is_one,
    seed_om_55_administrators_are_told_of_failed_logins_of_accounts_they_chose,
    seed_om_55_administrators_are_told_that_the_server_starts_and_stops,
    a_flood_of_accounts_is_none_of_mails,
);

const ANN: &str = r#"[{name = "Ann", email = "ann@example.org"}]"#;
const HOUR: Duration = Duration::from_hours(1);

fn plan(db: Db, set: &[(&str, &str)]) -> (Plan, Post) {
    let (plan, post) = Post::plan(db);
    let plan = plan.set("site.admins", ANN);
    (set.iter().fold(plan, |plan, (key, value)| plan.set(key, value)), post)
}

/// The subjects of all mails to the administrator, without the site's prefix.
fn told(site: &TestSite, post: &Post) -> Vec<String> {
    let letters = post.to(site, "ann@example.org");
    let subject = |text: &str| text.trim_start_matches("[Vestibule] ").to_owned();
    letters.iter().map(|letter| subject(&letter.subject)).collect()
}

fn seed_om_55_administrators_are_told_of_accounts_however_they_are_made(db: Db) {
    let dora = Assertion::new(Subject::parse("dora").unwrap());
    let script = Script::new("elsewhere", Says::Verified(Box::new(dora)));
    let door = Door { create_users: true, ..script.door() };
    let (plan, post) = plan(db, &[("mail.admin_notices", "[\"new_account\"]")]);
    let sending = post.0.clone();
    let plan = plan
        .set("registration.mode", "open")
        .extend(move |builder| builder.mail_transport(sending).door(door));
    let site = plan.start();
    let mut admin = site.admin();
    // By an administrator, by oneself, by an invitation, by a backend.
    with_address(&site, "anna");
    let who = json!({ "username": "bert", "email": "bert@example.org", "password": PASSWORD });
    site.visitor().post("/api/v1/register", &who).expect(202);
    let token = post.token(&site, "bert@example.org");
    assert!(!told(&site, &post).contains(&"New account: bert".to_owned()), "before it is one");
    let link = json!({ "token": token, "password": PASSWORD });
    site.visitor().post("/api/v1/activate", &link).expect(204);
    admin.post("/api/v1/invitations", &json!({ "email": "carl@example.org" })).expect(202);
    let token = post.token(&site, "carl@example.org");
    let accept = json!({ "token": token, "username": "carl", "password": PASSWORD });
    site.visitor().post("/api/v1/invitations/accept", &accept).expect(204);
    let login = json!({ "username": "dora", "password": "a password", "backend": "elsewhere" });
    for _ in 0..2 {
        site.visitor().post("/api/v1/login", &login).expect(200);
    }
    let mut subjects = told(&site, &post);
    subjects.sort();
    let of = |name: &str| format!("New account: {name}");
    assert_eq!(subjects, ["admin", "anna", "bert", "carl", "dora"].map(of));
    let letters = post.to(&site, "ann@example.org");
    let carl = letters.iter().find(|letter| letter.subject.ends_with("carl")).unwrap();
    assert!(carl.text.contains("on 2026-01-01 00:00 UTC from 127.0.0.1."), "{}", carl.text);
}

fn seed_om_55_an_account_that_was_approved_is_told_of_once_it_is_one(db: Db) {
    let set = [
        ("mail.admin_notices", "[\"new_account\"]"),
        ("registration.mode", "open"),
        ("registration.approval", "true"),
    ];
    let (plan, post) = plan(db, &set);
    let site = plan.start();
    let mut admin = site.admin();
    let who = json!({ "username": "bert", "email": "bert@example.org", "password": PASSWORD });
    site.visitor().post("/api/v1/register", &who).expect(202);
    let token = post.token(&site, "bert@example.org");
    let link = json!({ "token": token, "password": PASSWORD });
    let waits = site.visitor().post("/api/v1/activate", &link);
    assert!(matches!(waits.status, 200 | 202), "{}", waits.text);
    let is_bert = |subject: &String| subject == "New account: bert";
    assert!(!told(&site, &post).iter().any(is_bert));
    let list = admin.get("/api/v1/registrations").expect(200).json();
    let id = list["results"][0]["id"].as_str().unwrap().to_owned();
    admin.post(&format!("/api/v1/registrations/{id}/approve"), &json!({})).expect(201);
    assert!(told(&site, &post).iter().any(is_bert));
}

fn seed_om_55_administrators_are_told_of_failed_logins_of_accounts_they_chose(db: Db) {
    let (plan, post) = plan(db, &[("mail.watched_accounts", "[\"Root\", \"ghost\"]")]);
    let site = plan.start();
    let (root, _) = (with_address(&site, "root"), with_address(&site, "anna"));
    let fail = |name: &str| site.visitor().log_in(name, "wrong").expect(401);
    fail("anna");
    fail("ghost");
    site.visitor().log_in("root", PASSWORD).expect(200);
    assert_eq!(told(&site, &post), [""; 0]);
    for name in ["root", "ROOT", "root"] {
        fail(name);
    }
    assert_eq!(told(&site, &post), ["Failed login: root"]);
    let text = &post.to(&site, "ann@example.org")[0].text;
    assert!(text.contains("2026-01-01 00:00 UTC, from 127.0.0.1."), "{text}");
    assert!(!text.contains("wrong"), "{text}");
    site.clock.advance(Duration::from_mins(59));
    fail("root");
    assert_eq!(told(&site, &post).len(), 1, "within the hour");
    site.clock.advance(Duration::from_secs(61));
    fail("root");
    assert_eq!(told(&site, &post).len(), 2);
    assert_eq!(post.letters(&site).len(), 2, "{root} is told of nothing by it");
}

fn seed_om_55_administrators_are_told_that_the_server_starts_and_stops(db: Db) {
    let (plan, post) = plan(db, &[("mail.admin_notices", "[\"start_stop\"]")]);
    let site = plan.start();
    site.user("anna");
    let started = vec!["The server has started".to_owned()];
    let began = std::time::Instant::now();
    while told(&site, &post) != started {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", told(&site, &post));
        std::thread::sleep(Duration::from_millis(10));
    }
    // Its own mail goes out before it does.
    site.stop_work();
    let subjects: Vec<String> = post.0.letters().iter().map(|l| l.subject.clone()).collect();
    assert_eq!(subjects, ["[Vestibule] The server has started", "[Vestibule] The server stops"]);
}

fn a_flood_of_accounts_is_none_of_mails(db: Db) {
    let (plan, post) = plan(db, &[("mail.admin_notices", "[\"new_account\"]")]);
    let site = plan.start();
    for number in 0..23 {
        with_address(&site, &format!("u{number}"));
    }
    let letters = post.to(&site, "ann@example.org");
    assert_eq!(letters.len(), 20);
    let last = |letter: &vestibule_mail::message::Letter| letter.text.contains("are not told of");
    assert_eq!(letters.iter().filter(|letter| last(letter)).count(), 1);
    site.clock.advance(HOUR + Duration::from_secs(1));
    with_address(&site, "later");
    assert_eq!(post.to(&site, "ann@example.org").len(), 21);
}

#[test]
fn nobody_is_told_of_what_nobody_asked_for() {
    let (plan, post) = plan(Db::Sqlite, &[]);
    let site = plan.start();
    with_address(&site, "root");
    site.visitor().log_in("root", "wrong").expect(401);
    site.stop_work();
    let posted = site.database.connection().number("select count(*) as answer from outbox");
    assert_eq!((posted, post.0.letters().len()), (0, 0));
}
