//! Who is asked when somebody logs in, and what comes of the answers.

use std::time::Duration;

use vestibule_core::{
    domain::identity::Subject,
    policy::chain::{Control, OnUnavailable},
    ports::backend::{Assertion, Fault, RejectReason},
    usecase::login::Door,
};

use crate::support::{Db, PASSWORD, Says, Script, TestSite, group, on_every_database};

on_every_database!(
    each_answer_in_each_place_comes_to_what_the_page_says,
    flt_f30_an_outage_is_never_a_wrong_password_and_local_people_get_in,
    a_password_goes_to_nobody_who_need_not_see_it,
    whoever_must_be_entitled_is_asked_about_without_the_password,
    a_name_that_could_be_chosen_passes_for_nobody_elses,
    whose_name_could_be_chosen_is_asked_about_by_what_is_linked,
    atk_a205_whom_it_let_in_lately_gets_in_during_an_outage_and_nobody_after_it,
    atk_a181_names_and_passwords_that_nobody_has_bother_no_service,
);

const CONTROLS: [Control; 4] =
    [Control::Sufficient, Control::Required, Control::Requisite, Control::Optional];

/// Where, on the page, a door in this place among doors that verify is told of.
fn column(place: usize) -> usize {
    if place == 0 { 3 } else { 4 }
}

