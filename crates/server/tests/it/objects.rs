//! Objects of a service: who lists, shares, hands over and removes them.

use serde_json::{Value, json};

use crate::support::{
    Db, PASSWORD, TestSite, Visitor, check, grant, group, id_of, join, on_every_database,
};

on_every_database!(
    seed_oq_9_who_is_in_no_group_lists_their_own_objects_only,
    seed_oq_13_only_owners_and_administrators_share_and_twice_does_no_harm,
    seed_oq_14_what_belongs_to_an_object_asks_the_objects_own_check,
    seed_oq_16_aborting_is_for_owner_group_and_superuser,
    seed_oq_18_an_object_for_somebody_else_takes_a_right_of_its_own,
    seed_oq_19_lists_filter_by_owner_page_and_order_by_known_keys,
    seed_oq_20_opening_reading_to_everybody_does_not_open_it_to_strangers,
    seed_oq_42_what_others_depend_on_stays_and_the_answer_says_why,
    seed_oq_49_rights_are_decided_before_anything_is_told,
    seed_cn_26_an_object_never_loses_its_last_administrator,
    seed_cn_51_an_account_without_a_password_owns_things_and_stays_out,
    seed_kt_3_no_spelling_of_a_path_gets_round_its_rule,
    seed_kt_5_a_changed_rule_counts_at_the_next_request,
    seed_kt_16_what_is_hidden_and_what_is_missing_look_the_same,
    atk_a213_what_others_have_rights_on_is_not_made_ones_own,
    changes_of_one_object_at_once_keep_what_each_other_made_of_it,
);

fn tell(visitor: &mut Visitor, id: &str, entry: &Value) {
    visitor.put(&format!("/api/v1/objects/calc/{id}"), entry).expect(201);
}

fn listed(visitor: &mut Visitor, query: &str) -> Vec<String> {
    let path = format!("/api/v1/objects/calc?permission=calc.view{query}");
    let list = visitor.get(&path).expect(200).json();
    let objects = list["results"].as_array().unwrap().iter();
    objects.map(|object| object["object"].as_str().unwrap().to_owned()).collect()
}

fn seed_oq_9_who_is_in_no_group_lists_their_own_objects_only(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut anna, mut eve) =
        (site.admin(), site.logged_in("anna"), site.logged_in("eve"));
    let lab = group(&mut admin, "lab", "read-write");
    join(&mut admin, &lab, &id_of(&mut anna), false);
    tell(&mut anna, "1", &json!({ "group": lab }));
    tell(&mut eve, "2", &json!({}));
    assert_eq!(listed(&mut eve, ""), ["calc:2"]);
}

fn seed_oq_13_only_owners_and_administrators_share_and_twice_does_no_harm(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut anna, mut bert) =
        (site.admin(), site.logged_in("anna"), site.logged_in("bert"));
    let lab = group(&mut admin, "lab", "read-only");
    for member in [&mut anna, &mut bert] {
        join(&mut admin, &lab, &id_of(member), false);
    }
    tell(&mut anna, "7", &json!({ "group": lab }));
    let shares = "/api/v1/objects/calc/7/shares";
    let share = json!({ "user": site.user("eve"), "permission": "calc.view" });
    bert.post(shares, &share).expect_problem(403, "permission_denied");
    let first = anna.post(shares, &share).expect(201).id();
    assert_eq!(anna.post(shares, &share).expect(200).id(), first);
    assert_eq!(admin.post(shares, &share).expect(200).id(), first);
    assert_eq!(anna.get(shares).expect(200).json()["count"], 1);
    let path = format!("{shares}/{first}");
    bert.delete(&path).expect_problem(403, "permission_denied");
    anna.delete(&path).expect(204);
    anna.delete(&path).expect_problem(404, "not_found");
    assert_eq!(anna.get(shares).expect(200).json()["count"], 0);
}

fn seed_oq_14_what_belongs_to_an_object_asks_the_objects_own_check(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut anna, mut eve) =
        (site.admin(), site.logged_in("anna"), site.logged_in("eve"));
    tell(&mut anna, "7", &json!({}));
    for (visitor, status) in
        [(&mut admin, 200), (&mut anna, 200), (&mut eve, 404), (&mut site.visitor(), 401)]
    {
        for path in ["/own/calc/7", "/own/calc/7/log", "/api/v1/objects/calc/7/shares"] {
            visitor.get(path).expect(status);
        }
    }
}

