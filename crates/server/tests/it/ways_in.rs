//! Other people's ways into an account: what was there before its owner showed that the address is
//! theirs, and what its owner is told of.

use std::time::Duration;

use serde_json::json;
use vestibule_core::{
    ports::backend::Assertion,
    usecase::{login::Door, users::NewUser},
};

use crate::{
    recovery::{OTHER, forgot, reset},
    support::{
        Db, PASSWORD, Post, Says, Script, TestSite, Visitor, on_every_database, with_address,
    },
};

on_every_database!(
    atk_a040_what_was_open_before_the_owner_came_is_closed,
    atk_a041_what_was_linked_before_the_owner_came_leads_nowhere,
    atk_a043_an_address_that_was_not_made_sure_of_links_and_merges_nothing,
    a_link_that_is_made_or_ended_is_told_to_the_owner,
    every_other_password_is_told_to_the_owner,
    a_browser_that_is_new_is_told_to_the_owner_once,
);

fn person(subject: &str) -> Assertion {
    Assertion::new(subject.parse().unwrap()).with_username(format!("at-{subject}"))
}

/// A site with another way in, which makes accounts or not.
fn site(db: Db, script: &Script, makes: bool) -> (TestSite, Post) {
    let (plan, post) = Post::plan(db);
    let sending = post.0.clone();
    let label = Some("University".to_owned());
    let door = Door { create_users: makes, label, ..script.door() };
    (plan.extend(move |builder| builder.mail_transport(sending).door(door)).start(), post)
}

fn by_unix(site: &TestSite) -> (Visitor, u16) {
    let mut visitor = site.visitor();
    let body = json!({ "username": "whoever", "password": "whatever", "backend": "unix" });
    let status = visitor.post("/api/v1/login", &body).status;
    (visitor, status)
}

fn link(visitor: &mut Visitor) {
    let proof = json!({ "backend": "unix", "username": "whoever", "password": "whatever" });
    visitor.post("/api/v1/identities", &proof).expect(201);
}

fn atk_a040_what_was_open_before_the_owner_came_is_closed(db: Db) {
    let (site, post) = Post::site(db);
    // An account with a foreign address, which nobody has shown to be theirs.
    with_address(&site, "victim");
    let mut attacker = site.visitor();
    let user = attacker.log_in("victim", PASSWORD).expect(200).json()["user"].clone();
    assert_eq!(user["email_verified"], false);
    assert_eq!(forgot(&mut site.visitor(), "victim@example.org"), 202);
    let token = post.token(&site, "victim@example.org");
    let other = post.replica(&site);
    let mut elsewhere = attacker.clone();
    elsewhere.origin.clone_from(&other.origin);
    assert!(attacker.is_in() && elsewhere.is_in());
    reset(&mut site.visitor(), &token, OTHER).expect(204);
    attacker.get("/api/v1/session").expect_problem(401, "not_authenticated");
    attacker.get("/own/whoami").expect(401);
    let began = std::time::Instant::now();
    while elsewhere.is_in() {
        assert!(began.elapsed() < Duration::from_secs(5), "still in at the other server");
    }
    // Whoever registered has no session from before at all: there was nothing to log in to.
    let (plan, post) = Post::plan(db);
    let site = plan.set("registration.mode", "open").start();
    let who = json!({ "username": "a", "email": "a@example.org", "password": PASSWORD });
    let mut attacker = site.visitor();
    attacker.post("/api/v1/register", &who).expect(202);
    assert_eq!(attacker.log_in("a", PASSWORD).status, 401);
    let token = post.token(&site, "a@example.org");
    site.visitor().post("/api/v1/activate", &json!({ "token": token })).expect(204);
    attacker.get("/api/v1/session").expect_problem(401, "not_authenticated");
}

