//! Registrations that an administrator is asked about, the form by which people register, and what
//! its link says of itself.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Answer, Db, PASSWORD, Post, TestSite, Visitor, grant, id_of, on_every_database,
};

on_every_database!(
    an_administrator_says_whether_an_account_is_made,
    only_who_may_make_accounts_is_asked,
    a_confirmed_registration_waits_for_sixty_days_and_keeps_nothing_from_others,
    seed_cn_2_who_registers_agrees_to_the_policy_and_it_is_kept,
    seed_cn_3_what_programs_fill_in_makes_no_account_and_has_the_same_answer,
    seed_cn_8_the_link_tells_done_from_used_and_from_too_old,
);

const ADMINS: &str = r#"[{ name = "Ada", email = "ada@example.org" }]"#;

fn site(db: Db) -> (TestSite, Post) {
    let (plan, post) = Post::plan(db);
    let plan = plan.set("registration.mode", "open").set("registration.approval", "true");
    (plan.set("site.admins", ADMINS).start(), post)
}

fn register(site: &TestSite, name: &str) {
    let email = format!("{name}@example.org");
    let who = json!({ "username": name, "email": email, "password": PASSWORD });
    site.visitor().post("/api/v1/register", &who).expect(202);
}

fn activate(site: &TestSite, token: &str) -> Answer {
    site.visitor().post("/api/v1/activate", &json!({ "token": token }))
}

/// Registers and shows that the address is theirs.
fn confirmed(site: &TestSite, post: &Post, name: &str) {
    // Lists go by the time of each, to the millisecond.
    site.clock.advance(Duration::from_secs(1));
    register(site, name);
    let token = post.token(site, &format!("{name}@example.org"));
    activate(site, &token).expect(202);
}

fn waiting(admin: &mut Visitor) -> Vec<Value> {
    let list = admin.get("/api/v1/registrations").expect(200).json();
    list["results"].as_array().unwrap().clone()
}

fn path(waiting: &Value, what: &str) -> String {
    format!("/api/v1/registrations/{}/{what}", waiting["id"].as_str().unwrap())
}

fn logs_in(site: &TestSite, name: &str) -> bool {
    site.visitor().log_in(name, PASSWORD).status == 200
}

fn accounts(site: &TestSite) -> i64 {
    site.database.connection().number("select count(*) as answer from users")
}

fn an_administrator_says_whether_an_account_is_made(db: Db) {
    let (site, post) = site(db);
    let mut admin = site.admin();
    register(&site, "nobody");
    confirmed(&site, &post, "anna");
    confirmed(&site, &post, "bert");
    assert_eq!(accounts(&site), 1);
    assert!(!logs_in(&site, "anna"));
    let told = post.to(&site, "ada@example.org");
    assert_eq!(told.len(), 2);
    assert!(told[0].text.contains("as anna, with the mail"), "{}", told[0].text);
    let list = waiting(&mut admin);
    assert_eq!(list.len(), 2, "who did not confirm is not among them");
    assert_eq!((&list[0]["username"], &list[1]["username"]), (&json!("anna"), &json!("bert")));
    assert!(list[0]["confirmed_at"].is_string());
    let made = admin.post(&path(&list[0], "approve"), &json!({})).expect(201).json();
    assert_eq!((&made["username"], &made["email_verified"]), (&json!("anna"), &json!(true)));
    admin.post(&path(&list[0], "approve"), &json!({})).expect_problem(404, "not_found");
    let ready = post.to(&site, "anna@example.org");
    assert!(ready[1].text.contains(&format!("{}/login", site.origin)), "{}", ready[1].text);
    assert!(logs_in(&site, "anna"));
    let why = json!({ "reason": "not of this house" });
    admin.post(&path(&list[1], "refuse"), &why).expect(204);
    admin.post(&path(&list[1], "refuse"), &why).expect_problem(404, "not_found");
    admin.post(&path(&list[1], "approve"), &json!({})).expect_problem(404, "not_found");
    let sorry = post.to(&site, "bert@example.org");
    assert!(sorry[1].text.contains("Why: not of this house"), "{}", sorry[1].text);
    assert!(!logs_in(&site, "bert"));
    assert!(waiting(&mut admin).is_empty());
    assert_eq!(site.audit_texts("registration.approved").len(), 1);
    assert_eq!(site.audit_texts("registration.refused").len(), 1);
}