fn seed_oq_16_aborting_is_for_owner_group_and_superuser(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut anna, mut bert, mut eve) =
        (site.admin(), site.logged_in("anna"), site.logged_in("bert"), site.logged_in("eve"));
    let lab = group(&mut admin, "lab", "read-write");
    for member in [&mut anna, &mut bert] {
        join(&mut admin, &lab, &id_of(member), false);
    }
    tell(&mut anna, "7", &json!({ "group": lab }));
    let abort =
        |visitor: &mut Visitor, id: u8| visitor.post(&format!("/own/calc/{id}/abort"), &json!({}));
    for visitor in [&mut anna, &mut bert, &mut admin] {
        abort(visitor, 7).expect(200);
    }
    abort(&mut eve, 7).expect(404);
    for visitor in [&mut anna, &mut eve] {
        abort(visitor, 8).expect(404);
    }
    // Who may look and not act is told so.
    let share = json!({ "user": id_of(&mut eve), "permission": "calc.view" });
    anna.post("/api/v1/objects/calc/7/shares", &share).expect(201);
    abort(&mut eve, 7).expect(403);
}

fn seed_oq_18_an_object_for_somebody_else_takes_a_right_of_its_own(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut robot) = (site.admin(), site.logged_in("robot"));
    let (anna, own) = (site.user("anna"), id_of(&mut robot));
    let entry = json!({ "owner": anna });
    let path = "/api/v1/objects/calc/7";
    robot.put(path, &entry).expect_problem(403, "permission_denied");
    admin.get(path).expect(404);
    grant(&mut admin, &own, "vestibule.change_object");
    assert_eq!(robot.put(path, &entry).expect(201).json()["owner_name"], "anna");
}

fn seed_oq_19_lists_filter_by_owner_page_and_order_by_known_keys(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut anna, mut hanna, mut bert) =
        (site.admin(), site.logged_in("anna"), site.logged_in("Hanna"), site.logged_in("bert"));
    let lab = group(&mut admin, "lab", "read-only");
    for (member, id) in [(&mut anna, "1"), (&mut hanna, "2"), (&mut bert, "3")] {
        join(&mut admin, &lab, &id_of(member), false);
        tell(member, id, &json!({ "group": lab }));
    }
    assert_eq!(listed(&mut anna, "&owner=me"), ["calc:1"]);
    assert_eq!(listed(&mut anna, "&owner=others"), ["calc:2", "calc:3"]);
    assert_eq!(listed(&mut anna, &format!("&owner={}", id_of(&mut bert))), ["calc:3"]);
    assert_eq!(listed(&mut bert, "&search=ANNA"), ["calc:1", "calc:2"]);
    assert_eq!(listed(&mut bert, "&search=%25"), Vec::<String>::new());
    assert_eq!(listed(&mut bert, "&ordering=-id&page_size=1&page=2"), ["calc:2"]);
    for wrong in ["ordering=owner_password", "owner=anna", "page=0"] {
        let path = format!("/api/v1/objects/calc?permission=calc.view&{wrong}");
        let answer = anna.get(&path).expect_problem(400, "malformed");
        let field = wrong.split_once('=').unwrap().0;
        assert!(answer.json()["errors"].get(field).is_some(), "{}", answer.text);
    }
}

fn seed_oq_20_opening_reading_to_everybody_does_not_open_it_to_strangers(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut anna, mut eve) =
        (site.admin(), site.logged_in("anna"), site.logged_in("eve"));
    tell(&mut anna, "7", &json!({}));
    eve.get("/own/calc/7").expect(404);
    let open = json!({ "authenticated": true, "permission": "calc.view" });
    admin.post("/api/v1/grants", &open).expect(201);
    eve.get("/own/calc/7").expect(200);
    assert_eq!(listed(&mut eve, ""), ["calc:7"]);
    assert_eq!(check(&mut eve, "calc.edit", "calc:7")["allowed"], false);
    site.visitor().get("/own/calc/7").expect(401);
}

