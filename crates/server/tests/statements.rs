//! What a request costs the database, counted in a program of its own: whatever else is asked would
//! be counted too.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "these tests use less of it than the others"
)]
mod support;

use std::collections::BTreeMap;

use serde_json::json;
use vestibule_core::usecase::users::NewUser;
use vestibule_storage::testkit::Statements;

use support::{Db, Says, Script, TestSite};

/// How often each statement was heard about people and who they are, which nobody but the request
/// asks: the server's own work is about other tables.
fn counted(heard: Vec<String>) -> BTreeMap<String, usize> {
    let tables = ["`users`", "`identities`", "`login_failures`", "`audit_events`"];
    let mut counts = BTreeMap::new();
    for statement in heard.into_iter().filter(|text| tables.iter().any(|name| text.contains(name)))
    {
        *counts.entry(statement).or_default() += 1;
    }
    counts
}

/// Loopback hides it, a database across a network does not: each statement more is a way there
/// and back more, and tells who has an account.
#[test]
fn atk_a001_a_refused_login_asks_the_same_of_the_database_whosever_name_it_brings() {
    let statements = Statements::listen();
    let door = Script::new("unix", Says::NotMine).door();
    let site = TestSite::plan(Db::Sqlite).extend(move |builder| builder.door(door)).start();
    let account = |name: &str, is_disabled| {
        let address =
            if name.contains('@') { name.to_owned() } else { format!("{name}@example.org") };
        let (username, email) = (name.to_owned(), Some(address));
        site.account(NewUser { username, email, is_disabled, ..NewUser::default() });
    };
    account("known", false);
    account("known.by.address", false);
    account("named.by.address@example.org", false);
    account("off", true);
    account("off.by.address", true);
    site.admin().post("/api/v1/users", &json!({ "username": "unusable" })).expect(201);
    let mut visitor = site.visitor();
    let mut refused = |typed: &str| {
        statements.take();
        visitor.log_in(typed, "a long sentence that is not it").expect(401);
        counted(statements.take())
    };
    refused("anybody");
    let mut alike = |unknown: &str, others: &[&str]| {
        let unknown = refused(unknown);
        assert!(unknown.len() > 4, "{unknown:#?}");
        for name in others {
            let own = refused(name);
            let differ = own.iter().chain(&unknown).filter(|(text, count)| {
                own.get(*text) != Some(*count) || unknown.get(*text) != Some(*count)
            });
            let differ: Vec<_> = differ.collect();
            assert!(differ.is_empty(), "{name}, and then nobody: {differ:#?}");
        }
    };
    // Each is tried once: a second failure is counted by other statements than a first.
    alike("nobody", &["known", "off", "unusable"]);
    let addresses = ["known.by.address", "named.by.address", "off.by.address"];
    let addresses = addresses.map(|name| format!("{name}@example.org"));
    alike("nobody@example.org", &addresses.each_ref().map(String::as_str));
}
