//! Binding who somebody is elsewhere to the account they are logged in to.

use std::time::Duration;

use serde_json::{Value, json};
use vestibule_core::{
    Secret,
    domain::identity::Subject,
    policy::chain::Control,
    ports::backend::{Assertion, RejectReason},
    usecase::login::Door,
};

use crate::support::{
    Db, PASSWORD, Says, Script, TestSite, Visitor, block_on, group, on_every_database,
};

on_every_database!(
    one_person_gets_in_by_each_door_and_the_log_says_which,
    atk_a104_a_link_takes_both_proofs_in_one_browser,
    atk_a104_an_identity_of_somebody_else_is_not_to_be_had,
    atk_a101_a_link_takes_the_proof_that_a_page_of_ours_asked,
    guesses_at_people_elsewhere_count_as_guesses,
    the_last_way_into_an_account_stays,
    what_leads_in_no_more_is_no_way_in,
    what_came_by_a_link_goes_with_it,
);

fn says(subject: &str) -> Says {
    let assertion = Assertion::new(Subject::parse(subject).unwrap()).with_username("elsewhere");
    Says::Verified(Box::new(assertion))
}

fn site(db: Db, scripts: &[&Script]) -> TestSite {
    let groups = [("theirs".to_owned(), "ours".to_owned())];
    let doors: Vec<Door> = scripts
        .iter()
        .map(|script| Door { groups: groups.clone().into(), ..script.door() })
        .collect();
    let extend = move |builder| doors.into_iter().fold(builder, vestibule_server::Builder::door);
    TestSite::plan(db).extend(extend).start()
}

fn proof(backend: &str) -> Value {
    json!({ "backend": backend, "username": "whoever", "password": "a password" })
}

fn enter(site: &TestSite, backend: &str) -> Value {
    site.clock.advance(Duration::from_millis(5));
    site.visitor().post("/api/v1/login", &proof(backend)).expect(200).json()["user"]["id"].clone()
}

fn linked(visitor: &mut Visitor) -> usize {
    visitor.get("/api/v1/identities").expect(200).json()["results"].as_array().unwrap().len()
}

fn one_person_gets_in_by_each_door_and_the_log_says_which(db: Db) {
    let (unix, ldap) = (Script::new("unix", says("1001")), Script::new("ldap", says("cn=anna")));
    let site = site(db, &[&unix, &ldap]);
    let id = json!(site.user("anna"));
    let mut anna = site.visitor();
    anna.log_in("anna", PASSWORD).expect(200);
    for (backend, subject) in [("unix", "1001"), ("ldap", "cn=anna")] {
        let made = anna.post("/api/v1/identities", &proof(backend)).expect(201).json();
        assert_eq!((&made["backend"], &made["subject"]), (&json!(backend), &json!(subject)));
        // Once more is no harm.
        anna.post("/api/v1/identities", &proof(backend)).expect(201);
    }
    assert_eq!(linked(&mut anna), 2);
    assert_eq!(enter(&site, "unix"), id);
    assert_eq!(enter(&site, "ldap"), id);
    site.clock.advance(Duration::from_millis(5));
    site.visitor().log_in("anna", PASSWORD).expect(200);
    let doors = site.audit_texts("login.succeeded");
    assert_eq!(doors, ["local", "unix", "ldap", "local"]);
    let rights = site.audit_texts("identity.linked");
    assert_eq!(rights, ["own account, both proved", "own account, both proved"]);
}

fn atk_a104_a_link_takes_both_proofs_in_one_browser(db: Db) {
    let unix = Script::new("unix", says("1001"));
    let site = site(db, &[&unix]);
    // Nobody is logged in.
    site.visitor().post("/api/v1/identities", &proof("unix")).expect(401);
    let mut anna = site.logged_in("anna");
    // The other proof fails, or cannot be had.
    unix.says(Says::Rejected(RejectReason::Bad));
    anna.post("/api/v1/identities", &proof("unix")).expect_problem(422, "invalid");
    unix.says(Says::NotMine);
    anna.post("/api/v1/identities", &proof("unix")).expect(422);
    unix.says(Says::unavailable());
    anna.post("/api/v1/identities", &proof("unix")).expect(503);
    for backend in ["local", "nowhere"] {
        anna.post("/api/v1/identities", &proof(backend)).expect(422);
    }
    // The login was too long ago.
    unix.says(says("1001"));
    site.clock.advance(Duration::from_mins(16));
    let asked = unix.asked().len();
    anna.post("/api/v1/identities", &proof("unix"))
        .expect_problem(403, "reauthentication_required");
    assert_eq!((linked(&mut anna), unix.asked().len()), (0, 0), "{asked} before");
}

fn atk_a104_an_identity_of_somebody_else_is_not_to_be_had(db: Db) {
    let unix = Script::new("unix", says("1001"));
    let site = site(db, &[&unix]);
    let (mut anna, mut eve) = (site.logged_in("anna"), site.logged_in("eve"));
    anna.post("/api/v1/identities", &proof("unix")).expect(201);
    eve.post("/api/v1/identities", &proof("unix")).expect_problem(409, "identity_taken");
    eve.delete("/api/v1/identities?backend=unix&subject=1001").expect(404);
    assert_eq!((linked(&mut anna), linked(&mut eve)), (1, 0));
}

