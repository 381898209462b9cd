//! Runs that are killed between two transactions, and runs that meet each other.

use std::{collections::BTreeMap, thread};

use vestibule_storage::django::{ImportError, Options};

use super::support::{DiesAfter, Home, Rights, fixture, import_into, rights_here, rights_there};

/// Small transactions, so that there are many moments to be killed at.
fn small() -> Options {
    Options { batch_rows: 7, ..Options::default() }
}

fn check_rights(home: &Home, there: &BTreeMap<String, Rights>) {
    for (name, rights) in there {
        assert_eq!(&rights_here(&home.store, name), rights, "{name}");
    }
}

#[test]
fn an_import_killed_between_any_two_transactions_is_completed_by_the_next() {
    killed_between_any_two_transactions(Home::new);
}

pub(crate) fn killed_between_any_two_transactions(new_home: impl Fn() -> Home) {
    let site = fixture("site.sqlite3");
    let there = rights_there(&site, "auth_user");
    let whole = Home::new().import(&site);
    let mut writes = 0;
    loop {
        let home = new_home();
        let dying = DiesAfter::writes(&home.port, writes);
        let killed = import_into(&dying, &home.cx(), &site.display().to_string(), small());
        if killed.is_ok() {
            break;
        }
        // Nobody has a right here that Django does not give.
        for (name, rights) in &there {
            if home.user(name).is_some() {
                let here = rights_here(&home.store, name);
                assert!(here.groups.is_subset(&rights.groups), "{name}");
                assert!(here.permissions.is_subset(&rights.permissions), "{name}");
                assert!(here.objects.is_subset(&rights.objects), "{name}");
            }
        }
        let links = home.count("import_links WHERE kind <> 'run'");
        let rows = home.count("users")
            + home.count("groups")
            + home.count("memberships")
            + home.count("grants");
        assert_eq!(links, rows, "a row and its link are written together");
        let completed = home.import(&site);
        check_rights(&home, &there);
        for ((kind, all), (_, rest)) in whole.counts.all().into_iter().zip(completed.counts.all()) {
            assert_eq!(rest.new + rest.unchanged, all.new, "{kind} after {writes} writes");
        }
        let events = home.audit();
        assert_eq!(events.len(), 1, "after {writes} writes");
        if writes > 0 {
            assert!(events[0].details["rows_of_cut_off_runs"].as_u64().unwrap() > 0);
        }
        let before = home.dump();
        assert!(!home.import(&site).changed_anything());
        assert_eq!(home.dump(), before);
        // Every batch at first, then some of the many.
        writes += 1 + writes / 4;
    }
    assert!(writes > 20, "the site fills {writes} transactions only");
}

#[test]
fn many_transactions_leave_what_one_leaves_and_one_audit_event() {
    let site = fixture("site.sqlite3");
    let (one, many) = (Home::new(), Home::new());
    let reports = (one.import(&site), many.try_import(&site, small()).unwrap());
    assert_eq!(reports.0, reports.1);
    check_rights(&many, &rights_there(&site, "auth_user"));
    let events = many.audit();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].details, one.audit()[0].details);
    assert!(events[0].details.get("rows_of_cut_off_runs").is_none());
    let before = many.dump();
    many.try_import(&site, small()).unwrap();
    assert_eq!(many.dump(), before);
}

#[test]
fn an_interrupted_run_s_changes_are_audited_even_when_nothing_is_left_to_do() {
    let site = fixture("site.sqlite3");
    let home = Home::new();
    let mut writes = 0;
    // Killed right before the last transaction, which only has the event to write when the last
    // batch went with the one before: whichever it is, no change stays untold.
    loop {
        let dying = DiesAfter::writes(&home.port, 1);
        let run = import_into(&dying, &home.cx(), &site.display().to_string(), small());
        writes += 1;
        if run.is_ok() {
            break;
        }
        assert!(home.audit().is_empty());
    }
    assert!(writes > 20);
    assert_eq!(home.audit().len(), 1);
    check_rights(&home, &rights_there(&site, "auth_user"));
}

#[test]
fn two_imports_at_once_leave_what_one_leaves() {
    several_at_once(&Home::new());
}

pub(crate) fn several_at_once(home: &Home) {
    let site = fixture("site.sqlite3");
    let address = site.display().to_string();
    let results: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| import_into(&home.store, &home.cx(), &address, small())))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    for result in &results {
        if let Err(error) = result {
            assert!(matches!(error, ImportError::Overtaken), "{error}");
        }
    }
    home.import(&site);
    check_rights(home, &rights_there(&site, "auth_user"));
    assert_eq!(home.count("users"), 61);
    let before = home.dump();
    assert!(!home.import(&site).changed_anything());
    assert_eq!(home.dump(), before);
}
