//! `CoralNet`: sources that are public or private, three roles on each, staff who see all.

use vestibule_core::domain::grant::Scope;

use super::site::{Site, To, on};

/// Ann's source 1, on which Vic views, Ed edits and Ada administers; nobody has a role on 2.
fn sources() -> Site {
    let mut site = Site::default();
    site.permissions_on("source");
    for name in ["ann", "vic", "ed", "ada", "eve"] {
        site.user(name);
    }
    site.object("source:1", "ann", None);
    site.object("source:2", "ann", None);
    let roles: [(_, &[&str]); 3] = [
        ("vic", &["source.view"]),
        ("ed", &["source.view", "source.edit"]),
        ("ada", &["source.view", "source.edit", "source.manage"]),
    ];
    for (name, codes) in roles {
        for code in codes {
            site.grant(To::User(name), code, on("source:1"));
        }
    }
    site
}

#[test]
fn seed_cn_23_a_private_source_is_seen_only_by_people_with_a_role_on_it() {
    let site = sources();
    for name in ["ann", "vic", "ed", "ada"] {
        assert!(site.may(name, "source.view", "source:1"), "{name}");
    }
    assert!(!site.may("eve", "source.view", "source:1"));
    assert!(!site.may("vic", "source.view", "source:2"));
}

#[test]
fn seed_cn_23_a_public_source_is_seen_by_anybody() {
    let mut site = sources();
    site.grant(To::Everybody, "source.view", on("source:2"));
    for name in ["ann", "vic", "eve"] {
        assert!(site.may(name, "source.view", "source:2"), "{name}");
    }
    assert_eq!(site.actions("eve", "source:2"), ["view"]);
}

#[test]
fn seed_cn_24_roles_on_one_source_lie_one_in_the_other() {
    let site = sources();
    assert_eq!(site.actions("vic", "source:1"), ["view"]);
    assert_eq!(site.actions("ed", "source:1"), ["view", "edit"]);
    assert_eq!(site.actions("ada", "source:1"), ["view", "edit", "manage"]);
}

#[test]
fn seed_cn_24_who_edits_gives_the_right_to_manage_to_nobody() {
    let site = sources();
    assert!(!site.may_give("ed", "source.manage", &on("source:1")));
    assert!(site.may_give("ada", "source.manage", &on("source:1")));
    assert!(!site.may_give("ada", "source.manage", &on("source:2")));
    assert!(!site.may_give("ada", "source.manage", &Scope::Whole));
}

#[test]
fn seed_cn_27_a_permission_as_a_whole_opens_every_object_of_the_kind() {
    let mut site = sources();
    site.grant(To::User("eve"), "source.view", Scope::Whole);
    // Also those we were never told of.
    for source in ["source:1", "source:2", "source:99"] {
        assert_eq!(site.actions("eve", source), ["view"], "{source}");
    }
}

#[test]
fn seed_cn_27_a_denial_on_one_object_wins_over_the_permission_as_a_whole() {
    let mut site = sources();
    site.grant(To::User("eve"), "source.view", Scope::Whole);
    site.deny(To::Everybody, "source.view", on("source:2"));
    assert!(site.may("eve", "source.view", "source:1"));
    assert!(!site.may("eve", "source.view", "source:2"));
    assert!(!site.may("ann", "source.view", "source:2"), "though it is hers");
    assert!(site.may("eve", "source.view", ""));
    assert!(!site.may_give("eve", "source.view", &Scope::Whole));
}
