//! Mail, when the process that sends it is killed: SIGKILL at two hundred seeded moments, between a
//! commit and its mail, and between a mail server's answer and its record. No mail is lost, and
//! none goes out twice but what the mail server took and nobody wrote down; then it is the same
//! mail, by its Message-ID.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::TcpListener,
    process::{Child, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::process::Pid;
use serde_json::json;
use vestibule_storage::testkit::{Database, TestDatabase};

use crate::{
    process::{PASSWORD, Server, command, status, superuser, until},
    sink::{Sink, Trap},
    support::Visitor,
};

/// So many at once; each has a database and a mail server of its own.
const CHAINS: u64 = 2;
/// Then it begins with new ones: a mail that was taken on thirty times and never settled is given
/// up, and one that waits in a queue behind others is taken on in life after life.
const LIVES: usize = 25;
/// Each makes so many accounts at most before it is killed; every account means a mail.
const WRITERS: u32 = 2;
const EACH: u32 = 3;

/// Numbers that follow from a seed (`SplitMix64`).
fn random(seed: u64) -> u64 {
    let mut word = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// Between what a server dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Between {
    /// A commit and the mail server's answer: whatever time that is.
    CommitAndSending,
    /// The mail server's taking a mail and the record that it did.
    AnswerAndRecord,
}

/// When a server dies.
#[derive(Clone, Copy, Debug)]
enum Death {
    /// So long after it began to answer.
    After(Duration),
    /// With that many requests answered: their mails are committed, and hardly begun.
    Answered(u32),
    /// When its mail server has come so often to that place.
    Trapped(Trap, u32),
}

impl Death {
    fn of(seed: u64, between: Between) -> Self {
        let (kind, fine) = (random(seed) % 6, random(!seed));
        let count = u32::try_from(1 + (fine >> 8) % 4).unwrap();
        if between == Between::AnswerAndRecord {
            let withheld = Trap::Withheld { takes_it: true };
            return Self::Trapped(if kind < 2 { withheld } else { Trap::Accepted }, count);
        }
        match kind {
            0 | 1 => Self::After(Duration::from_micros(fine % 25_000)),
            2 => Self::Answered(count),
            3 => {
                let words = [("EHLO", 1), ("MAIL", count), ("RCPT", count), ("DATA", count)];
                let (word, count) = words[usize::try_from(fine % 4).unwrap()];
                Self::Trapped(Trap::Word(word), count)
            }
            4 => Self::Trapped(Trap::Body, count),
            _ => Self::Trapped(Trap::Withheld { takes_it: false }, count),
        }
    }
}

/// One site through all its lives.
struct Chain {
    database: TestDatabase,
    sink: Sink,
    admin: Visitor,
    /// Whose account was acknowledged.
    acknowledged: BTreeSet<String>,
    /// How often the mail server took which mail, by Message-ID, and for whom.
    taken: BTreeMap<String, (u32, String)>,
    /// What the outbox calls sent.
    recorded: BTreeSet<String>,
    /// What the process before took on, and whose time has not run out.
    held: BTreeSet<String>,
    seen: Seen,
}

/// What the lives of a chain came to.
#[derive(Debug, Default)]
struct Seen {
    /// Deaths before a mail that was committed had been taken by the mail server.
    unsent: u32,
    /// Mails that were taken and not written down.
    unrecorded: u32,
    /// Mails that went out once more.
    doubled: u32,
    /// Deaths that did not come where they were to come.
    missed: u32,
}

impl Chain {
    fn new(kind: Database) -> Self {
        let database = TestDatabase::fresh(kind);
        superuser(database.url());
        let sink = Sink::start();
        let server = Server::start(database.url());
        let mut admin = Visitor::new(&server.origin);
        admin.log_in("admin", PASSWORD).expect(200);
        Self {
            database,
            sink,
            admin,
            acknowledged: BTreeSet::new(),
            taken: BTreeMap::new(),
            recorded: BTreeSet::new(),
            held: BTreeSet::new(),
            seen: Seen::default(),
        }
    }

    fn texts(&self, query: &str) -> BTreeSet<String> {
        self.database.connection().texts(query).into_iter().collect()
    }

    /// A server that may be killed before it says its first word.
    fn spawn(&self, trap: Option<(Trap, u32)>) -> (Child, String) {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let origin = format!("http://127.0.0.1:{port}");
        let child = command(self.database.url(), &["serve"])
            .env("VESTIBULE_SERVER__LISTEN", format!("127.0.0.1:{port}"))
            .env("VESTIBULE_SITE__BASE_URL", &origin)
            .env("VESTIBULE_MAIL__TRANSPORT", "smtp")
            .env("VESTIBULE_MAIL__HOST", "127.0.0.1")
            .env("VESTIBULE_MAIL__PORT", self.sink.port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).unwrap();
        self.sink.speak_to(pid, trap);
        (child, origin)
    }

    /// Makes accounts until the server is gone.
    fn write(&mut self, seed: u64, origin: &str, death: Death) {
        let (answered, acknowledged) = (AtomicU32::new(0), Mutex::new(BTreeSet::new()));
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (mut admin, sink) = (self.admin.at(origin), &self.sink);
                let (answered, acknowledged) = (&answered, &acknowledged);
                scope.spawn(move || {
                    for number in 0..EACH {
                        let name = format!("u{seed}-{writer}-{number}");
                        let body = json!({ "username": name, "email": format!("{name}@e.org") });
                        let jar = admin.cookies.iter().map(|(n, v)| format!("{n}={v}"));
                        let request = ureq::http::Request::builder()
                            .method("POST")
                            .uri(format!("{}/api/v1/users", admin.origin))
                            .header("cookie", jar.collect::<Vec<_>>().join("; "))
                            .header("x-csrf-token", admin.csrf.as_deref().unwrap_or_default())
                            .header("content-type", "application/json");
                        let request = request.body(body.to_string()).unwrap();
                        let Some(answer) = admin.try_send(request) else { return };
                        answer.expect(201);
                        let count = 1 + answered.fetch_add(1, Ordering::SeqCst);
                        if matches!(death, Death::Answered(at) if at == count) {
                            sink.kill();
                        }
                        acknowledged.lock().unwrap().insert(name);
                    }
                });
            }
            if let Death::After(moment) = death {
                std::thread::sleep(moment);
                self.sink.kill();
            }
        });
        self.acknowledged.extend(acknowledged.into_inner().unwrap());
    }

    /// One life and its death.
    fn live(&mut self, seed: u64, between: Between) {
        let death = Death::of(seed, between);
        let trap = match death {
            Death::Trapped(trap, count) => Some((trap, count)),
            Death::After(_) | Death::Answered(_) => None,
        };
        let (mut child, origin) = self.spawn(trap);
        until(Duration::from_secs(20), || {
            child.try_wait().unwrap().is_some() || status(&origin, "/healthz") == Some(200)
        });
        self.write(seed, &origin, death);
        let began = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if began.elapsed() > Duration::from_secs(2) {
                self.seen.missed += 1;
                self.sink.kill();
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        child.wait().unwrap();
        self.account(&format!("seed {seed}, {death:?}"));
        // In three of four lives the time of what the dead one took on has run out; else it is
        // still the dead one's.
        if !random(seed ^ 0x5EED).is_multiple_of(4) {
            self.pass_time();
        }
        self.held = self.texts(
            "select message_id as answer from outbox where state = 'waiting' \
             and lease is not null and due_at > created_at",
        );
    }

    /// Whatever a process had taken on is free, as after three minutes.
    fn pass_time(&mut self) {
        self.database
            .connection()
            .execute("update outbox set due_at = created_at where state = 'waiting'");
    }

    /// Waits until what the dead one began is done or undone: `PostgreSQL` still ends the statement
    /// of a client that is gone.
    fn settle(&self) {
        if self.database.url().starts_with("postgres") {
            let mut connection = self.database.connection();
            let others = "select count(*) as answer from pg_stat_activity \
                          where datname = current_database() and pid <> pg_backend_pid() \
                          and backend_type = 'client backend'";
            until(Duration::from_secs(20), || connection.number(others) == 0);
        }
    }

    /// Looks at what the life that just ended has done.
    fn account(&mut self, life: &str) {
        self.settle();
        let committed = self.texts("select message_id as answer from outbox");
        let waiting = self.texts("select message_id as answer from outbox where state = 'waiting'");
        let sent = self.texts("select message_id as answer from outbox where state = 'sent'");
        let given_up = self.texts(
            "select concat(state, ' after ', attempts, ': ', reason) as answer from outbox \
             where state <> 'waiting' and state <> 'sent'",
        );
        assert!(given_up.is_empty(), "{life}: {given_up:?}");
        assert_eq!(waiting.len() + sent.len(), committed.len(), "{life}: two of one Message-ID");
        let mut now = BTreeSet::new();
        for mail in self.sink.taken() {
            let id = &mail.message_id;
            assert!(committed.contains(id), "{life}: {id} was sent and never committed");
            assert!(!self.recorded.contains(id), "{life}: {id} is sent, and went out once more");
            assert!(!self.held.contains(id), "{life}: {id} was another's");
            assert!(now.insert(id.clone()), "{life}: one process sent {id} twice");
            let (count, to) = self.taken.entry(id.clone()).or_insert_with(|| (0, mail.to.clone()));
            assert_eq!(*to, mail.to, "{life}: {id} went to two");
            self.seen.doubled += u32::from(*count > 0);
            *count += 1;
        }
        for id in &sent {
            assert!(self.taken.contains_key(id), "{life}: {id} is called sent and was never taken");
        }
        let unrecorded = now.iter().filter(|id| waiting.contains(*id)).count();
        self.seen.unrecorded += u32::try_from(unrecorded).unwrap();
        self.seen.unsent += u32::from(waiting.iter().any(|id| !self.taken.contains_key(id)));
        self.recorded = sent;
    }

    /// A last life, in which nobody dies before all is done.
    fn end(mut self) -> Seen {
        self.pass_time();
        self.held.clear();
        let (mut child, _) = self.spawn(None);
        let waiting = "select message_id as answer from outbox where state = 'waiting'";
        until(Duration::from_secs(30), || self.texts(waiting).is_empty());
        self.sink.kill();
        child.wait().unwrap();
        self.account("the last life");
        let users = self.texts("select username as answer from users where username <> 'admin'");
        assert!(self.acknowledged.is_subset(&users), "an account was acknowledged and is lost");
        // Each account has its mail, and each mail its account: by address, so that two mails to
        // one would show even under different ids.
        let told: Vec<String> = self.taken.values().map(|(_, to)| to.clone()).collect();
        let expected: BTreeSet<String> =
            users.iter().map(|name| format!("RCPT TO:<{name}@e.org>")).collect();
        assert_eq!(told.len(), expected.len());
        assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), expected);
        self.seen
    }
}

