//! A database that is away, or too slow to be of use.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::json;
use vestibule_storage::testkit::{Database, TestDatabase};

use crate::{
    process::{PASSWORD, Server, command, status, superuser, until},
    proxy::{Mode, Proxy},
    visitor::Visitor,
};

#[test]
fn flt_f01_without_a_database_the_server_waits_and_then_starts_whole() {
    let database = TestDatabase::fresh(Database::Postgres);
    superuser(database.url());
    let proxy = Proxy::before(database.url(), Mode::Cut);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let origin = format!("http://127.0.0.1:{port}");
    let log = tempfile::NamedTempFile::new().unwrap();
    let child = command(&proxy.url, &["serve"])
        .env("VESTIBULE_SERVER__LISTEN", format!("127.0.0.1:{port}"))
        .env("VESTIBULE_SITE__BASE_URL", &origin)
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(log.path()).unwrap())
        .spawn()
        .unwrap();
    let mut server = Server { child, origin };
    let told = || std::fs::read_to_string(log.path()).unwrap();
    until(Duration::from_secs(10), || told().matches("waiting for the database").count() >= 2);
    // Nobody is let in to a server that has nothing to answer from.
    assert_eq!(status(&server.origin, "/healthz"), None);
    assert!(server.child.try_wait().unwrap().is_none(), "{}", told());
    proxy.set(Mode::Open);
    until(Duration::from_secs(15), || status(&server.origin, "/readyz") == Some(200));
    Visitor::new(&server.origin).log_in("admin", PASSWORD).expect(200);
}

#[test]
fn flt_f01_a_server_that_waits_in_vain_says_so_and_ends() {
    let database = TestDatabase::fresh(Database::Postgres);
    let proxy = Proxy::before(database.url(), Mode::Cut);
    let began = Instant::now();
    let output = command(&proxy.url, &["serve"])
        .env("VESTIBULE_STORAGE__START_TIMEOUT", "2s")
        .output()
        .unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("cannot be reached"), "{told}");
}

/// A server behind a proxy, with somebody logged in.
fn running() -> (TestDatabase, Proxy, Server, Visitor) {
    let database = TestDatabase::fresh(Database::Postgres);
    superuser(database.url());
    let proxy = Proxy::before(database.url(), Mode::Open);
    let server = Server::start(&proxy.url);
    let mut admin = Visitor::new(&server.origin);
    admin.log_in("admin", PASSWORD).expect(200);
    (database, proxy, server, admin)
}

/// What is asked for while the database is away: told so in time, and never that one is out.
fn outage(server: &Server, admin: &mut Visitor) {
    // What is remembered is believed for a second.
    until(Duration::from_secs(4), || admin.get("/api/v1/session").status == 503);
    for _ in 0..5 {
        let began = Instant::now();
        let answer = admin.get("/api/v1/session").expect(503);
        assert!(answer.header("retry-after").is_some());
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }
    assert_eq!(status(&server.origin, "/healthz"), Some(200));
    assert_eq!(status(&server.origin, "/readyz"), Some(503));
    assert_eq!(status(&server.origin, "/login"), Some(200));
    let began = Instant::now();
    Visitor::new(&server.origin).log_in("admin", PASSWORD).expect(503);
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}

#[test]
fn flt_f02_while_the_database_is_away_503_and_nobody_is_logged_out() {
    let (_database, proxy, server, mut admin) = running();
    proxy.set(Mode::Cut);
    outage(&server, &mut admin);
    proxy.set(Mode::Open);
    until(Duration::from_secs(10), || status(&server.origin, "/readyz") == Some(200));
    until(Duration::from_secs(2), || admin.get("/api/v1/session").status != 503);
    assert!(admin.is_in());
    Visitor::new(&server.origin).log_in("admin", PASSWORD).expect(200);
}

#[test]
fn flt_f03_a_slow_database_is_waited_for_two_seconds_and_its_places_come_back() {
    let (_database, proxy, server, mut admin) = running();
    proxy.set(Mode::Stall);
    outage(&server, &mut admin);
    proxy.set(Mode::Open);
    until(Duration::from_secs(20), || status(&server.origin, "/readyz") == Some(200));
    until(Duration::from_secs(10), || admin.get("/api/v1/session").status == 200);
    // More at once than there are connections: none of them was lost.
    std::thread::scope(|scope| {
        for number in 0..24 {
            let mut admin = admin.clone();
            scope.spawn(move || {
                let user = json!({ "username": format!("user{number}") });
                admin.post("/api/v1/users", &user).expect(201);
            });
        }
    });
}

#[test]
fn flt_f17_no_statement_asks_for_the_databases_time() {
    let storage = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../storage");
    let mut left = vec![storage.join("src"), storage.join("migrations")];
    let mut read = 0;
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap().to_lowercase();
        read += 1;
        for clock in
            ["current_timestamp", "current_date", " now()", "(now()", "unixepoch", "localtimestamp"]
        {
            assert!(!text.contains(clock), "{clock} in {}", path.display());
        }
    }
    assert!(read > 100, "{read} files");
    // And so a session that the database's clock would have ended is in force.
    let (database, _, _server, mut admin) = running();
    let zone = "alter database current set timezone to 'Pacific/Kiritimati'";
    let _ = database.connection().try_execute(zone);
    assert!(admin.is_in());
}
