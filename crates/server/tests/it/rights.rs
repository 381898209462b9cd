//! What nobody gets round: a denial, the end of a right, the last superuser.

use std::time::Duration;

use serde_json::{Value, json};
use vestibule_core::usecase::users::NewUser;

use crate::support::{
    Answer, Db, PASSWORD, TestSite, Visitor, check, grant, group, id_of, join, on_every_database,
    with_address,
};

on_every_database!(
    nobody_leaves_a_denial_behind_with_a_group_within,
    nobody_frees_a_group_from_a_denial_by_what_lies_between,
    a_manager_frees_nobody_from_a_denial_by_an_end,
    an_owner_takes_no_denial_away_with_the_object,
    an_owner_who_is_denied_an_action_does_not_do_it,
    a_manager_who_is_denied_an_action_does_not_do_it,
    atk_a213_an_end_that_lies_ahead_is_not_given_to_the_last_superuser,
    atk_a213_a_superuser_whose_end_is_near_is_not_the_one_who_is_left,
    a_grant_that_has_ended_keeps_no_manager_from_their_group,
    a_denial_that_has_ended_holds_nobody_and_nothing,
    atk_a009_no_change_makes_a_login_name_somebody_elses_address,
    atk_a222_a_right_for_a_time_is_given_for_no_longer,
    atk_a222_a_membership_for_a_time_is_not_prolonged_by_oneself,
    atk_a222_a_right_for_a_time_is_nested_into_no_group,
);

const HOUR: Duration = Duration::from_hours(1);

fn nest(admin: &mut Visitor, parent: &str, child: &str) -> Answer {
    admin.post(&format!("/api/v1/groups/{parent}/groups"), &json!({ "group": child }))
}

fn put_member(visitor: &mut Visitor, group: &str, member: &Value) -> Answer {
    visitor.post(&format!("/api/v1/groups/{group}/members"), member)
}

fn deny(admin: &mut Visitor, subject: &str, id: &str, permission: &str) -> String {
    let denial = json!({ subject: id, "permission": permission, "effect": "deny" });
    admin.post("/api/v1/grants", &denial).expect(201).id()
}

fn may(visitor: &mut Visitor, permission: &str) -> Value {
    let question = json!({ "permission": permission });
    visitor.post("/api/v1/check", &question).expect(200).json()["reason_code"].clone()
}

/// Anna may view the application, but for being in a lab on a floor of a hall that may not.
struct Hall {
    site: TestSite,
    admin: Visitor,
    anna: Visitor,
    anna_id: String,
    floor: String,
    lab: String,
    denial: String,
}

fn hall(db: Db) -> Hall {
    let site = TestSite::start(db);
    let (mut admin, mut anna) = (site.admin(), site.logged_in("anna"));
    let [hall, floor, lab] =
        ["hall", "floor", "lab"].map(|name| group(&mut admin, name, "private"));
    nest(&mut admin, &hall, &floor).expect(204);
    nest(&mut admin, &floor, &lab).expect(204);
    let anna_id = id_of(&mut anna);
    join(&mut admin, &lab, &anna_id, false);
    grant(&mut admin, &anna_id, "app.view");
    let denial = deny(&mut admin, "group", &hall, "app.view");
    assert_eq!(may(&mut anna, "app.view"), "denied");
    Hall { site, admin, anna, anna_id, floor, lab, denial }
}

fn nobody_leaves_a_denial_behind_with_a_group_within(db: Db) {
    let Hall { site: _site, mut admin, mut anna, anna_id, lab, denial, .. } = hall(db);
    let path = format!("/api/v1/groups/{lab}/members/{anna_id}");
    anna.delete(&path).expect_problem(403, "more_than_held");
    assert_eq!(may(&mut anna, "app.view"), "denied");
    admin.delete(&format!("/api/v1/grants/{denial}")).expect(204);
    anna.delete(&path).expect(204);
}

fn nobody_frees_a_group_from_a_denial_by_what_lies_between(db: Db) {
    let Hall { site, mut admin, mut anna, floor, lab, .. } = hall(db);
    let mut staff = site.logged_in("staff");
    let staff_id = id_of(&mut staff);
    for right in ["view_group", "change_group", "delete_group"] {
        grant(&mut admin, &staff_id, &format!("vestibule.{right}"));
    }
    let ways = [format!("/api/v1/groups/{floor}"), format!("/api/v1/groups/{floor}/groups/{lab}")];
    let answers = ways.each_ref().map(|way| staff.delete(way));
    assert_eq!(may(&mut anna, "app.view"), "denied");
    for answer in answers {
        answer.expect_problem(403, "more_than_held");
    }
    // Who holds it may as well take the denial back.
    grant(&mut admin, &staff_id, "app.view");
    for way in ways.iter().rev() {
        staff.delete(way).expect(204);
    }
}

