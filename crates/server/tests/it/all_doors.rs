//! Every way in that there is, at one server: one person, one account.

use std::env;

use serde_json::{Value, json};
use vestibule_auth::{
    backends::{
        LdapFactory, OAuth2Factory, OidcFactory, PamFactory, RemoteFactory, ShibbolethFactory,
        UserOfficeFactory,
    },
    testkit::{Asked, Reply, Service},
};
use vestibule_core::{
    domain::identity::BackendName,
    ports::backend::{BackendFactory, Section},
    usecase::login::Door,
};

use crate::{
    oidc::{arrive, depart, now, pass_as},
    support::{Answer, Db, PASSWORD, TestSite, Visitor},
};

const HASH: &str = "6f1c9c1e-0d0f-4d43-9b1a-1b2f3c4d5e01";

fn told(name: &str) -> String {
    let name = format!("VESTIBULE_TEST_{name}");
    env::var(&name).unwrap_or_else(|_| panic!("{name} is not set: scripts/test sets it"))
}

fn door(factory: &dyn BackendFactory, name: &str, keys: Value) -> Door {
    let name = BackendName::parse(name).unwrap();
    Door::new(factory.build(name, Section::of(keys)).unwrap())
}

/// A service in any language that knows Anna, and a hub that does.
fn stand_in(asked: &Asked) -> Reply {
    match asked.path.as_str() {
        "/token" => Reply::json(&json!({ "access_token": "t", "token_type": "Bearer" })),
        "/user" => Reply::json(&json!({ "id": 17, "login": "anna-at-hub" })),
        _ => {
            let question: Value = serde_json::from_str(&asked.body).unwrap();
            let is_right = question["credential"]["password"] == "remote password";
            let mut answer = if is_right {
                json!({ "verdict": "verified", "subject": "4711", "username": "anna" })
            } else {
                json!({ "verdict": "rejected", "reason": "bad_or_unknown" })
            };
            (answer["version"], answer["id"]) = (json!(1), question["id"].clone());
            Reply::json(&answer)
        }
    }
}

fn doors(service: &Service) -> Vec<Door> {
    vec![
        door(
            &PamFactory,
            "unix",
            json!({
                "service": "unix",
                "service_dir": told("PAM_CONFDIR"),
                "helper": env!("CARGO_BIN_EXE_vestibule-pam-helper"),
            }),
        ),
        door(
            &LdapFactory,
            "directory",
            json!({
                "url": told("LDAP"),
                "bind_dn": told("LDAP_READER_DN"),
                "bind_password": told("LDAP_READER_PASSWORD"),
                "user_base": format!("ou=people,{}", told("LDAP_SUFFIX")),
            }),
        ),
        door(
            &UserOfficeFactory,
            "office",
            json!({ "login_url": format!("{}/w/all-doors/login", told("USER_OFFICE")) }),
        ),
        door(
            &RemoteFactory,
            "cryolab",
            json!({ "url": service.url("/"), "token": "the-token-of-the-hall" }),
        ),
        door(
            &OidcFactory,
            "idp",
            json!({
                "issuer": told("OIDC"),
                "client_id": told("OIDC_CLIENT"),
                "client_secret": told("OIDC_SECRET"),
            }),
        ),
        door(
            &OAuth2Factory,
            "hub",
            json!({
                "authorization_url": service.url("/authorize"),
                "token_url": service.url("/token"),
                "user_url": service.url("/user"),
                "client_id": "vestibule",
                "subject_field": "id",
                "username_field": "login",
            }),
        ),
        door(&ShibbolethFactory, "umbrella", json!({})),
    ]
}

/// The name and the password at each of the doors that take them.
fn passwords() -> Vec<(&'static str, String, String)> {
    let same = |name: &str| (name.to_owned(), format!("{name}-pass-1"));
    let unix = (told("PAM_OK_USER"), told("PAM_OK_PASSWORD"));
    let remote = ("anna".to_owned(), "remote password".to_owned());
    [("unix", unix), ("directory", same("ann")), ("office", same("anna")), ("cryolab", remote)]
        .map(|(backend, (name, password))| (backend, name, password))
        .into()
}

fn at_hub(visitor: &mut Visitor, at: &url::Url) -> Answer {
    let state = at.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    visitor.get(&format!("/auth/hub/callback?code=right&state={state}"))
}

fn begin_link(visitor: &mut Visitor, backend: &str) -> url::Url {
    let begun = visitor.post("/api/v1/identities", &json!({ "backend": backend })).expect(202);
    begun.json()["location"].as_str().unwrap().parse().unwrap()
}

fn umbrella<T>(visitor: &mut Visitor, act: impl FnOnce(&mut Visitor) -> T) -> T {
    visitor.headers.push(("EAAHash".to_owned(), HASH.to_owned()));
    let done = act(visitor);
    visitor.headers.pop();
    done
}