fn atk_a041_what_was_linked_before_the_owner_came_leads_nowhere(db: Db) {
    let unix = Script::new("unix", Says::Verified(Box::new(person("1001"))));
    let (site, post) = site(db, &unix, false);
    let victim = with_address(&site, "victim");
    let mut attacker = site.visitor();
    attacker.log_in("victim", PASSWORD).expect(200);
    link(&mut attacker);
    let (mut by_link, status) = by_unix(&site);
    assert_eq!(status, 200);
    assert_eq!(by_link.get("/api/v1/session").json()["user"]["id"], json!(victim));
    assert_eq!(forgot(&mut site.visitor(), "victim@example.org"), 202);
    let token = post.token(&site, "victim@example.org");
    reset(&mut site.visitor(), &token, OTHER).expect(204);
    assert!(!by_link.is_in() && !attacker.is_in());
    assert_ne!(by_unix(&site).1, 200);
    let links = "select count(*) as answer from identities";
    assert_eq!(site.database.connection().number(links), 0);
    let rights = site.audit_texts("identity.unlinked");
    assert_eq!(rights, ["linked before the address was shown to be its owner's"]);
    let told = post.to(&site, "victim@example.org");
    let told: Vec<_> = told.iter().filter(|one| one.text.contains("University")).collect();
    assert_eq!(told.len(), 2, "it was linked, and it is not any more");
    // What the owner herself links stays, whatever she does with her password.
    let mut owner = site.visitor();
    owner.log_in("victim", OTHER).expect(200);
    link(&mut owner);
    site.clock.advance(Duration::from_hours(2));
    assert_eq!(forgot(&mut site.visitor(), "victim@example.org"), 202);
    let token = post.token(&site, "victim@example.org");
    reset(&mut site.visitor(), &token, PASSWORD).expect(204);
    assert_eq!(by_unix(&site).1, 200);
}

fn atk_a043_an_address_that_was_not_made_sure_of_links_and_merges_nothing(db: Db) {
    let claim = || person("1001").with_email("anna@example.org", false);
    let unix = Script::new("unix", Says::Verified(Box::new(claim())));
    let (site, post) = site(db, &unix, true);
    let anna = with_address(&site, "anna");
    let (mut visitor, status) = by_unix(&site);
    assert_eq!(status, 200);
    let user = visitor.get("/api/v1/session").json()["user"].clone();
    assert_ne!(user["id"], json!(anna));
    assert_eq!((&user["email"], &user["email_verified"]), (&json!(null), &json!(false)));
    let links = format!("/api/v1/users/{anna}");
    assert_eq!(site.admin().get(&links).json()["email"], "anna@example.org");
    // Nor does it keep the address from its owner.
    unix.says(Says::Verified(Box::new(person("1002").with_email("new@example.org", false))));
    assert_eq!(by_unix(&site).1, 200);
    assert_eq!(forgot(&mut site.visitor(), "new@example.org"), 202);
    assert_eq!(post.letters(&site).len(), 0);
    let new = NewUser {
        username: "new".to_owned(),
        email: Some("new@example.org".to_owned()),
        ..NewUser::default()
    };
    site.account(new);
}

fn a_link_that_is_made_or_ended_is_told_to_the_owner(db: Db) {
    let unix = Script::new("unix", Says::Verified(Box::new(person("1001"))));
    let (site, post) = site(db, &unix, false);
    with_address(&site, "anna");
    let mut anna = site.visitor();
    anna.log_in("anna", PASSWORD).expect(200);
    link(&mut anna);
    link(&mut anna);
    let told = post.to(&site, "anna@example.org");
    assert_eq!(told.len(), 1, "once");
    assert!(told[0].text.contains("by\nUniversity too") || told[0].text.contains("University too"));
    assert!(told[0].text.contains("127.0.0.1"), "{}", told[0].text);
    anna.delete("/api/v1/identities?backend=unix&subject=1001").expect(204);
    let told = post.to(&site, "anna@example.org");
    assert!(told[1].text.contains("University any more"), "{}", told[1].text);
    assert_eq!(told.len(), 2);
}

