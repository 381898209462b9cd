//! Forgotten passwords.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use vestibule_core::usecase::users::NewUser;

use crate::support::{Db, PASSWORD, Post, TestSite, Visitor, on_every_database, with_address};

on_every_database!(
    seed_oq_31_a_link_sets_another_password_once_and_ends_all_sessions,
    seed_oq_31_and_dies_after_its_time,
    seed_cn_19_only_to_accounts_that_may_log_in_and_to_their_own_address,
    seed_om_49_no_password_is_mailed_and_the_old_one_works_until_the_link_is_used,
    atk_a030_an_address_that_only_looks_alike_gets_nothing,
    atk_a031_one_address_and_no_list_of_them,
    atk_a032_links_begin_with_base_url_whatever_the_request_says,
    atk_a033_opening_a_link_does_not_use_it,
    atk_a034_a_link_dies_with_any_other_change_of_the_password,
    atk_a036_without_a_token_no_step_sets_a_password,
    atk_a037_what_was_open_before_is_closed,
    atk_a038_links_die_with_a_newer_one_another_address_and_the_account,
    atk_a044_the_token_stands_in_no_page_and_no_address_after_the_first,
    atk_a045_an_address_gets_three_mails_an_hour,
    atk_a223_the_link_in_a_mail_is_dead_when_its_account_is_gone,
    asvs_v6_2_4_no_link_sets_a_password_that_many_use,
    atk_a055_of_fifty_uses_at_once_one_sets_a_password,
);

pub(crate) const OTHER: &str = "quite another sentence to get in";

pub(crate) fn forgot(visitor: &mut Visitor, email: &str) -> u16 {
    visitor.post("/api/v1/password/forgot", &json!({ "email": email })).status
}

pub(crate) fn reset(visitor: &mut Visitor, token: &str, password: &str) -> crate::support::Answer {
    visitor.post("/api/v1/password/reset", &json!({ "token": token, "password": password }))
}

/// A site with an account, and the token of a link that was mailed to it.
fn forgotten(db: Db) -> (TestSite, Post, String) {
    let (site, post) = Post::site(db);
    with_address(&site, "anna");
    assert_eq!(forgot(&mut site.visitor(), "anna@example.org"), 202);
    let token = post.token(&site, "anna@example.org");
    (site, post, token)
}

fn logs_in(site: &TestSite, name: &str, password: &str) -> bool {
    match site.visitor().log_in(name, password).status {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

fn seed_oq_31_a_link_sets_another_password_once_and_ends_all_sessions(db: Db) {
    let (site, post) = Post::site(db);
    with_address(&site, "anna");
    let (mut one, mut two) = (site.visitor(), site.visitor());
    one.log_in("anna", PASSWORD).expect(200);
    two.log_in("anna@example.org", PASSWORD).expect(200);
    let known =
        site.visitor().post("/api/v1/password/forgot", &json!({ "email": "anna@example.org" }));
    let unknown =
        site.visitor().post("/api/v1/password/forgot", &json!({ "email": "bert@example.org" }));
    assert_eq!((known.status, unknown.status), (202, 202));
    assert_eq!(known.text, unknown.text);
    let token = post.token(&site, "anna@example.org");
    let mut stranger = site.visitor();
    let weak = reset(&mut stranger, &token, "password").expect_problem(422, "invalid").json();
    assert!(weak["errors"]["password"][0]["message"].is_string(), "{weak}");
    reset(&mut stranger, &token, OTHER).expect(204);
    reset(&mut stranger, &token, "a third sentence to get in with")
        .expect_problem(400, "dead_link");
    assert!(!one.is_in() && !two.is_in() && !stranger.is_in());
    assert!(!logs_in(&site, "anna", PASSWORD));
    assert!(logs_in(&site, "anna", OTHER));
    let letters = post.to(&site, "anna@example.org");
    assert_eq!(letters.len(), 2);
    assert!(letters[1].subject.contains("Your password was changed"), "{}", letters[1].subject);
    assert_eq!(site.audit_texts("user.password_reset"), ["link sent by mail"]);
    assert_eq!(site.audit_texts("user.reset_requested").len(), 1);
}

fn seed_oq_31_and_dies_after_its_time(db: Db) {
    let (site, _, token) = forgotten(db);
    site.clock.advance(vestibule_core::usecase::recovery::RESET_LIFE);
    reset(&mut site.visitor(), &token, OTHER).expect_problem(400, "dead_link");
    assert!(logs_in(&site, "anna", PASSWORD));
}

fn seed_cn_19_only_to_accounts_that_may_log_in_and_to_their_own_address(db: Db) {
    let (site, post) = Post::site(db);
    with_address(&site, "anna");
    let email = Some("gone@example.org".to_owned());
    let gone = NewUser { username: "gone".into(), email, is_disabled: true, ..NewUser::default() };
    site.account(gone);
    let mut stranger = site.visitor();
    for email in ["gone@example.org", "nobody@example.org", "ANNA@example.ORG"] {
        assert_eq!(forgot(&mut stranger, email), 202);
    }
    let letters = post.letters(&site);
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].to.to_string(), "anna@example.org");
}

