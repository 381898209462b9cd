//! OMERO: four levels, as its own table of permissions has them.

use vestibule_core::domain::level::Level;

use super::site::Site;

const ALL: [&str; 5] = ["view", "annotate", "edit", "delete", "manage"];

/// Ann's image in the lab, whose level is this; Max is a member, Mia its manager, Eve a stranger.
fn lab(level: Level) -> Site {
    let mut site = Site::default();
    site.permissions_on("image");
    site.group("lab", level);
    site.group("annexe", level);
    for name in ["ann", "max", "mia", "eve"] {
        site.user(name);
    }
    site.superuser("root");
    site.member("lab", "ann");
    site.member("lab", "max");
    site.manager("lab", "mia");
    site.manager("annexe", "eve");
    site.object("image:1", "ann", Some("lab"));
    site
}

#[test]
fn seed_om_37_in_a_private_group_members_see_only_their_own_and_nobody_else_annotates() {
    let site = lab(Level::Private);
    assert_eq!(site.actions("max", "image:1"), [""; 0]);
    assert_eq!(site.actions("mia", "image:1"), ["view", "edit", "delete", "manage"]);
    assert_eq!(site.actions("ann", "image:1"), ALL);
    assert_eq!(site.actions("eve", "image:1"), [""; 0]);
}

#[test]
fn seed_om_38_in_a_read_only_group_members_see_and_do_nothing_else() {
    let site = lab(Level::ReadOnly);
    assert_eq!(site.actions("max", "image:1"), ["view"]);
    assert_eq!(site.actions("mia", "image:1"), ALL);
    assert_eq!(site.actions("eve", "image:1"), [""; 0]);
}

#[test]
fn seed_om_39_in_a_read_annotate_group_members_see_and_annotate() {
    let site = lab(Level::ReadAnnotate);
    assert_eq!(site.actions("max", "image:1"), ["view", "annotate"]);
    assert_eq!(site.actions("mia", "image:1"), ALL);
    assert_eq!(site.actions("eve", "image:1"), [""; 0]);
}

#[test]
fn seed_om_40_in_a_read_write_group_members_see_annotate_edit_and_delete() {
    let site = lab(Level::ReadWrite);
    assert_eq!(site.actions("max", "image:1"), ["view", "annotate", "edit", "delete"]);
    assert_eq!(site.actions("eve", "image:1"), [""; 0]);
}

#[test]
fn seed_om_41_managers_edit_and_delete_all_of_their_group_and_members_never_manage() {
    let levels = [Level::Private, Level::ReadOnly, Level::ReadAnnotate, Level::ReadWrite];
    for level in levels {
        let site = lab(level);
        for action in ["image.edit", "image.delete"] {
            assert!(site.may("mia", action, "image:1"), "{action} in {level}");
            assert!(!site.may("eve", action, "image:1"), "{action} in {level}");
        }
        // Moving an object to another group is managing it.
        assert!(!site.may("max", "image.manage", "image:1"), "{level}");
    }
}

#[test]
fn seed_om_41_a_manager_of_a_group_inside_manages_only_that_one() {
    let mut site = lab(Level::Private);
    site.group("team", Level::Private);
    site.nest("lab", "team");
    site.user("tim");
    site.manager("team", "tim");
    site.object("image:2", "ann", Some("team"));
    assert!(site.may("tim", "image.edit", "image:2"));
    assert!(!site.may("tim", "image.edit", "image:1"));
}

/// Superusers stand above the levels, as OMERO's administrators do: also what a private group
/// keeps from its own managers.
#[test]
fn seed_om_37_superusers_stand_above_the_levels() {
    let site = lab(Level::Private);
    assert_eq!(site.actions("root", "image:1"), ALL);
    assert_eq!(site.why("root", "image.annotate", "image:1"), "superusers hold every permission");
}

#[test]
fn seed_om_38_an_objects_own_level_counts_before_its_groups() {
    let mut site = lab(Level::ReadWrite);
    site.object("image:2", "ann", Some("lab")).level = Some(Level::Private);
    assert_eq!(site.actions("max", "image:2"), [""; 0]);
    let mut site = lab(Level::Private);
    site.object("image:2", "ann", Some("lab")).level = Some(Level::ReadOnly);
    assert_eq!(site.actions("max", "image:2"), ["view"]);
}
