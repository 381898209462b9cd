//! The groups of somebody, told in the ways that there are.

use serde_json::{Value, json};
use vestibule_core::ports::backend::Groups;

use crate::support::{exported, fault, verified, with};

const GROUPS: &str = "ou=groups,dc=facility,dc=org";

fn by_search(more: &Value) -> Value {
    let mut keys = json!({ "groups_from": "search", "group_base": GROUPS });
    for (key, value) in more.as_object().unwrap() {
        keys[key] = value.clone();
    }
    keys
}

#[tokio::test]
async fn seed_om_58_groups_come_by_an_attribute_of_the_person() {
    let direct = with(&json!({ "groups_from": "attribute", "nested_depth": 0 }));
    assert_eq!(direct.groups_of("ann").await, ["beamline-a", "crowd", "staff"]);
    assert_eq!(direct.groups_of("bert").await, ["deep-3", "staff"]);
    assert_eq!(direct.groups_of("lone").await, Vec::<String>::new());
    assert_eq!(direct.groups_of("st*r").await, ["Group, with (signs) * \\"]);
    let any = json!({ "groups_from": "attribute", "group_attribute": "mail" });
    assert_eq!(with(&any).groups_of("carla").await.len(), 3, "values that are no names");
    let below = json!({ "groups_from": "attribute", "group_base": "ou=unix,dc=facility,dc=org" });
    assert_eq!(with(&below).groups_of("ann").await, Vec::<String>::new(), "not from elsewhere");
}

#[tokio::test]
async fn seed_om_58_groups_come_by_a_search() {
    let setting = with(&by_search(&json!({})));
    assert_eq!(setting.groups_of("ann").await, ["beamline-a", "crowd", "staff"]);
    assert_eq!(setting.groups_of("lone").await, Vec::<String>::new());
    assert_eq!(setting.groups_of("doe, jane").await, ["Group, with (signs) * \\"]);
    assert_eq!(
        setting.groups_of("jürgen").await,
        ["Group, with (signs) * \\", "Gäste"],
        "of two names the one in its name in the directory"
    );
    let judged = verified(setting.entitle("ann").await);
    assert_eq!(judged.groups, setting.person("ann").await.groups);
    let both = json!({ "group_filter": "(|(member={dn})(uniqueMember={dn}))" });
    let both = with(&by_search(&both));
    assert_eq!(both.groups_of("ann").await, ["beamline-a", "crowd", "staff", "unique"]);
}

#[tokio::test]
async fn seed_om_58_groups_list_their_members_by_the_name_that_the_directory_writes() {
    let unix = with(&by_search(&json!({
        "group_base": "ou=unix,dc=facility,dc=org",
        "group_filter": "(memberUid={username})",
    })));
    assert_eq!(unix.groups_of("ann").await, ["operators"]);
    assert_eq!(unix.groups_of("st*r").await, ["operators"]);
    // The group `case` lists `upper` and `BERT`, and neither of them is anybody.
    assert_eq!(unix.groups_of("UPPER").await, Vec::<String>::new());
    let shouted = verified(unix.log_in("BERT", "bert-pass-1").await);
    assert_eq!(shouted.groups, Groups::Known(Vec::new()));
}

#[tokio::test]
async fn seed_om_58_groups_go_by_their_whole_names_where_that_is_wanted() {
    let expected = ["cn=beamline-a", "cn=crowd", "cn=staff"].map(|cn| format!("{cn},{GROUPS}"));
    let searched = with(&by_search(&json!({ "group_name_attribute": "dn" })));
    assert_eq!(searched.groups_of("ann").await, expected);
    let listed = json!({ "groups_from": "attribute", "group_name_attribute": "dn" });
    assert_eq!(with(&listed).groups_of("ann").await, expected);
}

#[tokio::test]
async fn nested_groups_are_found_to_a_depth_and_no_further() {
    for way in [json!({ "groups_from": "attribute" }), by_search(&json!({}))] {
        for (depth, expected) in [
            (0, &["deep-3", "staff"][..]),
            (1, &["deep-2", "deep-3", "staff"]),
            (2, &["deep-1", "deep-2", "deep-3", "staff"]),
            (20, &["deep-1", "deep-2", "deep-3", "staff"]),
        ] {
            let mut keys = way.clone();
            keys["nested_depth"] = json!(depth);
            assert_eq!(with(&keys).groups_of("bert").await, expected, "{keys}");
        }
    }
}

#[tokio::test]
async fn groups_in_a_circle_and_in_themselves_are_told_once() {
    for way in [json!({ "groups_from": "attribute" }), by_search(&json!({}))] {
        let mut keys = way.clone();
        keys["nested_depth"] = json!(20);
        let groups = with(&keys).groups_of("carla").await;
        assert_eq!(groups, ["circle-a", "circle-b", "circle-c", "self", "staff"]);
    }
}

#[tokio::test]
async fn groups_that_cannot_be_found_out_are_a_fault() {
    let nowhere = with(&by_search(&json!({ "group_base": "ou=nowhere,dc=facility,dc=org" })));
    let (word, says) = fault(&nowhere.right("ann").await);
    assert_eq!(word, "misconfigured");
    assert_eq!(says, "the directory answers the search for groups with result 32 (noSuchObject)");
    assert_eq!(fault(&nowhere.entitle("ann").await).0, "misconfigured");
    // Who has no password learns nothing of it.
    assert!(!matches!(
        nowhere.log_in("ann", "wrong").await,
        vestibule_core::ports::backend::Verdict::Fault(_)
    ));
    let (word, says) = fault(&nowhere_probe(&nowhere).await);
    assert_eq!(
        (word, &*says),
        ("misconfigured", "the directory answers a look at the base with result 32 (noSuchObject)")
    );
}

async fn nowhere_probe(
    setting: &crate::support::Setting,
) -> vestibule_core::ports::backend::Verdict {
    let looked = setting.backend.probe().unwrap().look().await;
    vestibule_core::ports::backend::Verdict::Fault(looked.unwrap_err())
}

#[tokio::test]
async fn a_list_that_is_not_whole_is_no_list() {
    // 2,000 entries, of which the server answers no more than 500 at once: page by page they come.
    let keys = json!({
        "group_base": exported("_SUFFIX"),
        "group_filter": "(|(member={dn})(uid=crowd*))",
        "group_name_attribute": "uid",
        "nested_depth": 0,
        "max_groups": 3000,
    });
    let all = with(&by_search(&keys)).groups_of("lone").await;
    assert_eq!((all.len(), &*all[1999]), (2000, "crowd2000"));
    let mut few = keys.clone();
    few["max_groups"] = json!(300);
    let (word, says) = fault(&with(&by_search(&few)).right("lone").await);
    assert_eq!(word, "misconfigured");
    assert_eq!(says, "more than 300 answers to the search for groups");
    let listed = json!({ "groups_from": "attribute", "max_groups": 2 });
    assert_eq!(fault(&with(&listed).right("ann").await).1, "somebody is in more than 2 groups");
}
