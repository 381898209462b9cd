//! Accounts of people who come from elsewhere: found by who they are there, or made.

use serde_json::json;
use vestibule_core::{
    Secret,
    domain::identity::Subject,
    ports::backend::{Assertion, Groups, RejectReason},
    usecase::{login::Door, users::NewUser},
};

use crate::support::{
    Answer, Db, PASSWORD, Says, Script, TestSite, Visitor, block_on, group, join, on_every_database,
};

on_every_database!(
    who_comes_for_the_first_time_is_made_an_account_and_found_again,
    who_is_made_no_account_is_told_so_and_nothing_is_made,
    atk_a103_no_account_is_found_by_a_mail_address,
    atk_a103_an_address_that_was_proved_twice_joins_nobody,
    atk_a104_a_name_that_is_taken_is_somebody_elses,
    atk_a106_what_one_backend_says_is_nothing_to_another,
    atk_a107_a_disabled_account_is_entered_by_no_door,
    atk_a119_who_comes_twice_at_once_has_one_account,
    groups_come_and_go_as_they_are_told,
    each_backend_takes_back_its_own_memberships_alone,
    a_backend_cannot_say_that_somebody_is_a_superuser,
    one_person_with_several_doors_enters_one_account,
);

fn making(script: &Script) -> Door {
    let named = |(theirs, ours): (&str, &str)| (theirs.to_owned(), ours.to_owned());
    Door {
        create_users: true,
        groups: [("/lab/team", "team"), ("/lab", "lab"), ("/ghosts", "ghosts")].map(named).into(),
        ..script.door()
    }
}

fn site_with<const N: usize>(db: Db, doors: [Door; N]) -> TestSite {
    let extend = move |builder| doors.into_iter().fold(builder, vestibule_server::Builder::door);
    TestSite::plan(db).extend(extend).start()
}

fn asserted(subject: &str) -> Assertion {
    Assertion::new(Subject::parse(subject).unwrap())
}

fn verified(assertion: Assertion) -> Says {
    Says::Verified(Box::new(assertion))
}

fn enter(site: &TestSite, name: &str, backend: &str) -> (Visitor, Answer) {
    site.clock.advance(std::time::Duration::from_millis(5));
    let mut visitor = site.visitor();
    let body = json!({ "username": name, "password": "a password", "backend": backend });
    let answer = visitor.post("/api/v1/login", &body);
    (visitor, answer)
}

fn count(site: &TestSite, table: &str) -> i64 {
    site.database.connection().number(&format!("select count(*) as answer from {table}"))
}

/// The groups of whoever is logged in.
fn groups_of(visitor: &mut Visitor) -> Vec<String> {
    let session = visitor.get("/api/v1/session").expect(200).json();
    serde_json::from_value(session["groups"].clone()).unwrap()
}

fn who_comes_for_the_first_time_is_made_an_account_and_found_again(db: Db) {
    let unix = Script::new("unix", Says::NotMine);
    let site = site_with(db, [making(&unix)]);
    let mut anna = asserted("uid-1001").with_username("Anna").with_email("anna@example.org", true);
    (anna.first_name, anna.last_name) = ("Anna".to_owned(), "Ames".to_owned());
    unix.says(verified(anna.clone()));
    let (_, answer) = enter(&site, "anything", "unix");
    let made = answer.expect(200).json()["user"].clone();
    assert_eq!(made["username"], "Anna");
    assert_eq!((&made["email"], &made["last_name"]), (&json!("anna@example.org"), &json!("Ames")));
    assert_eq!((&made["is_staff"], &made["is_superuser"]), (&json!(false), &json!(false)));

    // She is renamed there; here she stays who she is.
    let renamed = anna.with_username("annabel");
    unix.says(verified(Assertion { emails: Vec::new(), ..renamed }));
    let (_, answer) = enter(&site, "annabel", "unix");
    let found = answer.expect(200).json()["user"].clone();
    assert_eq!((&found["id"], &found["username"]), (&made["id"], &made["username"]));
    assert_eq!((count(&site, "users"), count(&site, "identities")), (1, 1));
    let rights = site.audit_texts("user.added");
    assert_eq!(rights, ["create_users of unix"]);
    assert_eq!(site.audit_texts("login.succeeded"), ["unix", "unix"]);
    // There is nothing to guess at here.
    site.visitor().log_in("Anna", "!").expect(200);
    unix.says(Says::Rejected(RejectReason::Bad));
    site.visitor().log_in("Anna", "!").expect(401);
}

