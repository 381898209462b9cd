//! Whom an announcement is for.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use vestibule_core::{Entropy, testkit::SeededEntropy};

use super::{PATH, addresses, change, numbered, people, recipients, sent, site, to};
use crate::support::{Db, group, join, on_every_database};

on_every_database!(
    seed_om_51_groups_users_and_those_who_are_inactive_can_be_meant,
    holders_of_a_permission_are_those_of_whom_a_check_says_so,
    what_has_expired_makes_nobody_one_of_those_who_are_meant,
);

fn what_has_expired_makes_nobody_one_of_those_who_are_meant(db: Db) {
    let (site, _) = site(db);
    let mut admin = site.admin();
    let ids: Vec<String> = people(&site, numbered(3)).iter().map(ToString::to_string).collect();
    let lab = group(&mut admin, "lab", "private");
    let end = "2026-01-01T00:10:00Z";
    join(&mut admin, &lab, &ids[0], false);
    let member = json!({ "user": ids[1], "expires_at": end });
    admin.post(&format!("/api/v1/groups/{lab}/members"), &member).expect(204);
    let held = |user: &str| json!({ "user": user, "permission": "calc.start" });
    admin.post("/api/v1/grants", &held(&ids[0])).expect(201);
    let mut short = held(&ids[2]);
    short["expires_at"] = json!(end);
    admin.post("/api/v1/grants", &short).expect(201);
    let mut count = |audience: &Value| {
        let preview = admin.post(&format!("{PATH}/preview"), &to(audience)).expect(200).json();
        preview["people"].as_u64().unwrap() - preview["without_address"].as_u64().unwrap()
    };
    let audiences = [json!({ "groups": [lab] }), json!({ "permission": "calc.start" })];
    assert_eq!(audiences.each_ref().map(&mut count), [2, 2]);
    site.clock.advance(Duration::from_mins(10));
    assert_eq!(audiences.each_ref().map(&mut count), [1, 1]);
}

fn seed_om_51_groups_users_and_those_who_are_inactive_can_be_meant(db: Db) {
    let (site, post) = site(db);
    let mut admin = site.admin();
    let ids = people(&site, numbered(6));
    let [lab, team] = ["lab", "team"].map(|name| group(&mut admin, name, "private"));
    admin.post(&format!("/api/v1/groups/{lab}/groups"), &json!({ "group": team })).expect(204);
    for (group, user) in [(&lab, 0), (&team, 1), (&team, 2), (&lab, 2)] {
        join(&mut admin, group, &ids[user].to_string(), false);
    }
    change(&site, "is_active = false", "u1");
    let mut tell = |audience: &Value, include_inactive: bool| {
        let before = post.letters(&site).len();
        let mut body = to(audience);
        body["subject"] =
            json!(format!("{audience} {include_inactive}").chars().take(100).collect::<String>());
        body["include_inactive"] = json!(include_inactive);
        let announcement = admin.post(PATH, &body).expect(201).json();
        assert_eq!(&announcement["to"], audience);
        sent(&mut admin, &announcement);
        recipients(&post.0.letters()[before..])
    };
    let named = |names: &[&str]| addresses(names.iter().map(|&name| name.to_owned()));
    assert_eq!(tell(&json!({ "groups": [lab] }), false), named(&["u0", "u2"]));
    assert_eq!(tell(&json!({ "groups": [lab] }), true), named(&["u0", "u1", "u2"]));
    assert_eq!(tell(&json!({ "groups": [team, lab] }), false), named(&["u0", "u2"]));
    let some = json!({ "users": [ids[1].to_string(), ids[5].to_string()] });
    assert_eq!(tell(&some, false), named(&["u5"]));
    assert_eq!(tell(&some, true), named(&["u1", "u5"]));
}

fn holders_of_a_permission_are_those_of_whom_a_check_says_so(db: Db) {
    let (site, _) = site(db);
    let mut admin = site.admin();
    let ids = people(&site, numbered(12));
    change(&site, "is_active = false", "u11");
    let groups: Vec<String> =
        (0..5).map(|n| group(&mut admin, &format!("g{n}"), "private")).collect();
    for (parent, child) in [(0, 1), (1, 2), (3, 2)] {
        let path = format!("/api/v1/groups/{}/groups", groups[parent]);
        admin.post(&path, &json!({ "group": groups[child] })).expect(204);
    }
    for (user, id) in ids.iter().enumerate().take(10) {
        join(&mut admin, &groups[user % 5], &id.to_string(), false);
    }
    let seeded = SeededEntropy::new(41);
    let pick = |of: usize| {
        let mut bytes = [0; 8];
        seeded.fill(&mut bytes);
        usize::from(bytes[0]) % of
    };
    let mut seen = BTreeSet::new();
    for world in 0..12 {
        let mut made = Vec::new();
        for _ in 0..=pick(5) {
            let mut body = json!({ "permission": "calc.start" });
            match pick(8) {
                0 => body["authenticated"] = json!(true),
                1..=3 => body["group"] = json!(groups[pick(5)]),
                _ => body["user"] = json!(ids[pick(12)].to_string()),
            }
            body["effect"] = json!(if pick(3) == 0 { "deny" } else { "allow" });
            let answer = admin.post("/api/v1/grants", &body);
            assert!(matches!(answer.status, 200 | 201), "{body}: {}", answer.text);
            made.push(answer.id());
        }
        let mut holders = 0;
        for id in &ids {
            let asked = json!({ "user": id.to_string(), "permission": "calc.start" });
            let answer = admin.post("/api/v1/check", &asked).expect(200).json();
            holders += u64::from(answer["allowed"] == true);
        }
        let body = to(&json!({ "permission": "calc.start" }));
        let preview = admin.post(&format!("{PATH}/preview"), &body).expect(200).json();
        // The superuser holds everything, and has no address.
        assert_eq!(preview["without_address"], 1);
        assert_eq!(preview["people"], holders + 1, "world {world}");
        seen.insert(holders);
        for id in made.iter().collect::<BTreeSet<_>>() {
            admin.delete(&format!("/api/v1/grants/{id}")).expect(204);
        }
    }
    assert!(seen.len() > 3, "{seen:?}");
}
