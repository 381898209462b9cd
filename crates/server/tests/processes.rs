//! The binary, killed in the middle of things: SIGKILL at a hundred seeded moments on each
//! database; whatever was acknowledged is there afterwards, and nothing is half done.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::{
    collections::HashMap,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use vestibule_storage::testkit::{Database, TestDatabase};

#[path = "it/support/process.rs"]
#[expect(dead_code, reason = "these tests use less of it than the others")]
mod process;
#[path = "it/support/visitor.rs"]
#[expect(dead_code, reason = "these tests use less of it than the others")]
mod visitor;
use process::{PASSWORD, Server};
use visitor::{Answer, Visitor};

/// How often ordinary writes, an import and a migration are killed: a hundred times in all.
const WRITES: u64 = 40;
const IMPORTS: u64 = 30;
const MIGRATIONS: u64 = 30;

/// The binary on a database, in an empty folder.
fn command(database: &TestDatabase, arguments: &[&str]) -> Command {
    process::command(database.url(), arguments)
}

/// Runs a command to its end; it must succeed.
#[track_caller]
fn succeed(database: &TestDatabase, arguments: &[&str]) -> String {
    let output = command(database, arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {text}{errors}");
    text
}

/// Numbers that follow from a seed (`SplitMix64`).
fn random(seed: u64) -> u64 {
    let mut word = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

fn moment(seed: u64, longest: u64) -> Duration {
    Duration::from_micros(random(seed) % (longest * 1000))
}

/// What a server acknowledged before it was killed: users by name, with whether they were put
/// into the group.
type Acknowledged = HashMap<String, bool>;

/// Asks a server that may be killed at any moment: `None` when no answer came.
fn post(admin: &mut Visitor, path: &str, body: &Value) -> Option<Answer> {
    let cookies: Vec<_> = admin.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let request = ureq::http::Request::builder()
        .method("POST")
        .uri(format!("{}{path}", admin.origin))
        .header("cookie", cookies.join("; "))
        .header("x-csrf-token", admin.csrf.as_deref().unwrap_or_default())
        .header("content-type", "application/json");
    admin.try_send(request.body(body.to_string()).unwrap())
}

fn write_until_killed(
    server: &mut Server,
    seed: u64,
    group: &str,
    acknowledged: &mut Acknowledged,
) {
    let mut admin = Visitor::new(&server.origin);
    admin.log_in("admin", PASSWORD).expect(200);
    let (stop, origin) = (AtomicBool::new(false), server.origin.clone());
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (mut admin, stop) = (admin.at(&origin), &stop);
                scope.spawn(move || {
                    let mut done = Vec::new();
                    for number in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let name = format!("u{seed}-{writer}-{number}");
                        let Some(user) =
                            post(&mut admin, "/api/v1/users", &json!({ "username": name }))
                        else {
                            break;
                        };
                        let user: Value = serde_json::from_str(&user.expect(201).text).unwrap();
                        let members = format!("/api/v1/groups/{group}/members");
                        let joined = post(&mut admin, &members, &json!({ "user": user["id"] }));
                        let is_member = joined.map(|answer| answer.expect(204)).is_some();
                        done.push((name, is_member));
                    }
                    done
                })
            })
            .collect();
        std::thread::sleep(moment(seed, 400));
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            acknowledged.extend(writer.join().unwrap());
        }
    });
}

/// A database with a superuser, made as an operator makes one.
fn with_superuser(kind: Database) -> TestDatabase {
    let database = TestDatabase::fresh(kind);
    process::superuser(database.url());
    database
}

/// A server that has started within five seconds, as after a crash.
fn start(database: &TestDatabase) -> Server {
    let began = Instant::now();
    let server = Server::start(database.url());
    assert!(began.elapsed() < Duration::from_secs(5), "it took {:?}", began.elapsed());
    server
}

