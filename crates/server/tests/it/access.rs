//! What people may do to objects, as a service beside the hall and the API see it.

use serde_json::json;

use crate::support::{Db, TestSite, Visitor, check, group, id_of, join, on_every_database};

on_every_database!(
    a_decision_through_two_nested_groups_is_explained,
    seed_oq_10_members_of_a_group_see_each_others_objects,
    seed_oq_11_a_member_who_is_not_the_owner_deletes_nothing,
    seed_oq_12_shared_with_everybody_is_for_those_who_are_logged_in,
    seed_oq_15_what_may_not_be_seen_is_not_there,
    seed_om_42_a_groups_new_level_counts_for_its_objects,
    seed_om_43_read_write_takes_an_administrator,
    seed_om_44_a_manager_manages_that_group_and_no_other,
    seed_om_48_a_share_ends_at_its_time,
    seed_cn_25_who_tells_of_an_object_owns_it,
    seed_kt_7_a_grant_on_a_path_covers_what_is_below_it_alone,
    a_denial_wins_over_every_grant,
    what_may_be_seen_is_one_list_that_agrees_with_each_check,
    atk_a222_nobody_grants_more_than_they_hold,
    atk_a213_parallel_demotions_leave_a_superuser,
    atk_a212_groups_never_contain_themselves,
    seed_om_32_the_last_superuser_and_oneself_are_safe,
    seed_om_33_nobody_sets_the_password_of_somebody_with_more_rights,
    asvs_v8_2_2_objects_of_others_are_out_of_reach_by_any_id,
    asvs_v8_2_3_fields_are_for_those_who_may_set_them,
);

fn a_decision_through_two_nested_groups_is_explained(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut anna) = (site.admin(), site.logged_in("anna"));
    let [team, lab, facility] =
        ["team", "lab", "facility"].map(|name| group(&mut admin, name, "private"));
    for (parent, child) in [(&lab, &team), (&facility, &lab)] {
        admin
            .post(&format!("/api/v1/groups/{parent}/groups"), &json!({ "group": child }))
            .expect(204);
    }
    let anna_id = id_of(&mut anna);
    join(&mut admin, &team, &anna_id, false);
    admin
        .post("/api/v1/grants", &json!({ "group": facility, "permission": "calc.start" }))
        .expect(201);
    let own = anna.post("/api/v1/check", &json!({ "permission": "calc.start" })).expect(200).json();
    assert_eq!((&own["allowed"], &own["reason_code"]), (&json!(true), &json!("granted")));
    let reason = own["reason"].as_str().unwrap();
    let path = "the user is in team, which is in lab, which is in facility";
    assert!(reason.contains(path), "{reason}");
    let asked = json!({ "user": "ANNA", "permission": "calc.start" });
    assert_eq!(admin.post("/api/v1/check", &asked).expect(200).json(), own);
    let mut eve = site.logged_in("eve");
    eve.post("/api/v1/check", &asked).expect(404);
}

/// Anna's and Bert's group, and an object of Anna's in it.
fn shared_site(db: Db, level: &str, kind: &str) -> (TestSite, Visitor, Visitor, Visitor, String) {
    let site = TestSite::start(db);
    let (mut admin, mut anna, mut bert) =
        (site.admin(), site.logged_in("anna"), site.logged_in("bert"));
    let lab = group(&mut admin, "lab", level);
    for visitor in [&mut anna, &mut bert] {
        let id = id_of(visitor);
        join(&mut admin, &lab, &id, false);
    }
    anna.put(&format!("/api/v1/objects/{kind}/7"), &json!({ "group": lab })).expect(201);
    (site, admin, anna, bert, lab)
}