fn only_who_may_make_accounts_is_asked(db: Db) {
    let (site, post) = site(db);
    let (mut admin, mut user) = (site.admin(), site.logged_in("user"));
    confirmed(&site, &post, "anna");
    let anna = waiting(&mut admin).remove(0);
    user.get("/api/v1/registrations").expect_problem(403, "permission_denied");
    for what in ["approve", "refuse"] {
        user.post(&path(&anna, what), &json!({})).expect_problem(403, "permission_denied");
    }
    let id = id_of(&mut user);
    grant(&mut admin, &id, "vestibule.add_user");
    assert_eq!(waiting(&mut user).len(), 1);
    let long = json!({ "reason": "x".repeat(501) });
    user.post(&path(&anna, "refuse"), &long).expect_problem(422, "invalid");
    // What has not been confirmed is nobody's to approve.
    register(&site, "bert");
    let unconfirmed = "select username as answer from registrations where confirmed_at is null";
    assert_eq!(site.database.connection().texts(unconfirmed), ["bert"]);
    assert_eq!(waiting(&mut user).len(), 1);
    user.post(&path(&anna, "approve"), &json!({})).expect(201);
}

fn a_confirmed_registration_waits_for_sixty_days_and_keeps_nothing_from_others(db: Db) {
    let (site, post) = site(db);
    site.admin();
    confirmed(&site, &post, "anna");
    confirmed(&site, &post, "bert");
    // Waiting keeps neither the name nor the address.
    site.account(vestibule_core::usecase::users::NewUser {
        username: "anna".to_owned(),
        ..Default::default()
    });
    site.clock.advance(Duration::from_hours(59 * 24));
    let mut admin = site.visitor();
    admin.log_in("admin", PASSWORD).expect(200);
    let list = waiting(&mut admin);
    assert_eq!(list.len(), 2);
    let taken = admin.post(&path(&list[0], "approve"), &json!({})).expect_problem(422, "invalid");
    assert!(taken.json()["errors"]["username"].is_array(), "{}", taken.text);
    // A link to one who waits for an administrator is not sent once more.
    let before = post.letters(&site).len();
    let again = json!({ "email": "bert@example.org" });
    site.visitor().post("/api/v1/activate/resend", &again).expect(202);
    assert_eq!(post.letters(&site).len(), before);
    site.clock.advance(Duration::from_hours(24));
    admin.log_in("admin", PASSWORD).expect(200);
    assert!(waiting(&mut admin).is_empty());
    admin.post(&path(&list[1], "approve"), &json!({})).expect_problem(404, "not_found");
}

fn seed_cn_2_who_registers_agrees_to_the_policy_and_it_is_kept(db: Db) {
    let (plan, post) = Post::plan(db);
    let plan = plan.set("registration.mode", "open").set("registration.policy_version", "2026-01");
    let site = plan.set("registration.policy_url", "https://hall.example/policy").start();
    let ask = |name: &str, policy: Option<&str>| {
        let email = format!("{name}@example.org");
        let who = json!({
            "username": name, "email": email, "password": PASSWORD, "policy": policy,
        });
        site.visitor().post("/api/v1/register", &who)
    };
    for said in [None, Some(""), Some("2025-01"), Some("true")] {
        let problem = ask("anna", said).expect_problem(422, "invalid").json();
        assert_eq!(problem["errors"]["policy"][0]["code"], "required", "{said:?}: {problem}");
    }
    assert_eq!(post.letters(&site).len(), 0);
    ask("anna", Some("2026-01")).expect(202);
    let token = post.token(&site, "anna@example.org");
    site.clock.advance(Duration::from_hours(1));
    activate(&site, &token).expect(204);
    let mut anna = site.visitor();
    anna.log_in("anna", PASSWORD).expect(200);
    let own = format!("/api/v1/users/{}/consents", id_of(&mut anna));
    let consents = anna.get(&own).expect(200).json();
    let list = consents["results"].as_array().unwrap_or_else(|| panic!("{consents}"));
    assert_eq!(list.len(), 1);
    assert_eq!(list[0]["version"], "2026-01");
    assert_eq!(list[0]["at"], "2026-01-01T00:00:00Z", "when she said so: {consents}");
    site.logged_in("bert").get(&own).expect_problem(404, "not_found");
    assert_eq!(site.admin().get(&own).expect(200).json(), consents);
    // And so does whoever is invited.
    let invite = json!({ "email": "carl@example.org" });
    let mut admin = site.visitor();
    admin.log_in("admin", PASSWORD).expect(200);
    admin.post("/api/v1/invitations", &invite).expect(202);
    let token = post.token(&site, "carl@example.org");
    let mut carl = json!({ "token": token, "username": "carl", "password": PASSWORD });
    let accept = "/api/v1/invitations/accept";
    let problem = site.visitor().post(accept, &carl).expect_problem(422, "invalid").json();
    assert_eq!(problem["errors"]["policy"][0]["code"], "required");
    carl["policy"] = json!("2026-01");
    site.visitor().post(accept, &carl).expect(204);
    let kept = "select count(*) as answer from consents";
    assert_eq!(site.database.connection().number(kept), 2);
    // The box is on both forms, with the way to what it is about.
    let page = site.visitor().get("/register").expect(200).text;
    assert!(
        page.contains("name=\"policy\" type=\"checkbox\" value=\"2026-01\" required"),
        "{page}"
    );
    assert!(page.contains("href=\"https:&#x2f;&#x2f;hall.example&#x2f;policy\""), "{page}");
}