fn a_manager_frees_nobody_from_a_denial_by_an_end(db: Db) {
    let Hall { site, mut admin, mut anna, anna_id, lab, .. } = hall(db);
    let mut bert = site.logged_in("bert");
    join(&mut admin, &lab, &id_of(&mut bert), true);
    let until = |end: &str| json!({ "user": anna_id, "expires_at": end });
    put_member(&mut admin, &lab, &until("2026-01-02T00:00:00Z")).expect(204);
    for sooner in ["2025-12-31T00:00:00Z", "2026-01-01T12:00:00Z"] {
        put_member(&mut bert, &lab, &until(sooner)).expect_problem(403, "more_than_held");
    }
    put_member(&mut bert, &lab, &until("2026-01-03T00:00:00Z")).expect(204);
    put_member(&mut bert, &lab, &json!({ "user": anna_id })).expect(204);
    assert_eq!(may(&mut anna, "app.view"), "denied");
}

/// Anna's object, and where it is.
fn object(db: Db) -> (TestSite, Visitor, Visitor, String, &'static str) {
    let site = TestSite::start(db);
    let (admin, mut anna) = (site.admin(), site.logged_in("anna"));
    let path = "/api/v1/objects/calc/7";
    anna.put(path, &json!({})).expect(201);
    let id = id_of(&mut anna);
    (site, admin, anna, id, path)
}

fn an_owner_takes_no_denial_away_with_the_object(db: Db) {
    let (_site, mut admin, mut anna, id, path) = object(db);
    let denial = json!({
        "user": id, "permission": "calc.edit", "effect": "deny", "object": "calc:7",
    });
    let denial = admin.post("/api/v1/grants", &denial).expect(201).id();
    anna.delete(path).expect_problem(403, "more_than_held");
    assert_eq!(check(&mut anna, "calc.edit", "calc:7")["reason_code"], "denied");
    admin.delete(&format!("/api/v1/grants/{denial}")).expect(204);
    anna.delete(path).expect(204);
}

fn an_owner_who_is_denied_an_action_does_not_do_it(db: Db) {
    let (site, mut admin, mut anna, id, path) = object(db);
    let (share, delete) = ("calc.share", "calc.delete");
    let denials = [share, delete].map(|code| deny(&mut admin, "user", &id, code));
    let bert = site.user("bert");
    let with = json!({ "user": bert, "permission": "calc.view" });
    for answer in [
        anna.put(path, &json!({ "level": "read-write" })),
        anna.put(path, &json!({ "owner": bert })),
        anna.post(&format!("{path}/shares"), &with),
        anna.delete(path),
    ] {
        answer.expect_problem(403, "permission_denied");
    }
    // What is over all objects is another right.
    grant(&mut admin, &id, "vestibule.change_object");
    anna.put(path, &json!({ "level": "read-only" })).expect(200);
    for denial in denials {
        admin.delete(&format!("/api/v1/grants/{denial}")).expect(204);
    }
    anna.delete(path).expect(204);
}

fn a_manager_who_is_denied_an_action_does_not_do_it(db: Db) {
    let (site, mut admin, mut anna, id, path) = object(db);
    let mut bert = site.logged_in("bert");
    let (lab, bert_id) = (group(&mut admin, "lab", "read-only"), id_of(&mut bert));
    join(&mut admin, &lab, &id, false);
    join(&mut admin, &lab, &bert_id, true);
    anna.put(path, &json!({ "group": lab })).expect(200);
    bert.put(path, &json!({ "level": "read-annotate" })).expect(200);
    deny(&mut admin, "user", &bert_id, "calc.share");
    bert.put(path, &json!({ "level": "private" })).expect_problem(403, "permission_denied");
}

/// Two superusers, and the paths of their accounts.
fn two_superusers(db: Db) -> (TestSite, [Visitor; 2], [String; 2]) {
    let site = TestSite::start(db);
    let mut admin = site.admin();
    let new = NewUser { username: "root".into(), is_superuser: true, ..NewUser::default() };
    let second = site.account(new);
    let mut root = site.visitor();
    root.log_in("root", PASSWORD).expect(200);
    let paths = [id_of(&mut admin), second].map(|id| format!("/api/v1/users/{id}"));
    (site, [admin, root], paths)
}