fn seed_oq_10_members_of_a_group_see_each_others_objects(db: Db) {
    let (site, mut admin, mut anna, mut bert, lab) = shared_site(db, "read-only", "calc");
    for path in ["/own/calc/7", "/own/calc/7/log"] {
        anna.get(path).expect(200);
        bert.get(path).expect(200);
        site.logged_in(&format!("eve{}", path.len())).get(path).expect(404);
    }
    let bert_id = id_of(&mut bert);
    admin.delete(&format!("/api/v1/groups/{lab}/members/{bert_id}")).expect(204);
    bert.get("/own/calc/7").expect(404);
}

fn seed_oq_11_a_member_who_is_not_the_owner_deletes_nothing(db: Db) {
    let (_site, mut admin, mut anna, mut bert, _) = shared_site(db, "read-write", "run");
    assert_eq!(check(&mut bert, "run.view", "run:7")["allowed"], true);
    bert.delete("/api/v1/objects/run/7").expect(403);
    let answer = check(&mut admin, "run.delete", "run:7");
    assert_eq!(
        (&answer["allowed"], &answer["reason_code"]),
        (&json!(false), &json!("superuser_barred"))
    );
    assert_eq!(check(&mut anna, "run.delete", "run:7")["reason_code"], "owner");
    anna.delete("/api/v1/objects/run/7").expect(204);
}

fn seed_oq_12_shared_with_everybody_is_for_those_who_are_logged_in(db: Db) {
    let (site, _, mut anna, _, _) = shared_site(db, "private", "calc");
    let mut eve = site.logged_in("eve");
    eve.get("/own/calc/7").expect(404);
    let share = json!({ "authenticated": true, "permission": "calc.view" });
    let share = anna.post("/api/v1/objects/calc/7/shares", &share).expect(201).id();
    eve.get("/own/calc/7").expect(200);
    site.visitor().get("/own/calc/7").expect(401);
    eve.delete(&format!("/api/v1/objects/calc/7/shares/{share}")).expect(403);
    anna.delete(&format!("/api/v1/objects/calc/7/shares/{share}")).expect(204);
    eve.get("/own/calc/7").expect(404);
}

fn seed_oq_15_what_may_not_be_seen_is_not_there(db: Db) {
    let (site, ..) = shared_site(db, "private", "calc");
    let mut eve = site.logged_in("eve");
    for path in ["/own/calc", "/api/v1/objects/calc"] {
        let (there, missing) = (eve.get(&format!("{path}/7")), eve.get(&format!("{path}/8")));
        assert_eq!((there.status, &there.text), (404, &missing.text));
        assert_eq!(missing.status, 404);
    }
}

fn seed_om_42_a_groups_new_level_counts_for_its_objects(db: Db) {
    let (_site, mut admin, _, mut bert, lab) = shared_site(db, "private", "calc");
    bert.get("/own/calc/7").expect(404);
    for (level, annotates, edits) in
        [("read-only", false, false), ("read-annotate", true, false), ("read-write", true, true)]
    {
        admin.patch(&format!("/api/v1/groups/{lab}"), &json!({ "level": level })).expect(200);
        bert.get("/own/calc/7").expect(200);
        assert_eq!(check(&mut bert, "calc.annotate", "calc:7")["allowed"], annotates, "{level}");
        assert_eq!(check(&mut bert, "calc.edit", "calc:7")["allowed"], edits, "{level}");
        assert_eq!(check(&mut bert, "calc.delete", "calc:7")["allowed"], edits, "{level}");
    }
}

fn managed_group(db: Db) -> (TestSite, Visitor, Visitor, String) {
    let site = TestSite::start(db);
    let (mut admin, mut anna) = (site.admin(), site.logged_in("anna"));
    let lab = group(&mut admin, "lab", "private");
    let id = id_of(&mut anna);
    join(&mut admin, &lab, &id, true);
    (site, admin, anna, lab)
}

fn seed_om_43_read_write_takes_an_administrator(db: Db) {
    let (_site, mut admin, mut anna, lab) = managed_group(db);
    let path = format!("/api/v1/groups/{lab}");
    anna.patch(&path, &json!({ "level": "read-annotate" })).expect(200);
    anna.patch(&path, &json!({ "level": "read-write" })).expect_problem(403, "permission_denied");
    admin.patch(&path, &json!({ "level": "read-write" })).expect(200);
}

