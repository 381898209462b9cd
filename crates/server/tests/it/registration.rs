//! Accounts that people make for themselves.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use vestibule_core::usecase::users::NewUser;

use crate::support::{
    Answer, Db, PASSWORD, Post, TestSite, Visitor, on_every_database, token_in, with_address,
};

on_every_database!(
    seed_cn_1_an_account_cannot_be_used_until_its_address_is_confirmed,
    seed_cn_5_a_known_address_has_the_same_answer_and_its_owner_a_mail,
    seed_cn_7_the_link_is_good_for_a_week_and_a_look_does_not_use_it,
    seed_cn_9_another_link_only_for_who_waits_and_only_so_often,
    nobody_registers_where_it_is_closed,
    a_domain_that_is_not_taken_is_refused_whoever_has_an_account,
    a_taken_name_is_told_to_the_address_alone,
    atk_a005_the_answer_tells_neither_names_nor_addresses,
    atk_a035_a_link_for_one_thing_does_nothing_else,
    atk_a039_who_registered_with_a_foreign_address_keeps_nothing_of_the_account,
    atk_a047_what_was_typed_begins_no_header_and_no_line,
    atk_a055_of_fifty_uses_of_one_link_one_makes_the_account,
);

fn open(db: Db) -> (TestSite, Post) {
    let (plan, post) = Post::plan(db);
    (plan.set("registration.mode", "open").start(), post)
}

fn who(name: &str) -> Value {
    json!({ "username": name, "email": format!("{name}@example.org"), "password": PASSWORD })
}

fn register(site: &TestSite, who: &Value) -> Answer {
    site.visitor().post("/api/v1/register", who)
}

fn activate(visitor: &mut Visitor, token: &str) -> Answer {
    visitor.post("/api/v1/activate", &json!({ "token": token }))
}

fn accounts(site: &TestSite) -> i64 {
    site.database.connection().number("select count(*) as answer from users")
}

fn seed_cn_1_an_account_cannot_be_used_until_its_address_is_confirmed(db: Db) {
    let (site, post) = open(db);
    register(&site, &who("anna")).expect(202);
    assert_eq!(site.visitor().log_in("anna", PASSWORD).status, 401);
    assert_eq!(accounts(&site), 0);
    let token = post.token(&site, "anna@example.org");
    activate(&mut site.visitor(), &token).expect(204);
    activate(&mut site.visitor(), &token).expect_problem(400, "dead_link");
    let mut anna = site.visitor();
    let user = anna.log_in("anna", PASSWORD).expect(200).json()["user"].clone();
    assert_eq!(
        (&user["email"], &user["email_verified"]),
        (&json!("anna@example.org"), &json!(true))
    );
    assert_eq!((&user["is_staff"], &user["is_superuser"]), (&json!(false), &json!(false)));
    assert_eq!(site.audit_texts("registration.requested"), ["a link was sent"]);
    assert_eq!(site.audit_texts("registration.confirmed"), ["link sent by mail"]);
    for more in ["is_superuser", "is_staff", "groups", "is_active"] {
        let mut who = who("bert");
        who[more] = json!(true);
        register(&site, &who).expect(400);
    }
    let mut weak = who("bert");
    weak["password"] = json!("password");
    let weak = register(&site, &weak).expect_problem(422, "invalid").json();
    assert!(weak["errors"]["password"][0]["message"].is_string(), "{weak}");
}

fn seed_cn_5_a_known_address_has_the_same_answer_and_its_owner_a_mail(db: Db) {
    let (site, post) = open(db);
    with_address(&site, "anna");
    let mut known = who("another");
    known["email"] = json!("ANNA@example.org");
    let (known, fresh) = (register(&site, &known).expect(202), register(&site, &who("bert")));
    assert_eq!((known.status, &known.text), (fresh.status, &fresh.text));
    let letters = post.to(&site, "anna@example.org");
    assert_eq!(letters.len(), 1);
    assert!(letters[0].text.contains("the user name anna"), "{}", letters[0].text);
    assert!(letters[0].text.contains(&format!("{}/password/forgot", site.origin)));
    assert_eq!(token_in(&letters[0].text), None);
    assert_eq!(accounts(&site), 1);
}