fn who_is_made_no_account_is_told_so_and_nothing_is_made(db: Db) {
    let unix = Script::new("unix", Says::verified("anna"));
    let site = site_with(db, [unix.door()]);
    let (mut visitor, answer) = enter(&site, "anna", "unix");
    answer.expect_problem(403, "no_account");
    assert!(!visitor.is_in());
    assert_eq!((count(&site, "users"), count(&site, "identities")), (0, 0));
    assert_eq!(site.audit_texts("login.failed"), ["no account here"]);
    // A name that cannot be one here is not bent into one that can.
    let site = site_with(db, [making(&unix)]);
    unix.says(verified(asserted("7").with_username("adm\u{200b}in")));
    enter(&site, "x", "unix").1.expect_problem(403, "no_account");
    assert_eq!(count(&site, "users"), 0);
}

fn atk_a103_no_account_is_found_by_a_mail_address(db: Db) {
    let (unix, tenant) = (Script::new("unix", Says::NotMine), Script::new("tenant", Says::NotMine));
    let site = site_with(db, [making(&unix), making(&tenant)]);
    let email = "anna@example.org".to_owned();
    let own =
        site.account(NewUser { username: "anna".into(), email: Some(email), ..<_>::default() });
    for (script, backend, subject, is_verified) in
        [(&unix, "unix", "u1", true), (&unix, "unix", "u2", false), (&tenant, "tenant", "t1", true)]
    {
        let claim = asserted(subject).with_username(format!("{backend}-{subject}"));
        script.says(verified(claim.with_email("Anna@Example.org", is_verified)));
        let user = enter(&site, "x", backend).1.expect(200).json()["user"].clone();
        assert_ne!(user["id"], own, "{subject}");
        assert!(user["email"].is_null(), "the address is hers: {user}");
    }
    // An address that nobody made sure of is nobody's.
    unix.says(verified(asserted("u3").with_username("u3").with_email("new@example.org", false)));
    let user = enter(&site, "x", "unix").1.expect(200).json()["user"].clone();
    assert!(user["email"].is_null(), "{user}");
}

fn atk_a103_an_address_that_was_proved_twice_joins_nobody(db: Db) {
    // One backend made sure that the address is Anna's; then somebody else has it, elsewhere and
    // at the same place, where it may have been given to another.
    let (unix, tenant) = (Script::new("unix", Says::NotMine), Script::new("tenant", Says::NotMine));
    let site = site_with(db, [making(&unix), making(&tenant)]);
    let come = |script: &Script, backend: &str, subject: &str| {
        let claim = asserted(subject).with_username(format!("{backend}-{subject}"));
        script.says(verified(claim.with_email("anna@example.org", true)));
        enter(&site, "x", backend).1.expect(200).json()["user"].clone()
    };
    let anna = come(&unix, "unix", "u1");
    assert_eq!(anna["email"], "anna@example.org");
    for other in [come(&tenant, "tenant", "t1"), come(&unix, "unix", "u2")] {
        assert_ne!(other["id"], anna["id"]);
        assert!(other["email"].is_null(), "the address is hers: {other}");
    }
}

fn atk_a104_a_name_that_is_taken_is_somebody_elses(db: Db) {
    let unix = Script::new("unix", Says::NotMine);
    let site = site_with(db, [making(&unix)]);
    site.user("Anna");
    let email = Some("bert@example.org".to_owned());
    site.account(NewUser { username: "bert".into(), email, ..<_>::default() });
    for name in ["anna", "ANNA", "ａｎｎａ", "bert@example.org"] {
        let claim = asserted("7").with_username(name).with_email("bert@example.org", true);
        unix.says(verified(claim));
        let (mut visitor, answer) = enter(&site, name, "unix");
        assert!(["link_needed", "no_account"].contains(&answer.json()["code"].as_str().unwrap()));
        answer.expect(403);
        assert!(!visitor.is_in(), "{name}");
    }
    assert_eq!((count(&site, "users"), count(&site, "identities")), (2, 0));
}