fn seed_om_44_a_manager_manages_that_group_and_no_other(db: Db) {
    let (site, mut admin, mut anna, lab) = managed_group(db);
    let (bert, other) = (site.user("bert"), group(&mut admin, "other", "private"));
    let member = json!({ "user": bert });
    anna.post(&format!("/api/v1/groups/{lab}/members"), &member).expect(204);
    anna.post(&format!("/api/v1/groups/{other}/members"), &member).expect(404);
    anna.delete(&format!("/api/v1/groups/{lab}/members/{bert}")).expect(204);
}

fn seed_om_48_a_share_ends_at_its_time(db: Db) {
    let (site, _, mut anna, _, _) = shared_site(db, "private", "calc");
    let mut eve = site.logged_in("eve");
    let share = json!({
        "user": id_of(&mut eve), "permission": "calc.view", "expires_at": "2026-01-01T02:00:00Z",
    });
    anna.post("/api/v1/objects/calc/7/shares", &share).expect(201);
    eve.get("/own/calc/7").expect(200);
    site.clock.advance(std::time::Duration::from_hours(2));
    eve.get("/own/calc/7").expect(404);
}

fn seed_cn_25_who_tells_of_an_object_owns_it(db: Db) {
    let site = TestSite::start(db);
    let mut anna = site.logged_in("anna");
    let object = anna.put("/api/v1/objects/calc/1", &json!({})).expect(201).json();
    assert_eq!(object["owner_name"], "anna");
    for action in ["view", "annotate", "edit", "delete", "share"] {
        let answer = check(&mut anna, &format!("calc.{action}"), "calc:1");
        assert_eq!(answer["reason_code"], "owner", "{action}");
    }
    let bert = site.user("bert");
    anna.put("/api/v1/objects/calc/2", &json!({ "owner": bert })).expect(403);
}

fn seed_kt_7_a_grant_on_a_path_covers_what_is_below_it_alone(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut anna) = (site.admin(), site.logged_in("anna"));
    let grant = json!({
        "user": id_of(&mut anna), "permission": "calc.edit", "prefix": "calc:/base1/",
    });
    admin.post("/api/v1/grants", &grant).expect(201);
    for (object, allowed) in [
        ("calc:/base1", true),
        ("calc:/base1/", true),
        ("calc:/base1/t1/", true),
        ("calc:/base10/", false),
        ("calc:/base2/base1/", false),
        ("run:/base1/t1/", false),
    ] {
        assert_eq!(check(&mut anna, "calc.edit", object)["allowed"], allowed, "{object}");
    }
    let question = json!({ "permission": "calc.edit", "object": "calc:/base1/../base2" });
    anna.post("/api/v1/check", &question).expect_problem(422, "invalid");
}

fn a_denial_wins_over_every_grant(db: Db) {
    let (_site, mut admin, mut anna, mut bert, lab) = shared_site(db, "read-write", "calc");
    let denial = json!({
        "group": lab, "permission": "calc.view", "effect": "deny", "object": "calc:7",
    });
    admin.post("/api/v1/grants", &denial).expect(201);
    for visitor in [&mut anna, &mut bert] {
        assert_eq!(check(visitor, "calc.view", "calc:7")["reason_code"], "denied");
        visitor.get("/own/calc/7").expect(404);
    }
    let grant = json!({ "user": id_of(&mut bert), "permission": "calc.view" });
    admin.post("/api/v1/grants", &grant).expect(201);
    bert.get("/own/calc/7").expect(404);
}

