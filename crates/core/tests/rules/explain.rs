//! The words in which a decision is explained.

use std::time::Duration;

use vestibule_core::domain::{
    grant::Scope,
    group::MAX_NESTING,
    level::{Action, Level},
};

use super::site::{NOW, Site, To, below, on};

const GRANT: &str = "00000000-0000-0000-0000-000000000000";

/// Ann is in the team, the team in the lab, the lab in the site.
fn site() -> Site {
    let mut site = Site::default();
    site.permission("doc.view", Some(("doc", Action::View)));
    site.permission("doc.edit", Some(("doc", Action::Edit)));
    for name in ["team", "lab", "site"] {
        site.group(name, Level::ReadOnly);
    }
    site.nest("lab", "team");
    site.nest("site", "lab");
    site.user("ann");
    site.user("bob");
    site.member("team", "ann");
    site
}

#[test]
fn a_grant_through_two_nested_groups_names_the_way() {
    let mut site = site();
    site.grant(To::Group("site"), "doc.edit", Scope::Whole);
    assert_eq!(
        site.why("ann", "doc.edit", "doc:1"),
        format!(
            "granted to group site (the user is in team, which is in lab, which is in site) \
             on everything (grant {GRANT})"
        )
    );
}

#[test]
fn a_denial_through_two_nested_groups_names_the_way() {
    let mut site = site();
    site.deny(To::Group("site"), "doc.edit", below("doc:/a/"));
    site.grant(To::User("ann"), "doc.edit", Scope::Whole);
    assert_eq!(
        site.why("ann", "doc.edit", "doc:/a/b"),
        format!(
            "denied to group site (the user is in team, which is in lab, which is in site) \
             on all below doc:/a/ (grant {GRANT})"
        )
    );
}

#[test]
fn the_shortest_way_is_named_where_there_are_two() {
    let mut site = site();
    site.group("club", Level::Private);
    site.nest("site", "club");
    site.member("club", "ann");
    site.grant(To::Group("site"), "doc.edit", Scope::Whole);
    let why = site.why("ann", "doc.edit", "");
    assert!(why.contains("(the user is in club, which is in site)"), "{why}");
}

#[test]
fn a_level_names_the_way_to_the_objects_group() {
    let mut site = site();
    site.object("doc:1", "bob", Some("lab"));
    assert_eq!(
        site.why("ann", "doc.view", "doc:1"),
        "the object is read-only for members of its group: \
         the user is in team, which is in lab"
    );
}

#[test]
fn grants_to_the_user_and_to_everybody_say_so() {
    let mut site = site();
    site.grant(To::User("ann"), "doc.edit", on("doc:1"));
    site.grant(To::Everybody, "doc.view", Scope::Whole);
    assert_eq!(
        site.why("ann", "doc.edit", "doc:1"),
        format!("granted to the user on doc:1 (grant {GRANT})")
    );
    let why = site.why("bob", "doc.view", "doc:1");
    assert!(why.starts_with("granted to everybody who is logged in on everything"));
}

#[test]
fn owners_and_managers_are_called_so() {
    let mut site = site();
    site.object("doc:1", "bob", Some("team"));
    site.user("mia");
    site.manager("team", "mia");
    assert_eq!(site.why("bob", "doc.edit", "doc:1"), "the user owns the object");
    assert_eq!(
        site.why("mia", "doc.edit", "doc:1"),
        "the user manages group team, which the object belongs to"
    );
}

#[test]
fn what_refuses_is_named() {
    let mut site = site();
    site.user("off").is_active = false;
    site.user("gone").expires_at = Some(NOW);
    let why = |user, permission| site.why(user, permission, "");
    assert_eq!(why("ann", "doc.edit"), "nothing allows it");
    assert_eq!(why("ann", "doc.unheard_of"), "no service has registered this permission");
    assert_eq!(why("off", "doc.edit"), "the account is disabled or has expired");
    assert_eq!(why("gone", "doc.edit"), "the account is disabled or has expired");
}

#[test]
fn atk_a211_a_membership_ends_at_its_instant() {
    let mut site = site();
    site.grant(To::Group("site"), "doc.edit", Scope::Whole);
    site.user("one");
    site.user("two");
    site.member("lab", "one").expires_at = Some(NOW);
    site.member("lab", "two").expires_at = Some(NOW.plus(Duration::from_micros(1)));
    assert!(!site.may("one", "doc.edit", ""));
    assert!(site.may("two", "doc.edit", ""));
}

#[test]
fn atk_a212_a_circle_of_groups_does_no_harm() {
    let mut site = site();
    site.nest("team", "site");
    site.grant(To::Group("lab"), "doc.edit", Scope::Whole);
    site.user("sid");
    site.member("site", "sid");
    assert!(site.may("ann", "doc.edit", ""));
    let why = site.why("sid", "doc.edit", "");
    assert!(why.contains("(the user is in site, which is in team, which is in lab)"), "{why}");
}

#[test]
fn atk_a212_groups_reach_as_deep_as_they_may_nest_and_no_deeper() {
    let mut site = Site::default();
    site.permission("doc.edit", None);
    site.permission("doc.view", None);
    let name = |depth: usize| format!("level {depth}");
    for depth in 0..=MAX_NESTING + 1 {
        site.group(&name(depth), Level::Private);
        if depth > 0 {
            site.nest(&name(depth), &name(depth - 1));
        }
    }
    site.user("ann");
    site.member(&name(0), "ann");
    site.grant(To::Group("level 16"), "doc.edit", Scope::Whole);
    site.grant(To::Group("level 17"), "doc.view", Scope::Whole);
    assert_eq!(MAX_NESTING, 16);
    assert!(site.may("ann", "doc.edit", ""));
    assert!(!site.may("ann", "doc.view", ""));
    let why = site.why("ann", "doc.edit", "");
    assert!(why.contains("the user is in level 0, which is in level 1,"), "{why}");
}
