//! A service in another language as one of the doors, by JSON.

use serde_json::{Value, json};
use vestibule_auth::{
    backends::RemoteFactory,
    testkit::{Asked, Reply, Service},
};
use vestibule_core::{
    Secret,
    domain::identity::BackendName,
    ports::backend::{BackendFactory, Section},
    usecase::login::Door,
};

use crate::support::{Db, PASSWORD, TestSite, group, join, on_every_database, questions};

on_every_database!(
    flt_f30_a_remote_service_that_is_down_is_503_and_the_other_doors_open,
    flt_f33_whatever_is_not_by_the_schema_lets_nobody_in,
    whom_it_knows_is_made_an_account_with_the_groups_it_tells,
    its_groups_come_and_go_and_stay_when_it_tells_nothing,
    a_code_it_asks_for_goes_back_with_its_state_and_once,
);

const RIGHT: &str = "liquid helium at 4 kelvin";

/// To every question about Ann with her password, this; to others, that it is wrong.
fn says(told: Value) -> impl Fn(&Asked) -> Reply + Send + 'static {
    move |asked| {
        let question: Value = serde_json::from_str(&asked.body).unwrap();
        let credential = &question["credential"];
        let is_ann = credential["username"] == "ann" && credential["password"] == RIGHT;
        let no = json!({ "verdict": "rejected", "reason": "bad_or_unknown" });
        let mut all = if is_ann { told.clone() } else { no };
        all["version"] = json!(1);
        all["id"] = question["id"].clone();
        Reply::json(&all)
    }
}

fn ann() -> Value {
    json!({
        "verdict": "verified", "subject": "4711", "username": "ann", "first_name": "Ann",
        "emails": [{ "address": "ann@cryolab.example", "verified": true }],
        "groups": ["dewar-3"],
    })
}

fn with(mut told: Value, key: &str, value: Value) -> Value {
    told[key] = value;
    told
}

fn site(db: Db, service: &Service) -> TestSite {
    let section = Section::of(json!({ "url": service.url("/"), "timeout_seconds": 1.0 }))
        .with_secret("token", Secret::new("token-of-the-hall"));
    let backend = RemoteFactory.build(BackendName::parse("cryolab").unwrap(), section);
    let door = Door {
        create_users: true,
        groups: [("dewar-3".to_owned(), "beamline".to_owned())].into(),
        ..Door::new(backend.unwrap())
    };
    TestSite::plan(db).extend(move |builder| builder.door(door)).start()
}

fn flt_f30_a_remote_service_that_is_down_is_503_and_the_other_doors_open(db: Db) {
    let service = Service::start(says(ann())).unwrap();
    let site = site(db, &service);
    site.user("local");
    service.always(Reply::Cut);
    for _ in 0..8 {
        let answer = site.visitor().log_in("ann", RIGHT).expect_problem(503, "login_unavailable");
        assert!(answer.header("retry-after").is_some());
        site.visitor().log_in("local", PASSWORD).expect(200);
    }
    let failures = "select count(*) as answer from login_failures";
    assert_eq!(site.database.connection().number(failures), 0);
    let noted = site.audit_texts("login.undecided");
    assert_eq!(noted, ["unavailable"; 8]);
}

fn flt_f33_whatever_is_not_by_the_schema_lets_nobody_in(db: Db) {
    let service = Service::start(says(ann())).unwrap();
    let site = site(db, &service);
    let replies = [
        Reply::of(200, "text/html", "<html>pay here</html>"),
        Reply::json(&with(with(ann(), "version", json!(1)), "id", json!("of yesterday"))),
        Reply::status(401),
        Reply::status(204),
    ];
    for reply in replies {
        service.always(reply);
        site.visitor().log_in("ann", RIGHT).expect_problem(503, "login_unavailable");
    }
    let users = "select count(*) as answer from users";
    assert_eq!(site.database.connection().number(users), 0);
}

fn whom_it_knows_is_made_an_account_with_the_groups_it_tells(db: Db) {
    let service = Service::start(says(ann())).unwrap();
    let site = site(db, &service);
    let mut admin = site.admin();
    group(&mut admin, "beamline", "private");
    let mut visitor = site.visitor();
    let first = visitor.log_in("ann", RIGHT).expect(200).json();
    assert_eq!(first["user"]["username"], "ann");
    assert_eq!(first["user"]["first_name"], "Ann");
    assert_eq!(first["user"]["email"], "ann@cryolab.example");
    assert_eq!(first["groups"], json!(["beamline"]));
    site.visitor().log_in("ann", "wrong").expect(401);
    // Renamed there, it is the same person here.
    service.does(says(with(ann(), "username", json!("ann.able"))));
    let again = site.visitor().log_in("ann", RIGHT).expect(200).json();
    assert_eq!(again["user"]["id"], first["user"]["id"]);
    assert_eq!(again["user"]["username"], "ann");
    let asked = questions(&service).pop().unwrap();
    assert_eq!(asked.path, "/authenticate");
    let question: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(question["known_as"], "4711", "who she was there before");
}

fn its_groups_come_and_go_and_stay_when_it_tells_nothing(db: Db) {
    let service = Service::start(says(ann())).unwrap();
    let site = site(db, &service);
    let mut admin = site.admin();
    group(&mut admin, "beamline", "private");
    let own = group(&mut admin, "own", "private");
    let first = site.visitor().log_in("ann", RIGHT).expect(200).json();
    join(&mut admin, &own, first["user"]["id"].as_str().unwrap(), false);
    for (told, has) in [
        (json!("unchanged"), json!(["beamline", "own"])),
        (json!("unknown"), json!(["beamline", "own"])),
        (json!([]), json!(["own"])),
        (json!("unchanged"), json!(["own"])),
        (json!(["dewar-3", "no group of ours"]), json!(["beamline", "own"])),
    ] {
        service.does(says(with(ann(), "groups", told.clone())));
        let session = site.visitor().log_in("ann", RIGHT).expect(200).json();
        assert_eq!(session["groups"], has, "{told}");
    }
}

fn a_code_it_asks_for_goes_back_with_its_state_and_once(db: Db) {
    let service = Service::start(says(json!({
        "verdict": "challenge", "step": "code", "prompt": "Card 7", "state": "state-of-the-lab",
    })))
    .unwrap();
    let site = site(db, &service);
    let mut visitor = site.visitor();
    let wanted = visitor.log_in("ann", RIGHT).expect_problem(401, "second_factor_required");
    assert!(!wanted.text.contains("state-of-the-lab"), "the state is nobody's to see");
    let step = wanted.json()["step"].clone();
    assert_eq!(step["prompt"], "Card 7");
    questions(&service);
    service.does(says(ann()));
    let bring = json!({ "step": step["token"], "otp": "123456" });
    visitor.post("/api/v1/login", &bring).expect(200);
    let asked = questions(&service).pop().unwrap();
    let question: Value = serde_json::from_str(&asked.body).unwrap();
    let credential = &question["credential"];
    assert_eq!(credential["code"], "123456");
    assert_eq!(credential["state"], "state-of-the-lab");
    site.visitor().post("/api/v1/login", &bring).expect_problem(400, "step_lost");
    assert!(questions(&service).is_empty(), "a step is good for one attempt");
}
