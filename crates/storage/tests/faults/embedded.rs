//! Faults of the embedded database.

use vestibule_core::TokenDigest;

use super::*;

#[test]
fn a_look_up_runs_on_the_thread_that_asks() {
    let site = Site::on(Database::Sqlite);
    let here = thread::current().id();
    let there = site.lookup(|_| Ok(thread::current().id()));
    assert_eq!(there, here);
    assert_ne!(site.read(|_| Ok(thread::current().id())), here);
}

#[test]
fn units_of_one_commit_are_kept_or_undone_each_by_itself() {
    let site = Site::on(Database::Sqlite);
    let heard = Arc::new(Heard::default());
    site.store.observe(Arc::clone(&heard) as Arc<dyn ChangeObserver>);
    let ids: Vec<_> = (0..6).map(|_| site.user("x").id).collect();
    let mut outside = site.database.connection();
    let (seen_within, committed_then) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(9)));

    let blocker = Blocker::occupy(&site.store, true);
    let mut units = Vec::new();
    for (number, id) in ids.iter().copied().enumerate() {
        let (user, store) = (site.user(&format!("user {number}")), site.store.clone());
        let (within, committed) = (Arc::clone(&seen_within), Arc::clone(&committed_then));
        let file = site.database.file();
        let mut write = Box::pin(async move {
            store
                .write(move |tx| {
                    tx.announce(Change::User(id), NOW)?;
                    tx.insert_user(&user, &hash("x"))?;
                    match number {
                        1 => Err(StoreError::new(StoreErrorKind::Schema("refused".to_owned()))),
                        3 => panic!("a bug"),
                        5 => {
                            // The last of the batch sees the others, nobody outside does yet.
                            within
                                .store(u32::try_from(tx.user_count()?).unwrap(), Ordering::SeqCst);
                            committed.store(committed_users(&file), Ordering::SeqCst);
                            Ok(())
                        }
                        _ => Ok(()),
                    }
                })
                .await
        });
        // Put into the queue in this order, while the writer is busy.
        let waker = std::task::Waker::noop();
        assert!(write.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
        units.push(write);
    }
    blocker.release();
    let results: Vec<_> = units.into_iter().map(wait).collect();

    let kept: Vec<_> = results.iter().map(Result::is_ok).collect();
    assert_eq!(kept, [true, false, true, false, true, true]);
    assert_eq!(results[1].as_ref().unwrap_err().kind, StoreErrorKind::Schema("refused".to_owned()));
    assert_eq!(results[3].as_ref().unwrap_err().kind, StoreErrorKind::Other);
    assert_eq!(seen_within.load(Ordering::SeqCst), 4, "one batch");
    assert_eq!(committed_then.load(Ordering::SeqCst), 0, "one commit");
    let stored = outside.texts("SELECT username AS answer FROM users ORDER BY username");
    assert_eq!(stored, ["user 0", "user 2", "user 4", "user 5"]);
    let expected = [0, 2, 4, 5].map(|number: usize| Change::User(ids[number]));
    assert_eq!(*heard.0.lock().unwrap(), expected);
    let numbers = site.read(|tx| tx.changes_after(0, 10));
    assert_eq!(numbers.len(), 4);
    assert_eq!(numbers.last().unwrap().number, 4);
}

fn committed_users(file: &std::path::Path) -> u32 {
    use diesel::{Connection, RunQueryDsl, sql_query, sql_types::BigInt};
    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let mut conn = diesel::SqliteConnection::establish(&file.to_string_lossy()).unwrap();
    let count: Count = sql_query("SELECT COUNT(*) AS n FROM users").get_result(&mut conn).unwrap();
    u32::try_from(count.n).unwrap()
}

#[test]
fn flt_f08_a_full_disk_refuses_writes_and_harms_nobody_else() {
    let site = Site::on(Database::Sqlite);
    // No page more than there is.
    let full = site.database.store_with(2, Duration::from_secs(30), "PRAGMA max_page_count = 1");
    let mut long = site.event("user.created", NOW);
    long.target = "x".repeat(100_000);
    let small = site.user("anna");

    let blocker = Blocker::occupy(&full, true);
    let mut first = Box::pin(full.write(move |tx| tx.insert_user(&small, &hash("x"))));
    let mut second = Box::pin(full.write(move |tx| tx.insert_audit(&long)));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.as_mut().poll(&mut context).is_pending());
    blocker.release();
    assert!(wait(first).is_ok(), "what fits is written, whatever its neighbours want");
    let error = wait(second).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::ReadOnly("the disk is full".to_owned()));

    // Reads go on, nothing is damaged, and with room again so do writes.
    assert_eq!(users(&full), 1);
    drop(full);
    assert_eq!(vestibule_storage::verify(site.database.url(), &mut |_| {}).unwrap(), []);
    site.stored_user("bert");
}

