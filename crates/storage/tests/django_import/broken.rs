//! A site with everything wrong that old sites have wrong.

use std::collections::BTreeSet;

use serde_json::Value;
use vestibule_core::domain::group::GroupName;
use vestibule_storage::django::{Action, Entry};

use super::{
    support::{Home, Site, fixture, lines},
    whole::reason,
};

fn expected() -> Value {
    serde_json::from_str(&std::fs::read_to_string(fixture("expected_report.json")).unwrap())
        .unwrap()
}

fn action(entry: &Entry) -> String {
    let json = serde_json::to_value(entry.action).unwrap();
    json.as_str().unwrap().to_owned()
}

#[test]
fn every_broken_row_is_reported_with_table_key_and_reason_and_no_other() {
    let report = Home::new().import(&fixture("broken.sqlite3"));
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let expected: BTreeSet<_> = expected()["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let what = (text(row, "reason"), text(row, "action"));
            (text(row, "table"), text(row, "key"), what)
        })
        .collect();
    let said: BTreeSet<_> = report
        .entries
        .iter()
        .map(|entry| {
            let what = (reason(entry), action(entry));
            (entry.table.clone(), entry.key.clone(), what)
        })
        .collect();
    let missing: Vec<_> = expected.difference(&said).collect();
    let surplus: Vec<_> = said.difference(&expected).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "missing {missing:#?}, surplus {surplus:#?}");
    assert_eq!(report.entries.len(), expected.len());
}

#[test]
fn the_sound_rows_beside_broken_ones_are_imported() {
    let home = Home::new();
    let report = home.import(&fixture("broken.sqlite3"));
    let expected = expected();
    let users = expected["users"].as_array().unwrap();
    for name in users {
        let name = name.as_str().unwrap();
        assert!(home.user(name).is_some(), "{name}");
    }
    assert_eq!(report.counts.users.new, users.len() as u64);
    let groups = expected["groups"].as_array().unwrap();
    for name in groups {
        let key = GroupName::key_of(name.as_str().unwrap());
        assert!(home.read(move |tx| tx.group_by_name_key(&key)).is_some(), "{name}");
    }
    assert_eq!(report.counts.groups.new, groups.len() as u64);
}

#[test]
fn every_row_of_django_is_counted_once() {
    let site = fixture("broken.sqlite3");
    let counts = Home::new().import(&site).counts;
    for (count, tables) in [
        (counts.users, &["auth_user"][..]),
        (counts.groups, &["auth_group"]),
        (counts.permissions, &["auth_permission"]),
        (counts.memberships, &["auth_user_groups"]),
        (counts.grants, &["auth_user_user_permissions", "auth_group_permissions"]),
        (
            counts.object_grants,
            &["guardian_userobjectpermission", "guardian_groupobjectpermission"],
        ),
    ] {
        let there: u64 = tables
            .iter()
            .map(|table| format!("SELECT CAST(count(*) AS text) AS line FROM {table}"))
            .map(|query| lines(&site, &query)[0].parse::<u64>().unwrap())
            .sum();
        let here = count.new + count.changed + count.unchanged + count.merged + count.left_out;
        assert_eq!(here, there, "{tables:?}");
    }
}

#[test]
fn seed_cn_17_a_hash_of_an_unknown_scheme_is_kept_as_it_is_and_its_owner_reported() {
    let (home, site) = (Home::new(), Site::empty());
    site.user(1, "ada");
    site.sql("UPDATE auth_user SET password = 'sha3_512$pepper$c2hhMw=='");
    let report = home.import(&site.path);
    assert_eq!(home.password("ada"), "sha3_512$pepper$c2hhMw==");
    assert_eq!(report.entries.len(), 1);
    assert_eq!(reason(&report.entries[0]), "password_unknown");
    assert_eq!(report.entries[0].action, Action::NeedsReset);
    assert!(!report.to_string().contains("c2hhMw"), "no hash in a report");
}

