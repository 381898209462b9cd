//! What the user office says of whoever asks: their experiments, and whether they may come in.

#[cfg(feature = "peers")]
mod office;

use serde_json::{Value, json};
use vestibule_auth::{
    backends::UserOfficeFactory,
    testkit::{Asked, Reply, Service},
};
use vestibule_core::{
    domain::identity::BackendName,
    ports::backend::{BackendFactory, Section},
    usecase::login::Door,
};

use crate::support::{Db, TestSite, Visitor, site::Plan};

/// Knows everybody whose password is `there`, and one experiment of everybody.
fn stand_in(asked: &Asked) -> Reply {
    let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    match asked.path.as_str() {
        "/login" if body["password"] == "there" => Reply::status(200),
        "/login" => Reply::status(401),
        "/authorized" => Reply::json(&json!({ "result": body["login"] == "anna" })),
        path if path.starts_with("/of/") => one(),
        _ => Reply::status(500),
    }
}

fn one() -> Reply {
    let results = [json!({ "proposal_id": "P1", "subject": "Crystals", "sessions": [] })];
    Reply::json(&json!({ "count": 1, "next": null, "previous": null, "results": results }))
}

/// A site whose `[user_office]` is at this address.
fn plan(base: &str) -> Plan {
    TestSite::plan(Db::Sqlite)
        .set("user_office.experiments_url", &format!("{base}/of/$USERNAME/experiments"))
        .set("user_office.authorized_url", &format!("{base}/authorized"))
        .set("user_office.username", "hall")
        .set("user_office.password", "hunter2")
        .set("user_office.timeout", "1s")
}

fn by_login(base: &str) -> Door {
    let section = Section::of(json!({ "login_url": format!("{base}/login") }));
    let backend = UserOfficeFactory.build(BackendName::parse("office").unwrap(), section);
    Door { create_users: true, ..Door::new(backend.unwrap()) }
}

/// The same where people log in by the office.
fn with_login(base: &str) -> Plan {
    let door = by_login(base);
    plan(base).extend(move |builder| builder.door(door))
}

/// Makes somebody of the office the visitor's own.
fn link(visitor: &mut Visitor, name: &str, password: &str) {
    let proof = json!({ "backend": "office", "username": name, "password": password });
    visitor.post("/api/v1/identities", &proof).expect(201);
}

/// What the office was asked since the last look, but for logins.
fn questions(service: &Service) -> Vec<Asked> {
    service.asked().into_iter().filter(|asked| asked.path != "/login").collect()
}

