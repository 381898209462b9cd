//! What somebody can do with an address that is not theirs, by registering with it.

use std::time::{Duration, Instant};

use serde_json::json;
use vestibule_core::usecase::users::NewUser;

use crate::support::{
    Db, PASSWORD, Post, TestSite, Visitor, on_every_database, token_in, with_address,
};

on_every_database!(
    atk_a039_a_link_makes_no_account_without_the_password_that_was_chosen,
    atk_a039_the_link_of_a_registration_takes_so_many_guesses,
    atk_a039_every_registration_at_an_address_is_mailed_again,
    atk_a045_registrations_with_a_foreign_address_do_not_keep_its_owner_from_a_link,
    a_name_that_strangers_typed_is_neither_mailed_nor_kept,
    nobody_is_told_of_an_address_that_is_a_login_name,
    atk_a034_a_link_that_is_being_sent_dies_with_a_change_of_the_password,
    asvs_v6_2_4_nobody_registers_with_a_password_that_many_use,
    a_page_says_in_words_and_in_a_header_when_to_try_again,
);

const THEIRS: &str = "what the attacker would log in with";

fn open(db: Db, budget: &str) -> (TestSite, Post) {
    let (plan, post) = Post::plan(db);
    let plan = plan.set("limits.mail_per_address", budget);
    (plan.set("registration.mode", "open").start(), post)
}

fn register(site: &TestSite, name: &str, email: &str, password: &str) {
    let who = json!({ "username": name, "email": email, "password": password });
    site.visitor().post("/api/v1/register", &who).expect(202);
}

fn accounts(site: &TestSite) -> i64 {
    site.database.connection().number("select count(*) as answer from users")
}

fn opened(site: &TestSite, token: &str) -> Visitor {
    let mut visitor = site.visitor();
    visitor.get(&format!("/activate/{token}")).expect(303);
    visitor
}

fn atk_a039_a_link_makes_no_account_without_the_password_that_was_chosen(db: Db) {
    let (site, post) = open(db, "3/1h");
    register(&site, "anna", "anna@example.org", PASSWORD);
    let own = post.token(&site, "anna@example.org");
    register(&site, "anna", "anna@example.org", THEIRS);
    let theirs = post.token(&site, "anna@example.org");
    // Both mails read the same, and she opens the one that is not hers.
    let mut anna = opened(&site, &theirs);
    assert!(anna.get("/activate").expect(200).text.contains("password"));
    for password in [PASSWORD, "", " "] {
        let refused = anna.form("/activate", &[("password", password)]).expect(422).text;
        assert!(refused.contains("role=\"alert\"") && refused.contains("other mail"), "{refused}");
    }
    anna.form("/activate", &[]).expect(422);
    assert_eq!(accounts(&site), 0);
    let wrong = json!({ "token": theirs, "password": PASSWORD });
    let wrong = site.visitor().post("/api/v1/activate", &wrong).expect_problem(422, "invalid");
    assert_eq!(wrong.json()["errors"]["password"][0]["code"], "wrong");
    // Her own works, and takes the other along.
    let done = opened(&site, &own).form("/activate", &[("password", PASSWORD)]).expect(303);
    assert_eq!(done.header("location"), Some("/login"));
    assert_eq!(site.visitor().log_in("anna", THEIRS).status, 401);
    site.visitor().log_in("anna", PASSWORD).expect(200);
    let late = json!({ "token": theirs, "password": THEIRS });
    site.visitor().post("/api/v1/activate", &late).expect_problem(400, "dead_link");
}

fn atk_a039_the_link_of_a_registration_takes_so_many_guesses(db: Db) {
    let (site, post) = open(db, "3/1h");
    register(&site, "anna", "anna@example.org", PASSWORD);
    let mut anna = opened(&site, &post.token(&site, "anna@example.org"));
    let mut guess = |password: &str| anna.form("/activate", &[("password", password)]);
    let wrong = (0..40).find(|_| guess("not the one").status == 503);
    assert!(wrong.is_some_and(|guesses| guesses > 2), "{wrong:?}");
    let full = guess(PASSWORD).expect(503);
    assert_eq!(full.header("retry-after"), Some("60"));
    assert!(full.text.contains("role=\"alert\""), "{}", full.text);
    site.clock.advance(Duration::from_mins(20));
    guess(PASSWORD).expect(303);
}