/// The rows of the documented tables: cells by the first ones.
fn documented(heading: &str) -> Vec<Vec<String>> {
    let page = include_str!("../../../../docs/backends.md");
    let table = page.split(heading).nth(1).unwrap();
    let rows = table.lines().skip_while(|line| !line.starts_with('|')).skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// What a backend may say, by the words of the page; never so many faults in a row that it is left
/// alone.
fn answers() -> Vec<(&'static str, Says)> {
    vec![
        ("verified", Says::verified("anna")),
        ("not mine", Says::NotMine),
        ("misconfigured, protocol, bug", Says::Panic),
        ("bad", Says::Rejected(RejectReason::Bad)),
        ("bad or unknown", Says::Rejected(RejectReason::BadOrUnknown)),
        ("locked, disabled, expired, must change", Says::Rejected(RejectReason::Locked)),
        ("not entitled", Says::Rejected(RejectReason::NotEntitled)),
        ("unavailable, timeout", Says::unavailable()),
        ("misconfigured, protocol, bug", Says::Fault(Fault::Bug("a table is empty".to_owned()))),
    ]
}

fn failures(site: &TestSite) -> i64 {
    let counted = "select cast(coalesce(sum(failures), 0) as bigint) as answer from login_failures";
    let counted = match site.database.url() {
        url if url.starts_with("mysql") => counted.replace("bigint", "signed"),
        _ => counted.to_owned(),
    };
    site.database.connection().number(&counted)
}

/// The doors, each making accounts for those who have none.
fn site_with(db: Db, doors: Vec<Door>) -> TestSite {
    let doors = doors.into_iter().map(|door| Door { create_users: true, ..door });
    let doors: Vec<Door> = doors.collect();
    TestSite::plan(db)
        .extend(move |builder| doors.into_iter().fold(builder, vestibule_server::Builder::door))
        .start()
}

/// Three doors, of which one has each control in turn and says each thing there is to say; the
/// others are sufficient, and verify everybody.
fn each_answer_in_each_place_comes_to_what_the_page_says(db: Db) {
    let (meaning, counting) = (documented("<!-- table -->"), documented("## What counts"));
    for control in CONTROLS {
        for place in 0..3 {
            let others = [Script::new("one", Says::NotMine), Script::new("two", Says::NotMine)];
            let this = Script::new("this", Says::NotMine);
            let mut doors: Vec<Door> = others.iter().map(Script::door).collect();
            doors.insert(place, this.door_with(control));
            let site = site_with(db, doors);
            for (number, (words, says)) in answers().into_iter().enumerate() {
                let row = meaning.iter().find(|row| row[0] == control.as_str() && row[1] == words);
                let row = row.unwrap_or_else(|| panic!("{control} {words}"));
                for (others_verify, cell) in [(false, &row[2]), (true, &row[column(place)])] {
                    for (other, name) in others.iter().zip(["by-one", "by-two"]) {
                        let verified = Says::verified(name);
                        other.says(if others_verify { verified } else { Says::NotMine });
                    }
                    site.clock.advance(Duration::from_millis(5));
                    this.says(says.clone());
                    let before = failures(&site);
                    let name = format!("visitor{number}");
                    let answer = site.visitor().log_in(&name, "whatever it is");
                    let came_to = match answer.status {
                        200 => "let in",
                        401 => "401",
                        503 => "503",
                        _ => panic!("{}", answer.text),
                    };
                    let asked = !this.asked().is_empty();
                    let expected = if cell == "not asked" { "let in" } else { cell };
                    let case = format!(
                        "{control} in place {place}: {words}, others verify: {others_verify}"
                    );
                    assert_eq!(came_to, expected, "{case}");
                    assert_eq!(asked, cell != "not asked", "{case}");
                    if came_to == "503" {
                        assert!(answer.header("retry-after").is_some(), "{case}");
                    }
                    if came_to == "let in" {
                        assert!(failures(&site) <= before, "{case}");
                        continue;
                    }
                    // Nobody knew the name where an optional one alone had something to say.
                    let nobody = came_to == "401" && control == Control::Optional;
                    let said = if nobody { "nobody knows the name" } else { words };
                    let must = matches!(control, Control::Required | Control::Requisite);
                    let said = match said {
                        "not mine" if must => "not mine, where it has to verify",
                        "not mine" => "nobody knows the name",
                        said => said,
                    };
                    let row = counting.iter().find(|row| row[0] == said).expect(said);
                    let counted = failures(&site) - before;
                    assert_eq!(counted, i64::from(row[1] == "yes"), "{case}");
                    let action = row[2].trim_matches('`');
                    let last = site.audit_texts(action).pop().unwrap_or_default();
                    let reasons: Vec<_> = row[3].split(", ").map(|r| r.trim_matches('`')).collect();
                    assert!(reasons.contains(&&*last), "{case}: {last}");
                }
            }
        }
    }
}

fn flt_f30_an_outage_is_never_a_wrong_password_and_local_people_get_in(db: Db) {
    let office = Script::new("office", Says::unavailable());
    for skips in [false, true] {
        let mut door = office.door();
        if skips {
            door.place.on_unavailable = OnUnavailable::Skip;
        }
        let site = site_with(db, vec![door]);
        site.user("local");
        for _ in 0..10 {
            let answer = site.visitor().log_in("elsewhere", "a password");
            let answer = answer.expect_problem(503, "login_unavailable");
            assert!(answer.header("retry-after").is_some());
            site.visitor().log_in("local", PASSWORD).expect(200);
        }
        assert_eq!(failures(&site), 0, "nobody is locked out");
        office.asked();
        office.says(Says::verified("elsewhere"));
        // It was left alone after so many faults; it is asked again after a while.
        let rested = std::time::Instant::now() + Duration::from_secs(15);
        while site.visitor().log_in("elsewhere", "a password").status != 200 {
            assert!(std::time::Instant::now() < rested, "it never came back");
            std::thread::sleep(Duration::from_millis(500));
        }
        office.says(Says::unavailable());
    }
}

fn a_password_goes_to_nobody_who_need_not_see_it(db: Db) {
    let (one, two) =
        (Script::new("one", Says::verified("anna")), Script::new("two", Says::verified("bert")));
    let realm = vec!["@two.example".to_owned()];
    let site = site_with(db, vec![one.door(), Door { realms: realm, ..two.door() }]);
    let asked = || (one.asked().len(), two.asked().len());

    // Of this site's own people nobody else hears, right or wrong.
    site.user("local");
    site.visitor().log_in("local", PASSWORD).expect(200);
    site.visitor().log_in("local", "wrong as can be").expect(401);
    assert_eq!(asked(), (0, 0));

    // The first to verify is the last to be asked.
    site.visitor().log_in("somebody", "a password").expect(200);
    assert_eq!(asked(), (1, 0));

    // A name with a realm is for that realm.
    site.visitor().log_in("bert@TWO.example", "a password").expect(200);
    assert_eq!(asked(), (0, 1));

    // A button is for that backend.
    let body = serde_json::json!({ "username": "x", "password": "y", "backend": "two" });
    site.visitor().post("/api/v1/login", &body).expect(200);
    assert_eq!(asked(), (0, 1));

    // Who came by one before is asked about there.
    site.visitor().log_in("bert", "a password").expect(200);
    assert_eq!(asked(), (0, 1));
    two.says(Says::Rejected(RejectReason::BadOrUnknown));
    site.visitor().log_in("bert", "a password").expect(401);
    assert_eq!(asked(), (0, 1));
}

fn whoever_must_be_entitled_is_asked_about_without_the_password(db: Db) {
    let office = Script::new("office", Says::verified("local"));
    let door = office.entitling(Control::Required, OnUnavailable::Fail);
    let site = site_with(db, vec![door]);
    site.user("local");
    site.visitor().log_in("Local", PASSWORD).expect(200);
    assert_eq!(office.asked(), ["local"]);

    // Nobody is asked about a stranger.
    site.visitor().log_in("local", "wrong as can be").expect(401);
    site.visitor().log_in("nobody", PASSWORD).expect(401);
    assert!(office.asked().is_empty());

    let before = failures(&site);
    office.says(Says::Rejected(RejectReason::NotEntitled));
    site.clock.advance(Duration::from_millis(5));
    site.visitor().log_in("local", PASSWORD).expect_problem(401, "login_failed");
    assert_eq!(site.audit_texts("login.failed").pop().unwrap(), "not entitled");
    office.says(Says::NotMine);
    site.clock.advance(Duration::from_millis(5));
    site.visitor().log_in("local", PASSWORD).expect(401);
    assert_eq!(site.audit_texts("login.failed").pop().unwrap(), "not known there");
    office.says(Says::unavailable());
    site.visitor().log_in("local", PASSWORD).expect_problem(503, "login_unavailable");
    assert_eq!(failures(&site), before, "it was the right password each time");
}

fn atk_a205_whom_it_let_in_lately_gets_in_during_an_outage_and_nobody_after_it(db: Db) {
    let office = Script::new("office", Says::verified("local"));
    let cached = OnUnavailable::Cached(Duration::from_hours(8));
    let site = site_with(db, vec![office.entitling(Control::Required, cached)]);
    site.user("local");
    site.user("other");
    site.visitor().log_in("local", PASSWORD).expect(200);
    office.says(Says::unavailable());
    site.visitor().log_in("local", PASSWORD).expect(200);
    site.visitor().log_in("other", PASSWORD).expect(503);
    site.clock.advance(Duration::from_hours(8));
    site.visitor().log_in("local", PASSWORD).expect(200);
    site.clock.advance(Duration::from_secs(1));
    site.visitor().log_in("local", PASSWORD).expect(503);

    // What it said last counts: after a refusal nothing is remembered.
    office.says(Says::verified("local"));
    site.visitor().log_in("local", PASSWORD).expect(200);
    office.says(Says::Rejected(RejectReason::NotEntitled));
    site.visitor().log_in("local", PASSWORD).expect(401);
    office.says(Says::unavailable());
    site.visitor().log_in("local", PASSWORD).expect(503);
}

fn atk_a181_names_and_passwords_that_nobody_has_bother_no_service(db: Db) {
    let office = Script::new("office", Says::verified("anna"));
    let site = site_with(db, vec![office.door()]);
    let long = "a".repeat(256);
    for name in ["", "  ", "an\0na", "an\nna", "\u{1b}[31m", &long] {
        site.visitor().log_in(name, "a password").expect(401);
    }
    site.visitor().log_in("anna", "").expect(401);
    assert!(office.asked().is_empty());
}

/// A further process of the site where people make their accounts themselves.
fn open_to_all(site: &TestSite, doors: Vec<Door>) -> TestSite {
    let extend = move |builder| doors.into_iter().fold(builder, vestibule_server::Builder::door);
    site.replica_as(&[("registration.mode", "open")], extend)
}

fn a_name_that_could_be_chosen_passes_for_nobody_elses(db: Db) {
    let person = Says::Verified(Box::new(
        Assertion::new(Subject::parse("alice").unwrap()).with_groups(["theirs"]),
    ));
    let office = Script::new("office", person);
    let groups = [("theirs".to_owned(), "ours".to_owned())];
    for control in [Control::Required, Control::Requisite, Control::Optional] {
        let entitling = office.entitling(control, OnUnavailable::Fail);
        let door = Door { groups: groups.clone().into(), ..entitling };
        let site = TestSite::plan(db).start();
        group(&mut site.admin(), "ours", "private");
        // Whether she has registered herself or not, nothing tells any more.
        site.user("alice");
        let open = open_to_all(&site, vec![door.clone()]);
        let mut alice = open.visitor();
        let answer = alice.log_in("alice", PASSWORD);
        assert!(office.asked().is_empty(), "{control}: asked about another Alice");
        if control == Control::Optional {
            assert_eq!(answer.expect(200).json()["groups"], serde_json::json!([]));
        } else {
            answer.expect_problem(401, "login_failed");
            let reason = "asked about by no name: that of the account may be chosen";
            assert_eq!(site.audit_texts("login.failed"), [reason]);
        }
        let closed = site.replica_with(move |builder| builder.door(door));
        let answer = closed.visitor().log_in("alice", PASSWORD).expect(200);
        assert_eq!(answer.json()["groups"], serde_json::json!(["ours"]));
        assert_eq!(office.asked(), ["alice"]);
    }
}

fn whose_name_could_be_chosen_is_asked_about_by_what_is_linked(db: Db) {
    let office = Script::new("office", Says::verified("a-17"));
    let listed = office.entitling(Control::Required, OnUnavailable::Fail);
    let ldap = Script::new("ldap", Says::verified("carla"));
    let site = TestSite::plan(db).start();
    site.user("anna");
    let door = listed.clone();
    let closed = site.replica_with(move |builder| builder.door(door));
    let mut anna = closed.visitor();
    anna.log_in("anna", PASSWORD).expect(200);
    let proof = serde_json::json!({ "backend": "office", "username": "a", "password": "b" });
    anna.post("/api/v1/identities", &proof).expect(201);
    office.asked();
    let by_ldap = Door { create_users: true, ..ldap.door() };
    let open = open_to_all(&site, vec![by_ldap, listed]);
    open.visitor().log_in("anna", PASSWORD).expect(200);
    assert_eq!(office.asked(), ["a-17"]);
    // Whoever comes by a backend that gives names has that name, the first time and later.
    for _ in 0..2 {
        site.clock.advance(Duration::from_millis(5));
        open.visitor().log_in("carla", "a password").expect(200);
        assert_eq!(office.asked(), ["carla"]);
    }
}
