//! People who are not what they were, elsewhere: asked about again without them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vestibule_core::{
    domain::identity::Subject,
    policy::chain::{Control, OnUnavailable},
    ports::backend::{Assertion, Fault, RejectReason},
    usecase::login::{Door, Refreshed},
};

use crate::support::{Db, PASSWORD, Says, Script, TestSite, Visitor, group, on_every_database};

on_every_database!(
    a_leaver_is_out_without_logging_in_again,
    nobody_is_asked_about_before_their_time,
    what_cannot_be_asked_stays_and_is_marked_as_old,
    a_backend_that_is_down_is_asked_once_and_not_about_everybody,
    groups_follow_what_is_told_without_the_visitor,
    whoever_is_let_in_by_memory_is_marked_as_old,
    whom_one_has_to_verify_everybody_takes_out_is_out_by_every_door,
    what_came_by_a_name_that_could_be_chosen_goes,
    one_that_refuses_nobody_ends_no_session,
    a_link_that_is_no_more_takes_nothing_of_another,
);

const HOUR: Duration = Duration::from_hours(1);

fn says(groups: &[&str]) -> Says {
    let assertion = Assertion::new(Subject::parse("n-17").unwrap()).with_username("anna");
    Says::Verified(Box::new(assertion.with_groups(groups.iter().copied())))
}

/// By which people come in, and which can be asked about them.
fn by_ldap(script: &Script) -> Door {
    Door {
        create_users: true,
        refresh: Some(HOUR),
        groups: [("theirs", "ours"), ("more", "more")]
            .map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned()))
            .into(),
        ..script.entitling(Control::Sufficient, OnUnavailable::Fail)
    }
}

fn site(db: Db, door: Door) -> (TestSite, String) {
    let site = TestSite::plan(db).extend(move |builder| builder.door(door)).start();
    let mut admin = site.admin();
    let ours = group(&mut admin, "ours", "private");
    group(&mut admin, "more", "private");
    (site, ours)
}

fn enter(site: &TestSite, backend: &str) -> Visitor {
    let mut visitor = site.visitor();
    let body = json!({ "backend": backend, "username": "anna", "password": "a password" });
    visitor.post("/api/v1/login", &body).expect(200);
    visitor
}

fn refresh(site: &TestSite) -> Refreshed {
    let cx = site.vestibule.job_cx("refresh");
    // Backends wait by a clock that runs in a runtime alone.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(site.vestibule.site().services.login.refresh(&cx)).unwrap()
}

fn groups(visitor: &mut Visitor) -> Value {
    visitor.get("/api/v1/session").expect(200).json()["groups"].clone()
}

/// Where the first member's membership comes from.
fn sources(site: &TestSite, group: &str) -> Value {
    let mut admin = site.visitor();
    admin.log_in("admin", PASSWORD).expect(200);
    let path = format!("/api/v1/groups/{group}/members");
    let members = admin.get(&path).expect(200).json();
    members["results"].as_array().unwrap().first().map_or(json!(null), |m| m["sources"].clone())
}

fn a_leaver_is_out_without_logging_in_again(db: Db) {
    let ldap = Script::new("ldap", says(&["theirs"]));
    let (site, ours) = site(db, by_ldap(&ldap));
    let mut anna = enter(&site, "ldap");
    assert_eq!(groups(&mut anna), json!(["ours"]));
    ldap.asked();
    ldap.says(Says::Rejected(RejectReason::Disabled));
    site.clock.advance(HOUR);
    assert_eq!(refresh(&site), Refreshed { withdrawn: 1, ..Refreshed::default() });
    assert_eq!(ldap.asked(), ["n-17"], "asked by what the backend calls her, and no password");
    assert!(!anna.is_in());
    assert_eq!(sources(&site, &ours), json!(null));
    assert_eq!(site.audit_texts("identity.withdrawn"), ["refresh of ldap"]);
    // Whoever comes back there comes back here.
    ldap.says(says(&["theirs"]));
    assert_eq!(groups(&mut enter(&site, "ldap")), json!(["ours"]));
}

fn nobody_is_asked_about_before_their_time(db: Db) {
    let ldap = Script::new("ldap", says(&[]));
    let (site, _) = site(db, by_ldap(&ldap));
    enter(&site, "ldap");
    ldap.asked();
    site.clock.advance(Duration::from_secs(3599));
    assert_eq!(refresh(&site), Refreshed::default());
    site.clock.advance(Duration::from_secs(1));
    assert_eq!(refresh(&site).confirmed, 1);
    // And not at each round from then on.
    assert_eq!(refresh(&site), Refreshed::default());
    assert_eq!(ldap.asked().len(), 1);
}