fn seed_oq_42_what_others_depend_on_stays_and_the_answer_says_why(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut anna) = (site.admin(), site.logged_in("anna"));
    let (lab, anna_id) = (group(&mut admin, "lab", "private"), id_of(&mut anna));
    join(&mut admin, &lab, &anna_id, false);
    tell(&mut anna, "7", &json!({ "group": lab }));
    for path in [format!("/api/v1/users/{anna_id}"), format!("/api/v1/groups/{lab}")] {
        let answer = admin.delete(&path).expect_problem(409, "owns_objects").json();
        assert!(answer["detail"].as_str().unwrap().contains("objects"), "{answer}");
        admin.get(&path).expect(200);
    }
    anna.delete("/api/v1/objects/calc/7").expect(204);
    admin.delete(&format!("/api/v1/groups/{lab}")).expect(204);
    admin.delete(&format!("/api/v1/users/{anna_id}")).expect(204);
}

fn seed_oq_49_rights_are_decided_before_anything_is_told(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut anna, mut eve) =
        (site.admin(), site.logged_in("anna"), site.logged_in("eve"));
    let (lab, anna_id) = (group(&mut admin, "lab", "private"), id_of(&mut anna));
    join(&mut admin, &lab, &anna_id, false);
    tell(&mut anna, "7", &json!({ "group": lab }));
    let nobody = "01a1fbba-d492-7e37-a2c7-2df60c525101";
    // What is there, what others depend on, and what never was: one answer.
    for (there, missing) in [
        (format!("/api/v1/users/{anna_id}"), format!("/api/v1/users/{nobody}")),
        (format!("/api/v1/groups/{lab}"), format!("/api/v1/groups/{nobody}")),
        ("/api/v1/objects/calc/7".to_owned(), "/api/v1/objects/calc/8".to_owned()),
    ] {
        let (told, reference) = (eve.delete(&there), eve.delete(&missing));
        assert!(matches!(told.status, 403 | 404), "{}", told.text);
        assert_eq!((told.status, told.text), (reference.status, reference.text), "{there}");
    }
}

fn seed_cn_26_an_object_never_loses_its_last_administrator(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut anna, mut bert) =
        (site.admin(), site.logged_in("anna"), site.logged_in("bert"));
    tell(&mut anna, "7", &json!({}));
    let path = "/api/v1/objects/calc/7";
    anna.put(path, &json!({ "owner": null })).expect(200);
    anna.put(path, &json!({ "owner": "01a1fbba-d492-7e37-a2c7-2df60c525101" })).expect(422);
    admin.delete(&format!("/api/v1/users/{}", id_of(&mut anna))).expect(409);
    assert_eq!(anna.get(path).expect(200).json()["owner_name"], "anna");
    anna.put(path, &json!({ "owner": id_of(&mut bert) })).expect(200);
    assert_eq!(check(&mut bert, "calc.share", "calc:7")["reason_code"], "owner");
    assert_eq!(check(&mut anna, "calc.share", "calc:7")["allowed"], false);
}

fn seed_cn_51_an_account_without_a_password_owns_things_and_stays_out(db: Db) {
    let site = TestSite::start(db);
    let mut admin = site.admin();
    let robot = admin.post("/api/v1/users", &json!({ "username": "robot" })).expect(201).id();
    admin.put("/api/v1/objects/calc/7", &json!({ "owner": robot })).expect(201);
    for password in ["", "!", "robot", PASSWORD] {
        site.visitor().log_in("robot", password).expect_problem(401, "login_failed");
    }
}

fn seed_kt_3_no_spelling_of_a_path_gets_round_its_rule(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut anna) = (site.admin(), site.logged_in("anna"));
    let anna_id = id_of(&mut anna);
    for (effect, prefix) in [("allow", "calc:/base1/"), ("deny", "calc:/base1/private/")] {
        let rule = json!({
            "user": anna_id, "permission": "calc.view", "effect": effect, "prefix": prefix,
        });
        admin.post("/api/v1/grants", &rule).expect(201);
    }
    assert_eq!(check(&mut anna, "calc.view", "calc:/base1/x")["allowed"], true);
    for hidden in ["/base1/private", "/base1/private/", "/base1/private/x", "/base2/x"] {
        let answer = check(&mut anna, "calc.view", &format!("calc:{hidden}"));
        assert_eq!(answer["allowed"], false, "{hidden}");
    }
    for trick in [
        "/base1//private/x",
        "/base1/./private/x",
        "/base1/y/../private/x",
        "/base1/../base2/x",
        "/base1/%2e%2e/base2/x",
        "/base1/%2E%2e/base2/x",
        "/base1/.%2e/base2/x",
        "/base1/private%2fx",
        "/base1/..;x/base2/x",
        "/base1/;/private/x",
        "/base1/..\\base2\\x",
        "/base1/%252e%252e/base2/x",
        "//base1/private/x",
    ] {
        let question = json!({ "permission": "calc.view", "object": format!("calc:{trick}") });
        anna.post("/api/v1/check", &question).expect_problem(422, "invalid");
    }
}