#[test]
fn flt_f08_a_work_that_swallows_a_full_disk_writes_nothing_after_it() {
    let site = Site::on(Database::Sqlite);
    let full = site.database.store_with(1, SOON, "PRAGMA max_page_count = 1");
    let mut long = site.event("user.created", NOW);
    long.target = "x".repeat(100_000);
    let user = site.user("anna");
    let error = wait(full.write(move |tx| {
        let _ = tx.insert_audit(&long);
        let _ = tx.insert_user(&user, &hash("x"));
        Ok::<_, StoreError>(())
    }))
    .unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::ReadOnly("the disk is full".to_owned()));
    assert_eq!(users(&full), 0);
}

#[test]
fn flt_f14_a_lock_that_is_not_given_back_ends_in_an_answer() {
    let site = Site::on(Database::Sqlite);
    let store = site.database.store_with(1, Duration::from_secs(30), "PRAGMA busy_timeout = 20");
    let mut other = site.database.connection();
    other.execute("BEGIN IMMEDIATE");
    let user = site.user("anna");
    let written = user.clone();
    let error = wait(store.write(move |tx| tx.insert_user(&written, &hash("x")))).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Contended);
    assert_eq!(users(&store), 0, "reads go on");
    other.execute("COMMIT");
    wait(store.write(move |tx| tx.insert_user(&user, &hash("x")))).unwrap();
    assert_eq!(users(&store), 1);
}

#[test]
fn flt_f14_two_processes_that_write_lose_no_update() {
    let site = Site::on(Database::Sqlite);
    let other = site.database.store();
    thread::scope(|scope| {
        for store in [&site.store, &other] {
            for _ in 0..4 {
                scope.spawn(move || {
                    for _ in 0..25 {
                        wait(store.write(|tx| tx.count_one(&[1; 32], NOW, NOW))).unwrap();
                    }
                });
            }
        }
    });
    assert_eq!(site.read(|tx| tx.window_count(&[1; 32])).unwrap().count, 200);
}

#[test]
fn atk_a070_random_bytes_in_a_session_are_an_unreadable_row() {
    let site = Site::on(Database::Sqlite);
    let user = site.stored_user("anna");
    let session = site.session(&user, "token");
    site.write(move |tx| tx.insert_session(&session));
    let mut behind = site.database.connection();
    behind.execute("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF");
    for (change, column) in [
        ("user_id = x'DEADBEEF'", "user_id"),
        ("id = x''", "id"),
        ("id = randomblob(17), user_id = randomblob(16)", "id"),
    ] {
        behind.execute(&format!("UPDATE sessions SET {change}"));
        let error =
            site.try_read(|tx| tx.session_by_digest(&TokenDigest::of(b"token"))).unwrap_err();
        let column = column.to_owned();
        assert_eq!(error.kind, StoreErrorKind::Corrupt { table: "sessions", column });
        assert_eq!(site.read(|tx| tx.user_count()), 1, "the lane goes on");
    }
}

#[test]
fn atk_a236_text_that_is_not_utf8_is_an_unreadable_row() {
    let site = Site::on(Database::Sqlite);
    let user = site.stored_user("anna");
    let mut behind = site.database.connection();
    behind.execute("UPDATE users SET username = CAST(x'616EFF61' AS TEXT)");
    let error = site.try_read(move |tx| tx.user_by_id(user.id)).unwrap_err();
    let column = "username".to_owned();
    assert_eq!(error.kind, StoreErrorKind::Corrupt { table: "users", column });
    behind.execute("UPDATE users SET password = CAST(x'FF' AS TEXT)");
    let error = site.try_read(move |tx| tx.user_password(user.id)).unwrap_err();
    let column = "password".to_owned();
    assert_eq!(error.kind, StoreErrorKind::Corrupt { table: "users", column });
}

#[test]
fn closing_leaves_everything_in_one_file() {
    let site = Site::on(Database::Sqlite);
    site.stored_user("anna");
    let Site { store, database, .. } = site;
    drop(store);
    let folder = database.file().parent().unwrap().to_owned();
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["vestibule.db"]);
    assert_eq!(committed_users(&database.file()), 1);
}