fn atk_a213_an_end_that_lies_ahead_is_not_given_to_the_last_superuser(db: Db) {
    let (_site, [mut admin, _], [own, other]) = two_superusers(db);
    let until = |day: u8| json!({ "expires_at": format!("2026-02-{day:02}T00:00:00Z") });
    admin.patch(&other, &until(2)).expect(200);
    for day in [1, 2, 3] {
        admin.patch(&own, &until(day)).expect_problem(409, "last_superuser");
    }
    // A later end, or none, leaves nobody alone.
    admin.patch(&other, &until(9)).expect(200);
    admin.patch(&other, &until(3)).expect(200);
    admin.patch(&other, &json!({ "expires_at": null })).expect(200);
    admin.patch(&own, &until(1)).expect(200);
    admin.patch(&other, &until(1)).expect_problem(409, "last_superuser");
}

fn atk_a213_a_superuser_whose_end_is_near_is_not_the_one_who_is_left(db: Db) {
    let (_site, [mut admin, mut root], [lasting, ending]) = two_superusers(db);
    admin.patch(&ending, &json!({ "expires_at": "2026-01-01T00:05:00Z" })).expect(200);
    let demoted = root.patch(&lasting, &json!({ "is_superuser": false }));
    let disabled = root.patch(&lasting, &json!({ "is_active": false }));
    for answer in [demoted, disabled, root.delete(&lasting)] {
        answer.expect_problem(409, "last_superuser");
    }
    admin.delete(&ending).expect(204);
}

/// A group with a manager.
fn managed(db: Db) -> (TestSite, Visitor, Visitor, String, String) {
    let site = TestSite::start(db);
    let (mut admin, mut eve) = (site.admin(), site.logged_in("eve"));
    let (lab, id) = (group(&mut admin, "lab", "private"), id_of(&mut eve));
    join(&mut admin, &lab, &id, true);
    (site, admin, eve, lab, id)
}

fn a_grant_that_has_ended_keeps_no_manager_from_their_group(db: Db) {
    let (site, mut admin, mut eve, lab, _) = managed(db);
    let ending = json!({
        "group": lab, "permission": "app.view_secret", "expires_at": "2026-01-01T01:00:00Z",
    });
    admin.post("/api/v1/grants", &ending).expect(201);
    let member = json!({ "user": site.user("anna") });
    site.clock.advance(HOUR);
    assert_eq!(may(&mut eve, "app.view_secret"), "nothing_allows");
    put_member(&mut eve, &lab, &member).expect(204);
}

fn a_denial_that_has_ended_holds_nobody_and_nothing(db: Db) {
    let (site, mut admin, mut eve, lab, id) = managed(db);
    eve.put("/api/v1/objects/calc/7", &json!({})).expect(201);
    for denied in [
        json!({ "group": lab, "permission": "app.view" }),
        json!({ "user": id, "permission": "calc.edit", "object": "calc:7" }),
    ] {
        let mut denial = denied;
        denial["effect"] = json!("deny");
        denial["expires_at"] = json!("2026-01-01T01:00:00Z");
        admin.post("/api/v1/grants", &denial).expect(201);
    }
    let member = format!("/api/v1/groups/{lab}/members/{id}");
    eve.delete(&member).expect_problem(403, "more_than_held");
    site.clock.advance(HOUR);
    eve.delete(&member).expect(204);
    eve.delete("/api/v1/objects/calc/7").expect(204);
}

fn atk_a009_no_change_makes_a_login_name_somebody_elses_address(db: Db) {
    let site = TestSite::start(db);
    let mut admin = site.admin();
    let path = format!("/api/v1/users/{}", with_address(&site, "anna"));
    let refused = |answer: Answer| {
        let errors = answer.expect_problem(422, "invalid").json()["errors"].clone();
        assert_eq!(errors["username"][0]["code"], "foreign_address", "{errors}");
    };
    refused(admin.patch(&path, &json!({ "username": "victim@example.org" })));
    admin.patch(&path, &json!({ "username": "Anna@example.org" })).expect(200);
    for email in [json!("other@example.org"), Value::Null] {
        refused(admin.patch(&path, &json!({ "email": email })));
    }
    let both = json!({ "username": "other@example.org", "email": "other@example.org" });
    admin.patch(&path, &both).expect(200);
    // A name that came from elsewhere stays as it is.
    site.database.connection().execute("update users set email = null, email_key = null");
    admin.patch(&path, &json!({ "first_name": "Anna" })).expect(200);
    admin.patch(&path, &json!({ "email": "third@example.org" })).expect(200);
    refused(admin.patch(&path, &json!({ "username": "fourth@example.org" })));
}