fn what_cannot_be_asked_stays_and_is_marked_as_old(db: Db) {
    let ldap = Script::new("ldap", says(&["theirs"]));
    let (site, ours) = site(db, by_ldap(&ldap));
    let mut anna = enter(&site, "ldap");
    let fresh = json!([{ "backend": "ldap", "stale_since": null }]);
    assert_eq!(sources(&site, &ours), fresh);
    ldap.says(Says::unavailable());
    site.clock.advance(HOUR);
    let since = site.vestibule.job_cx("test").now().to_string();
    assert_eq!(refresh(&site).stale, 1);
    assert!(anna.is_in());
    assert_eq!(groups(&mut anna), json!(["ours"]));
    let stale = json!([{ "backend": "ldap", "stale_since": since }]);
    assert_eq!(sources(&site, &ours), stale);
    // Asked again after some minutes; the mark says since when.
    assert_eq!(refresh(&site), Refreshed::default());
    site.clock.advance(Duration::from_mins(5));
    assert_eq!(refresh(&site).stale, 1);
    assert_eq!(sources(&site, &ours), stale);
    ldap.says(says(&["theirs"]));
    site.clock.advance(Duration::from_mins(5));
    assert_eq!(refresh(&site).confirmed, 1);
    assert_eq!(sources(&site, &ours), fresh);
}

fn a_backend_that_is_down_is_asked_once_and_not_about_everybody(db: Db) {
    let ldap = Script::new("ldap", Says::verified("n-17"));
    let (site, _) = site(db, by_ldap(&ldap));
    for subject in ["n-17", "n-18", "n-19"] {
        ldap.says(Says::verified(subject));
        enter(&site, "ldap");
    }
    ldap.says(Says::unavailable());
    site.clock.advance(HOUR);
    ldap.asked();
    assert_eq!(refresh(&site).stale, 3);
    assert_eq!(ldap.asked().len(), 1);
    // One that answers of somebody that it does not know what to say is asked about the others.
    ldap.says(Says::Fault(Fault::protocol("no sense in it")));
    site.clock.advance(Duration::from_mins(5));
    assert_eq!(refresh(&site).stale, 3);
    assert_eq!(ldap.asked().len(), 3);
}

fn groups_follow_what_is_told_without_the_visitor(db: Db) {
    let ldap = Script::new("ldap", says(&["theirs"]));
    let (site, _) = site(db, by_ldap(&ldap));
    let mut anna = enter(&site, "ldap");
    ldap.says(says(&["more"]));
    site.clock.advance(HOUR);
    refresh(&site);
    assert_eq!(groups(&mut anna), json!(["more"]));
}

fn office(office: &Script) -> Door {
    let eight = OnUnavailable::Cached(Duration::from_hours(8));
    Door {
        refresh: Some(HOUR),
        groups: [("theirs".to_owned(), "ours".to_owned())].into(),
        ..office.entitling(Control::Required, eight)
    }
}

fn whoever_is_let_in_by_memory_is_marked_as_old(db: Db) {
    let script = Script::new("office", says(&["theirs"]));
    let (site, ours) = site(db, office(&script));
    // The administrator was made before the office was asked about anybody.
    site.user("anna");
    let log_in = || {
        let mut anna = site.visitor();
        anna.log_in("anna", PASSWORD).expect(200);
        anna
    };
    assert_eq!(groups(&mut log_in()), json!(["ours"]));
    assert_eq!(sources(&site, &ours)[0]["stale_since"], json!(null));
    script.says(Says::unavailable());
    site.clock.advance(Duration::from_mins(20));
    let since = site.vestibule.job_cx("test").now().to_string();
    assert_eq!(groups(&mut log_in()), json!(["ours"]), "what is known survives");
    assert_eq!(sources(&site, &ours)[0]["stale_since"], since);
    script.says(says(&["theirs"]));
    log_in();
    assert_eq!(sources(&site, &ours)[0]["stale_since"], json!(null));
}

