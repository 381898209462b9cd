//! Mails to `site.admins` when requests fail.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use vestibule_core::{
    domain::identity::BackendName,
    ports::backend::{Attempt, Backend, BackendCx, CredentialKind, Descriptor, NotMine, Verdict},
};
use vestibule_mail::message::Letter;

use crate::support::{
    Answer, Db, PASSWORD, Post, TestSite, Visitor, on_every_database, site::Plan,
};

on_every_database!(
    atk_a051_an_error_mail_holds_the_request_and_the_code_and_nothing_that_was_sent,
    seed_om_54_administrators_are_told_once_of_each_place_and_later_how_often,
    two_servers_tell_once_of_the_same_place,
    seed_cn_49_errors_are_kept_with_time_place_and_user_and_administrators_read_them,
    so_many_errors_of_a_place_are_kept_within_the_hour,
    a_handler_that_panics_is_told_of_and_costs_its_request_alone,
    what_could_not_be_told_is_told_when_the_outbox_is_back,
);

const ADMINS: &str =
    r#"[{name = "Ann", email = "ann@example.org"}, {name = "", email = "bea@example.org"}]"#;

/// A backend that breaks: in the runner's hands, and once it is told to wherever it is named.
struct Broken(Descriptor, Arc<AtomicBool>);

fn broken() -> Broken {
    let name = BackendName::parse("broken").unwrap();
    Broken(
        Descriptor::new(name, "broken", [CredentialKind::Password]).with_accounts_here(),
        Arc::default(),
    )
}

#[async_trait::async_trait]
impl Backend for Broken {
    fn descriptor(&self) -> &Descriptor {
        assert!(!self.1.load(Ordering::SeqCst), "canary-panic");
        &self.0
    }

    async fn authenticate(&self, attempt: &Attempt, _: &BackendCx<'_>) -> Verdict {
        let Attempt::Password { username, .. } = attempt else {
            return Verdict::NotMine(NotMine::WrongKind);
        };
        assert!(!username.starts_with("break"), "canary-panic of {username}");
        Verdict::NotMine(NotMine::UnknownSubject)
    }
}

fn plan(db: Db) -> (Plan, Post) {
    plan_with(db, broken())
}

fn plan_with(db: Db, broken: Broken) -> (Plan, Post) {
    let post = Post::default();
    let sending = post.0.clone();
    let plan = TestSite::plan(db)
        .set("site.admins", ADMINS)
        .extend(move |builder| builder.mail_transport(sending).backend(broken));
    (plan, post)
}

/// A login on which a backend panics.
fn panic_at(site: &TestSite) -> Answer {
    let mut visitor = site.visitor();
    visitor.headers = vec![
        ("user-agent".to_owned(), "canary-agent".to_owned()),
        ("x-forwarded-for".to_owned(), "canary-forwarded".to_owned()),
        ("authorization".to_owned(), "Bearer canary-bearer".to_owned()),
    ];
    visitor.cookies.insert("canary-cookie".to_owned(), "canary-value".to_owned());
    let body = json!({ "username": "break canary-name", "password": "canary-password", "backend": "broken" });
    visitor.post("/api/v1/login?canary-query=canary-argument", &body).expect(500)
}

/// A look at a row that cannot be read.
fn corrupt(site: &TestSite) -> impl FnMut() -> Answer {
    let mut anna = site.logged_in("anna");
    let path = "/api/v1/objects/calc/canary-path";
    anna.put(path, &json!({ "level": "private" })).expect(201);
    site.database.connection().execute("UPDATE objects SET level = 'canary-level'");
    anna.headers = vec![("user-agent".to_owned(), "canary-agent".to_owned())];
    move || {
        anna.get(&format!("{path}?canary-query=%3Cb%3Ecanary%3C/b%3E"))
            .expect_problem(500, "internal")
    }
}

