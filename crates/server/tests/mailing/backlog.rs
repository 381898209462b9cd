//! Requests while ten thousand mails wait and no mail server answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::json;
use vestibule_core::{
    Email,
    domain::notice::Notice,
    ports::store::StoreError,
    usecase::post::{Post, PostRules, Postbox},
};
use vestibule_mail::{
    classify::{Failure, Verdict},
    transport::memory::MemoryTransport,
};
use vestibule_storage::testkit::Statements;

use crate::{
    process::until,
    support::{Db, TestSite, Visitor, block_on, with_address},
};

/// Posts so many mails that last.
fn post(site: &TestSite, count: u32) {
    let rules =
        PostRules { domain: "hall.example".into(), language: "en".into(), ..PostRules::default() };
    let (postbox, cx, store) = (Postbox::new(rules), site.operator(), site.database.store());
    let posted = store.write::<_, StoreError>(move |tx| {
        for number in 0..count {
            let to = Email::parse(&format!("u{}@example.org", number % 2000)).unwrap();
            postbox.post(tx, &cx, Post::to(to, Notice::Test))?;
        }
        Ok(())
    });
    block_on(posted).unwrap();
}

/// What people do: some look, some have mail sent. Every answer is the usual one.
fn ask(admin: &mut Visitor, round: &str) {
    for number in 0..5 {
        admin.get("/api/v1/session").expect(200);
        admin.get("/api/v1/users?search=anna").expect(200);
        let forgotten = json!({ "email": "anna@example.org" });
        admin.post("/api/v1/password/forgot", &forgotten).expect(202);
        let name = format!("{round}{number}");
        let new = json!({ "username": name, "email": format!("{name}@example.org") });
        admin.post("/api/v1/users", &new).expect(201);
    }
}

/// How often each was asked, but for what goes on beside the requests: what the worker does, and
/// looking for changes, which is once for however many came together.
fn counted(heard: Vec<String>, beside: &BTreeSet<String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let is_beside =
        |statement: &String| beside.contains(statement) || statement.contains(" FROM `changes` ");
    for statement in heard.into_iter().filter(|statement| !is_beside(statement)) {
        *counts.entry(statement).or_default() += 1;
    }
    counts
}

#[test]
fn flt_f28_ten_thousand_mails_that_wait_cost_no_request_a_statement() {
    let statements = Statements::listen();
    let (transport, per) = (MemoryTransport::default(), "unlimited");
    let sending = transport.clone();
    let site = TestSite::plan(Db::Sqlite)
        .set("limits.mail_per_address", per)
        .set("limits.mail_per_site", per)
        .extend(move |builder| builder.mail_transport(sending))
        .start();
    let mut admin = site.admin();
    with_address(&site, "anna");
    ask(&mut admin, "first");
    let mut connection = site.database.connection();
    let waiting = "select count(*) as answer from outbox where state = 'waiting'";
    until(Duration::from_secs(20), || connection.number(waiting) == 0);
    transport.set_down(Some(Failure::new(Verdict::ServerDown, "connection refused")));
    statements.take();
    ask(&mut admin, "calm");
    let calm = statements.take();

    post(&site, 10_000);
    let tried = "select count(*) as answer from outbox where reason = 'connection refused'";
    assert!(connection.number(waiting) >= 10_000);
    // Two rounds of the worker, and what else goes on while nobody asks for anything.
    statements.take();
    let before = transport.tried();
    until(Duration::from_mins(1), || transport.tried() >= before + 2);
    until(Duration::from_mins(1), || connection.number(tried) > 0);
    let more = transport.tried();
    until(Duration::from_mins(1), || transport.tried() > more);
    let beside: BTreeSet<String> = statements.take().into_iter().collect();
    assert!(beside.iter().any(|text| text.contains("outbox")), "the worker asked nothing");

    ask(&mut admin, "storm");
    let storm = counted(statements.take(), &beside);
    let calm = counted(calm, &beside);
    let added = storm.iter().find(|(text, _)| text.starts_with("INSERT INTO `outbox`"));
    assert_eq!(added.map(|(_, count)| *count), Some(10), "{storm:#?}");
    assert!(storm.len() > 10, "{storm:#?}");
    assert_eq!(storm, calm);
    assert!(connection.number(waiting) >= 10_000, "they wait all the same");
}
