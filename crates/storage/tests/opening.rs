//! Opening and migrating: what is refused, in which words, and that all databases come out alike.

#![expect(clippy::unwrap_used, reason = "what a test relies on fails the test")]

use std::{fs, thread};

use vestibule_storage::{
    MigrateError, OpenError, StoreOptions, migrate, migrations, open,
    testkit::{Database, TestDatabase, describe},
};

fn databases() -> Vec<Database> {
    vec![
        Database::Sqlite,
        #[cfg(feature = "postgres")]
        Database::Postgres,
        #[cfg(feature = "mysql")]
        Database::Mysql,
    ]
}

fn refusal(database: &TestDatabase) -> OpenError {
    match open(database.url(), &StoreOptions::default()) {
        Ok(_) => panic!("the database opens"),
        Err(error) => error,
    }
}

#[test]
fn a_missing_file_is_named_and_not_made() {
    let database = TestDatabase::empty(Database::Sqlite);
    let error = refusal(&database);
    assert!(matches!(error, OpenError::Missing(_)), "{error}");
    assert!(error.to_string().contains(database.url()), "{error}");
    assert!(!database.file().exists());
    let all = migrations(database.url()).unwrap();
    assert!(all.len() > 10 && all.iter().all(|migration| !migration.applied));
    assert!(!database.file().exists());
}

#[test]
fn a_database_that_is_behind_says_by_how_much_and_what_to_do() {
    for kind in databases() {
        let database = TestDatabase::empty(kind);
        if kind == Database::Sqlite {
            fs::write(database.file(), b"").unwrap();
        }
        let all = migrations(database.url()).unwrap().len();
        let text = refusal(&database).to_string();
        assert!(text.contains(&format!("{all} migrations pending")), "{text}");
        assert!(text.contains("vestibule migrate"), "{text}");
    }
}

#[test]
fn flt_f13_an_older_program_refuses_a_newer_schema() {
    for kind in databases() {
        let database = TestDatabase::fresh(kind);
        database
            .connection()
            .execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')");
        let error = refusal(&database);
        assert!(matches!(error, OpenError::Ahead { .. }), "{error}");
        assert!(error.to_string().contains("29990101000000"), "{error}");
        let error = migrate(database.url(), &mut |_| {}).unwrap_err();
        assert!(matches!(error, MigrateError::Open(OpenError::Ahead { .. })), "{error}");
    }
}