fn seed_om_49_no_password_is_mailed_and_the_old_one_works_until_the_link_is_used(db: Db) {
    let (site, post, token) = forgotten(db);
    assert!(logs_in(&site, "anna", PASSWORD));
    reset(&mut site.visitor(), &token, OTHER).expect(204);
    for letter in post.letters(&site) {
        assert!(!letter.text.contains(OTHER) && !letter.text.contains(PASSWORD));
    }
}

fn atk_a030_an_address_that_only_looks_alike_gets_nothing(db: Db) {
    let (site, post) = Post::site(db);
    with_address(&site, "mike");
    let mut stranger = site.visitor();
    for twin in ["m\u{131}ke@example.org", "mi\u{212a}e@example.org", "mike@ex\u{e0}mple.org"] {
        let status = forgot(&mut stranger, twin);
        assert!(matches!(status, 202 | 422), "{twin}: {status}");
    }
    assert_eq!(post.letters(&site).len(), 0);
    assert_eq!(forgot(&mut stranger, "MIKE@example.org"), 202);
    assert_eq!(post.to(&site, "mike@example.org").len(), 1);
}

fn atk_a031_one_address_and_no_list_of_them(db: Db) {
    let (site, post) = Post::site(db);
    with_address(&site, "anna");
    let mut stranger = site.visitor();
    let (path, both) = ("/api/v1/password/forgot", "anna@example.org,mallory@evil.example");
    for email in [
        json!(["anna@example.org", "mallory@evil.example"]),
        json!({ "0": "anna@example.org" }),
        json!(both),
        json!("anna@example.org\r\nBcc: mallory@evil.example"),
        json!("anna@example.org mallory@evil.example"),
        json!("anna@example.org;mallory@evil.example"),
        json!("<anna@example.org>"),
        json!("anna@example.org@evil.example"),
        Value::Null,
    ] {
        let status = stranger.post(path, &json!({ "email": email })).status;
        assert!(matches!(status, 400 | 422), "{email}: {status}");
    }
    let doubled = r#"{"email":"anna@example.org","email":"mallory@evil.example"}"#;
    let doubled = stranger.send("POST", path, Some(("application/json", doubled.to_owned())));
    assert_eq!(doubled.status, 400);
    let (anna, mallory) = ("anna@example.org", "mallory@evil.example");
    for fields in [
        [("email[]", anna), ("email[]", mallory)],
        [("email", anna), ("email", mallory)],
        [("email", anna), ("email[]", mallory)],
    ] {
        let status = stranger.form(path, &fields).status;
        assert_eq!(status, 400, "{fields:?}");
    }
    assert_eq!(post.letters(&site).len(), 0);
}

fn atk_a032_links_begin_with_base_url_whatever_the_request_says(db: Db) {
    let (site, post) = Post::site(db);
    with_address(&site, "anna");
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-forwarded-proto", "https"),
        ("x-original-host", "evil.example"),
        ("x-forwarded-prefix", "/evil"),
        ("host", "evil.example"),
    ] {
        let mut stranger = site.visitor();
        stranger.headers.push((name.to_owned(), value.to_owned()));
        forgot(&mut stranger, "anna@example.org");
        site.clock.advance(std::time::Duration::from_hours(2));
    }
    let letters = post.to(&site, "anna@example.org");
    assert!(letters.len() >= 5, "{}", letters.len());
    let page = format!("{}/password/reset/", site.origin);
    for letter in letters {
        assert!(!letter.text.contains("evil"), "{}", letter.text);
        assert!(letter.text.lines().any(|line| line.starts_with(&page)), "{}", letter.text);
    }
}

