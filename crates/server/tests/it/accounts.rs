//! Accounts, who administers them, and what clients are told.

use serde_json::json;
use vestibule_core::{id::GroupId, usecase::users::NewUser};

use crate::support::{Db, PASSWORD, TestSite, block_on, grant, group, id_of, on_every_database};

on_every_database!(
    seed_cn_4_login_names_are_unique_ignoring_case,
    seed_cn_6_mail_addresses_are_unique_ignoring_case,
    seed_cp_47_the_list_of_users_is_paged_searched_and_for_administrators,
    seed_cp_48_making_an_administrator_is_for_administrators_and_audited,
    seed_om_34_an_administrator_for_some_things_does_just_these,
    an_account_is_made_in_its_groups_or_not_at_all,
    a_nul_is_answered_like_any_other_character,
    atk_a214_who_may_only_look_changes_nothing_and_sees_no_hash,
    atk_a216_a_membership_ends_to_the_second,
    atk_a218_who_takes_a_deleted_name_inherits_nothing,
    atk_a064_interleaved_requests_are_each_answered_about_their_own_user,
);

fn seed_cn_4_login_names_are_unique_ignoring_case(db: Db) {
    let site = TestSite::start(db);
    let mut admin = site.admin();
    admin.post("/api/v1/users", &json!({ "username": "Straße" })).expect(201);
    for twin in ["STRASSE", "straße", "Strasse"] {
        let answer = admin.post("/api/v1/users", &json!({ "username": twin }));
        let answer = answer.expect_problem(422, "invalid").json();
        assert_eq!(answer["errors"]["username"][0]["code"], "taken", "{twin}");
    }
    for odd in ["adm\u{200b}in", "\u{202e}nimda", "tab\there", "а\u{64}min", " x", ""] {
        let answer = admin.post("/api/v1/users", &json!({ "username": odd }));
        assert!(answer.expect(422).json()["errors"]["username"].is_array(), "{odd:?}");
    }
}

fn seed_cn_6_mail_addresses_are_unique_ignoring_case(db: Db) {
    let site = TestSite::start(db);
    let mut admin = site.admin();
    let user = |name: &str, email: &str| json!({ "username": name, "email": email });
    admin.post("/api/v1/users", &user("anna", "Anna@Example.org")).expect(201);
    let answer = admin.post("/api/v1/users", &user("other", "anna@example.ORG"));
    assert!(answer.expect(422).json()["errors"]["email"].is_array());
    admin.post("/api/v1/users", &json!({ "username": "without" })).expect(201);
    admin.post("/api/v1/users", &json!({ "username": "another without" })).expect(201);
}

fn seed_cp_47_the_list_of_users_is_paged_searched_and_for_administrators(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut user) = (site.admin(), site.logged_in("zoe"));
    for number in 0..5 {
        let name = json!({ "username": format!("member{number}") });
        admin.post("/api/v1/users", &name).expect(201);
    }
    user.get("/api/v1/users").expect_problem(403, "permission_denied");
    let page = admin.get("/api/v1/users?search=MEMBER&page_size=2&page=2").expect(200).json();
    assert_eq!(page["count"], 5);
    let names: Vec<_> =
        page["results"].as_array().unwrap().iter().map(|u| &u["username"]).collect();
    assert_eq!(names, ["member2", "member3"]);
    for link in ["next", "previous"] {
        let link = page[link].as_str().unwrap().strip_prefix(&site.origin).unwrap().to_owned();
        assert_eq!(admin.get(&link).expect(200).json()["count"], 5);
    }
    assert_eq!(admin.get("/api/v1/users?search=%25").expect(200).json()["count"], 0);
}

fn seed_cp_48_making_an_administrator_is_for_administrators_and_audited(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut helper) = (site.admin(), site.logged_in("helper"));
    let helper_id = id_of(&mut helper);
    for permission in ["vestibule.change_user", "vestibule.view_user"] {
        grant(&mut admin, &helper_id, permission);
    }
    let path = format!("/api/v1/users/{}", site.user("anna"));
    let make = json!({ "is_superuser": true });
    helper.patch(&path, &make).expect_problem(403, "superuser_only");
    admin.patch(&path, &make).expect(200);
    admin.patch(&path, &make).expect(200);
    let events = admin.get("/api/v1/audit?action=user.changed").expect(200).json();
    assert_eq!(events["count"], 1, "{events}");
    assert_eq!(events["results"][0]["actor"], "admin");
    assert_eq!(events["results"][0]["target"], "anna");
    assert_eq!(events["results"][0]["details"]["is_superuser"]["to"], true);
}

fn seed_om_34_an_administrator_for_some_things_does_just_these(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut clerk) = (site.admin(), site.logged_in("clerk"));
    let clerk_id = id_of(&mut clerk);
    grant(&mut admin, &clerk_id, "vestibule.add_user");
    clerk.post("/api/v1/users", &json!({ "username": "new" })).expect(201);
    let powerful = json!({ "username": "power", "is_staff": true });
    clerk.post("/api/v1/users", &powerful).expect_problem(403, "superuser_only");
    clerk.post("/api/v1/groups", &json!({ "name": "g" })).expect_problem(403, "permission_denied");
}