#[test]
fn atk_a203_a_name_reaches_the_office_as_one_segment() {
    let service = Service::start(stand_in).unwrap();
    let site = with_login(&service.url("")).start();
    for (number, (name, segment)) in [
        ("../admin?x=", "..%2Fadmin%3Fx%3D"),
        ("%2f", "%252f"),
        ("a/../../b#c", "a%2F..%2F..%2Fb%23c"),
        ("x&page=9", "x%26page%3D9"),
        ("evil.example\\@", "evil.example%5C%40"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut visitor = site.logged_in(&format!("visitor{number}"));
        link(&mut visitor, name, "there");
        service.asked();
        let page = visitor.get("/api/v1/experiments?search=a%26b%3Dc").expect(200).json();
        assert_eq!(page["count"], 1, "{name}");
        let asked = questions(&service);
        let expected = format!("/of/{segment}/experiments?page=1&page_size=7&search=a%26b%3Dc");
        assert_eq!(asked.len(), 1, "{name}");
        assert_eq!((asked[0].method.as_str(), asked[0].path.as_str()), ("GET", &*expected));
        assert_eq!(asked[0].header("authorization"), Some("Basic aGFsbDpodW50ZXIy"));
    }
    // No address has these in its path: nobody is asked, and nobody has experiments.
    let mut visitor = site.logged_in("dots");
    link(&mut visitor, "..", "there");
    service.asked();
    assert_eq!(visitor.get("/api/v1/experiments").expect(200).json()["count"], 0);
    assert_eq!(questions(&service), []);
}

#[test]
fn seed_cp_17_whoever_asks_is_told_what_the_office_says_of_them() {
    let service = Service::start(stand_in).unwrap();
    let site = plan(&service.url("")).start();
    let mut anna = site.logged_in("anna");
    let mut bert = site.logged_in("bert");
    assert_eq!(anna.get("/api/v1/authorization").expect(200).json(), json!({ "result": true }));
    assert_eq!(bert.get("/api/v1/authorization").expect(200).json(), json!({ "result": false }));
    let asked = service.asked();
    assert_eq!((asked[0].method.as_str(), asked[0].path.as_str()), ("POST", "/authorized"));
    assert_eq!(asked[0].body, r#"{"login":"anna"}"#);
    assert_eq!(asked[0].header("authorization"), Some("Basic aGFsbDpodW50ZXIy"));
    for reply in [
        Reply::json(&json!({ "result": "true" })),
        Reply::json(&json!({ "result": 1 })),
        Reply::json(&json!(true)),
        Reply::status(403),
        Reply::status(404),
        Reply::status(500),
        Reply::of(200, "text/html", "<p>true</p>"),
        Reply::status(302).with_header("location", &service.url("/yes")),
        Reply::Cut,
    ] {
        let shown = format!("{reply:?}");
        // Another process's worth of site each time, so that none is left alone for failing.
        let site = site.replica_at(plan(&service.url("")));
        service.always(reply);
        let said = anna.at(&site.origin).get("/api/v1/authorization").expect(200).json();
        assert_eq!(said, json!({ "result": false }), "{shown}");
    }
    // With everybody let in nobody is asked.
    service.asked();
    let all = plan(&service.url("")).set("user_office.default_authorization", "true");
    let site = site.replica_at(all);
    let said = bert.at(&site.origin).get("/api/v1/authorization").expect(200).json();
    assert_eq!(said, json!({ "result": true }));
    assert_eq!(service.asked(), []);
}

#[test]
fn seed_cp_18_strangers_are_told_neither() {
    let service = Service::start(stand_in).unwrap();
    let all = plan(&service.url("")).set("user_office.default_authorization", "true");
    let site = all.start();
    for path in ["/api/v1/authorization", "/api/v1/experiments"] {
        site.visitor().get(path).expect_problem(401, "not_authenticated");
    }
    assert_eq!(service.asked(), []);
}

#[test]
fn seed_cp_25_an_office_that_is_down_or_talks_nonsense_is_503_and_nothing_else_suffers() {
    let service = Service::start(stand_in).unwrap();
    let site = with_login(&service.url("")).start();
    let mut anna = site.visitor();
    anna.log_in("anna", "there").expect(200);
    let good = json!({ "proposal_id": "P1" });
    for reply in [
        Reply::status(500),
        Reply::status(400),
        Reply::Hang,
        Reply::Endless,
        Reply::of(200, "text/html", "<p>[]</p>"),
        Reply::json(&json!({ "count": 1, "results": [{}] })),
        Reply::json(&json!({ "count": 9, "results": vec![good; 8] })),
        Reply::status(302).with_header("location", &service.url("/of/root/experiments")),
    ] {
        let shown = format!("{reply:?}");
        let site = site.replica_at(with_login(&service.url("")));
        service.always(reply);
        let answer = anna.at(&site.origin).get("/api/v1/experiments");
        let answer = answer.expect_problem(503, "user_office_unavailable");
        assert!(answer.header("retry-after").is_some(), "{shown}");
        assert!(!answer.text.contains("hunter2"), "{shown}");
    }
    // One that failed five times is left alone for a while; logins are judged by themselves.
    service.always(Reply::status(500));
    for _ in 0..5 {
        anna.get("/api/v1/experiments").expect(503);
    }
    service.does(stand_in);
    service.asked();
    anna.get("/api/v1/experiments").expect(503);
    assert_eq!(questions(&service), []);
    site.visitor().log_in("anna", "there").expect(200);
}

#[test]
fn seed_cp_6_nobody_reads_what_is_somebody_elses_of_the_same_name() {
    let service = Service::start(stand_in).unwrap();
    let base = service.url("");
    // Anna of this site is not the Anna of the office until she has shown it.
    let site = with_login(&base).start();
    let mut anna = site.logged_in("anna");
    assert_eq!(anna.get("/api/v1/experiments").expect(200).json()["count"], 0);
    assert_eq!(anna.get("/api/v1/authorization").expect(200).json()["result"], false);
    assert_eq!(questions(&service), []);
    link(&mut anna, "anna", "there");
    assert_eq!(anna.get("/api/v1/experiments").expect(200).json()["count"], 1);
    // Where names may be chosen, none of them is one of the office's.
    let site = plan(&base).set("registration.mode", "open").start();
    let mut anna = site.logged_in("anna");
    service.asked();
    assert_eq!(anna.get("/api/v1/experiments").expect(200).json()["count"], 0);
    assert_eq!(anna.get("/api/v1/authorization").expect(200).json()["result"], false);
    assert_eq!(questions(&service), []);
    let site = plan(&base).start();
    let mut anna = site.logged_in("anna");
    assert_eq!(anna.get("/api/v1/experiments").expect(200).json()["count"], 1);
}

#[test]
fn seed_cp_19_an_office_that_cannot_be_asked_as_it_is_set_stops_the_start() {
    let url = "https://office.example/of/$USERNAME";
    let nobody = TestSite::plan(Db::Sqlite).set("user_office.experiments_url", url);
    assert!(
        nobody.refusal().contains("user_office.username: is missing: experiments_url wants it")
    );
    // Nobody waits for ten seconds, whatever is written here.
    for timeout in ["30s", "10s"] {
        let patient = TestSite::plan(Db::Sqlite).set("user_office.timeout", timeout).refusal();
        assert!(patient.contains("user_office.timeout"), "{patient}");
    }
    TestSite::plan(Db::Sqlite).set("user_office.timeout", "9s").start();
    let no_password = TestSite::plan(Db::Sqlite)
        .set("user_office.authorized_url", "https://office.example/a")
        .set("user_office.username", "hall");
    assert!(no_password.refusal().contains("user_office.password: is missing"));
}