fn form<'a>(began: &'a str, name: &'a str, website: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("began", began),
        ("username", name),
        ("email", "new@example.org"),
        ("password", PASSWORD),
        ("password_again", PASSWORD),
        ("website", website),
    ]
}

fn seed_cn_3_what_programs_fill_in_makes_no_account_and_has_the_same_answer(db: Db) {
    let (plan, post) = Post::plan(db);
    let site = plan.set("registration.mode", "open").start();
    let mut visitor = site.visitor();
    let page = visitor.get("/register").expect(200).text;
    let began = page.split("name=\"began\" value=\"").nth(1).unwrap();
    let began = began.split('"').next().unwrap();
    let too_fast = visitor.form("/register", &form(began, "anna", "")).expect(202).text;
    site.clock.advance(Duration::from_secs(3));
    let filled = visitor.form("/register", &form(began, "anna", "https://spam.example"));
    let without = visitor.form("/register", &form("", "anna", ""));
    assert_eq!(post.letters(&site).len(), 0);
    let by_a_person = visitor.form("/register", &form(began, "anna", "")).expect(202).text;
    assert_eq!(post.to(&site, "new@example.org").len(), 1);
    for answer in [too_fast, filled.expect(202).text, without.expect(202).text] {
        assert_eq!(answer, by_a_person);
    }
    let differ = visitor.form("/register", &[("username", "a"), ("password", "b")]).expect(422);
    assert!(differ.text.contains("the two passwords differ"), "{}", differ.text);
    let weak = [("began", began), ("username", "b"), ("email", "b@example.org"), ("password", "b")];
    let mut weak = weak.to_vec();
    weak.push(("password_again", "b"));
    assert!(visitor.form("/register", &weak).expect(422).text.contains("role=\"alert\""));
    let (closed, _) = Post::site(db);
    assert!(closed.visitor().get("/register").expect(403).text.contains("Nobody can make"));
}

fn seed_cn_8_the_link_tells_done_from_used_and_from_too_old(db: Db) {
    let (plan, post) = Post::plan(db);
    let site = plan.set("registration.mode", "open").start();
    let open = |token: &str| {
        let mut visitor = site.visitor();
        visitor.get(&format!("/activate/{token}")).expect(303);
        visitor
    };
    for name in ["anna", "bert"] {
        register(&site, name);
    }
    let (used, old) =
        (post.token(&site, "anna@example.org"), post.token(&site, "bert@example.org"));
    let done = open(&used).form("/activate", &[("password", PASSWORD)]).expect(303);
    assert_eq!(done.header("location"), Some("/login"));
    let already = open(&used).get("/activate").expect(200).text;
    assert!(already.contains("Already active") && already.contains("log in"), "{already}");
    assert!(open(&used).form("/activate", &[]).expect(200).text.contains("Already active"));
    assert!(open(&"A".repeat(43)).get("/activate").expect(404).text.contains("The link is dead"));
    site.clock.advance(Duration::from_hours(7 * 24));
    let mut bert = open(&old);
    let expired = bert.get("/activate").expect(410).text;
    assert!(expired.contains("too old") && expired.contains("/activate/again"), "{expired}");
    assert!(!expired.contains("bert@example.org"), "whoever opens it need not be Bert");
    bert.form("/activate/again", &[]).expect(202);
    let fresh = post.token(&site, "bert@example.org");
    assert_ne!(fresh, old);
    assert!(open(&old).get("/activate").expect(404).text.contains("The link is dead"));
    open(&fresh).form("/activate", &[("password", PASSWORD)]).expect(303);
    assert!(logs_in(&site, "bert"));
    // Programs hear one thing of all of them.
    for token in [&used, &old, &fresh] {
        activate(&site, token).expect_problem(400, "dead_link");
    }
    // What is long past is forgotten.
    register(&site, "carl");
    let token = post.token(&site, "carl@example.org");
    site.clock.advance(Duration::from_hours(40 * 24));
    let housekeeping = &site.vestibule.site().services.housekeeping;
    crate::support::block_on(housekeeping.run(&site.operator())).unwrap();
    assert!(open(&token).get("/activate").expect(404).text.contains("The link is dead"));
    let waiting = "select count(*) as answer from registrations";
    assert_eq!(site.database.connection().number(waiting), 0);
}