fn atk_a033_opening_a_link_does_not_use_it(db: Db) {
    let (site, _, token) = forgotten(db);
    let link = format!("/password/reset/{token}");
    for method in ["GET", "HEAD", "GET", "HEAD", "OPTIONS"] {
        let mut scanner = site.visitor();
        scanner.send(method, &link, None);
        scanner.send(method, "/password/reset", None);
    }
    let mut anna = site.visitor();
    anna.get(&link).expect(303);
    assert!(anna.get("/password/reset").expect(200).text.contains("value=\"anna\""));
    let fields = [("password", OTHER), ("password_again", OTHER)];
    assert_eq!(
        anna.form("/password/reset", &fields).expect(303).header("location"),
        Some("/login")
    );
    assert!(logs_in(&site, "anna", OTHER));
    site.visitor().get(&link).expect(303);
    assert_eq!(anna.form("/password/reset", &fields).status, 404);
}

fn atk_a034_a_link_dies_with_any_other_change_of_the_password(db: Db) {
    let (site, post, token) = forgotten(db);
    let mut anna = site.visitor();
    anna.log_in("anna", PASSWORD).expect(200);
    let change = json!({ "old_password": PASSWORD, "password": OTHER });
    anna.post("/api/v1/password/change", &change).expect(200);
    reset(&mut site.visitor(), &token, "a third sentence").expect_problem(400, "dead_link");
    // The same when somebody else sets it.
    let mut admin = site.admin();
    assert_eq!(forgot(&mut site.visitor(), "anna@example.org"), 202);
    let token = post.token(&site, "anna@example.org");
    let id = crate::support::id_of(&mut {
        let mut v = site.visitor();
        v.log_in("anna", OTHER);
        v
    });
    let set = json!({ "password": "set by somebody who may do so" });
    admin.put(&format!("/api/v1/users/{id}/password"), &set).expect(204);
    reset(&mut site.visitor(), &token, PASSWORD).expect_problem(400, "dead_link");
}

fn atk_a036_without_a_token_no_step_sets_a_password(db: Db) {
    let (site, _, token) = forgotten(db);
    let mut stranger = site.visitor();
    for token in
        ["", " ", "null", "undefined", "0", "%00", "../reset", &token[1..], &token.to_lowercase()]
    {
        reset(&mut stranger, token, OTHER).expect_problem(400, "dead_link");
    }
    let path = "/api/v1/password/reset";
    for body in [
        json!({ "password": OTHER }),
        json!({ "token": null, "password": OTHER }),
        json!({ "token": [token], "password": OTHER }),
        json!({ "token": token }),
        json!({ "token": token, "password": null }),
        json!({ "token": token, "password": OTHER, "username": "admin" }),
        json!({ "email": "anna@example.org", "password": OTHER }),
    ] {
        stranger.post(path, &body).expect(400);
    }
    let fields = [("password", OTHER), ("password_again", OTHER)];
    assert_eq!(stranger.form("/password/reset", &fields).status, 404);
    assert_eq!(stranger.get("/password/reset").status, 404);
    assert!(logs_in(&site, "anna", PASSWORD));
}

fn atk_a037_what_was_open_before_is_closed(db: Db) {
    let (site, _, token) = forgotten(db);
    let mut before = site.visitor();
    before.log_in("anna", PASSWORD).expect(200);
    let other = site.replica();
    let mut there = before.at(&other.origin);
    assert!(before.is_in() && there.is_in());
    reset(&mut site.visitor(), &token, OTHER).expect(204);
    assert!(!before.is_in());
    let began = std::time::Instant::now();
    while there.is_in() {
        assert!(began.elapsed() < std::time::Duration::from_secs(5));
    }
}

fn atk_a038_links_die_with_a_newer_one_another_address_and_the_account(db: Db) {
    let (site, post, first) = forgotten(db);
    let mut admin = site.admin();
    forgot(&mut site.visitor(), "anna@example.org");
    let second = post.token(&site, "anna@example.org");
    assert_ne!(first, second);
    reset(&mut site.visitor(), &first, OTHER).expect_problem(400, "dead_link");
    let list = admin.get("/api/v1/users?search=anna").expect(200).json();
    let path = format!("/api/v1/users/{}", list["results"][0]["id"].as_str().unwrap());
    admin.patch(&path, &json!({ "email": "new@example.org" })).expect(200);
    reset(&mut site.visitor(), &second, OTHER).expect_problem(400, "dead_link");
    forgot(&mut site.visitor(), "new@example.org");
    let third = post.token(&site, "new@example.org");
    admin.patch(&path, &json!({ "is_active": false })).expect(200);
    admin.patch(&path, &json!({ "is_active": true })).expect(200);
    reset(&mut site.visitor(), &third, OTHER).expect_problem(400, "dead_link");
    assert!(logs_in(&site, "anna", PASSWORD));
}