fn an_account_is_made_in_its_groups_or_not_at_all(db: Db) {
    let site = TestSite::start(db);
    let mut admin = site.admin();
    let staff: GroupId = group(&mut admin, "staff", "private").parse().unwrap();
    let nowhere = GroupId::from_bytes([7; 16]);
    let users = &site.vestibule.site().services.users;
    let wanted = |name: &str, groups: &[GroupId]| {
        let new = NewUser { username: name.to_owned(), groups: groups.to_vec(), ..<_>::default() };
        block_on(users.add(&site.operator(), new))
    };
    wanted("anna", &[staff]).unwrap();
    wanted("bert", &[staff, nowhere]).unwrap_err();
    let members = admin.get(&format!("/api/v1/groups/{staff}/members")).expect(200).json();
    assert_eq!(members["count"], 1, "{members}");
    assert_eq!(admin.get("/api/v1/users?search=bert").expect(200).json()["count"], 0);
}

fn a_nul_is_answered_like_any_other_character(db: Db) {
    let site = TestSite::start(db);
    let mut admin = site.admin();
    for query in [
        "users?search=%00",
        "groups?search=a%00",
        "permissions?search=%00",
        "audit?actor=%00",
        "audit?action=%00",
        "audit?target=%00",
        "audit?search=%00",
        "grants?user=%00",
        "grants?permission=%00",
        "objects/calc?search=%00",
        "objects?search=%00",
        "objects/calc/a%00b",
    ] {
        let answer = admin.get(&format!("/api/v1/{query}"));
        assert!(answer.status < 500, "{query}: {}", answer.text);
    }
    for body in [
        json!({ "permission": "calc.view", "user": "a\0b" }),
        json!({ "permission": "calc.\0" }),
        json!({ "permission": "calc.view", "object": "calc:\0" }),
    ] {
        let answer = admin.post("/api/v1/check", &body);
        assert!(answer.status < 500, "{body}: {}", answer.text);
    }
}

fn atk_a214_who_may_only_look_changes_nothing_and_sees_no_hash(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut viewer) = (site.admin(), site.logged_in("viewer"));
    let viewer_id = id_of(&mut viewer);
    grant(&mut admin, &viewer_id, "vestibule.view_user");
    let path = format!("/api/v1/users/{}", site.user("anna"));
    for text in [viewer.get(&path).expect(200).text, viewer.get("/api/v1/users").expect(200).text] {
        assert!(!text.contains("argon2"), "{text}");
    }
    viewer.patch(&path, &json!({ "first_name": "X" })).expect_problem(403, "permission_denied");
    viewer.delete(&path).expect_problem(403, "permission_denied");
}

fn atk_a216_a_membership_ends_to_the_second(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut anna) = (site.admin(), site.logged_in("anna"));
    let group = admin.post("/api/v1/groups", &json!({ "name": "lab" })).expect(201).id();
    let allow = json!({ "group": group, "permission": "calc.start" });
    admin.post("/api/v1/grants", &allow).expect(201);
    let member = json!({ "user": id_of(&mut anna), "expires_at": "2026-01-01T01:00:00Z" });
    admin.post(&format!("/api/v1/groups/{group}/members"), &member).expect(204);
    site.clock.advance(std::time::Duration::from_secs(3599));
    anna.get("/own/start").expect(200);
    site.clock.advance(std::time::Duration::from_secs(1));
    anna.get("/own/start").expect(403);
}

fn atk_a218_who_takes_a_deleted_name_inherits_nothing(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut anna) = (site.admin(), site.logged_in("anna"));
    let id = id_of(&mut anna);
    grant(&mut admin, &id, "calc.start");
    admin.delete(&format!("/api/v1/users/{id}")).expect(204);
    assert!(!anna.is_in());
    let mut successor = site.logged_in("anna");
    successor.get("/own/start").expect(403);
    assert!(!anna.is_in());
}

fn atk_a064_interleaved_requests_are_each_answered_about_their_own_user(db: Db) {
    let site = TestSite::start(db);
    let visitors: Vec<_> = (0..8)
        .map(|number| {
            let name = format!("user{number}");
            (site.logged_in(&name), name)
        })
        .collect();
    std::thread::scope(|scope| {
        for (mut visitor, name) in visitors {
            scope.spawn(move || {
                for _ in 0..100 {
                    assert_eq!(visitor.get("/own/whoami").expect(200).text, name);
                }
            });
        }
    });
}

#[test]
fn seed_oq_8_which_ways_in_there_are_is_told_to_anybody() {
    let site = TestSite::start(Db::Sqlite);
    let ways = site.visitor().get("/api/v1/login").expect(200).json();
    assert_eq!(ways, json!({ "login_required": true, "backends": ["local"] }));
}