/// Waits until there are so many mails.
fn letters(post: &Post, count: usize) -> Vec<Letter> {
    let began = Instant::now();
    loop {
        let letters = post.0.letters();
        if letters.len() >= count {
            return letters;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{} of {count} mails", letters.len());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn atk_a051_an_error_mail_holds_the_request_and_the_code_and_nothing_that_was_sent(db: Db) {
    let (plan, post) = plan(db);
    let site = plan.start();
    let answer = corrupt(&site)();
    let request = answer.header("x-request-id").unwrap().to_owned();
    let told = letters(&post, 2);
    panic_at(&site);
    let told_of_both = letters(&post, 4);
    let whole = |letter: &Letter| {
        let bytes = String::from_utf8_lossy(&letter.bytes).into_owned();
        format!("{}\n{}\n{bytes}", letter.subject, letter.text)
    };
    for letter in &told_of_both {
        let text = whole(letter);
        assert!(!text.contains("canary") && !text.contains("anna"), "{text}");
    }
    let text = &told[0].text;
    assert!(text.contains("GET /api/v1/objects/{type}/{id:.+} failed 1 time"), "{text}");
    assert!(text.contains(&request) && text.contains("the code internal"), "{text}");
    assert!(text.contains("2026-01-01 00:00 UTC"), "{text}");
    assert!(told_of_both[2].subject.ends_with("1 failed request: POST /api/v1/login"));
}

fn seed_om_54_administrators_are_told_once_of_each_place_and_later_how_often(db: Db) {
    let (plan, post) = plan(db);
    let site = plan.start();
    let mut again = corrupt(&site);
    again();
    let told = letters(&post, 2);
    let mut to: Vec<String> = told.iter().map(|letter| letter.to.to_string()).collect();
    to.sort();
    assert_eq!(to, ["ann@example.org", "bea@example.org"]);
    for letter in &told {
        let bytes = String::from_utf8_lossy(&letter.bytes).into_owned();
        let others = to.iter().filter(|to| **to != letter.to.to_string());
        assert!(others.into_iter().all(|other| !bytes.contains(&**other)), "{bytes}");
    }
    for _ in 0..20 {
        again();
    }
    // Another place is told of at once; by then the first would have been told of again.
    site.clock.advance(Duration::from_mins(59));
    panic_at(&site);
    let told = letters(&post, 4);
    assert!(told[2..].iter().all(|letter| letter.subject.ends_with("POST /api/v1/login")));
    site.clock.advance(Duration::from_mins(1));
    let told = letters(&post, 6);
    let subject = "20 failed requests: GET /api/v1/objects/{type}/{id:.+}";
    assert!(told[4].subject.ends_with(subject), "{}", told[4].subject);
    assert_eq!(told.len(), 6);
}

fn two_servers_tell_once_of_the_same_place(db: Db) {
    let (plan, post) = plan(db);
    let site = plan.start();
    let sending = post.0.clone();
    let extend =
        move |builder: vestibule_server::Builder| builder.mail_transport(sending).backend(broken());
    let other = site.replica_as(&[("site.admins", ADMINS)], extend);
    panic_at(&site);
    letters(&post, 2);
    panic_at(&other);
    panic_at(&other);
    corrupt(&site)();
    let told = letters(&post, 4);
    assert!(told[2..].iter().all(|letter| letter.subject.contains("1 failed request: GET")));
    site.clock.advance(Duration::from_hours(1));
    let told = letters(&post, 6);
    assert!(
        told[4].subject.ends_with("2 failed requests: POST /api/v1/login"),
        "{:?}",
        told[4].subject
    );
}

/// What is kept of requests that failed, when there is so much of it.
fn kept(site: &TestSite, admin: &mut Visitor, count: usize) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let path = "/api/v1/audit?action=request.failed&page_size=100";
        let found = admin.get(path).expect(200).json()["results"].as_array().unwrap().clone();
        if found.len() >= count {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{} of {count}: {found:?}", found.len());
        site.clock.advance(Duration::from_millis(1));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn seed_cn_49_errors_are_kept_with_time_place_and_user_and_administrators_read_them(db: Db) {
    // Whether or not anybody is mailed.
    let (plan, _) = plan(db);
    let site = plan.set("mail.error_reports", "off").start();
    let mut admin = site.admin();
    let answer = corrupt(&site)();
    let one = kept(&site, &mut admin, 1).remove(0);
    assert_eq!(one["request_id"], answer.header("x-request-id").unwrap());
    assert_eq!((&one["actor"], &one["address"]), (&json!("anna"), &json!("127.0.0.1")));
    assert_eq!(one["target"], "GET /api/v1/objects/{type}/{id:.+}");
    assert_eq!((&one["right"], &one["at"]), (&json!("internal"), &json!("2026-01-01T00:00:00Z")));
    // A handler that panicked says as much of who asked; of a stranger there is nothing to say.
    let mut bert = site.logged_in("bert");
    let body = json!({ "username": "break", "password": "canary-password", "backend": "broken" });
    bert.post("/api/v1/login", &body).expect(500);
    panic_at(&site);
    let all = kept(&site, &mut admin, 3);
    let mut who: Vec<&str> = all.iter().map(|one| one["actor"].as_str().unwrap()).collect();
    who.sort_unstable();
    assert_eq!(who, ["anna", "anonymous", "bert"]);
    assert!(all.iter().all(|one| !one.to_string().contains("canary")), "{all:?}");
    bert.get("/api/v1/audit?action=request.failed").expect_problem(403, "permission_denied");
}

fn so_many_errors_of_a_place_are_kept_within_the_hour(db: Db) {
    let (plan, _) = plan(db);
    let site = plan.start();
    let mut admin = site.admin();
    let mut again = corrupt(&site);
    for _ in 0..60 {
        again();
    }
    kept(&site, &mut admin, 50);
    panic_at(&site);
    let all = kept(&site, &mut admin, 51);
    assert_eq!(all.len(), 51, "and another place is kept all the same");
    site.clock.advance(Duration::from_hours(1));
    again();
    assert_eq!(kept(&site, &mut admin, 52).len(), 52);
}

fn a_handler_that_panics_is_told_of_and_costs_its_request_alone(db: Db) {
    let broken = broken();
    let breaks = Arc::clone(&broken.1);
    let (plan, post) = plan_with(db, broken);
    let site = plan.start();
    let (mut admin, mut bert) = (site.admin(), site.logged_in("bert"));
    breaks.store(true, Ordering::SeqCst);
    let answer = bert.get("/api/v1/login?canary-query=canary-argument").expect(500);
    assert!(!answer.text.contains("canary"), "{}", answer.text);
    breaks.store(false, Ordering::SeqCst);
    bert.get("/api/v1/login").expect(200);
    for letter in letters(&post, 2) {
        assert!(letter.subject.ends_with("1 failed request: GET /api/v1/login"));
        let text = String::from_utf8_lossy(&letter.bytes).into_owned() + &letter.text;
        assert!(!text.contains("canary") && !text.contains("bert"), "{text}");
    }
    let one = kept(&site, &mut admin, 1).remove(0);
    assert_eq!((&one["actor"], &one["right"]), (&json!("bert"), &json!("internal")));
    assert!(!one.to_string().contains("canary"), "{one}");
}

fn what_could_not_be_told_is_told_when_the_outbox_is_back(db: Db) {
    let (plan, post) = plan(db);
    let site = plan.start();
    site.database.connection().execute("ALTER TABLE outbox RENAME TO outbox_away");
    let began = Instant::now();
    panic_at(&site);
    panic_at(&site);
    site.visitor().log_in("nobody", PASSWORD).expect(401);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    site.database.connection().execute("ALTER TABLE outbox_away RENAME TO outbox");
    site.clock.advance(Duration::from_secs(30));
    let told = letters(&post, 2);
    assert!(told[0].subject.contains("failed request"), "{}", told[0].subject);
}

#[test]
fn without_administrators_or_with_the_setting_off_nobody_is_told() {
    for (key, value) in [("site.admins", "[]"), ("mail.error_reports", "off")] {
        let (plan, post) = plan(Db::Sqlite);
        let site = plan.set(key, value).start();
        panic_at(&site);
        let posted = site.operator();
        let outbox = &site.vestibule.site().services.outbox;
        crate::support::block_on(outbox.post_test(&posted, "carl@example.org")).unwrap();
        site.stop_work();
        assert!(post.0.letters().iter().all(|letter| letter.subject.ends_with("Mail works")));
        let written = site.database.connection().number("select count(*) as answer from outbox");
        assert_eq!(written, 1, "{key}");
    }
}