fn seed_cn_7_the_link_is_good_for_a_week_and_a_look_does_not_use_it(db: Db) {
    let (site, post) = open(db);
    for name in ["anna", "bert"] {
        register(&site, &who(name)).expect(202);
    }
    let (mut anna, token) = (site.visitor(), post.token(&site, "anna@example.org"));
    for _ in 0..5 {
        site.visitor().get(&format!("/activate/{token}")).expect(303);
    }
    anna.get(&format!("/activate/{token}")).expect(303);
    assert!(anna.get("/activate").expect(200).text.contains("anna@example.org"));
    assert_eq!(accounts(&site), 0);
    assert_eq!(
        anna.form("/activate", &[("password", PASSWORD)]).expect(303).header("location"),
        Some("/login")
    );
    assert_eq!(accounts(&site), 1);
    anna.get("/activate").expect(404);
    let late = post.token(&site, "bert@example.org");
    site.clock.advance(std::time::Duration::from_hours(7 * 24));
    activate(&mut site.visitor(), &late).expect_problem(400, "dead_link");
    assert_eq!(accounts(&site), 1);
}

fn seed_cn_9_another_link_only_for_who_waits_and_only_so_often(db: Db) {
    let (site, post) = open(db);
    with_address(&site, "anna");
    let email = Some("gone@example.org".to_owned());
    let gone = NewUser { username: "gone".into(), email, is_disabled: true, ..NewUser::default() };
    site.account(gone);
    register(&site, &who("bert")).expect(202);
    let first = post.token(&site, "bert@example.org");
    let mut stranger = site.visitor();
    for email in ["anna", "gone", "nobody", "bert", "bert", "bert", "bert"] {
        let email = format!("{email}@example.org");
        stranger.post("/api/v1/activate/resend", &json!({ "email": email })).expect(202);
    }
    assert_eq!(post.letters(&site).len(), 3, "the first and two more to Bert, nobody else");
    let last = post.token(&site, "bert@example.org");
    activate(&mut stranger, &first).expect_problem(400, "dead_link");
    activate(&mut stranger, &last).expect(204);
    let gone = site.visitor().log_in("gone", PASSWORD).status;
    assert_eq!(gone, 401, "nobody who is disabled switches themselves on");
}

fn nobody_registers_where_it_is_closed(db: Db) {
    let (site, post) = Post::site(db);
    register(&site, &who("anna")).expect_problem(403, "registration_closed");
    let again = json!({ "email": "anna@example.org" });
    let again = site.visitor().post("/api/v1/activate/resend", &again);
    again.expect_problem(403, "registration_closed");
    assert_eq!(post.letters(&site).len(), 0);
}