#[cfg(feature = "postgres")]
#[test]
fn flt_f06_a_read_only_server_is_refused() {
    let database = TestDatabase::fresh(Database::Postgres);
    let name = database.url().rsplit('/').next().unwrap();
    database
        .connection()
        .execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    let error = refusal(&database);
    assert!(matches!(error, OpenError::ReadOnly { .. }), "{error}");
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
#[test]
fn a_server_that_cannot_be_reached_is_named_without_the_password() {
    // A port that was just free.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for scheme in [
        #[cfg(feature = "postgres")]
        "postgres",
        #[cfg(feature = "mysql")]
        "mysql",
    ] {
        let url = format!("{scheme}://anna:s3cret@127.0.0.1:{port}/vest");
        let error = open(&url, &StoreOptions::default()).unwrap_err();
        assert!(matches!(error, OpenError::Unreachable { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("{scheme}://anna@127.0.0.1:{port}/vest")), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
#[test]
fn a_wrong_password_is_not_shown() {
    for kind in databases() {
        if kind == Database::Sqlite {
            continue;
        }
        let database = TestDatabase::fresh(kind);
        let (before, after) = database.url().rsplit_once('@').unwrap();
        let (before, _) = before.rsplit_once(':').unwrap();
        let error = open(&format!("{before}:wr0ng@{after}"), &StoreOptions::default()).unwrap_err();
        assert!(matches!(error, OpenError::Unreachable { .. }), "{error}");
        assert!(!error.to_string().contains("wr0ng"), "{error}");
    }
}

/// Overwrites a stretch of the file.
fn damage(database: &TestDatabase, from: usize, bytes: usize) {
    let mut file = fs::read(database.file()).unwrap();
    for byte in &mut file[from..from + bytes] {
        *byte ^= 0x5A;
    }
    fs::write(database.file(), file).unwrap();
}

#[test]
fn flt_f15_flipped_bytes_are_noticed_at_the_start() {
    let size = fs::metadata(TestDatabase::fresh(Database::Sqlite).file()).unwrap().len();
    let last_page = usize::try_from(size).unwrap() - 4096;
    for (what, from, bytes) in [
        ("the header", 0, 16),
        ("the schema", 100, 64),
        ("a page in the middle", 8 * 4096, 64),
        ("the last page", last_page, 64),
    ] {
        let database = TestDatabase::fresh(Database::Sqlite);
        damage(&database, from, bytes);
        let error = refusal(&database);
        assert!(matches!(error, OpenError::Damaged { .. }), "{what}: {error}");
        assert!(error.to_string().contains("restore it from a backup"), "{what}: {error}");
    }
}

#[test]
fn flt_f15_a_file_that_was_cut_short_is_noticed() {
    let database = TestDatabase::fresh(Database::Sqlite);
    let file = fs::read(database.file()).unwrap();
    fs::write(database.file(), &file[..file.len() / 2]).unwrap();
    let error = refusal(&database);
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let database = TestDatabase::empty(Database::Sqlite);
    fs::write(database.file(), "name,mail\nanna,a@example.org\n".repeat(300)).unwrap();
    assert!(matches!(refusal(&database), OpenError::Damaged { .. }));
    assert!(migrate(database.url(), &mut |_| {}).is_err());
    assert!(fs::read(database.file()).unwrap().starts_with(b"name,mail"));
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let error = migrate("sqlite:/nowhere/at/all/v.db", &mut |_| {}).unwrap_err();
    assert!(matches!(error, MigrateError::Open(OpenError::Unreachable { .. })), "{error}");
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let database = TestDatabase::empty(Database::Sqlite);
    migrate(database.url(), &mut |_| {}).unwrap();
    assert_eq!(fs::metadata(database.file()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn odd_file_names_are_files_like_any_other() {
    let database = TestDatabase::empty(Database::Sqlite);
    let folder = database.file().parent().unwrap().to_owned();
    let path = folder.join("50%20 of a?b#c \u{e9}.db");
    let url = format!("sqlite:{}", path.display());
    migrate(&url, &mut |_| {}).unwrap();
    assert!(path.exists());
    open(&url, &StoreOptions::default()).unwrap();
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.iter().all(|file| file.to_string_lossy().starts_with(&*path.to_string_lossy())));
}

#[test]
fn migrating_tells_each_step_and_is_done_once() {
    for kind in databases() {
        let database = TestDatabase::empty(kind);
        let mut steps = Vec::new();
        let ran = migrate(database.url(), &mut |name| steps.push(name.to_owned())).unwrap();
        let all = migrations(database.url()).unwrap();
        assert_eq!(ran, all.len());
        assert_eq!(steps, all.iter().map(|m| m.name.clone()).collect::<Vec<_>>());
        assert!(all.iter().all(|migration| migration.applied));
        assert_eq!(migrate(database.url(), &mut |_| panic!("nothing is left")).unwrap(), 0);
        open(database.url(), &StoreOptions::default()).unwrap();
    }
}

#[test]
fn many_who_migrate_at_once_do_it_once() {
    for kind in databases() {
        let database = TestDatabase::empty(kind);
        let ran: Vec<_> = thread::scope(|scope| {
            let processes: Vec<_> =
                (0..6).map(|_| scope.spawn(|| migrate(database.url(), &mut |_| {}))).collect();
            processes.into_iter().map(|process| process.join().unwrap()).collect()
        });
        let total: usize = ran.into_iter().map(|count| count.unwrap()).sum();
        assert_eq!(total, migrations(database.url()).unwrap().len(), "{kind:?}");
        open(database.url(), &StoreOptions::default()).unwrap();
    }
}

#[test]
fn flt_f12_a_migration_that_fails_leaves_nothing_half_done_and_can_be_run_again() {
    for kind in databases() {
        let database = TestDatabase::empty(kind);
        if kind == Database::Sqlite {
            fs::write(database.file(), b"").unwrap();
        }
        // A migration's index is in the way of one of ours; on MySQL a table that is not like ours
        // keeps the next one from referring to it.
        let obstacle = match kind {
            Database::Mysql => "CREATE TABLE permissions (code INT)",
            _ => "CREATE TABLE sessions (odd INTEGER)",
        };
        database.connection().execute(obstacle);
        let error = migrate(database.url(), &mut |_| {}).unwrap_err();
        assert!(matches!(error, MigrateError::Failed { .. }), "{error}");
        let done = migrations(database.url()).unwrap().iter().filter(|m| m.applied).count();
        assert!(done > 3, "{kind:?} {done}");
        assert!(matches!(refusal(&database), OpenError::Behind { .. }));
        match kind {
            Database::Mysql => database.connection().execute(
                "DROP TABLE permissions; \
                 DELETE FROM __diesel_schema_migrations WHERE version = '20261120000500'",
            ),
            _ => database.connection().execute("DROP TABLE sessions"),
        }
        migrate(database.url(), &mut |_| {}).unwrap();
        open(database.url(), &StoreOptions::default()).unwrap();
    }
}

#[cfg(feature = "mysql")]
#[test]
fn flt_f12_a_migration_killed_before_it_was_noted_is_run_again() {
    let database = TestDatabase::empty(Database::Mysql);
    let all = migrations(database.url()).unwrap();
    migrate(database.url(), &mut |_| {}).unwrap();
    for migration in all {
        let version = migration.name.split('_').next().unwrap().replace('-', "");
        let note = format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'");
        database.connection().execute(&note);
        assert_eq!(migrate(database.url(), &mut |_| {}).unwrap(), 1, "{}", migration.name);
    }
    let counted = database.connection().number("SELECT value AS answer FROM change_counter");
    assert_eq!(counted, 0);
}

#[test]
fn migrations_have_the_same_names_on_all_databases() {
    let names = |database: &str| {
        let folder = format!("{}/migrations/{database}", env!("CARGO_MANIFEST_DIR"));
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert!(names("sqlite").len() > 10);
    assert_eq!(names("sqlite"), names("postgres"));
    assert_eq!(names("sqlite"), names("mysql"));
}

#[cfg(all(feature = "postgres", feature = "mysql"))]
#[test]
fn the_schema_is_the_same_on_all_databases() {
    let sqlite = describe(&TestDatabase::fresh(Database::Sqlite));
    assert!(sqlite.len() > 12 && sqlite.values().all(|table| !table.indexes.is_empty()));
    for kind in [Database::Postgres, Database::Mysql] {
        let other = describe(&TestDatabase::fresh(kind));
        assert_eq!(sqlite.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{kind:?}");
        for (table, shape) in &sqlite {
            assert_eq!(shape, &other[table], "{table} on {kind:?}");
        }
    }
}

#[test]
fn every_migration_can_be_undone_and_run_again() {
    for kind in databases() {
        let database = TestDatabase::fresh(kind);
        let before = describe(&database);
        database.revert_all();
        assert_eq!(describe(&database).len(), 0, "{kind:?}");
        migrate(database.url(), &mut |_| {}).unwrap();
        assert_eq!(describe(&database), before, "{kind:?}");
    }
}
