//! OpenQuake: members of my groups see what is mine, and only I delete it.

use vestibule_core::domain::{
    grant::Scope,
    level::{Action, Level},
    object::DeleteRule,
};

use super::site::{Site, To, on};

/// Calculations of the teams `hazard` and `risk`; Zoe is in both.
fn engine() -> Site {
    let mut site = Site::default();
    site.permissions_on("calc");
    site.delete_rule("calc", DeleteRule::OwnerOnly);
    site.group("hazard", Level::ReadAnnotate);
    site.group("risk", Level::ReadAnnotate);
    for name in ["ann", "max", "bob", "zoe", "eve"] {
        site.user(name);
    }
    site.superuser("root");
    for (group, user) in
        [("hazard", "ann"), ("hazard", "max"), ("hazard", "zoe"), ("risk", "bob"), ("risk", "zoe")]
    {
        site.member(group, user);
    }
    site.object("calc:1", "ann", Some("hazard"));
    site.object("calc:2", "bob", Some("risk"));
    site
}

#[test]
fn seed_oq_10_members_see_each_others_calculations() {
    let site = engine();
    assert!(site.may("max", "calc.view", "calc:1"));
    assert!(!site.may("max", "calc.view", "calc:2"));
    assert!(!site.may("eve", "calc.view", "calc:1"));
}

#[test]
fn seed_oq_10_a_member_of_two_groups_sees_the_calculations_of_both() {
    let site = engine();
    assert!(site.may("zoe", "calc.view", "calc:1"));
    assert!(site.may("zoe", "calc.view", "calc:2"));
}

#[test]
fn seed_oq_10_leaving_the_group_ends_it() {
    let mut site = engine();
    site.leave("hazard", "zoe");
    assert!(!site.may("zoe", "calc.view", "calc:1"));
    assert!(site.may("zoe", "calc.view", "calc:2"));
}

#[test]
fn seed_oq_11_a_member_who_is_not_the_owner_does_not_delete() {
    let mut site = engine();
    assert!(!site.may("max", "calc.delete", "calc:1"));
    assert!(site.may("ann", "calc.delete", "calc:1"));
    // Whatever the level, and were it the group's manager.
    site.manager("hazard", "eve");
    site.object("calc:3", "ann", Some("hazard")).level = Some(Level::ReadWrite);
    assert!(site.may("max", "calc.edit", "calc:3"));
    assert!(!site.may("max", "calc.delete", "calc:3"));
    assert!(!site.may("eve", "calc.delete", "calc:3"));
}

#[test]
fn seed_oq_12_what_is_shared_with_everybody_is_seen_by_all_who_are_logged_in() {
    let mut site = engine();
    site.grant(To::Everybody, "calc.view", on("calc:1"));
    for name in ["max", "bob", "zoe", "eve"] {
        assert!(site.may(name, "calc.view", "calc:1"), "{name}");
    }
    assert!(!site.may("eve", "calc.view", "calc:2"));
    assert!(!site.may("eve", "calc.edit", "calc:1"));
}

#[test]
fn seed_oq_12_unsharing_ends_it() {
    let mut site = engine();
    site.grant(To::Everybody, "calc.view", on("calc:1"));
    site.take_back("calc.view");
    assert!(!site.may("eve", "calc.view", "calc:1"));
    assert!(site.may("max", "calc.view", "calc:1"), "by the level still");
}

#[test]
fn seed_oq_17_superusers_do_not_delete_what_is_others_and_are_told_the_rule() {
    let site = engine();
    assert!(site.may("root", "calc.edit", "calc:1"));
    assert!(!site.may("root", "calc.delete", "calc:1"));
    assert_eq!(
        site.why("root", "calc.delete", "calc:1"),
        "only its owner deletes it, superusers included"
    );
    assert_eq!(site.decide("root", "calc.delete", "calc:1").reason.code(), "superuser_barred");
}

#[test]
fn seed_oq_17_superusers_delete_their_own() {
    let mut site = engine();
    site.object("calc:3", "root", None);
    assert!(site.may("root", "calc.delete", "calc:3"));
}

#[test]
fn seed_oq_17_a_grant_lets_superusers_delete_what_is_others() {
    let mut site = engine();
    site.grant(To::User("root"), "calc.delete", on("calc:1"));
    assert!(site.may("root", "calc.delete", "calc:1"));
    assert!(!site.may("root", "calc.delete", "calc:2"));
    site.grant(To::User("root"), "calc.delete", Scope::Whole);
    assert!(site.may("root", "calc.delete", "calc:2"));
}

#[test]
fn seed_oq_17_without_the_strict_rule_superusers_delete_everything() {
    let mut site = engine();
    site.permission("job.delete", Some(("job", Action::Delete)));
    site.object("job:1", "ann", Some("hazard"));
    assert!(site.may("root", "job.delete", "job:1"));
}

#[test]
fn seed_oq_21_three_levels_of_capability_are_three_groups_one_in_the_other() {
    let mut site = Site::default();
    for code in ["engine.look", "engine.run", "engine.tune"] {
        site.permission(code, None);
    }
    // Who is advanced is simple too; everybody may look.
    site.group("simple", Level::Private);
    site.group("advanced", Level::Private);
    site.nest("simple", "advanced");
    site.grant(To::Everybody, "engine.look", Scope::Whole);
    site.grant(To::Group("simple"), "engine.run", Scope::Whole);
    site.grant(To::Group("advanced"), "engine.tune", Scope::Whole);
    for name in ["newcomer", "runner", "expert"] {
        site.user(name);
    }
    site.member("simple", "runner");
    site.member("advanced", "expert");
    let held = |name| {
        let mut all = vec!["engine.look", "engine.run", "engine.tune"];
        all.retain(|code| site.may(name, code, ""));
        all
    };
    assert_eq!(held("newcomer"), ["engine.look"]);
    assert_eq!(held("runner"), ["engine.look", "engine.run"]);
    assert_eq!(held("expert"), ["engine.look", "engine.run", "engine.tune"]);
}

#[test]
fn seed_oq_22_a_hidden_output_takes_its_own_permission() {
    let mut site = engine();
    site.permission("calc.view_hidden", None);
    site.grant(To::User("max"), "calc.view_hidden", Scope::Whole);
    assert!(site.may("max", "calc.view_hidden", "calc:1"));
    // Neither looking at the calculation nor owning it is enough.
    assert!(!site.may("zoe", "calc.view_hidden", "calc:1"));
    assert!(!site.may("ann", "calc.view_hidden", "calc:1"));
}
