//! A facility's user office as one of the doors.

use serde_json::{Value, json};
use vestibule_auth::{
    backends::UserOfficeFactory,
    testkit::{Asked, Reply, Service},
};
use vestibule_core::{
    Secret,
    domain::identity::BackendName,
    policy::chain::{Control, OnUnavailable, Place},
    ports::backend::{BackendFactory, Section},
    usecase::login::Door,
};

use crate::support::{Db, PASSWORD, TestSite, on_every_database, questions};

on_every_database!(
    seed_cp_3_an_office_that_is_down_is_503_and_locks_nobody_out,
    seed_cp_4_the_first_login_makes_the_account_where_that_is_allowed,
    seed_cp_5_the_order_is_kept_and_each_password_goes_one_way,
    seed_cp_6_people_of_the_same_name_here_and_there_stay_two,
    seed_cp_8_everybody_is_told_which_ways_in_there_are,
    seed_cp_17_the_office_says_who_of_our_own_may_come_in,
);

fn office(asked: &Asked) -> Reply {
    let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    if asked.path == "/authorized" {
        return Reply::json(&json!({ "result": body["login"] != "former" }));
    }
    match (body["username"].as_str(), body["password"].as_str()) {
        (Some("anna" | "local"), Some("secret there")) => Reply::status(200),
        _ => Reply::status(401),
    }
}

fn door(service: &Service, keys: &Value, place: Place) -> Door {
    let mut all = keys.clone();
    for key in ["login_url", "authorized_url"] {
        if let Some(path) = all[key].as_str().map(str::to_owned) {
            all[key] = json!(service.url(&path));
        }
    }
    let section = Section::of(all).with_secret("password", Secret::new("hunter2"));
    let backend = UserOfficeFactory.build(BackendName::parse("office").unwrap(), section);
    Door { place, create_users: true, ..Door::new(backend.unwrap()) }
}

fn by_login(service: &Service) -> Door {
    door(service, &json!({ "login_url": "/login", "timeout_seconds": 1.0 }), Place::default())
}

fn site(db: Db, door: Door) -> TestSite {
    TestSite::plan(db).extend(move |builder| builder.door(door)).start()
}

fn seed_cp_3_an_office_that_is_down_is_503_and_locks_nobody_out(db: Db) {
    let service = Service::start(office).unwrap();
    let site = site(db, by_login(&service));
    site.user("local");
    service.always(Reply::status(500));
    for _ in 0..8 {
        let answer = site.visitor().log_in("anna", "secret there");
        let answer = answer.expect_problem(503, "login_unavailable");
        assert!(answer.header("retry-after").is_some());
        site.visitor().log_in("local", PASSWORD).expect(200);
    }
    let failures = "select count(*) as answer from login_failures";
    assert_eq!(site.database.connection().number(failures), 0);
}

fn seed_cp_4_the_first_login_makes_the_account_where_that_is_allowed(db: Db) {
    let service = Service::start(office).unwrap();
    let allowed = site(db, by_login(&service));
    let first = allowed.visitor().log_in("anna", "secret there").expect(200).json();
    assert_eq!(first["user"]["username"], "anna");
    let again = allowed.visitor().log_in("ANNA", "secret there").expect(200).json();
    assert_eq!(again["user"]["id"], first["user"]["id"], "by the name the office knows");
    allowed.visitor().log_in("anna", "wrong").expect(401);
    let hashes = allowed.database.connection().texts("select password as answer from users");
    assert_eq!(hashes, ["!"], "there is no password here that could match");

    let refused = site(db, Door { create_users: false, ..by_login(&service) });
    refused.visitor().log_in("anna", "secret there").expect_problem(403, "no_account");
    let users = "select count(*) as answer from users";
    assert_eq!(refused.database.connection().number(users), 0);
}

fn seed_cp_5_the_order_is_kept_and_each_password_goes_one_way(db: Db) {
    let service = Service::start(office).unwrap();
    let site = site(db, by_login(&service));
    site.user("local");
    site.visitor().log_in("local", PASSWORD).expect(200);
    site.visitor().log_in("local", "wrong as can be").expect(401);
    assert!(questions(&service).is_empty(), "what is ours is nobody else's to see");
    site.visitor().log_in("anna", "secret there").expect(200);
    assert_eq!(questions(&service).len(), 1);
}

fn seed_cp_6_people_of_the_same_name_here_and_there_stay_two(db: Db) {
    let service = Service::start(office).unwrap();
    let site = site(db, by_login(&service));
    let local = site.user("local");
    // The password of the other one does not open it, by neither way.
    site.visitor().log_in("local", "secret there").expect(401);
    let body = json!({ "username": "local", "password": "secret there", "backend": "office" });
    site.visitor().post("/api/v1/login", &body).expect_problem(403, "link_needed");
    let own = site.visitor().log_in("local", PASSWORD).expect(200).json();
    assert_eq!(own["user"]["id"], local);
}

fn seed_cp_8_everybody_is_told_which_ways_in_there_are(db: Db) {
    let service = Service::start(office).unwrap();
    let site = site(db, by_login(&service));
    let ways = site.visitor().get("/api/v1/login").expect(200).json();
    assert_eq!(ways["backends"], json!(["local", "office"]));
}

fn seed_cp_17_the_office_says_who_of_our_own_may_come_in(db: Db) {
    let service = Service::start(office).unwrap();
    let keys = json!({ "authorized_url": "/authorized", "username": "hall" });
    let place = Place { control: Control::Required, on_unavailable: OnUnavailable::Fail };
    let site = site(db, door(&service, &keys, place));
    site.user("anna");
    site.user("former");
    site.visitor().log_in("anna", PASSWORD).expect(200);
    site.visitor().log_in("former", PASSWORD).expect(401);
    for asked in questions(&service) {
        assert!(!asked.body.contains(PASSWORD), "it is asked for names alone");
    }
    service.always(Reply::Cut);
    site.visitor().log_in("anna", PASSWORD).expect(503);
}