fn mail_survives_its_sender(kind: Database, between: Between, kills: u64) {
    let all: Vec<Seen> = std::thread::scope(|scope| {
        let chains: Vec<_> = (0..CHAINS)
            .map(|chain| {
                scope.spawn(move || {
                    let lives: Vec<u64> = (0..kills / CHAINS).collect();
                    let sites = lives.chunks(LIVES).map(|lives| {
                        let mut site = Chain::new(kind);
                        for life in lives {
                            site.live(chain * 1000 + life, between);
                        }
                        site.end()
                    });
                    sites.collect::<Vec<_>>()
                })
            })
            .collect();
        chains.into_iter().flat_map(|chain| chain.join().unwrap()).collect()
    });
    let sum = |of: fn(&Seen) -> u32| u64::from(all.iter().map(of).sum::<u32>());
    // The deaths came where they were to come; else this test would prove nothing.
    assert!(sum(|seen| seen.missed) <= kills / 10, "{all:?}");
    match between {
        Between::CommitAndSending => assert!(sum(|seen| seen.unsent) >= kills / 2, "{all:?}"),
        Between::AnswerAndRecord => {
            assert!(sum(|seen| seen.unrecorded) >= kills / 2, "{all:?}");
            assert!(sum(|seen| seen.doubled) >= kills / 4, "{all:?}");
        }
    }
}

macro_rules! on {
    ($name:ident, $kind:expr, $kills:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn flt_f25_what_was_committed_before_the_server_was_killed_goes_out_once() {
                mail_survives_its_sender($kind, Between::CommitAndSending, $kills);
            }

            #[test]
            fn flt_f26_only_what_nobody_wrote_down_goes_out_again_and_as_the_same_mail() {
                mail_survives_its_sender($kind, Between::AnswerAndRecord, $kills);
            }
        }
    };
}

on!(sqlite, Database::Sqlite, 100);
#[cfg(feature = "postgres")]
on!(postgres, Database::Postgres, 30);