fn every_other_password_is_told_to_the_owner(db: Db) {
    let (site, post) = Post::site(db);
    let id = with_address(&site, "anna");
    let mut anna = site.visitor();
    anna.log_in("anna", PASSWORD).expect(200);
    let change = json!({ "old_password": PASSWORD, "password": OTHER });
    anna.post("/api/v1/password/change", &change).expect(200);
    let set = json!({ "password": "the third sentence to get in with" });
    site.admin().put(&format!("/api/v1/users/{id}/password"), &set).expect(204);
    // The operator at the command line.
    let passwords = &site.vestibule.site().services.passwords;
    let new = vestibule_core::Secret::new("the fourth sentence to get in with");
    let user = id.parse().unwrap();
    crate::support::block_on(passwords.set(&site.operator(), user, &new)).unwrap();
    let told = post.to(&site, "anna@example.org");
    assert_eq!(told.len(), 3);
    for letter in &told {
        assert!(letter.subject.contains("Your password was changed"), "{}", letter.subject);
    }
    let from_here =
        told.iter().filter(|one| one.text.contains("network address 127.0.0.1")).count();
    assert_eq!(from_here, 2, "the operator has no network address");
}

fn a_browser_that_is_new_is_told_to_the_owner_once(db: Db) {
    let (plan, post) = Post::plan(db);
    let site = plan.set("session.tell_new_browsers", "true").start();
    with_address(&site, "anna");
    let told = || {
        let letters = post.to(&site, "anna@example.org");
        letters.iter().filter(|one| one.subject.contains("new browser")).count()
    };
    let mut first = site.visitor();
    first.log_in("anna", PASSWORD).expect(200);
    let cookie = first.cookies["vestibule-browser"].clone();
    first.log_in("anna", PASSWORD).expect(200);
    first.post("/api/v1/logout", &json!({})).expect(204);
    first.log_in("anna", PASSWORD).expect(200);
    assert_eq!(first.cookies["vestibule-browser"], cookie, "it stays what it is");
    assert_eq!(told(), 0, "the first is not new, and comes back");
    let mut second = site.visitor();
    second.headers.push(("user-agent".to_owned(), "Lynx/2.9 <b>".to_owned()));
    second.log_in("anna", PASSWORD).expect(200);
    assert_eq!(told(), 1);
    let text = post.to(&site, "anna@example.org").pop().unwrap().text;
    assert!(text.contains("Lynx/2.9 <b>") && text.contains("127.0.0.1"), "{text}");
    second.log_in("anna", PASSWORD).expect(200);
    assert_eq!(told(), 1, "it is known now");
    // Programs that keep no cookies are told of once an hour.
    for _ in 0..3 {
        site.visitor().log_in("anna", PASSWORD).expect(200);
    }
    assert_eq!(told(), 1);
    site.clock.advance(Duration::from_mins(61));
    site.visitor().log_in("anna", PASSWORD).expect(200);
    assert_eq!(told(), 2);
    // Who failed is nobody's browser, and a cookie of one's own making is a new one.
    site.clock.advance(Duration::from_mins(61));
    let mut stranger = site.visitor();
    stranger.log_in("anna", "a wrong sentence to get in").expect(401);
    assert!(!stranger.cookies.contains_key("vestibule-browser"));
    stranger.cookies.insert("vestibule-browser".to_owned(), "A".repeat(43));
    stranger.log_in("anna", PASSWORD).expect(200);
    assert_eq!(told(), 3);
    // The same browser is new to another account, and its first is not told.
    with_address(&site, "bert");
    first.log_in("bert", PASSWORD).expect(200);
    assert_eq!(post.to(&site, "bert@example.org").len(), 0);
    // No more than twenty are remembered, and none for ever.
    for _ in 0..25 {
        site.visitor().log_in("anna", PASSWORD).expect(200);
    }
    let kept = "select count(*) as answer from browsers";
    assert_eq!(site.database.connection().number(kept), 21);
    site.clock.advance(Duration::from_hours(401 * 24));
    let housekeeping = &site.vestibule.site().services.housekeeping;
    crate::support::block_on(housekeeping.run(&site.operator())).unwrap();
    assert_eq!(site.database.connection().number(kept), 0);
}
