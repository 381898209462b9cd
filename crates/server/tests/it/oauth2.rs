//! Providers of plain OAuth 2.0, as GitHub and its like are: a stand-in, since none of them can be
//! had here.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use url::Url;
use vestibule_auth::{
    backends::OAuth2Factory,
    testkit::{Asked, Reply, Service},
};
use vestibule_core::{
    domain::identity::BackendName,
    policy::chain::{Control, OnUnavailable},
    ports::backend::{BackendFactory, Section},
    usecase::login::Door,
};

use crate::support::{Answer, Db, Says, Script, TestSite, Visitor, on_every_database};

on_every_database!(
    seed_kt_10_the_user_is_whom_the_api_names_by_a_configured_field,
    seed_kt_11_a_code_is_taken_at_its_own_address_once_with_its_state,
    seed_kt_12_after_the_login_the_browser_is_where_it_wanted_to_be,
    seed_kt_13_refusals_outages_and_nonsense_give_a_page_and_no_session,
    atk_a100_the_code_of_one_provider_is_shown_to_no_other,
    a_name_that_its_owner_chose_there_is_nobodys_at_the_office,
);

/// What the API says of whoever logs in.
fn ann() -> Value {
    json!({ "id": 583_231, "login": "ann", "email": "ann@lab.example", "teams": ["lab"] })
}