fn atk_a039_every_registration_at_an_address_is_mailed_again(db: Db) {
    let (site, post) = open(db, "10/1h");
    register(&site, "anna", "anna@example.org", PASSWORD);
    register(&site, "attacker", "anna@example.org", THEIRS);
    let before = post.letters(&site).len();
    let again = json!({ "email": "anna@example.org" });
    site.visitor().post("/api/v1/activate/resend", &again).expect(202);
    let letters = post.letters(&site);
    assert_eq!(letters.len() - before, 2);
    let tokens = letters[before..].iter().filter_map(|letter| token_in(&letter.text));
    let shown: Vec<String> =
        tokens.map(|token| opened(&site, &token).get("/activate").expect(200).text).collect();
    assert!(shown.iter().any(|text| text.contains("account anna ")), "{shown:?}");
    assert!(shown.iter().any(|text| text.contains("account attacker ")), "{shown:?}");
}

fn atk_a045_registrations_with_a_foreign_address_do_not_keep_its_owner_from_a_link(db: Db) {
    let (site, post) = open(db, "3/1h");
    with_address(&site, "anna");
    for number in 0..5 {
        register(&site, &format!("a{number}"), "anna@example.org", PASSWORD);
    }
    assert_eq!(post.to(&site, "anna@example.org").len(), 1);
    let forgot = json!({ "email": "anna@example.org" });
    site.visitor().post("/api/v1/password/forgot", &forgot).expect(202);
    assert_eq!(post.token(&site, "anna@example.org").len(), 43);
    for _ in 0..3 {
        site.visitor().post("/api/v1/password/forgot", &forgot).expect(202);
    }
    assert_eq!(post.to(&site, "anna@example.org").len(), 3);
    let mut asked = site.audit_texts("user.reset_requested");
    asked.sort();
    assert_eq!(asked, ["a link was sent", "a link was sent", "over budget"]);
}

fn a_name_that_strangers_typed_is_neither_mailed_nor_kept(db: Db) {
    let (site, post) = open(db, "3/1h");
    let bait = "evil.example/win";
    site.account(NewUser { username: bait.to_owned(), ..NewUser::default() });
    register(&site, bait, "bert@example.org", PASSWORD);
    for _ in 0..6 {
        register(&site, "evil.example/prize", "carl@example.org", PASSWORD);
    }
    let letters = post.letters(&site);
    assert_eq!(letters.len(), 4);
    for letter in letters {
        let raw = String::from_utf8_lossy(&letter.bytes);
        assert!(!letter.text.contains("evil.example") && !raw.contains("evil.example"), "{raw}");
    }
    let mut told = site.audit_texts("registration.requested");
    told.sort();
    let (sent, full, taken) = ("a link was sent", "over budget", "the name is taken");
    assert_eq!(told, [sent, sent, sent, full, taken], "a flood leaves no trail as long as it is");
    let named = "select count(*) as answer from audit_events \
                 where action = 'registration.requested' and target <> ''";
    assert_eq!(site.database.connection().number(named), 0);
}

fn nobody_is_told_of_an_address_that_is_a_login_name(db: Db) {
    let (site, post) = open(db, "3/1h");
    let name = "carl@example.org".to_owned();
    site.account(NewUser { username: name.clone(), email: Some(name), ..NewUser::default() });
    site.database
        .connection()
        .execute("update users set email = 'c@example.org', email_key = 'c@example.org'");
    register(&site, "other", "carl@example.org", PASSWORD);
    assert_eq!(post.letters(&site).len(), 0);
    assert_eq!(site.audit_texts("registration.requested"), ["the address is a login name"]);
}