fn whom_one_has_to_verify_everybody_takes_out_is_out_by_every_door(db: Db) {
    let script = Script::new("office", says(&[]));
    let (site, _) = site(db, office(&script));
    let mut anna = site.logged_in("anna");
    script.says(Says::Rejected(RejectReason::NotEntitled));
    site.clock.advance(HOUR);
    let done = refresh(&site);
    assert!(done.withdrawn >= 1, "{done:?}");
    assert!(!anna.is_in(), "her session was opened by her password here");
    // And whoever cannot be asked about her now does not let her in by what was known before.
    script.says(Says::unavailable());
    site.visitor().log_in("anna", PASSWORD).expect(503);
    script.says(Says::Rejected(RejectReason::NotEntitled));
    site.visitor().log_in("anna", PASSWORD).expect(401);
}

fn what_came_by_a_name_that_could_be_chosen_goes(db: Db) {
    let script = Script::new("office", says(&["theirs"]));
    let mut listed = office(&script);
    listed.place.control = Control::Optional;
    let (site, ours) = site(db, listed.clone());
    site.logged_in("anna");
    assert_eq!(sources(&site, &ours)[0]["backend"], "office");
    script.asked();
    // Since then people make their accounts themselves.
    let extend = move |builder: vestibule_server::Builder| builder.door(listed);
    let open = site.replica_as(&[("registration.mode", "open")], extend);
    site.clock.advance(HOUR);
    assert!(refresh(&open).withdrawn >= 1);
    assert!(script.asked().is_empty(), "asked about whoever is called so there");
    assert_eq!(sources(&open, &ours), json!(null));
}

fn one_that_refuses_nobody_ends_no_session(db: Db) {
    let script = Script::new("office", says(&["theirs"]));
    let mut listed = office(&script);
    listed.place.control = Control::Optional;
    let (site, _) = site(db, listed);
    let mut anna = site.logged_in("anna");
    assert_eq!(groups(&mut anna), json!(["ours"]));
    script.says(Says::Rejected(RejectReason::NotEntitled));
    site.clock.advance(HOUR);
    assert!(refresh(&site).withdrawn >= 1);
    assert_eq!(groups(&mut anna), json!([]), "she is still in, and what came by it is gone");
}

fn a_link_that_is_no_more_takes_nothing_of_another(db: Db) {
    let person = |subject: &str, groups: &[&str]| {
        let assertion = Assertion::new(Subject::parse(subject).unwrap()).with_username("anna");
        Says::Verified(Box::new(assertion.with_groups(groups.iter().copied())))
    };
    let ldap = Script::new("ldap", person("n-17", &["theirs"]));
    let (site, _) = site(db, by_ldap(&ldap));
    let mut anna = site.visitor();
    anna.log_in("anna", "a password").expect(200);
    ldap.says(person("n-18", &["more"]));
    let proof = json!({ "backend": "ldap", "username": "other", "password": "a password" });
    anna.post("/api/v1/identities", &proof).expect(201);
    let mut ask = |first: Says, second: Says| {
        ldap.says(Says::Of(vec![("n-17", first), ("n-18", second)]));
        site.clock.advance(HOUR);
        let done = refresh(&site);
        (done, if anna.is_in() { groups(&mut anna) } else { json!(null) })
    };
    let none = Refreshed::default();
    let disabled = || Says::Rejected(RejectReason::Disabled);
    let (first, second) = (|| person("n-17", &["theirs"]), || person("n-18", &["more"]));
    let confirmed = Refreshed { confirmed: 1, ..none };
    assert_eq!(ask(first(), second()), (confirmed, json!(["more", "ours"])));
    assert_eq!(ask(disabled(), second()), (confirmed, json!(["more"])));
    assert_eq!(ask(first(), disabled()), (confirmed, json!(["ours"])));
    // While one of them cannot be asked about, nothing is taken away.
    let fault = Says::Fault(Fault::protocol("no sense in it"));
    assert_eq!(ask(fault, disabled()), (Refreshed { stale: 1, ..none }, json!(["ours"])));
    assert_eq!(ask(disabled(), disabled()), (Refreshed { withdrawn: 1, ..none }, json!(null)));
}

#[test]
fn the_server_asks_by_itself() {
    let ldap = Script::new("ldap", says(&[]));
    let (site, _) = site(Db::Sqlite, by_ldap(&ldap));
    let mut anna = enter(&site, "ldap");
    ldap.says(Says::Rejected(RejectReason::Disabled));
    site.clock.advance(HOUR);
    let began = Instant::now();
    while anna.is_in() {
        assert!(began.elapsed() < Duration::from_mins(1), "nobody asked");
        std::thread::sleep(Duration::from_millis(200));
    }
}