fn atk_a223_the_link_in_a_mail_is_dead_when_its_account_is_gone(db: Db) {
    let (site, post, token) = forgotten(db);
    let mut admin = site.admin();
    let list = admin.get("/api/v1/users?search=anna").expect(200).json();
    let id = list["results"][0]["id"].as_str().unwrap();
    admin.delete(&format!("/api/v1/users/{id}")).expect(204);
    reset(&mut site.visitor(), &token, OTHER).expect_problem(400, "dead_link");
    // Nor is it one of whoever has the name and the address next.
    with_address(&site, "anna");
    reset(&mut site.visitor(), &token, OTHER).expect_problem(400, "dead_link");
    assert!(!logs_in(&site, "anna", OTHER) && logs_in(&site, "anna", PASSWORD));
    assert_eq!(post.to(&site, "anna@example.org").len(), 1);
}

fn asvs_v6_2_4_no_link_sets_a_password_that_many_use(db: Db) {
    let (site, _, token) = forgotten(db);
    let refused = reset(&mut site.visitor(), &token, "password12345678");
    let refused = refused.expect_problem(422, "invalid").json();
    assert_eq!(refused["errors"]["password"][0]["code"], "common", "{refused}");
    // The link is not used up by it.
    reset(&mut site.visitor(), &token, OTHER).expect(204);
}

fn atk_a044_the_token_stands_in_no_page_and_no_address_after_the_first(db: Db) {
    let (site, _, token) = forgotten(db);
    let mut anna = site.visitor();
    let opened = anna.get(&format!("/password/reset/{token}")).expect(303);
    assert_eq!(opened.header("location"), Some("/password/reset"));
    assert_eq!(opened.header("referrer-policy"), Some("same-origin"));
    let cookie = opened.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    assert!(cookie.contains("Max-Age=1800"), "{cookie}");
    assert!(!anna.get("/password/reset").expect(200).text.contains(&token));
    let fields = [("password", "short"), ("password_again", "short")];
    assert!(!anna.form("/password/reset", &fields).expect(422).text.contains(&token));
    let used = anna.form("/password/reset", &[("password", OTHER), ("password_again", OTHER)]);
    assert!(used.expect(303).header("set-cookie").unwrap().contains("Max-Age=0"));
    let mut connection = site.database.connection();
    for column in ["data", "reason", "message_id"] {
        for text in connection.texts(&format!("select {column} as answer from outbox")) {
            assert!(!text.contains(&token), "{column}");
        }
    }
}

fn atk_a045_an_address_gets_three_mails_an_hour(db: Db) {
    let (site, post) = Post::site(db);
    with_address(&site, "anna");
    let other = post.replica(&site);
    for number in 0..8 {
        let site = if number % 2 == 0 { &site } else { &other };
        let spelt = if number % 3 == 0 { "Anna@Example.org" } else { "anna@example.org" };
        assert_eq!(forgot(&mut site.visitor(), spelt), 202);
    }
    assert_eq!(post.to(&site, "anna@example.org").len(), 3);
}

fn atk_a055_of_fifty_uses_at_once_one_sets_a_password(db: Db) {
    let (site, post, token) = forgotten(db);
    let (other, won) = (post.replica(&site), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..50 {
            let (site, won, token) = (if number % 2 == 0 { &site } else { &other }, &won, &token);
            scope.spawn(move || {
                let password = format!("sentence number {number} to get in");
                match reset(&mut site.visitor(), token, &password).status {
                    204 => drop(won.fetch_add(1, Ordering::SeqCst)),
                    400 | 503 => {}
                    status => panic!("{status}"),
                }
            });
        }
    });
    assert_eq!(won.into_inner(), 1);
    let letters = post.to(&site, "anna@example.org");
    let told = letters.iter().filter(|letter| letter.subject.contains("was changed")).count();
    assert_eq!(told, 1);
}