fn a_domain_that_is_not_taken_is_refused_whoever_has_an_account(db: Db) {
    let (plan, post) = Post::plan(db);
    let plan =
        plan.set("registration.mode", "open").set("registration.domains", r#"["good.example"]"#);
    let site = plan.start();
    with_address(&site, "anna");
    for name in ["anna", "bert"] {
        let refused = register(&site, &who(name)).expect_problem(422, "invalid").json();
        assert_eq!(refused["errors"]["email"][0]["code"], "domain");
    }
    let mut good = who("bert");
    good["email"] = json!("bert@GOOD.example");
    register(&site, &good).expect(202);
    assert_eq!(post.letters(&site).len(), 1);
}

fn a_taken_name_is_told_to_the_address_alone(db: Db) {
    let (site, post) = open(db);
    with_address(&site, "anna");
    let mut taken = who("new");
    taken["username"] = json!("Anna");
    let (taken, free) = (register(&site, &taken), register(&site, &who("bert")));
    assert_eq!((taken.status, &taken.text), (free.status, &free.text));
    let letters = post.to(&site, "new@example.org");
    assert!(letters[0].text.contains("chosen is taken"), "{}", letters[0].text);
    assert_eq!(token_in(&letters[0].text), None);
    assert_eq!(post.to(&site, "anna@example.org").len(), 0);
    // Whoever confirms first has the name; nobody's registration keeps it from others.
    let mut twin = who("other");
    twin["username"] = json!("bert");
    register(&site, &twin).expect(202);
    let token = post.token(&site, "other@example.org");
    activate(&mut site.visitor(), &token).expect(204);
    let late = post.token(&site, "bert@example.org");
    activate(&mut site.visitor(), &late).expect_problem(422, "invalid");
}

fn atk_a005_the_answer_tells_neither_names_nor_addresses(db: Db) {
    let (site, _) = open(db);
    with_address(&site, "anna");
    let bare = |answer: Answer| {
        let of_request = |name: &str| matches!(name, "date" | "x-request-id");
        let headers = answer.headers.into_iter().filter(|(name, _)| !of_request(name));
        let mut headers: Vec<_> = headers.collect();
        headers.sort();
        (answer.status, headers, answer.text)
    };
    let fresh = bare(register(&site, &who("bert")));
    for (name, email) in [
        ("anna", "anna@example.org"),
        ("anna", "new@example.org"),
        ("new", "anna@example.org"),
        ("bert", "bert@example.org"),
    ] {
        let mut who = who(name);
        who["email"] = json!(email);
        assert_eq!(bare(register(&site, &who)), fresh, "{name} {email}");
    }
}

fn atk_a035_a_link_for_one_thing_does_nothing_else(db: Db) {
    let (site, post) = open(db);
    with_address(&site, "carl");
    let mut carl = site.visitor();
    carl.log_in("carl", PASSWORD).expect(200);
    register(&site, &who("anna")).expect(202);
    let activation = post.token(&site, "anna@example.org");
    let ask = json!({ "email": "carl@example.org" });
    carl.post("/api/v1/password/forgot", &ask).expect(202);
    let reset = post.token(&site, "carl@example.org");
    let change = json!({ "email": "new@example.org", "password": PASSWORD });
    carl.post("/api/v1/email/change", &change).expect(202);
    let address = post.token(&site, "new@example.org");
    let tokens =
        [("activate", &activation), ("password/reset", &reset), ("email/confirm", &address)];
    for (meant, token) in tokens {
        for (path, _) in tokens.iter().filter(|(path, _)| *path != meant) {
            let mut body = json!({ "token": token });
            if *path == "password/reset" {
                body["password"] = json!("another long sentence");
            }
            let answer = carl.post(&format!("/api/v1/{path}"), &body);
            answer.expect_problem(400, "dead_link");
        }
    }
    carl.post("/api/v1/email/confirm", &json!({ "token": address })).expect(204);
    activate(&mut carl, &activation).expect(204);
    // An address that has changed takes the links to the old one with it.
    let body = json!({ "token": reset, "password": "another long sentence" });
    carl.post("/api/v1/password/reset", &body).expect_problem(400, "dead_link");
}

fn atk_a039_who_registered_with_a_foreign_address_keeps_nothing_of_the_account(db: Db) {
    let (site, post) = open(db);
    let foreign = |password: &str, name: &str| json!({ "username": name, "email": "anna@example.org", "password": password });
    register(&site, &foreign("what the attacker would log in with", "attacker")).expect(202);
    let theirs = post.token(&site, "anna@example.org");
    register(&site, &foreign(PASSWORD, "anna")).expect(202);
    let own = post.token(&site, "anna@example.org");
    activate(&mut site.visitor(), &own).expect(204);
    // What else waited with the address is forgotten, and its link with it.
    activate(&mut site.visitor(), &theirs).expect_problem(400, "dead_link");
    assert_eq!(accounts(&site), 1);
    for name in ["attacker", "anna", "anna@example.org"] {
        let attacker = site.visitor().log_in(name, "what the attacker would log in with");
        assert_eq!(attacker.status, 401, "{name}");
    }
    site.visitor().log_in("anna@example.org", PASSWORD).expect(200);
    let waiting = "select count(*) as answer from registrations";
    assert_eq!(site.database.connection().number(waiting), 0);
}

fn atk_a047_what_was_typed_begins_no_header_and_no_line(db: Db) {
    let (site, post) = open(db);
    for bad in ["\r\nBcc: mallory@evil.example", "\n.\r\n", "\0", "\u{2028}", "\u{85}", "\u{202e}"]
    {
        for field in ["username", "email", "first_name", "last_name"] {
            let mut who = who("anna");
            who[field] = json!(format!("an{bad}na"));
            let refused = register(&site, &who).expect_problem(422, "invalid").json();
            assert!(refused["errors"][field].is_array(), "{field} {bad:?}: {refused}");
        }
    }
    let mut odd = who("bert");
    odd["username"] = json!("{{ site.url }} <b>Bert</b> https://evil.example");
    register(&site, &odd).expect(202);
    let letters = post.letters(&site);
    assert_eq!(letters.len(), 1);
    let raw = String::from_utf8_lossy(&letters[0].bytes);
    assert!(!letters[0].text.contains("Bert<") && !raw.contains("evil.example"), "{raw}");
}

fn atk_a055_of_fifty_uses_of_one_link_one_makes_the_account(db: Db) {
    let (site, post) = open(db);
    register(&site, &who("anna")).expect(202);
    let token = post.token(&site, "anna@example.org");
    let (other, won) = (post.replica(&site), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..50 {
            let (site, won, token) = (if number % 2 == 0 { &site } else { &other }, &won, &token);
            scope.spawn(move || match activate(&mut site.visitor(), token).status {
                204 => drop(won.fetch_add(1, Ordering::SeqCst)),
                400 | 422 | 503 => {}
                status => panic!("{status}"),
            });
        }
    });
    assert_eq!(won.into_inner(), 1);
    assert_eq!(accounts(&site), 1);
}