fn atk_a106_what_one_backend_says_is_nothing_to_another(db: Db) {
    let (unix, ldap) = (Script::new("unix", Says::NotMine), Script::new("ldap", Says::NotMine));
    let site = site_with(db, [making(&unix), making(&ldap)]);
    let mut ids = Vec::new();
    let longest = "x".repeat(255);
    for (script, backend) in [(&unix, "unix"), (&ldap, "ldap")] {
        for (number, subject) in ["7", "7 ", "07", "A", "a", &longest].into_iter().enumerate() {
            script.says(verified(asserted(subject).with_username(format!("{backend}{number}"))));
            let answer = enter(&site, "whoever", backend).1.expect(200).json();
            ids.push(answer["user"]["id"].as_str().unwrap().to_owned());
        }
    }
    // A subject that looks like the id of an account here is none.
    unix.says(verified(asserted(&ids[7]).with_username("clever")));
    let answer = enter(&site, "clever", "unix").1.expect(200).json();
    ids.push(answer["user"]["id"].as_str().unwrap().to_owned());
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 13);
}

fn atk_a107_a_disabled_account_is_entered_by_no_door(db: Db) {
    let unix = Script::new("unix", Says::verified("anna"));
    let site = site_with(db, [making(&unix)]);
    let mut admin = site.admin();
    let made = enter(&site, "anna", "unix").1.expect(200).json();
    let path = format!("/api/v1/users/{}", made["user"]["id"].as_str().unwrap());
    admin.patch(&path, &json!({ "is_active": false })).expect(200);
    let (mut visitor, answer) = enter(&site, "anna", "unix");
    answer.expect_problem(401, "login_failed");
    assert!(!visitor.is_in());
    assert_eq!(site.audit_texts("login.failed"), ["account disabled or expired"]);
    assert_eq!(count(&site, "login_failures"), 0, "the password was right");
}

fn atk_a119_who_comes_twice_at_once_has_one_account(db: Db) {
    let unix = Script::new("unix", Says::verified("anna"));
    let site = site_with(db, [making(&unix)]);
    let ids: Vec<String> = std::thread::scope(|scope| {
        let logins: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let body = json!({ "username": "anna", "password": "p", "backend": "unix" });
                    site.visitor().post("/api/v1/login", &body).expect(200).json()["user"]["id"]
                        .to_string()
                })
            })
            .collect();
        logins.into_iter().map(|login| login.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!((count(&site, "users"), count(&site, "identities")), (1, 1));
}

fn groups_come_and_go_as_they_are_told(db: Db) {
    let unix = Script::new("unix", Says::NotMine);
    let site = site_with(db, [making(&unix)]);
    let mut admin = site.admin();
    for name in ["lab", "team", "other"] {
        group(&mut admin, name, "private");
    }
    let told = |groups: Groups| {
        let assertion = asserted("7").with_username("anna");
        unix.says(verified(Assertion { groups, ..assertion }));
        let (mut anna, answer) = enter(&site, "anna", "unix");
        answer.expect(200);
        groups_of(&mut anna)
    };
    let known = |names: &[&str]| Groups::Known(names.iter().map(|&n| n.to_owned()).collect());
    assert_eq!(
        told(known(&["/lab", "/lab/team", "/unmapped", "/ghosts", "other"])),
        ["lab", "team"]
    );
    assert_eq!(told(Groups::Unchanged), ["lab", "team"]);
    assert_eq!(told(Groups::Unknown), ["lab", "team"]);
    assert_eq!(told(known(&["/lab/team"])), ["team"]);
    // What is taken away is gone for sessions that were open before.
    let (mut before, _) = enter(&site, "anna", "unix");
    assert_eq!(groups_of(&mut before), ["team"]);
    assert_eq!(told(known(&[])), Vec::<String>::new());
    assert_eq!(groups_of(&mut before), Vec::<String>::new());
    let added = site.audit_texts("group.member_added");
    assert_eq!(added, ["groups of unix", "groups of unix"]);
    assert_eq!(site.audit_texts("group.member_removed").len(), 2);
}