fn nothing_acknowledged_is_lost(kind: Database) {
    let database = with_superuser(kind);
    let made = succeed(&database, &["group", "add", "lab", "--json"]);
    let group = serde_json::from_str::<Value>(&made).unwrap()["id"].as_str().unwrap().to_owned();
    let mut acknowledged = Acknowledged::new();
    for seed in 0..WRITES {
        let mut server = start(&database);
        write_until_killed(&mut server, seed, &group, &mut acknowledged);
    }
    succeed(&database, &["verify"]);
    assert!(acknowledged.len() > 100, "{} users were made", acknowledged.len());
    let mut connection = database.connection();
    let users = connection.texts("select username as answer from users");
    let members = connection
        .texts("select u.username as answer from users u join memberships m on m.user_id = u.id");
    for (name, is_member) in &acknowledged {
        assert!(users.contains(name), "{name} was acknowledged and is lost");
        assert!(!is_member || members.contains(name), "{name} was put into the group and is not");
    }
    // Nothing is half done: each account and each membership came with its audit event.
    let told = |connection: &mut vestibule_storage::testkit::TestConnection, action: &str| {
        let query =
            format!("select count(*) as answer from audit_events where action = '{action}'");
        usize::try_from(connection.number(&query)).unwrap()
    };
    assert_eq!(told(&mut connection, "user.added"), users.len());
    assert_eq!(told(&mut connection, "group.member_added"), members.len());
}

fn two_processes_act_as_one(kind: Database) {
    let database = with_superuser(kind);
    let (one, other) = (start(&database), start(&database));
    let mut here = Visitor::new(&one.origin);
    here.log_in("admin", PASSWORD).expect(200);
    let won = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for number in 0..50 {
            let origin = if number % 2 == 0 { &one.origin } else { &other.origin };
            let (mut admin, won) = (here.at(origin), &won);
            scope.spawn(move || {
                match admin.post("/api/v1/users", &json!({ "username": "only" })).status {
                    201 => drop(won.fetch_add(1, Ordering::SeqCst)),
                    422 | 503 => {}
                    status => panic!("{status}"),
                }
            });
        }
    });
    assert_eq!(won.into_inner(), 1);
    let mut there = here.at(&other.origin);
    assert!(there.is_in());
    here.post("/api/v1/logout", &json!({})).expect(204);
    let ended = Instant::now();
    while there.is_in() {
        assert!(ended.elapsed() <= Duration::from_secs(1), "still in after {:?}", ended.elapsed());
    }
}

/// Starts a command and kills it at a seeded moment.
fn killed(database: &TestDatabase, arguments: &[&str], seed: u64, longest: u64) {
    let mut child =
        command(database, arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(moment(seed, longest));
    let _ = child.kill();
    child.wait().unwrap();
}

fn a_killed_import_is_whole_after_the_next(kind: Database) {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/django/site.sqlite3");
    let url = format!("sqlite:{}", fixture.display());
    let counts = |database: &TestDatabase| {
        ["users", "groups", "memberships", "grants", "permissions", "import_links"].map(|table| {
            let query = format!("select count(*) as answer from {}", quoted(database, table));
            database.connection().number(&query)
        })
    };
    let whole = TestDatabase::fresh(kind);
    succeed(&whole, &["import", "django", &url]);
    let expected = counts(&whole);
    for seed in 0..IMPORTS {
        let database = TestDatabase::fresh(kind);
        killed(&database, &["import", "django", &url], seed, 250);
        succeed(&database, &["verify"]);
        succeed(&database, &["import", "django", &url]);
        assert_eq!(counts(&database)[..5], expected[..5], "seed {seed}");
        succeed(&database, &["verify"]);
    }
}

/// `groups` is a word of its own to MySQL.
fn quoted(database: &TestDatabase, table: &str) -> String {
    if database.url().starts_with("mysql") { format!("`{table}`") } else { format!("\"{table}\"") }
}

fn a_killed_migration_is_whole_after_the_next(kind: Database) {
    for seed in 0..MIGRATIONS {
        let database = TestDatabase::empty(kind);
        killed(&database, &["migrate"], seed, 120);
        succeed(&database, &["migrate"]);
        succeed(&database, &["migrate", "--check"]);
        succeed(&database, &["verify"]);
    }
}

macro_rules! on {
    ($name:ident, $kind:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn flt_f09_nothing_acknowledged_is_lost_when_the_server_is_killed() {
                nothing_acknowledged_is_lost($kind);
            }

            #[test]
            fn flt_f11_two_processes_act_as_one() {
                two_processes_act_as_one($kind);
            }

            #[test]
            fn flt_f09_a_killed_import_is_whole_after_the_next() {
                a_killed_import_is_whole_after_the_next($kind);
            }

            #[test]
            fn flt_f12_a_killed_migration_is_whole_after_the_next() {
                a_killed_migration_is_whole_after_the_next($kind);
            }
        }
    };
}

on!(sqlite, Database::Sqlite);
#[cfg(feature = "postgres")]
on!(postgres, Database::Postgres);