#[test]
fn atk_a236_bytes_that_are_no_text_spoil_their_own_row_alone() {
    let (home, site) = (Home::new(), Site::empty());
    for (id, name) in [(1, "ada"), (2, "bo"), (3, "cy")] {
        site.user(id, name);
    }
    site.sql(
        "UPDATE auth_user SET username = CAST(x'61ff62' AS text) WHERE id = 1;
         UPDATE auth_user SET first_name = CAST(x'61ff62' AS text) WHERE id = 2",
    );
    let report = home.import(&site.path);
    let said: Vec<_> = report.entries.iter().map(|entry| (&*entry.key, reason(entry))).collect();
    assert_eq!(said, [("1", "unreadable".to_owned()), ("2", "unreadable".to_owned())]);
    assert_eq!(home.user("bo").unwrap().first_name.as_str(), "");
    assert!(home.user("cy").is_some());
}

#[test]
fn a_password_that_no_database_takes_spoils_its_own_cell_alone() {
    an_odd_password_spoils_its_own_cell_alone(&Home::new());
}

pub(crate) fn an_odd_password_spoils_its_own_cell_alone(home: &Home) {
    let site = Site::empty();
    for (id, name) in [(1, "ada"), (2, "bo"), (3, "cy"), (4, "dee")] {
        site.user(id, name);
    }
    site.sql(
        "UPDATE auth_user SET password = CAST(x'6d643500' AS text) || '$salt$' WHERE id = 1;
         UPDATE auth_user SET password = 'md5$s\u{e4}lt$eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee' WHERE id = 2;
         UPDATE auth_user SET password = CAST(x'2100' AS text) WHERE id = 3",
    );
    let report = home.import(&site.path);
    let said: Vec<_> =
        report.entries.iter().map(|row| (&*row.key, reason(row), row.action)).collect();
    let unknown = |key| (key, "password_unknown".to_owned(), Action::NeedsReset);
    assert_eq!(said, [unknown("1"), unknown("2")]);
    assert_eq!(["ada", "bo", "cy"].map(|name| home.password(name)), ["!", "!", "!"]);
    assert!(home.password("dee").len() > 1);
    let before = home.dump();
    home.import(&site.path);
    assert_eq!(home.dump(), before);
}

#[test]
fn a_row_that_is_mended_later_is_imported_then() {
    let (home, site) = (Home::new(), Site::empty());
    site.user(1, "ada");
    site.user(2, "ADA");
    site.sql(
        "UPDATE auth_user SET email = 'ada@example.org';
         INSERT INTO auth_user_user_permissions VALUES (1, 2, 1)",
    );
    assert_eq!(home.import(&site.path).counts.users.left_out, 1);
    site.sql("UPDATE auth_user SET username = 'ada2' WHERE id = 2");
    let report = home.import(&site.path);
    assert_eq!((report.counts.users.new, report.counts.grants.new), (1, 1));
    assert_eq!(home.user("ada2").unwrap().email, None);
    site.sql("UPDATE auth_user SET email = 'countess@example.org' WHERE id = 1");
    home.import(&site.path);
    let email = home.user("ada2").unwrap().email.unwrap();
    assert_eq!(email.as_str(), "ada@example.org", "free since its first owner left it");
}

#[test]
fn a_row_that_breaks_after_it_was_imported_leaves_the_account_as_it_is() {
    let (home, site) = (Home::new(), Site::empty());
    site.user(1, "ada");
    site.group(1, "Lab 1");
    home.import(&site.path);
    let before = home.user("ada");
    site.sql(
        "UPDATE auth_user SET username = ' ', is_superuser = 1;
         INSERT INTO auth_user_groups VALUES (1, 1, 1)",
    );
    let report = home.import(&site.path);
    assert_eq!(home.user("ada"), before);
    assert_eq!(report.entries.len(), 1);
    assert_eq!(report.entries[0].action, Action::KeptOurs);
    assert_eq!(report.counts.memberships.new, 1);
}