#[test]
fn seed_cp_8_a_way_in_can_be_named_and_must_exist() {
    let site = TestSite::start(Db::Sqlite);
    site.user("anna");
    let login =
        |backend: &str| json!({ "username": "anna", "password": PASSWORD, "backend": backend });
    site.visitor().post("/api/v1/login", &login("local")).expect(200);
    let answer = site.visitor().post("/api/v1/login", &login("pam"));
    assert!(answer.expect_problem(400, "malformed").json()["errors"]["backend"].is_array());
}

#[test]
fn seed_cp_9_who_am_i_is_the_user_or_401() {
    let site = TestSite::start(Db::Sqlite);
    let mut anna = site.logged_in("anna");
    assert_eq!(anna.get("/api/v1/session").expect(200).json()["user"]["username"], "anna");
    site.visitor().get("/api/v1/session").expect_problem(401, "not_authenticated");
}

#[test]
fn seed_cp_60_strangers_are_told_how_to_get_in_and_others_what_is_missing() {
    let site = TestSite::start(Db::Sqlite);
    let answer = site.visitor().get("/api/v1/users").expect(401);
    assert!(answer.header("www-authenticate").is_some());
    let answer = site.logged_in("anna").get("/api/v1/users").expect(403);
    assert!(answer.json()["detail"].as_str().unwrap().contains("vestibule.view_user"));
}

#[test]
fn seed_om_26_a_login_answers_user_groups_and_the_proof_for_changes() {
    let site = TestSite::start(Db::Sqlite);
    let (mut admin, anna) = (site.admin(), site.user("anna"));
    let group = admin.post("/api/v1/groups", &json!({ "name": "lab" })).expect(201).id();
    let member = json!({ "user": anna, "is_manager": true });
    admin.post(&format!("/api/v1/groups/{group}/members"), &member).expect(204);
    let answer = site.visitor().log_in("anna", PASSWORD).expect(200).json();
    assert_eq!(answer["groups"], json!(["lab"]));
    assert_eq!(answer["managed_groups"], json!(["lab"]));
    assert_eq!(answer["user"]["is_superuser"], false);
    assert!(answer["csrf_token"].as_str().unwrap().len() > 20);
}

#[test]
fn seed_om_27_a_refused_change_says_which_proof_was_missing() {
    let site = TestSite::start(Db::Sqlite);
    let mut anna = site.logged_in("anna");
    anna.csrf = None;
    let answer = anna.delete("/api/v1/sessions").expect_problem(403, "csrf_token_missing");
    assert!(answer.json()["detail"].as_str().unwrap().contains("X-CSRF-Token"));
    anna.headers.push(("origin".to_owned(), "https://other.example".to_owned()));
    let answer = anna.delete("/api/v1/sessions").expect_problem(403, "cross_site");
    assert!(answer.json()["detail"].as_str().unwrap().contains("site.base_url"));
}

#[test]
fn seed_om_66_scripts_of_other_sites_are_not_let_in() {
    let site = TestSite::start(Db::Sqlite);
    let mut anna = site.logged_in("anna");
    anna.headers.push(("origin".to_owned(), "https://evil.example".to_owned()));
    let answer = anna.get("/api/v1/session");
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let preflight = site.visitor().send("OPTIONS", "/api/v1/session", None);
    assert_eq!(preflight.header("access-control-allow-origin"), None);
}

#[test]
fn seed_kt_21_a_get_stays_a_get() {
    let site = TestSite::start(Db::Sqlite);
    let mut admin = site.admin();
    let path = format!("/api/v1/users/{}", site.user("anna"));
    admin.headers.push(("x-http-method-override".to_owned(), "DELETE".to_owned()));
    admin.get(&format!("{path}?_method=DELETE")).expect(200);
    admin.get(&path).expect(200);
}

#[test]
fn asvs_v7_2_2_each_session_has_a_secret_of_its_own() {
    let site = TestSite::start(Db::Sqlite);
    site.user("anna");
    let tokens: std::collections::BTreeSet<_> = (0..5)
        .map(|_| {
            let mut visitor = site.visitor();
            visitor.log_in("anna", PASSWORD).expect(200);
            visitor.token()
        })
        .collect();
    assert_eq!(tokens.len(), 5);
}

#[test]
fn std_s18_a_change_carries_a_value_bound_to_its_session() {
    let site = TestSite::start(Db::Sqlite);
    let (mut here, mut there) = (site.logged_in("anna"), site.visitor());
    there.log_in("anna", PASSWORD).expect(200);
    assert_ne!(here.csrf, there.csrf);
    there.csrf.clone_from(&here.csrf);
    there.delete("/api/v1/sessions").expect_problem(403, "csrf_token_wrong");
    here.delete("/api/v1/sessions").expect(204);
}
