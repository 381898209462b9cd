//! Mails to `site.admins` when requests fail.

use std::time::{Duration, Instant};

use serde_json::json;
use vestibule_core::{
    domain::identity::BackendName,
    ports::backend::{Attempt, Backend, BackendCx, CredentialKind, Descriptor, NotMine, Verdict},
};
use vestibule_mail::message::Letter;

use crate::support::{Answer, Db, PASSWORD, Post, TestSite, on_every_database, site::Plan};

on_every_database!(
    atk_a051_an_error_mail_holds_the_request_and_the_code_and_nothing_that_was_sent,
    seed_om_54_administrators_are_told_once_of_each_place_and_later_how_often,
    two_servers_tell_once_of_the_same_place,
    what_could_not_be_told_is_told_when_the_outbox_is_back,
);

const ADMINS: &str =
    r#"[{name = "Ann", email = "ann@example.org"}, {name = "", email = "bea@example.org"}]"#;

/// A backend that breaks.
struct Broken(Descriptor);

fn broken() -> Broken {
    let name = BackendName::parse("broken").unwrap();
    Broken(Descriptor::new(name, "broken", [CredentialKind::Password]).with_accounts_here())
}

#[async_trait::async_trait]
impl Backend for Broken {
    fn descriptor(&self) -> &Descriptor {
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
    let post = Post::default();
    let sending = post.0.clone();
    let plan = TestSite::plan(db)
        .set("site.admins", ADMINS)
        .extend(move |builder| builder.mail_transport(sending).backend(broken()));
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