/// Somebody took the mail on, and has put its link beside it, when the password changes: the change
/// waits for them, and sees that link then.
fn atk_a034_a_link_that_is_being_sent_dies_with_a_change_of_the_password(db: Db) {
    if db != Db::Postgres {
        // One writer at a time (SQLite), or the same as PostgreSQL (MariaDB).
        return;
    }
    let (site, _) = Post::site(db);
    let id = with_address(&site, "anna");
    let mut anna = site.visitor();
    anna.log_in("anna", PASSWORD).expect(200);
    let mut sender = site.database.connection();
    let user = format!("decode('{}', 'hex')", id.replace('-', ""));
    sender.execute(&format!(
        "insert into outbox (id, message_id, recipient, recipient_key, user_id, language, lane, \
         place, kind, data, created_at, expires_at, state, attempts, due_at, reason) values \
         (decode('{one}', 'hex'), 'm', 'anna@example.org', 'anna@example.org', {user}, 'en', \
         'personal', 1, 'reset', '{{\"kind\":\"reset\",\"username\":\"anna\"}}', 1, {far}, \
         'waiting', 0, {far}, '')",
        one = "11".repeat(16),
        far = i64::MAX / 2,
    ));
    sender.execute("begin");
    sender.execute(&format!(
        "update outbox set lease = id, attempts = 1; \
         insert into tickets (digest, purpose, user_id, expires_at) values \
         (decode('{digest}', 'hex'), 'reset', {user}, {far})",
        digest = "22".repeat(32),
        far = i64::MAX / 2,
    ));
    let change = json!({ "old_password": PASSWORD, "password": "quite another long sentence" });
    std::thread::scope(|scope| {
        let changing = scope.spawn(|| anna.post("/api/v1/password/change", &change).status);
        let (began, mut looking) = (Instant::now(), site.database.connection());
        let waits = "select count(*) as answer from pg_locks where not granted";
        while looking.number(waits) == 0 {
            assert!(began.elapsed() < Duration::from_secs(20), "nobody waits");
            std::thread::sleep(Duration::from_millis(5));
        }
        sender.execute("commit");
        assert_eq!(changing.join().unwrap(), 200);
    });
    let mut after = site.database.connection();
    assert_eq!(after.number("select count(*) as answer from tickets"), 0);
    let live = format!("select count(*) as answer from outbox where expires_at > {}", i64::MAX / 4);
    assert_eq!(after.number(&live), 0, "refused for now, it is not tried again");
}

fn a_page_says_in_words_and_in_a_header_when_to_try_again(db: Db) {
    let (plan, _) = Post::plan(db);
    let plan = plan.set("registration.mode", "open").set("limits.login_per_address", "1/1h");
    let site = plan.set("limits.register_per_address", "1/1h").start();
    let mut visitor = site.visitor();
    let forgot = [("email", "anna@example.org")];
    visitor.form("/password/forgot", &forgot).expect(202);
    let pages: [(&str, &[(&str, &str)]); 3] = [
        ("/password/forgot", &forgot),
        ("/password/reset", &[("password", "x"), ("password_again", "x")]),
        ("/activate", &[("password", "x")]),
    ];
    for (path, fields) in pages {
        let full = visitor.form(path, fields).expect(429);
        assert!(full.header("retry-after").is_some(), "{path}");
        assert!(full.header("content-type").unwrap().starts_with("text/html"), "{path}");
        assert!(full.text.contains("too many requests"), "{path}: {}", full.text);
    }
    for path in ["/password/reset", "/activate"] {
        let full = visitor.get(path).expect(429);
        assert!(full.header("content-type").unwrap().starts_with("text/html"), "{path}");
    }
    let api = visitor.post("/api/v1/password/forgot", &json!({ "email": "a@b.example" }));
    api.expect_problem(429, "too_many_requests");
}

fn asvs_v6_2_4_nobody_registers_with_a_password_that_many_use(db: Db) {
    let (site, post) = open(db, "unlimited");
    let mut who = json!({
        "username": "anna", "email": "anna@example.org", "password": "password12345678",
    });
    let refused = site.visitor().post("/api/v1/register", &who).expect_problem(422, "invalid");
    assert_eq!(refused.json()["errors"]["password"][0]["code"], "common", "{}", refused.text);
    assert!(post.letters(&site).is_empty());
    who["password"] = json!(PASSWORD);
    site.visitor().post("/api/v1/register", &who).expect(202);
}
