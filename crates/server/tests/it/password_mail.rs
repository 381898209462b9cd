//! Who gets which mail when a password is forgotten, and how long the answer takes.

use std::time::{Duration, Instant};

use serde_json::json;
use vestibule_mail::classify::{Failure, Verdict};

use crate::{
    recovery::{OTHER, forgot, reset},
    support::{
        Db, PASSWORD, Post, Says, Script, TestSite, block_on, on_every_database, with_address,
    },
};

on_every_database!(
    whoever_is_given_an_account_chooses_its_password,
    seed_om_50_an_account_of_another_backend_gets_no_link_but_is_told_where_to_go,
    atk_a054_who_is_known_elsewhere_alone_gets_no_password_here,
);

fn whoever_is_given_an_account_chooses_its_password(db: Db) {
    let (site, post) = Post::site(db);
    let mut admin = site.admin();
    let user = |name: &str| json!({ "username": name, "email": format!("{name}@example.org") });
    admin.post("/api/v1/users", &user("anna")).expect(201);
    for (name, key, value) in [
        ("bert", "password", json!(PASSWORD)),
        ("carl", "welcome", json!(false)),
        ("dora", "is_active", json!(false)),
    ] {
        let mut user = user(name);
        user[key] = value;
        admin.post("/api/v1/users", &user).expect(201);
    }
    let letters = post.letters(&site);
    assert_eq!(letters.len(), 1);
    assert!(letters[0].subject.contains("Your account"), "{}", letters[0].subject);
    let token = post.token(&site, "anna@example.org");
    site.clock.advance(std::time::Duration::from_hours(6 * 24));
    reset(&mut site.visitor(), &token, OTHER).expect(204);
    let user = site.visitor().log_in("anna", OTHER).expect(200).json()["user"].clone();
    assert_eq!(user["email_verified"], true);
    // Whoever has none asks for it.
    assert_eq!(forgot(&mut site.visitor(), "carl@example.org"), 202);
    let token = post.token(&site, "carl@example.org");
    reset(&mut site.visitor(), &token, OTHER).expect(204);
}

/// A site with a second way in, by which Anna came to her account: she has no password here.
fn known_elsewhere(db: Db) -> (TestSite, Post) {
    let claim = vestibule_core::ports::backend::Assertion::new("u1".parse().unwrap())
        .with_username("anna")
        .with_email("anna@example.org", true);
    let script = Script::new("unix", Says::Verified(Box::new(claim)));
    let (plan, post) = Post::plan(db);
    let sending = post.0.clone();
    let mut door = script.door();
    door.create_users = true;
    door.label = Some("University".to_owned());
    let site = plan.extend(move |b| b.mail_transport(sending).door(door)).start();
    site.visitor().log_in("anna", "whatever it is").expect(200);
    (site, post)
}

fn seed_om_50_an_account_of_another_backend_gets_no_link_but_is_told_where_to_go(db: Db) {
    let (site, post) = known_elsewhere(db);
    assert_eq!(forgot(&mut site.visitor(), "anna@example.org"), 202);
    let letters = post.to(&site, "anna@example.org");
    assert_eq!(letters.len(), 1);
    assert!(letters[0].text.contains("University"), "{}", letters[0].text);
    assert_eq!(crate::support::token_in(&letters[0].text), None);
}

fn atk_a054_who_is_known_elsewhere_alone_gets_no_password_here(db: Db) {
    let (site, post) = known_elsewhere(db);
    forgot(&mut site.visitor(), "anna@example.org");
    assert_eq!(post.letters(&site).len(), 1);
    assert_eq!(site.database.connection().number("select count(*) as answer from tickets"), 0);
    // A link that she still had from when it was otherwise.
    let id: vestibule_core::id::UserId =
        site.visitor().log_in("anna", "x").json()["user"]["id"].as_str().unwrap().parse().unwrap();
    let token = put_ticket(&site, id, "anna@example.org");
    reset(&mut site.visitor(), &token, OTHER).expect_problem(400, "dead_link");
    let usable = "select count(*) as answer from users where password like '$%'";
    assert_eq!(site.database.connection().number(usable), 0);
}

/// A live link of somebody's, as the server itself would make it.
fn put_ticket(site: &TestSite, user: vestibule_core::id::UserId, email: &str) -> String {
    use vestibule_core::{
        Email, TokenDigest,
        domain::ticket::{Purpose, Ticket},
        ports::store::StoreError,
    };
    let ticket = Ticket {
        digest: TokenDigest::of(b"held-all-along"),
        purpose: Purpose::Reset,
        user: Some(user),
        expires_at: site.operator().now().plus(std::time::Duration::from_mins(5)),
        subject: None,
        email: Some(Email::parse(email).unwrap()),
    };
    let store = &site.vestibule.site().services.store;
    block_on(store.write::<_, StoreError>(move |tx| tx.insert_ticket(&ticket))).unwrap();
    "held-all-along".to_owned()
}

/// How often one of the first takes longer than one of the second: one half when neither does.
fn area(first: &[Duration], second: &[Duration]) -> f64 {
    let longer = first.iter().flat_map(|a| second.iter().map(move |b| a > b));
    let (mut count, mut all) = (0u32, 0u32);
    for is_longer in longer {
        count += u32::from(is_longer);
        all += 1;
    }
    f64::from(count) / f64::from(all)
}

/// Of 30 answers each the area strays from one half by a standard deviation of 0.075: this is four
/// of them, while work that is left out comes out as 0 or 1.
const STRAYS: f64 = 0.32;
const ROUNDS: usize = 30;

/// How long answers take, by turns about something known and something unknown.
fn compare(mut ask: impl FnMut(bool, usize)) -> f64 {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for round in 0..2 * ROUNDS {
        let (is_known, began) = (round % 2 == 0, Instant::now());
        ask(is_known, round);
        if is_known { &mut known } else { &mut unknown }.push(began.elapsed());
    }
    area(&known, &unknown)
}

fn timed() -> (TestSite, Post) {
    let (plan, post) = Post::plan(Db::Sqlite);
    let plan = plan.set("limits.mail_per_address", "unlimited").set("registration.mode", "open");
    let site = plan.start();
    with_address(&site, "anna");
    (site, post)
}

#[test]
fn atk_a004_how_long_recovery_takes_tells_no_addresses_while_the_mail_server_is_down() {
    let (site, post) = timed();
    post.0.set_down(Some(Failure::new(Verdict::ServerDown, "no route")));
    let mut visitor = site.visitor();
    let area = compare(|is_known, round| {
        let address =
            if is_known { "anna@example.org".to_owned() } else { format!("u{round}@example.org") };
        assert_eq!(forgot(&mut visitor, &address), 202);
    });
    assert!((area - 0.5).abs() < STRAYS, "{area}");
}

#[test]
fn atk_a005_how_long_registering_takes_tells_no_addresses() {
    let (site, _) = timed();
    let mut visitor = site.visitor();
    let area = compare(|is_known, round| {
        let email =
            if is_known { "anna@example.org".to_owned() } else { format!("u{round}@example.org") };
        let who = json!({ "username": format!("u{round}"), "email": email, "password": PASSWORD });
        visitor.post("/api/v1/register", &who).expect(202);
    });
    assert!((area - 0.5).abs() < STRAYS, "{area}");
}