fn link_all(anna: &mut Visitor) {
    for (backend, username, password) in passwords() {
        let proof = json!({ "backend": backend, "username": username, "password": password });
        anna.post("/api/v1/identities", &proof).expect(201);
    }
    let back = pass_as("ann", &begin_link(anna, "idp"));
    arrive(anna, &back).expect(303);
    let at = begin_link(anna, "hub");
    at_hub(anna, &at).expect(303);
    umbrella(anna, |anna| {
        let page = anna.get("/auth/umbrella/assert?link=1").expect(200).text;
        let (_, rest) = page.split_once("name=\"csrf_token\" value=\"").unwrap();
        let token = rest.split('"').next().unwrap().to_owned();
        anna.form("/auth/umbrella/assert", &[("csrf_token", &token)]).expect(303);
    });
}

fn is_anna(site: &TestSite, visitor: &mut Visitor, id: &Value) {
    assert_eq!(&visitor.get("/api/v1/session").expect(200).json()["user"]["id"], id);
    // Events of one millisecond have no order.
    site.clock.advance(std::time::Duration::from_millis(5));
}

#[test]
fn one_person_gets_in_by_every_door_into_one_account_and_the_log_says_which() {
    let service = Service::start(stand_in).unwrap();
    let doors = doors(&service);
    let plan = TestSite::plan(Db::Sqlite).set("server.trusted_proxies", "[\"127.0.0.1\"]");
    let extend = move |builder| doors.into_iter().fold(builder, vestibule_server::Builder::door);
    let site = plan.extend(extend).start();
    site.clock.set(now());
    let id = json!(site.user("anna"));
    let mut anna = site.visitor();
    anna.log_in("anna", PASSWORD).expect(200);
    is_anna(&site, &mut anna, &id);
    link_all(&mut anna);
    let links = anna.get("/api/v1/identities").expect(200).json();
    assert_eq!(links["count"], 7, "{links}");

    for (backend, username, password) in passwords() {
        let mut visitor = site.visitor();
        let body = json!({ "backend": backend, "username": username, "password": password });
        visitor.post("/api/v1/login", &body).expect(200);
        is_anna(&site, &mut visitor, &id);
    }
    let mut visitor = site.visitor();
    let back = pass_as("ann", &depart(&mut visitor, "idp", "/"));
    arrive(&mut visitor, &back).expect(303);
    is_anna(&site, &mut visitor, &id);
    let mut visitor = site.visitor();
    let at = depart(&mut visitor, "hub", "/");
    at_hub(&mut visitor, &at).expect(303);
    is_anna(&site, &mut visitor, &id);
    let mut visitor = site.visitor();
    umbrella(&mut visitor, |visitor| visitor.get("/auth/umbrella/assert").expect(303));
    is_anna(&site, &mut visitor, &id);

    let log = site.audit_texts("login.succeeded");
    assert_eq!(log, ["local", "unix", "directory", "office", "cryolab", "idp", "hub", "umbrella"]);
    // And all the ways are told.
    let ways = site.visitor().get("/api/v1/login").expect(200).json();
    assert_eq!(ways["backends"].as_array().unwrap().len(), 8, "{ways}");
}

#[test]
fn flt_f30_an_office_that_is_down_keeps_local_and_unix_people_in() {
    let service = Service::start(stand_in).unwrap();
    let mut doors = doors(&service);
    doors.retain(|door| door.name().as_str() == "unix");
    let closed = json!({ "login_url": format!("{}/login", told("USER_OFFICE_CLOSED")) });
    doors.push(door(&UserOfficeFactory, "office", closed));
    let extend = move |builder| doors.into_iter().fold(builder, vestibule_server::Builder::door);
    let site = TestSite::plan(Db::Sqlite).extend(extend).start();
    let mut anna = site.visitor();
    site.user("anna");
    let (name, password) = (told("PAM_OK_USER"), told("PAM_OK_PASSWORD"));
    anna.log_in("anna", PASSWORD).expect(200);
    let proof = json!({ "backend": "unix", "username": name, "password": password });
    anna.post("/api/v1/identities", &proof).expect(201);
    for _ in 0..7 {
        let body = json!({ "backend": "office", "username": "anna", "password": "anna-pass-1" });
        let answer = site.visitor().post("/api/v1/login", &body).expect(503);
        assert!(answer.header("retry-after").is_some());
    }
    site.visitor().log_in("anna", PASSWORD).expect(200);
    let unix = json!({ "backend": "unix", "username": name, "password": password });
    site.visitor().post("/api/v1/login", &unix).expect(200);
    assert_eq!(site.audit_texts("login.failed"), Vec::<String>::new());
}
