//! kTBS: rights by path.

use vestibule_core::domain::grant::Scope;

use super::site::{Site, To, below, on};

/// Reading and writing are two permissions on the same paths.
fn store() -> Site {
    let mut site = Site::default();
    for code in ["ktbs.get", "ktbs.put", "ktbs.query"] {
        site.permission(code, None);
    }
    for name in ["alice", "bob"] {
        site.user(name);
    }
    site
}

#[test]
fn seed_kt_2_a_path_covers_what_is_below_it_and_no_other_of_a_similar_name() {
    let mut site = store();
    site.grant(To::User("alice"), "ktbs.get", below("ktbs:/base1/"));
    for path in ["/base1", "/base1/", "/base1/t1", "/base1/t1/", "/base1/t1/o/7"] {
        let object = format!("ktbs:{path}");
        assert!(site.may("alice", "ktbs.get", &object), "{path}");
    }
    for path in ["/", "/base10/", "/base10", "/base1.bak/", "/base", "/x/base1/", "base1/t1"] {
        let object = format!("ktbs:{path}");
        assert!(!site.may("alice", "ktbs.get", &object), "{path}");
    }
    assert!(!site.may("alice", "ktbs.get", "other:/base1/"), "its kind");
    assert!(!site.may("alice", "ktbs.get", ""), "not as a whole");
}

/// Rules on three paths, in every order in which they may have been written down.
#[test]
fn seed_kt_2_the_order_of_the_rules_does_not_matter() {
    let rules = ["ktbs:/", "ktbs:/base1/", "ktbs:/base1/t1/"];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut site = store();
        for rule in order {
            match rule {
                0 => _ = site.grant(To::User("alice"), "ktbs.get", below(rules[0])),
                1 => site.deny(To::User("alice"), "ktbs.get", below(rules[1])),
                _ => _ = site.grant(To::User("alice"), "ktbs.get", below(rules[2])),
            }
        }
        assert!(site.may("alice", "ktbs.get", "ktbs:/base2/"), "{order:?}");
        assert!(site.may("alice", "ktbs.get", "ktbs:/base10/"), "{order:?}");
        // A denial wins, also over an allowance further in.
        assert!(!site.may("alice", "ktbs.get", "ktbs:/base1/"), "{order:?}");
        assert!(!site.may("alice", "ktbs.get", "ktbs:/base1/t1/"), "{order:?}");
    }
}

#[test]
fn seed_kt_2_the_grant_that_is_named_is_the_most_specific() {
    let mut site = store();
    for scope in [below("ktbs:/"), below("ktbs:/base1/t1/"), below("ktbs:/base1/")] {
        site.grant(To::User("alice"), "ktbs.get", scope);
    }
    let why = |object| site.why("alice", "ktbs.get", object);
    assert!(why("ktbs:/base1/t1/o").contains("all below ktbs:/base1/t1/ "));
    assert!(why("ktbs:/base1/t2/").contains("all below ktbs:/base1/ "));
    assert!(why("ktbs:/base10/").contains("all below ktbs:/ "));
}

#[test]
fn seed_kt_4_reading_and_writing_one_path_are_two_rights() {
    let mut site = store();
    site.grant(To::User("alice"), "ktbs.get", below("ktbs:/base1/"));
    site.grant(To::User("bob"), "ktbs.put", below("ktbs:/base1/"));
    assert!(site.may("alice", "ktbs.get", "ktbs:/base1/t1/"));
    assert!(!site.may("alice", "ktbs.put", "ktbs:/base1/t1/"));
    assert!(site.may("bob", "ktbs.put", "ktbs:/base1/t1/"));
    assert!(!site.may("bob", "ktbs.get", "ktbs:/base1/t1/"));
}

#[test]
fn seed_kt_20_a_wide_query_takes_its_own_permission() {
    let mut site = store();
    site.grant(To::User("alice"), "ktbs.get", Scope::Whole);
    site.grant(To::User("bob"), "ktbs.query", on("ktbs:/"));
    assert!(!site.may("alice", "ktbs.query", "ktbs:/"));
    assert!(site.may("bob", "ktbs.query", "ktbs:/"));
    assert!(!site.may("bob", "ktbs.query", "ktbs:/base1/"), "not below");
    assert!(!site.may("bob", "ktbs.get", "ktbs:/base1/"));
}

#[test]
fn atk_a212_a_right_on_the_object_that_a_path_names_is_not_one_to_give_away_below_it() {
    let mut site = store();
    site.grant(To::User("alice"), "ktbs.get", on("ktbs:/base1/"));
    site.grant(To::User("bob"), "ktbs.get", below("ktbs:/base1/"));
    assert!(site.may_give("alice", "ktbs.get", &on("ktbs:/base1/")));
    assert!(!site.may_give("alice", "ktbs.get", &below("ktbs:/base1/")));
    assert!(site.may_give("bob", "ktbs.get", &below("ktbs:/base1/t1/")));
    assert!(!site.may_give("bob", "ktbs.get", &below("ktbs:/")));
    site.deny(To::User("bob"), "ktbs.get", on("ktbs:/base1/t1/secret"));
    assert!(!site.may_give("bob", "ktbs.get", &below("ktbs:/base1/t1/")));
    assert!(site.may_give("bob", "ktbs.get", &below("ktbs:/base1/t2/")));
}