fn provider(asked: &Asked) -> Reply {
    match asked.path.split('?').next().unwrap_or_default() {
        "/token" => {
            let sent: std::collections::BTreeMap<String, String> =
                url::form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect();
            let is_whole = sent.get("grant_type").is_some_and(|kind| kind == "authorization_code")
                && sent.get("code_verifier").is_some_and(|verifier| verifier.len() >= 43);
            match (is_whole, sent.get("code").map(String::as_str)) {
                (true, Some("right")) => Reply::json(
                    &json!({ "access_token": "an-access-token", "token_type": "bearer" }),
                ),
                _ => Reply::of(400, "application/json", r#"{"error":"invalid_grant"}"#),
            }
        }
        "/user" if asked.header("authorization") == Some("Bearer an-access-token") => {
            Reply::json(&ann())
        }
        _ => Reply::status(401),
    }
}

/// A door to a provider, by which accounts are made.
fn door(name: &str, service: &Service) -> Door {
    let section = Section::of(json!({
        "authorization_url": service.url("/authorize"),
        "token_url": service.url("/token"),
        "user_url": service.url("/user"),
        "client_id": "vestibule",
        "client_secret": "hunter2",
        "subject_field": "id",
        "username_field": "login",
        "email_field": "email",
        "groups_field": "teams",
        "timeout_seconds": 1.0,
    }));
    let backend = OAuth2Factory.build(BackendName::parse(name).unwrap(), section).unwrap();
    Door { create_users: true, ..Door::new(backend) }
}

fn site(db: Db, service: &Service) -> TestSite {
    let door = door("hub", service);
    TestSite::plan(db).extend(move |builder| builder.door(door)).start()
}

/// Off to the provider; answers the state that has to come back.
fn depart(visitor: &mut Visitor, next: &str) -> String {
    let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    let answer = visitor.get(&format!("/auth/hub/login?next={next}")).expect(303);
    let url: Url = answer.header("location").unwrap().parse().unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    assert!(url.query_pairs().any(|pair| pair == ("code_challenge_method".into(), "S256".into())));
    state
}

fn back(visitor: &mut Visitor, query: &str) -> Answer {
    visitor.get(&format!("/auth/hub/callback?{query}"))
}

fn seed_kt_10_the_user_is_whom_the_api_names_by_a_configured_field(db: Db) {
    let service = Service::start(provider).unwrap();
    let site = site(db, &service);
    let mut visitor = site.visitor();
    let state = depart(&mut visitor, "/");
    back(&mut visitor, &format!("code=right&state={state}")).expect(303);
    let user = visitor.get("/api/v1/session").expect(200).json()["user"].clone();
    assert_eq!(user["username"], "ann");
    // The provider does not say that it made sure of the address.
    assert_eq!(user["email"], Value::Null);
    for asked in service.asked() {
        assert!(!asked.path.contains("access-token"), "the token stood in an address: {asked:?}");
    }
}

fn seed_kt_11_a_code_is_taken_at_its_own_address_once_with_its_state(db: Db) {
    let service = Service::start(provider).unwrap();
    let site = site(db, &service);
    let mut visitor = site.visitor();
    let state = depart(&mut visitor, "/");
    for page in ["/", "/login", "/own/maybe", "/api/v1/login", "/auth/local/callback"] {
        visitor.get(&format!("{page}?code=right&state={state}"));
        assert!(!visitor.is_in(), "{page}");
    }
    assert!(service.asked().is_empty(), "a code was sent on from a foreign page");
    back(&mut visitor, "code=right").expect(400);
    back(&mut visitor, "code=right&state=made-up").expect(400);
    // Of two states none is picked: one side may read the first and another the last.
    for two in ["{}&state=other", "other&state={}", "{}&state={}"] {
        let states = two.replace("{}", &depart(&mut visitor, "/"));
        back(&mut visitor, &format!("code=right&state={states}")).expect(400);
        assert!(!visitor.is_in() && service.asked().is_empty(), "{two}");
    }
    let state = depart(&mut visitor, "/");
    back(&mut visitor, &format!("code=right&state={state}")).expect(303);
    back(&mut site.visitor(), &format!("code=right&state={state}")).expect(400);
}

fn seed_kt_12_after_the_login_the_browser_is_where_it_wanted_to_be(db: Db) {
    let service = Service::start(provider).unwrap();
    let site = site(db, &service);
    let mut visitor = site.visitor();
    visitor.headers.push(("accept".to_owned(), "text/html".to_owned()));
    // The page asked for leads to the login page, and its button back to the page.
    let sent = visitor.get("/own/whoami?x=1").expect(303);
    let login = sent.header("location").unwrap().to_owned();
    let page = visitor.get(&login).expect(200).text;
    let (_, button) = page.split_once("href=\"/auth/hub/login?next=").expect("a button");
    let next = button.split('"').next().unwrap();
    let next: String = url::form_urlencoded::parse(format!("next={next}").as_bytes())
        .next()
        .unwrap()
        .1
        .into_owned();
    let state = depart(&mut visitor, &next);
    let home = back(&mut visitor, &format!("code=right&state={state}")).expect(303);
    assert_eq!(home.header("location"), Some("/own/whoami?x=1"));
}

fn seed_kt_13_refusals_outages_and_nonsense_give_a_page_and_no_session(db: Db) {
    let service = Service::start(provider).unwrap();
    let site = site(db, &service);
    let tell = |visitor: &mut Visitor, query: &str, status: u16| {
        let state = depart(visitor, "/");
        let answer = back(visitor, &format!("{query}&state={state}")).expect(status);
        assert!(answer.text.contains("<h1>Log in</h1>"), "{}", answer.text);
        assert!(!visitor.is_in());
    };
    let mut visitor = site.visitor();
    tell(&mut visitor, "error=access_denied", 401);
    tell(&mut visitor, "code=wrong", 401);
    let reply = Arc::new(Mutex::new(Reply::status(500)));
    let shared = Arc::clone(&reply);
    service.does(move |_| shared.lock().unwrap().clone());
    for nonsense in [
        Reply::status(500),
        Reply::Hang,
        Reply::Noise,
        Reply::of(200, "text/html", "<html>a portal</html>"),
    ] {
        *reply.lock().unwrap() = nonsense;
        tell(&mut visitor, "code=right", 503);
    }
    assert_eq!(site.audit_texts("login.failed").len(), 2);
    assert_eq!(site.audit_texts("login.undecided").len(), 4);
}

fn atk_a100_the_code_of_one_provider_is_shown_to_no_other(db: Db) {
    let (service, other) = (Service::start(provider).unwrap(), Service::start(provider).unwrap());
    for (control, status) in [(Control::Optional, 303), (Control::Required, 401)] {
        let mut doors = vec![door("other", &other), door("hub", &service)];
        doors[0].place.control = control;
        let extend =
            move |builder| doors.into_iter().fold(builder, vestibule_server::Builder::door);
        let site = TestSite::plan(db).extend(extend).start();
        let mut visitor = site.visitor();
        let state = depart(&mut visitor, "/");
        other.asked();
        back(&mut visitor, &format!("code=right&state={state}")).expect(status);
        assert_eq!(visitor.is_in(), status == 303);
        assert_eq!(other.asked(), [], "{control}: it was shown what is not its own");
    }
}

fn a_name_that_its_owner_chose_there_is_nobodys_at_the_office(db: Db) {
    let service = Service::start(provider).unwrap();
    let hub = door("hub", &service);
    let given = Door { trust_names: true, ..hub.clone() };
    let site = TestSite::plan(db).extend(move |builder| builder.door(given)).start();
    let log_in = |site: &TestSite| {
        let mut visitor = site.visitor();
        let state = depart(&mut visitor, "/");
        back(&mut visitor, &format!("code=right&state={state}")).status
    };
    assert_eq!(log_in(&site), 303);
    // Of this Ann nobody knows whether she is the one of the list.
    let office = Script::new("office", Says::verified("ann"));
    let listed = office.entitling(Control::Required, OnUnavailable::Fail);
    for (trust_names, status, asked) in [(false, 401, vec![]), (true, 303, vec!["ann"])] {
        let doors = [Door { trust_names, ..hub.clone() }, listed.clone()];
        let extend =
            move |builder| doors.into_iter().fold(builder, vestibule_server::Builder::door);
        assert_eq!(log_in(&site.replica_with(extend)), status);
        assert_eq!(office.asked(), asked);
    }
}