fn what_may_be_seen_is_one_list_that_agrees_with_each_check(db: Db) {
    let (site, mut admin, mut anna, mut bert, lab) = shared_site(db, "read-only", "calc");
    anna.put("/api/v1/objects/calc/own", &json!({})).expect(201);
    anna.put("/api/v1/objects/calc/%2Fa%2Fb%2F", &json!({})).expect(201);
    let levelled = json!({ "group": lab, "level": "private" });
    anna.put("/api/v1/objects/calc/hidden", &levelled).expect(201);
    bert.put("/api/v1/objects/calc/berts", &json!({})).expect(201);
    let bert_id = id_of(&mut bert);
    let below = json!({ "user": bert_id, "permission": "calc.view", "prefix": "calc:/a/" });
    admin.post("/api/v1/grants", &below).expect(201);
    let all = ["7", "own", "/a/b/", "hidden", "berts"];
    let mut eve = site.logged_in("eve");
    for visitor in [&mut admin, &mut anna, &mut bert, &mut eve] {
        let list = visitor.get("/api/v1/objects/calc?permission=calc.view").expect(200).json();
        let listed: Vec<_> = list["results"].as_array().unwrap().iter().collect();
        for id in all {
            let object = format!("calc:{id}");
            let allowed = check(visitor, "calc.view", &object)["allowed"].as_bool().unwrap();
            assert_eq!(listed.iter().any(|o| o["object"] == object), allowed, "{object}: {list}");
        }
    }
}

fn atk_a222_nobody_grants_more_than_they_hold(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut staff) = (site.admin(), site.logged_in("staff"));
    let (staff_id, eve) = (id_of(&mut staff), site.user("eve"));
    for permission in
        ["vestibule.change_grant", "vestibule.change_group", "vestibule.view_group", "app.view"]
    {
        let grant = json!({ "user": staff_id, "permission": permission });
        admin.post("/api/v1/grants", &grant).expect(201);
    }
    let give = |permission: &str| json!({ "user": eve, "permission": permission });
    staff.post("/api/v1/grants", &give("app.view")).expect(201);
    staff.post("/api/v1/grants", &give("app.view_secret")).expect_problem(403, "more_than_held");
    let own = json!({ "user": staff_id, "permission": "app.view_secret" });
    staff.post("/api/v1/grants", &own).expect_problem(403, "more_than_held");
    let strong = group(&mut admin, "strong", "private");
    let grant = json!({ "group": strong, "permission": "app.view_secret" });
    admin.post("/api/v1/grants", &grant).expect(201);
    let member = json!({ "user": staff_id });
    staff
        .post(&format!("/api/v1/groups/{strong}/members"), &member)
        .expect_problem(403, "more_than_held");
}

fn atk_a213_parallel_demotions_leave_a_superuser(db: Db) {
    let site = TestSite::start(db);
    site.admin();
    let more = |name: &str| vestibule_core::usecase::users::NewUser {
        username: name.to_owned(),
        is_superuser: true,
        ..Default::default()
    };
    let ids: Vec<_> = (0..6).map(|n| site.account(more(&format!("super{n}")))).collect();
    let mut operators: Vec<_> = (0..6)
        .map(|n| {
            let mut visitor = site.visitor();
            visitor.log_in(&format!("super{n}"), crate::support::PASSWORD).expect(200);
            visitor
        })
        .collect();
    std::thread::scope(|scope| {
        for (at, operator) in operators.iter_mut().enumerate() {
            let victim = &ids[(at + 1) % ids.len()];
            scope.spawn(move || {
                let path = format!("/api/v1/users/{victim}");
                operator.patch(&path, &json!({ "is_superuser": false }));
            });
        }
    });
    let query = "select count(*) as answer from users where is_superuser = TRUE";
    assert!(site.database.connection().number(query) >= 1);
}

fn atk_a212_groups_never_contain_themselves(db: Db) {
    let site = TestSite::start(db);
    let mut admin = site.admin();
    let ids: Vec<_> = (0..18).map(|n| group(&mut admin, &format!("g{n}"), "private")).collect();
    let mut nest = |parent: &str, child: &str| {
        admin.post(&format!("/api/v1/groups/{parent}/groups"), &json!({ "group": child }))
    };
    nest(&ids[0], &ids[0]).expect_problem(409, "cycle");
    nest(&ids[0], &ids[1]).expect(204);
    nest(&ids[1], &ids[2]).expect(204);
    nest(&ids[2], &ids[0]).expect_problem(409, "cycle");
    for at in 2..16 {
        nest(&ids[at], &ids[at + 1]).expect(204);
    }
    nest(&ids[16], &ids[17]).expect_problem(409, "too_deep");
}