fn atk_a101_a_link_takes_the_proof_that_a_page_of_ours_asked(db: Db) {
    let unix = Script::new("unix", says("1001"));
    let site = site(db, &[&unix]);
    let anna = site.logged_in("anna");
    let mut forged = anna.with_token(&anna.token());
    let answer = forged.post("/api/v1/identities", &proof("unix"));
    answer.expect(403);
    assert!(unix.asked().is_empty());
}

fn guesses_at_people_elsewhere_count_as_guesses(db: Db) {
    let unix = Script::new("unix", Says::Rejected(RejectReason::BadOrUnknown));
    let site = site(db, &[&unix]);
    let mut anna = site.logged_in("anna");
    for _ in 0..5 {
        anna.post("/api/v1/identities", &proof("unix")).expect(422);
    }
    anna.post("/api/v1/identities", &proof("unix")).expect(503);
    assert_eq!(unix.asked().len(), 5);
}

fn the_last_way_into_an_account_stays(db: Db) {
    let unix = Script::new("unix", says("1001"));
    let site = site(db, &[&unix]);
    let mut anna = site.logged_in("anna");
    anna.post("/api/v1/identities", &proof("unix")).expect(201);
    let (users, operator) = (&site.vestibule.site().services.users, site.operator());
    let id = block_on(users.by_name(&operator, "anna")).unwrap().id;
    let passwords = &site.vestibule.site().services.passwords;
    block_on(passwords.make_unusable(&site.operator(), id)).unwrap();
    let mut anna = site.visitor();
    anna.log_in("anna", "a password").expect(200);
    let link = "/api/v1/identities?backend=unix&subject=1001";
    anna.delete(link).expect_problem(409, "last_way_in");
    block_on(passwords.set(&site.operator(), id, &Secret::new(PASSWORD))).unwrap();
    let mut anna = site.visitor();
    anna.log_in("anna", PASSWORD).expect(200);
    anna.delete(link).expect(204);
    anna.delete(link).expect(404);
    assert_eq!(linked(&mut anna), 0);
    site.visitor().post("/api/v1/login", &proof("unix")).expect_problem(403, "no_account");
}

fn what_leads_in_no_more_is_no_way_in(db: Db) {
    let (unix, ldap) = (Script::new("unix", says("1001")), Script::new("ldap", says("cn=anna")));
    let site = site(db, &[&unix, &ldap]);
    let mut anna = site.logged_in("anna");
    for backend in ["unix", "ldap"] {
        anna.post("/api/v1/identities", &proof(backend)).expect(201);
    }
    let link = "/api/v1/identities?backend=unix&subject=1001";
    // She has a password that nobody takes any more, and a link to a backend that is gone.
    let door = unix.door();
    let plan = TestSite::plan(db).without_local().extend(move |builder| builder.door(door));
    let elsewhere = site.replica_at(plan);
    let mut anna = elsewhere.visitor();
    anna.log_in("anna", "a password").expect(200);
    anna.delete(link).expect_problem(409, "last_way_in");
    // With one that only adds groups she would get in no better.
    let doors = [unix.door(), ldap.door_with(Control::Optional)];
    let extend = move |builder| doors.into_iter().fold(builder, vestibule_server::Builder::door);
    let adding = site.replica_at(TestSite::plan(db).without_local().extend(extend));
    anna.at(&adding.origin).delete(link).expect_problem(409, "last_way_in");
    // The link that leads nowhere may go.
    anna.delete("/api/v1/identities?backend=ldap&subject=cn%3Danna").expect(204);
    anna.at(&site.origin).delete(link).expect(204);
}

fn what_came_by_a_link_goes_with_it(db: Db) {
    let person = Assertion::new(Subject::parse("1001").unwrap()).with_groups(["theirs"]);
    let unix = Script::new("unix", Says::Verified(Box::new(person)));
    let site = site(db, &[&unix]);
    group(&mut site.admin(), "ours", "private");
    let mut anna = site.logged_in("anna");
    let groups =
        |anna: &mut Visitor| anna.get("/api/v1/session").expect(200).json()["groups"].clone();
    anna.post("/api/v1/identities", &proof("unix")).expect(201);
    assert_eq!(groups(&mut anna), json!(["ours"]));
    // Whoever came in by it is out with it; the browser that ended it stays, and so do others.
    let (mut by_link, mut by_password) = (site.visitor(), site.visitor());
    site.clock.advance(Duration::from_millis(5));
    by_link.post("/api/v1/login", &proof("unix")).expect(200);
    by_password.log_in("anna", PASSWORD).expect(200);
    anna.delete("/api/v1/identities?backend=unix&subject=1001").expect(204);
    assert_eq!(groups(&mut anna), json!([]));
    assert!(!by_link.is_in() && by_password.is_in());
}
