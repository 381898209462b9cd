//! Mails that wait, were sent or were given up, as administrators see them.

use std::time::{Duration, Instant};

use serde_json::json;
use vestibule_core::{domain::notice::NoticeState, id::NoticeId};
use vestibule_mail::{
    classify::{Failure, Verdict},
    transport::memory::MemoryTransport,
};

use crate::support::{Db, TestSite, block_on, grant, id_of, on_every_database};

on_every_database!(
    what_is_posted_is_sent_by_the_server_itself,
    seed_cn_11_administrators_see_the_state_of_every_mail_and_retry_what_failed,
    the_outbox_is_for_those_who_hold_its_permissions,
);

fn site(db: Db) -> (TestSite, MemoryTransport) {
    let transport = MemoryTransport::default();
    let sending = transport.clone();
    let site = TestSite::plan(db).extend(move |builder| builder.mail_transport(sending)).start();
    (site, transport)
}

fn post(site: &TestSite, to: &str) -> NoticeId {
    let outbox = &site.vestibule.site().services.outbox;
    block_on(outbox.post_test(&site.operator(), to)).unwrap()
}

/// Waits until the server has made that of a mail.
fn settled(site: &TestSite, id: NoticeId, state: NoticeState) {
    let (began, outbox) = (Instant::now(), &site.vestibule.site().services.outbox);
    loop {
        let stored = block_on(outbox.get(&site.operator(), id)).unwrap();
        if stored.state == state {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{stored:?}");
        std::thread::yield_now();
    }
}

fn what_is_posted_is_sent_by_the_server_itself(db: Db) {
    let (site, transport) = site(db);
    let id = post(&site, "anna@example.org");
    settled(&site, id, NoticeState::Sent);
    let letters = transport.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].subject, "[Vestibule] Mail works");
    assert!(letters[0].text.contains(&site.origin), "{}", letters[0].text);
}

fn seed_cn_11_administrators_see_the_state_of_every_mail_and_retry_what_failed(db: Db) {
    let (site, transport) = site(db);
    let mut admin = site.admin();
    transport.then([Some(Failure::new(Verdict::ForGood, "550 no such user"))]);
    let id = post(&site, "anna@example.org");
    settled(&site, id, NoticeState::Dead);
    let list = admin.get("/api/v1/outbox?state=dead&to=ANNA@example.org").expect(200).json();
    assert_eq!(list["count"], 1);
    let mail = &list["results"][0];
    assert_eq!((&mail["id"], &mail["state"]), (&json!(id.to_string()), &json!("dead")));
    assert_eq!((&mail["reason"], &mail["attempts"]), (&json!("550 no such user"), &json!(1)));
    assert!(mail.get("data").is_none() && mail.get("text").is_none(), "{mail}");
    admin.post(&format!("/api/v1/outbox/{id}/retry"), &json!({})).expect(204);
    settled(&site, id, NoticeState::Sent);
    assert_eq!(transport.letters().len(), 1);
    admin
        .post(&format!("/api/v1/outbox/{id}/retry"), &json!({}))
        .expect_problem(409, "not_waiting");
    assert_eq!(admin.get(&format!("/api/v1/outbox/{id}")).expect(200).json()["state"], "sent");
    assert_eq!(admin.post("/api/v1/outbox/retry", &json!({})).expect(200).json()["count"], 0);
    admin.delete("/api/v1/outbox?state=lost").expect(400);
    admin.delete("/api/v1/outbox?older_than=never").expect(400);
    assert_eq!(admin.delete("/api/v1/outbox?older_than=1d").expect(200).json()["count"], 0);
    assert_eq!(admin.delete("/api/v1/outbox").expect(200).json()["count"], 1);
    admin.get(&format!("/api/v1/outbox/{id}")).expect(404);
    for action in ["outbox.retried", "outbox.purged", "mail.given_up"] {
        assert!(!site.audit_texts(action).is_empty(), "{action}");
    }
}

fn the_outbox_is_for_those_who_hold_its_permissions(db: Db) {
    let (site, _) = site(db);
    let (mut admin, mut anna) = (site.admin(), site.logged_in("anna"));
    let id = post(&site, "bert@example.org");
    settled(&site, id, NoticeState::Sent);
    site.visitor().get("/api/v1/outbox").expect(401);
    anna.get("/api/v1/outbox").expect(403);
    let anna_id = id_of(&mut anna);
    grant(&mut admin, &anna_id, "vestibule.view_outbox");
    assert_eq!(anna.get("/api/v1/outbox").expect(200).json()["count"], 1);
    anna.post(&format!("/api/v1/outbox/{id}/retry"), &json!({})).expect(403);
    anna.delete(&format!("/api/v1/outbox/{id}")).expect(403);
    anna.delete("/api/v1/outbox").expect(403);
    grant(&mut admin, &anna_id, "vestibule.change_outbox");
    anna.delete(&format!("/api/v1/outbox/{id}")).expect(204);
}
