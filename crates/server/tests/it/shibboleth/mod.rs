//! A single sign-on in front that says in headers who somebody is: here the tests are the proxy.
//! `umbrella.rs` has the real ones.

mod attacks;

use serde_json::{Value, json};
use vestibule_auth::{
    backends::ShibbolethFactory,
    testkit::{Asked, Reply, Service},
};
use vestibule_core::{
    domain::identity::BackendName,
    ports::backend::{BackendFactory, Section},
    usecase::login::Door,
};

use crate::support::{Answer, Db, PASSWORD, TestSite, Visitor, on_every_database, questions};

on_every_database!(
    seed_cp_10_whom_the_office_names_is_in_and_others_are_told_why_not,
    seed_cp_11_nothing_that_the_browser_sends_says_who_it_is,
    seed_cp_12_odd_headers_are_refused_and_the_office_is_not_asked,
    seed_cp_3_an_office_that_is_down_is_503_and_never_a_wrong_password,
    seed_cp_10_a_hash_is_bound_to_the_account_of_its_first_use,
    seed_cp_16_a_hash_is_linked_once_by_both_proofs,
    seed_cp_15_people_are_sent_to_the_single_sign_on_and_back_to_our_own_pages,
    seed_cp_8_the_single_sign_on_is_among_the_ways_in,
);

const ANNA: &str = "6f1c9c1e-0d0f-4d43-9b1a-1b2f3c4d5e01";
const BERT: &str = "6f1c9c1e-0d0f-4d43-9b1a-1b2f3c4d5e02";
const NOBODY: &str = "6f1c9c1e-0d0f-4d43-9b1a-1b2f3c4d5e99";
const PLACE: &str = "/auth/umbrella/assert";

fn office(asked: &Asked) -> Reply {
    let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    match body["eaa_hash"].as_str() {
        Some(ANNA) => Reply::json(&json!("anna")),
        Some(BERT) => Reply::json(&json!({ "username": "bert" })),
        _ => Reply::status(404),
    }
}

fn door(keys: Value) -> Door {
    let name = BackendName::parse("umbrella").unwrap();
    Door::new(ShibbolethFactory.build(name, Section::of(keys)).unwrap())
}

/// A site to which this machine is the proxy, or another address.
fn site_behind(proxy: &str, db: Db, door: Door) -> TestSite {
    let proxies = format!("[\"{proxy}\"]");
    let plan = TestSite::plan(db).set("server.trusted_proxies", &proxies);
    plan.extend(move |builder| builder.door(door)).start()
}

fn with_office(db: Db, service: &Service) -> TestSite {
    let keys = json!({ "hash_url": service.url("/hash"), "timeout_seconds": 1.0 });
    site_behind("127.0.0.1", db, door(keys))
}

fn alone(db: Db, keys: Value) -> TestSite {
    site_behind("127.0.0.1", db, Door { create_users: true, ..door(keys) })
}

/// Comes through the proxy with these headers.
fn come(visitor: &mut Visitor, path: &str, headers: &[(&str, &str)]) -> Answer {
    let before = visitor.headers.len();
    let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
    visitor.headers.extend(headers);
    let answer = visitor.get(path);
    visitor.headers.truncate(before);
    answer
}

fn enter(visitor: &mut Visitor, hash: &str) -> Answer {
    come(visitor, PLACE, &[("EAAHash", hash)])
}

fn name_of(visitor: &mut Visitor) -> String {
    let session = visitor.get("/api/v1/session").expect(200).json();
    session["user"]["username"].as_str().unwrap().to_owned()
}