fn each_backend_takes_back_its_own_memberships_alone(db: Db) {
    let unix = Script::new("unix", Says::NotMine);
    let site = site_with(db, [making(&unix)]);
    let mut admin = site.admin();
    let [lab, team] = ["lab", "team"].map(|name| group(&mut admin, name, "private"));
    let told = |names: &[&str]| {
        unix.says(verified(asserted("7").with_username("anna").with_groups(names.to_vec())));
        let (mut anna, answer) = enter(&site, "anna", "unix");
        answer.expect(200);
        groups_of(&mut anna)
    };
    assert!(told(&[]).is_empty());
    let id = admin.get("/api/v1/users?search=anna").expect(200).json()["results"][0]["id"].clone();
    // By hand first, then told; and told first, then by hand.
    join(&mut admin, &lab, id.as_str().unwrap(), false);
    assert_eq!(told(&["/lab", "/lab/team"]), ["lab", "team"]);
    join(&mut admin, &team, id.as_str().unwrap(), false);
    assert_eq!(told(&[]), ["lab", "team"], "what was made by hand stays");
    // What is taken away by hand comes back only when it is told.
    assert_eq!(told(&["/lab"]), ["lab", "team"]);
    let member = format!("/api/v1/groups/{lab}/members/{}", id.as_str().unwrap());
    admin.delete(&member).expect(204);
    assert_eq!(told(&[]), ["team"]);
    assert_eq!(told(&["/lab"]), ["lab", "team"]);
    assert_eq!(told(&[]), ["team"]);
}

fn a_backend_cannot_say_that_somebody_is_a_superuser(db: Db) {
    let unix = Script::new("unix", Says::NotMine);
    let site = site_with(db, [making(&unix)]);
    let mut anna =
        asserted("7").with_username("anna").with_groups(["admin", "superusers", "wheel"]);
    for name in ["is_superuser", "is_staff", "admin", "roles"] {
        anna.attributes.insert(name.to_owned(), vec!["true".to_owned()]);
    }
    unix.says(verified(anna));
    let (mut visitor, answer) = enter(&site, "anna", "unix");
    let session = answer.expect(200).json();
    assert_eq!(session["user"]["is_superuser"], false);
    assert_eq!(session["permissions"], json!([]));
    visitor.get("/api/v1/users").expect(403);
}

fn one_person_with_several_doors_enters_one_account(db: Db) {
    let unix = Script::new("unix", Says::verified("anna"));
    let site = site_with(db, [making(&unix)]);
    site.admin();
    let made = enter(&site, "anna", "unix").1.expect(200).json()["user"]["id"].clone();
    let id = made.as_str().unwrap().parse().unwrap();
    let passwords = &site.vestibule.site().services.passwords;
    block_on(passwords.set(&site.operator(), id, &Secret::new(PASSWORD))).unwrap();
    // The password that is hers here is not shown to the other service.
    unix.asked();
    let here = site.visitor().log_in("anna", PASSWORD).expect(200).json();
    assert_eq!(here["user"]["id"], made);
    assert!(unix.asked().is_empty());
    // The one that is hers there is wrong here, and right there.
    let there = site.visitor().log_in("anna", "a password").expect(200).json();
    assert_eq!(there["user"]["id"], made);
    assert_eq!(unix.asked(), ["anna:a password"]);
    unix.says(Says::Rejected(RejectReason::Bad));
    site.visitor().log_in("anna", "wrong at both").expect(401);
    let doors = site.audit_texts("login.succeeded");
    assert_eq!(doors.iter().filter(|door| *door == "local").count(), 2, "the admin and she");
}