fn seed_om_32_the_last_superuser_and_oneself_are_safe(db: Db) {
    let site = TestSite::start(db);
    let mut admin = site.admin();
    let own = format!("/api/v1/users/{}", id_of(&mut admin));
    for change in [json!({ "is_superuser": false }), json!({ "is_active": false })] {
        admin.patch(&own, &change).expect_problem(409, "self");
    }
    admin.delete(&own).expect_problem(409, "self");
    let users = &site.vestibule.site().services.users;
    let id = id_of(&mut admin).parse().unwrap();
    let deleted = crate::support::site::block_on(users.delete(&site.operator(), id));
    assert!(deleted.unwrap_err().to_string().contains("last superuser"));
}

fn seed_om_33_nobody_sets_the_password_of_somebody_with_more_rights(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut helper) = (site.admin(), site.logged_in("helper"));
    let (helper_id, admin_id) = (id_of(&mut helper), id_of(&mut admin));
    let grant = json!({ "user": helper_id, "permission": "vestibule.set_password" });
    admin.post("/api/v1/grants", &grant).expect(201);
    let password = json!({ "password": "a sentence that the helper knows" });
    let eve = site.user("eve");
    helper.put(&format!("/api/v1/users/{eve}/password"), &password).expect(204);
    helper
        .put(&format!("/api/v1/users/{admin_id}/password"), &password)
        .expect_problem(403, "outranked");
    site.clock.advance(std::time::Duration::from_mins(16));
    helper
        .put(&format!("/api/v1/users/{eve}/password"), &password)
        .expect_problem(403, "reauthentication_required");
}

fn asvs_v8_2_2_objects_of_others_are_out_of_reach_by_any_id(db: Db) {
    let (site, mut admin, mut anna, ..) = shared_site(db, "private", "calc");
    let mut eve = site.logged_in("eve");
    let session = anna.get("/api/v1/sessions").json()["results"][0]["id"].clone();
    let hidden = group(&mut admin, "hidden", "private");
    for path in [
        format!("/api/v1/users/{}", id_of(&mut anna)),
        format!("/api/v1/groups/{hidden}"),
        format!("/api/v1/groups/{hidden}/members"),
        "/api/v1/objects/calc/7".to_owned(),
        "/api/v1/objects/calc/7/shares".to_owned(),
    ] {
        eve.get(&path).expect_problem(404, "not_found");
    }
    eve.delete(&format!("/api/v1/sessions/{}", session.as_str().unwrap())).expect(404);
    eve.delete("/api/v1/objects/calc/7").expect(404);
    eve.put("/api/v1/objects/calc/7", &json!({ "level": "read-write" })).expect(404);
}

fn asvs_v8_2_3_fields_are_for_those_who_may_set_them(db: Db) {
    let site = TestSite::start(db);
    let mut anna = site.logged_in("anna");
    let own = format!("/api/v1/users/{}", id_of(&mut anna));
    anna.patch(&own, &json!({ "first_name": "Anna" })).expect(200);
    for field in [
        json!({ "is_superuser": true }),
        json!({ "is_staff": true }),
        json!({ "is_active": true }),
        json!({ "username": "root" }),
        json!({ "expires_at": null }),
    ] {
        anna.patch(&own, &field).expect_problem(403, "permission_denied");
    }
    anna.patch(&own, &json!({ "password": "x" })).expect_problem(400, "malformed");
    let seen = anna.get(&own).expect(200).text;
    assert!(!seen.contains("argon2") && !seen.contains("password"), "{seen}");
}