fn atk_a222_a_right_for_a_time_is_given_for_no_longer(db: Db) {
    let (site, mut admin, mut anna, _, path) = object(db);
    let (mut eve, bert) = (site.logged_in("eve"), site.user("bert"));
    let (eve_id, path) = (id_of(&mut eve), format!("{path}/shares"));
    let share = |user: &str, end: Option<&str>| json!({ "user": user, "permission": "calc.share", "expires_at": end });
    let end = Some("2026-01-01T18:00:00Z");
    anna.post(&path, &share(&eve_id, end)).expect(201);
    let look = json!({ "user": eve_id, "permission": "calc.view" });
    anna.post(&path, &look).expect(201);
    for user in [&eve_id, &bert] {
        for later in [None, Some("2026-01-01T18:00:01Z")] {
            eve.post(&path, &share(user, later)).expect_problem(403, "more_than_held");
        }
    }
    eve.post(&path, &share(&eve_id, end)).expect(200);
    eve.post(&path, &share(&bert, end)).expect(201);
    // What she has for good she gives for good.
    let look = json!({ "user": bert, "permission": "calc.view" });
    eve.post(&path, &look).expect(201);
    // That her account ends is no matter.
    let account = format!("/api/v1/users/{}", site.user("carl"));
    admin.patch(&account, &json!({ "expires_at": "2026-01-01T20:00:00Z" })).expect(200);
    let mut carl = site.visitor();
    carl.log_in("carl", PASSWORD).expect(200);
    carl.put("/api/v1/objects/calc/8", &json!({})).expect(201);
    carl.post("/api/v1/objects/calc/8/shares", &share(&bert, None)).expect(201);
}

fn atk_a222_a_membership_for_a_time_is_not_prolonged_by_oneself(db: Db) {
    let (site, mut admin, mut eve, lab, id) = managed(db);
    let until = |end: Option<&str>| json!({ "user": id, "is_manager": true, "expires_at": end });
    let secret = json!({
        "group": lab, "permission": "app.view_secret", "expires_at": "2026-01-01T01:00:00Z",
    });
    admin.post("/api/v1/grants", &secret).expect(201);
    put_member(&mut admin, &lab, &until(Some("2026-01-02T00:00:00Z"))).expect(204);
    for later in [None, Some("2026-01-02T00:00:01Z")] {
        put_member(&mut eve, &lab, &until(later)).expect_problem(403, "more_than_held");
    }
    put_member(&mut eve, &lab, &until(Some("2026-01-01T12:00:00Z"))).expect(204);
    put_member(&mut eve, &lab, &until(Some("2026-01-01T13:00:00Z")))
        .expect_problem(403, "more_than_held");
    // Others come in for good, and so does whoever may change groups without being in them.
    put_member(&mut eve, &lab, &json!({ "user": site.user("bert") })).expect(204);
    grant(&mut admin, &id, "vestibule.change_group");
    put_member(&mut eve, &lab, &until(None)).expect(204);
}

fn atk_a222_a_right_for_a_time_is_nested_into_no_group(db: Db) {
    let (_site, mut admin, mut eve, lab, id) = managed(db);
    let strong = group(&mut admin, "strong", "private");
    let more = json!({ "group": strong, "permission": "app.view" });
    admin.post("/api/v1/grants", &more).expect(201);
    grant(&mut admin, &id, "vestibule.change_group");
    let ending =
        json!({ "user": id, "permission": "app.view", "expires_at": "2026-01-01T18:00:00Z" });
    admin.post("/api/v1/grants", &ending).expect(201);
    nest(&mut eve, &strong, &lab).expect_problem(403, "more_than_held");
    put_member(&mut eve, &strong, &json!({ "user": id })).expect_problem(403, "more_than_held");
    let until = json!({ "user": id, "expires_at": "2026-01-01T18:00:00Z" });
    put_member(&mut eve, &strong, &until).expect(204);
    let lasting = json!({ "user": id, "permission": "app.view" });
    admin.post("/api/v1/grants", &lasting).expect(200);
    nest(&mut eve, &strong, &lab).expect(204);
}