fn seed_kt_5_a_changed_rule_counts_at_the_next_request(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut anna) = (site.admin(), site.logged_in("anna"));
    let anna_id = id_of(&mut anna);
    let rule = |effect: &str, prefix: &str| json!({ "user": anna_id, "permission": "calc.view", "effect": effect, "prefix": prefix });
    let mut allowed = || check(&mut anna, "calc.view", "calc:/base1/t1/")["allowed"] == true;
    assert!(!allowed());
    let allow = admin.post("/api/v1/grants", &rule("allow", "calc:/base1/")).expect(201).id();
    assert!(allowed());
    let deny = admin.post("/api/v1/grants", &rule("deny", "calc:/base1/t1/")).expect(201).id();
    assert!(!allowed());
    admin.delete(&format!("/api/v1/grants/{deny}")).expect(204);
    assert!(allowed());
    admin.delete(&format!("/api/v1/grants/{allow}")).expect(204);
    assert!(!allowed());
}

fn seed_kt_16_what_is_hidden_and_what_is_missing_look_the_same(db: Db) {
    let site = TestSite::start(db);
    let (mut anna, mut eve) = (site.logged_in("anna"), site.logged_in("eve"));
    tell(&mut anna, "%2Fbase1%2Ft1%2F", &json!({}));
    let share = json!({ "authenticated": true, "permission": "calc.view" });
    for (method, rest, body) in [
        ("GET", "", None),
        ("DELETE", "", None),
        ("GET", "/shares", None),
        ("POST", "/shares", Some(("application/json", share.to_string()))),
    ] {
        let mut ask = |id: &str| {
            let path = format!("/api/v1/objects/calc/%2Fbase1%2F{id}%2F{rest}");
            let answer = eve.send(method, &path, body.clone());
            (answer.status, answer.text)
        };
        assert_eq!(ask("t1"), ask("t2"), "{method} {rest}");
        assert_eq!(ask("t1").0, 404);
    }
}

fn atk_a213_what_others_have_rights_on_is_not_made_ones_own(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut eve) = (site.admin(), site.logged_in("eve"));
    // As after an import: rights on an object of which nobody told us.
    for effect in ["allow", "deny"] {
        let right = json!({
            "user": site.user(&format!("bert-{effect}")), "permission": "calc.view",
            "effect": effect, "object": format!("calc:{effect}"),
        });
        admin.post("/api/v1/grants", &right).expect(201);
        let path = format!("/api/v1/objects/calc/{effect}");
        eve.put(&path, &json!({})).expect_problem(403, "permission_denied");
        assert_eq!(check(&mut eve, "calc.view", &format!("calc:{effect}"))["allowed"], false);
    }
    let entry = json!({ "owner": id_of(&mut eve) });
    admin.put("/api/v1/objects/calc/allow", &entry).expect(201);
    eve.put("/api/v1/objects/calc/of-nobody", &json!({})).expect(201);
}

fn changes_of_one_object_at_once_keep_what_each_other_made_of_it(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut anna) = (site.admin(), site.logged_in("anna"));
    let bert = site.user("bert");
    let anna_id = id_of(&mut anna);
    for round in 0..10 {
        let path = format!("/api/v1/objects/calc/{round}");
        admin.put(&path, &json!({ "owner": anna_id })).expect(201);
        let (mut giving, mut opening) = (admin.clone(), admin.clone());
        std::thread::scope(|scope| {
            scope.spawn(|| giving.put(&path, &json!({ "owner": bert })).expect(200));
            scope.spawn(|| opening.put(&path, &json!({ "level": "read-write" })).expect(200));
        });
        let object = admin.get(&path).expect(200).json();
        assert_eq!(
            (&object["owner_name"], &object["level"]),
            (&json!("bert"), &json!("read-write"))
        );
    }
}
