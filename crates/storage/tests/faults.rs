//! What the store does when the database is slow, full, locked, cut off or in a tangle.

#![expect(clippy::unwrap_used, reason = "what a test relies on fails the test")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use vestibule_core::{
    domain::change::Change,
    ports::store::{ChangeObserver, Store, StoreError, StoreErrorKind, Tx},
};
use vestibule_storage::testkit::Database;

#[path = "repositories/support.rs"]
#[expect(dead_code, reason = "made for the larger suite")]
mod support;

use support::{NOW, Site, hash, on_every_database, wait};

fn kind(site: &Site) -> Database {
    vestibule_storage::kind(site.database.url()).unwrap()
}

const SOON: Duration = Duration::from_millis(80);

fn users(store: &Store) -> u64 {
    wait(store.read(|tx| tx.user_count())).unwrap()
}

/// Occupies a lane until it is told to go on.
struct Blocker {
    release: mpsc::Sender<()>,
    done: thread::JoinHandle<()>,
}

impl Blocker {
    fn occupy(store: &Store, writes: bool) -> Self {
        let (release, released) = mpsc::channel::<()>();
        let (started, start) = mpsc::channel();
        let released = Mutex::new(released);
        let store = store.clone();
        let done = thread::spawn(move || {
            let work = move |_: &mut dyn Tx| {
                started.send(()).unwrap();
                released.lock().unwrap().recv().unwrap();
                Ok::<_, StoreError>(())
            };
            if writes {
                wait(store.write(work)).unwrap();
            } else {
                wait(store.read(work)).unwrap();
            }
        });
        start.recv().unwrap();
        Self { release, done }
    }

    fn release(self) {
        self.release.send(()).unwrap();
        self.done.join().unwrap();
    }
}

#[derive(Default)]
struct Heard(Mutex<Vec<Change>>);

impl ChangeObserver for Heard {
    fn committed(&self, changes: &[Change]) {
        self.0.lock().unwrap().extend(changes);
    }
}

on_every_database! {
    fn flt_f07_no_place_is_an_answer_and_look_ups_have_one(site) {
        site.stored_user("anna");
        let store = site.database.store_with(2, SOON, "");
        let blocker = Blocker::occupy(&store, false);
        // Servers have their second lane for look-ups; the embedded database answers them here.
        assert!(wait(store.lookup(|tx| tx.user_by_username_key("anna"))).unwrap().is_some());
        let second = if matches!(kind(site), Database::Sqlite) {
            Some(Blocker::occupy(&store, false))
        } else {
            None
        };
        let error = wait(store.read(|tx| tx.user_count())).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
        blocker.release();
        second.into_iter().for_each(Blocker::release);
        assert_eq!(users(&store), 1);
    }

    fn a_caller_who_went_away_while_waiting_changes_nothing(site) {
        let store = site.database.store_with(1, Duration::from_secs(30), "");
        let blocker = Blocker::occupy(&store, true);
        let user = site.user("anna");
        let mut gone = Box::pin(store.write(move |tx| tx.insert_user(&user, &hash("x"))));
        let nobody = std::task::Waker::noop();
        let poll = gone.as_mut().poll(&mut std::task::Context::from_waker(nobody));
        assert!(poll.is_pending());
        drop(gone);
        blocker.release();
        wait(store.write(|tx| tx.last_change())).unwrap();
        assert_eq!(users(&store), 0);
    }

    fn a_panic_is_rolled_back_and_the_lane_goes_on(site) {
        let store = site.database.store_with(1, SOON, "");
        let user = site.user("anna");
        let error = wait(store.write(move |tx| -> Result<(), StoreError> {
            tx.insert_user(&user, &hash("x"))?;
            panic!("a bug");
        })).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Other);
        let error = wait(store.read(|_| -> Result<(), StoreError> { panic!("a bug") })).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Other);
        assert_eq!(users(&store), 0);
        let user = site.user("bert");
        wait(store.write(move |tx| tx.insert_user(&user, &hash("x")))).unwrap();
        assert_eq!(users(&store), 1);
    }

    fn a_failure_that_is_swallowed_is_not_committed(site) {
        let event = site.event("user.created", NOW);
        let user = site.user("anna");
        let error = site.try_write(move |tx| {
            tx.insert_audit(&event)?;
            // The same event again; nobody expects that, so nothing guards it.
            let _ = tx.insert_audit(&event);
            let _ = tx.insert_user(&user, &hash("x"));
            Ok(())
        }).unwrap_err();
        assert!(error.is_duplicate(), "{error}");
        assert_eq!(users(&site.store), 0);
    }

    fn reading_never_writes(site) {
        let user = site.user("anna");
        let written = user.clone();
        let error = site.try_read(move |tx| tx.insert_user(&written, &hash("x"))).unwrap_err();
        assert!(matches!(error.kind, StoreErrorKind::ReadOnly(_)), "{error}");
        let error = wait(site.store.lookup(move |tx| tx.insert_user(&user, &hash("x")))).unwrap_err();
        assert!(matches!(error.kind, StoreErrorKind::ReadOnly(_)), "{error}");
        assert_eq!(users(&site.store), 0);
    }

    fn a_unit_sees_one_state_of_the_data(site) {
        site.stored_user("anna");
        let (store, user) = (site.store.clone(), Arc::new(Mutex::new(Some(site.user("bert")))));
        let counts = site.read(move |tx| {
            let before = tx.user_count()?;
            if let Some(user) = user.lock().unwrap().take() {
                wait(store.write(move |tx| tx.insert_user(&user, &hash("x"))))?;
            }
            Ok((before, tx.user_count()?))
        });
        assert_eq!(counts, (1, 1));
        assert_eq!(users(&site.store), 2);
    }

    fn atk_a070_a_word_nobody_knows_is_an_unreadable_row(site) {
        let group = site.stored_group("lab");
        let table = if kind(site) == Database::Mysql { "`groups`" } else { "\"groups\"" };
        site.database.connection().execute(&format!("UPDATE {table} SET level = 'everything'"));
        let error = site.try_read(move |tx| tx.group_by_id(group.id)).unwrap_err();
        let expected = StoreErrorKind::Corrupt { table: "groups", column: "level".to_owned() };
        assert_eq!(error.kind, expected);
        assert!(!error.to_string().contains("everything"));
        assert_eq!(users(&site.store), 0);
    }
}

#[path = "faults/embedded.rs"]
mod embedded;

#[cfg(feature = "mysql")]
#[test]
fn atk_a236_bytes_that_are_not_utf8_are_an_unreadable_row() {
    let site = Site::on(Database::Mysql);
    let user = site.stored_user("anna");
    site.database.connection().execute("UPDATE users SET username_key = x'616EFF61'");
    let error = site.try_read(move |tx| tx.user_by_id(user.id)).unwrap_err();
    let column = "username_key".to_owned();
    assert_eq!(error.kind, StoreErrorKind::Corrupt { table: "users", column });
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
#[path = "faults/servers.rs"]
mod servers;