fn seed_cp_10_whom_the_office_names_is_in_and_others_are_told_why_not(db: Db) {
    let service = Service::start(office).unwrap();
    let site = with_office(db, &service);
    site.user("anna");
    let mut anna = site.visitor();
    let answer = enter(&mut anna, ANNA).expect(303);
    assert_eq!(answer.header("location"), Some("/"));
    assert_eq!(name_of(&mut anna), "anna");
    assert_eq!(questions(&service)[0].body, format!(r#"{{"eaa_hash":"{ANNA}"}}"#));
    assert_eq!(site.audit_texts("identity.linked"), ["named by umbrella"]);
    // The office knows nobody, or somebody who has no account here.
    for hash in [NOBODY, BERT] {
        let mut visitor = site.visitor();
        let answer = enter(&mut visitor, hash).expect(403);
        assert!(answer.text.contains("no account here is linked to you"), "{}", answer.text);
        assert!(!answer.text.contains("password is wrong"), "{}", answer.text);
        assert!(!visitor.is_in());
    }
    let mut reasons = site.audit_texts("login.failed");
    reasons.sort();
    assert_eq!(reasons, ["no account here", "not linked to an account"]);
    let failures = "select count(*) as answer from login_failures";
    assert_eq!(site.database.connection().number(failures), 0);
}

fn seed_cp_11_nothing_that_the_browser_sends_says_who_it_is(db: Db) {
    let service = Service::start(office).unwrap();
    let site = with_office(db, &service);
    for name in ["anna", "bert", "root"] {
        site.user(name);
    }
    let mut bert = site.visitor();
    bert.cookies.insert("username".to_owned(), "anna".to_owned());
    let path = format!("{PLACE}?username=anna&uid=anna&backend=local&eaa_hash={ANNA}");
    come(&mut bert, &path, &[("EAAHash", BERT), ("uid", "anna"), ("mail", "anna@x.example")])
        .expect(303);
    assert_eq!(name_of(&mut bert), "bert");
    // The hash is no password to anything.
    for backend in [json!("umbrella"), json!(null)] {
        let body = json!({ "username": "anna", "password": ANNA, "backend": backend });
        site.visitor().post("/api/v1/login", &body).expect_problem(401, "login_failed");
        let body = json!({ "username": ANNA, "password": ANNA, "backend": backend });
        site.visitor().post("/api/v1/login", &body).expect_problem(401, "login_failed");
    }
    // A proxy that lost the hash on the way has not said anything.
    let mut visitor = site.visitor();
    come(&mut visitor, PLACE, &[("uid", "anna"), ("mail", "anna@x.example")]).expect(401);
    assert!(!visitor.is_in());
}

fn seed_cp_12_odd_headers_are_refused_and_the_office_is_not_asked(db: Db) {
    let service = Service::start(office).unwrap();
    let site = with_office(db, &service);
    site.user("anna");
    let (long, list) = (ANNA.repeat(100), format!("{ANNA};{BERT}"));
    let odd: [&[(&str, &str)]; 8] = [
        &[],
        &[("EAAHash", "")],
        &[("EAAHash", ANNA), ("EAAHash", ANNA)],
        &[("EAAHash", ANNA), ("eaahash", BERT)],
        &[("EAAHash", &long)],
        &[("EAAHash", &list)],
        &[("EAAHash", ANNA), ("HTTP_EAAHASH", BERT)],
        &[("EAAHash", ANNA), ("uid", "anna, bert")],
    ];
    for headers in odd {
        let mut visitor = site.visitor();
        let answer = come(&mut visitor, PLACE, headers).expect(401);
        assert!(answer.text.contains("umbrella did not say who you are"), "{}", answer.text);
        assert!(!visitor.is_in());
    }
    assert_eq!(questions(&service), []);
    let reasons = site.audit_texts("login.failed");
    assert!(reasons.contains(&"EAAHash: came twice".to_owned()), "{reasons:?}");
}

fn seed_cp_3_an_office_that_is_down_is_503_and_never_a_wrong_password(db: Db) {
    let service = Service::start(office).unwrap();
    let site = with_office(db, &service);
    site.user("anna");
    // Bound already: an outage lets nobody in by what was known before either.
    enter(&mut site.visitor(), ANNA).expect(303);
    for reply in [Reply::status(500), Reply::Cut, Reply::of(200, "text/html", "<html>log in")] {
        service.always(reply);
        for hash in [ANNA, NOBODY] {
            let mut visitor = site.visitor();
            let answer = enter(&mut visitor, hash).expect(503);
            assert!(answer.header("retry-after").is_some());
            assert!(answer.text.contains("not possible at the moment"), "{}", answer.text);
            assert!(!visitor.is_in());
        }
    }
    assert_eq!(site.audit_texts("login.failed"), [""; 0]);
    assert_eq!(site.audit_texts("login.undecided").len(), 6);
}

fn seed_cp_10_a_hash_is_bound_to_the_account_of_its_first_use(db: Db) {
    let service = Service::start(office).unwrap();
    let site = with_office(db, &service);
    site.user("anna");
    site.user("bert");
    enter(&mut site.visitor(), ANNA).expect(303);
    service.always(Reply::json(&json!("bert")));
    let mut visitor = site.visitor();
    enter(&mut visitor, ANNA).expect(401);
    assert!(!visitor.is_in());
    let reasons = site.audit_texts("login.failed");
    assert_eq!(reasons, ["another account is named there than the one it is bound to"]);
    // Whom the office has struck off is out, bound or not.
    service.always(Reply::status(404));
    enter(&mut visitor, ANNA).expect(403);
    service.always(Reply::json(&json!("anna")));
    enter(&mut visitor, ANNA).expect(303);
}

/// Presses the button by which whoever is logged in links themselves.
fn link(visitor: &mut Visitor, hash: &str) -> Answer {
    let page = come(visitor, &format!("{PLACE}?link=1"), &[("EAAHash", hash)]);
    if page.status != 200 {
        return page;
    }
    let token = page.text.split("name=\"csrf_token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap().to_owned();
    visitor.headers.push(("EAAHash".to_owned(), hash.to_owned()));
    let answer = visitor.form(PLACE, &[("csrf_token", &token)]);
    visitor.headers.pop();
    answer
}

fn seed_cp_16_a_hash_is_linked_once_by_both_proofs(db: Db) {
    let site = site_behind("127.0.0.1", db, door(json!({})));
    site.user("anna");
    let mut anna = site.visitor();
    enter(&mut anna, ANNA).expect(403);
    // Whoever is not logged in here is asked to, and comes back.
    let answer = come(&mut anna, &format!("{PLACE}?link=1"), &[("EAAHash", ANNA)]).expect(303);
    assert_eq!(answer.header("location"), Some("/login?next=/auth/umbrella/assert%3Flink%3D1"));
    anna.log_in("anna", PASSWORD).expect(200);
    // By a form of ours, with this session's token, and not by a GET.
    let before = site.audit_texts("identity.linked").len();
    anna.headers.push(("EAAHash".to_owned(), ANNA.to_owned()));
    anna.form(PLACE, &[("csrf_token", "wrong")]).expect(403);
    let kind = ("application/x-www-form-urlencoded", "csrf_token=x".to_owned());
    anna.send("POST", PLACE, Some((kind.0, kind.1))).expect(403);
    anna.headers.pop();
    assert_eq!(site.audit_texts("identity.linked").len(), before);
    // Who is linked is told before, since somebody else's session there may have been foisted on her.
    let asked = come(&mut anna, &format!("{PLACE}?link=1"), &[("EAAHash", ANNA)]).expect(200);
    assert!(asked.text.contains("knows you as <strong>umbrella-"), "{}", asked.text);
    link(&mut anna, ANNA).expect(303);
    let mut later = site.visitor();
    enter(&mut later, ANNA).expect(303);
    assert_eq!(name_of(&mut later), "anna");
    // Once: nobody else gets it.
    let mut bert = site.logged_in("bert");
    let answer = link(&mut bert, ANNA).expect(409);
    assert!(answer.text.contains("another account"), "{}", answer.text);
    // Whom nobody vouches for is not linked, and the login has to be a fresh one.
    link(&mut bert, "not-a-hash").expect(409);
    site.clock.advance(std::time::Duration::from_mins(16));
    link(&mut bert, BERT).expect(403);
}

fn seed_cp_15_people_are_sent_to_the_single_sign_on_and_back_to_our_own_pages(db: Db) {
    let keys = json!({
        "login_url": "/Shibboleth.sso/Login?target={return}",
        "logout_url": "/Shibboleth.sso/Logout?return={return}",
    });
    let site = alone(db, keys);
    let sent_to = |path: &str| {
        let answer = site.visitor().get(path).expect(303);
        let location = answer.header("location").unwrap().to_owned();
        let target = location.strip_prefix("/Shibboleth.sso/Login?target=").unwrap().to_owned();
        url::form_urlencoded::parse(format!("x={target}").as_bytes()).next().unwrap().1.into_owned()
    };
    let back = format!("{}{PLACE}?back=1", site.origin);
    assert_eq!(sent_to(PLACE), back);
    assert_eq!(sent_to(&format!("{PLACE}?next=/calc/7")), format!("{back}&next=%2Fcalc%2F7"));
    for foreign in ["//evil.example", "https://evil.example", "/%5Cevil.example", "javascript:x"] {
        assert_eq!(sent_to(&format!("{PLACE}?next={foreign}")), back, "{foreign}");
    }
    // Whoever comes back unknown is told so, and not sent in circles.
    site.visitor().get(&format!("{PLACE}?back=1")).expect(401);
    let mut anna = site.visitor();
    let said = [("EAAHash", ANNA), ("uid", "anna")];
    let answer = come(&mut anna, &format!("{PLACE}?back=1&next=/calc/7"), &said).expect(303);
    assert_eq!(answer.header("location"), Some("/calc/7"));
    for foreign in ["//evil.example", "https://evil.example", "/%5Cevil.example"] {
        let answer =
            come(&mut site.visitor(), &format!("{PLACE}?next={foreign}"), &said).expect(303);
        assert_eq!(answer.header("location"), Some("/"), "{foreign}");
    }
    // Out again, here and there; the session here is gone at once.
    let page = anna.get("/logout").expect(200);
    let token = page.text.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let token_before = anna.token();
    let answer = anna.form("/logout", &[("csrf_token", &token)]).expect(200);
    assert!(!anna.is_in() && !anna.with_token(&token_before).is_in());
    let there = format!("/Shibboleth.sso/Logout?return={}", "http%3A%2F%2F127.0.0.1%3A");
    assert!(answer.text.replace("&#x2f;", "/").contains(&there), "{}", answer.text);
    // Whoever came in by a password is led nowhere.
    let mut local = site.logged_in("local");
    let page = local.get("/logout").expect(200);
    let token = page.text.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let answer = local.form("/logout", &[("csrf_token", &token)]).expect(303);
    assert_eq!(answer.header("location"), Some("/login"));
}

fn seed_cp_8_the_single_sign_on_is_among_the_ways_in(db: Db) {
    let site = alone(db, json!({}));
    let ways = site.visitor().get("/api/v1/login").expect(200).json();
    let page = site.visitor().get("/login?next=/calc/7").expect(200).text;
    assert!(page.contains("href=\"/auth/umbrella/assert?next=%2Fcalc%2F7\""), "{page}");
    assert_eq!(ways["backends"], json!(["local", "umbrella"]));
    // And where there is none, there is no way in by it.
    let none = TestSite::plan(db).set("server.trusted_proxies", "[\"127.0.0.1\"]").start();
    enter(&mut none.visitor(), ANNA).expect(404);
}
