//! A server that is told to stop, or that was stopped for a while.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    process::{PASSWORD, Server, superuser, until},
    visitor::Visitor,
};

fn site() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("hall.db").display());
    (folder, url)
}

#[test]
fn flt_f78_what_was_begun_is_finished_when_the_server_is_told_to_stop() {
    let (_folder, url) = site();
    let mut server = Server::start_with(&url, |serve| {
        // So many at once would otherwise be guesses.
        serve.env("VESTIBULE_LIMITS__LOGIN_FAILURES_PER_ACCOUNT", "unlimited");
    });
    superuser(&url);
    let (answered, begun) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let began = std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let mut visitor = Visitor::new(&server.origin);
                let body = json!({ "username": "admin", "password": PASSWORD }).to_string();
                loop {
                    let request = ureq::http::Request::builder()
                        .method("POST")
                        .uri(format!("{}/api/v1/login", visitor.origin))
                        .header("content-type", "application/json");
                    begun.fetch_add(1, Ordering::SeqCst);
                    match visitor.try_send(request.body(body.clone()).unwrap()) {
                        // Whatever is answered is answered in full.
                        Some(answer) => {
                            assert!(answer.expect(200).json()["csrf_token"].is_string());
                            answered.fetch_add(1, Ordering::SeqCst);
                        }
                        None => break,
                    }
                }
            });
        }
        until(Duration::from_secs(20), || answered.load(Ordering::SeqCst) >= 12);
        let began = Instant::now();
        server.signal("-TERM");
        began
    });
    let status = server.child.wait().unwrap();
    assert!(status.success(), "{status}");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    // Each visitor was turned away once, at the end; everything before was answered.
    let (answered, begun) = (answered.into_inner(), begun.into_inner());
    assert_eq!(begun - answered, 6);
    let database = vestibule_storage::testkit::TestConnection::to(&url)
        .number("select count(*) as answer from audit_events where action = 'login.succeeded'");
    // Nothing was done that was not answered, but for what the visitors of the end had begun.
    let done = usize::try_from(database).unwrap();
    assert!((answered..=begun).contains(&done), "{answered} {done} {begun}");
}

#[test]
fn flt_f92_what_ended_while_the_server_was_stopped_has_ended_when_it_wakes() {
    let (_folder, url) = site();
    let (sleeper, awake) = (Server::start(&url), Server::start(&url));
    superuser(&url);
    let mut admin = Visitor::new(&awake.origin);
    admin.log_in("admin", PASSWORD).expect(200);
    let mut ended = Visitor::new(&awake.origin);
    ended.log_in("admin", PASSWORD).expect(200);
    let (mut there, mut stays) = (ended.at(&sleeper.origin), admin.at(&sleeper.origin));
    assert!(there.is_in() && stays.is_in());
    sleeper.signal("-STOP");
    ended.post("/api/v1/logout", &json!({})).expect(204);
    std::thread::sleep(Duration::from_secs(3));
    sleeper.signal("-CONT");
    // The very first request: what was remembered is too old to be believed.
    assert!(!there.is_in());
    assert!(stays.is_in());
}
