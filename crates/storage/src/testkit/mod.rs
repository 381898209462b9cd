//! A fresh database for every test, on whichever database the build knows.
//!
//! `PostgreSQL` and MySQL need a server that tests may make databases on, named by the environment
//! variables `VESTIBULE_TEST_POSTGRES` and `VESTIBULE_TEST_MYSQL`. Without it a test fails: one
//! that was left out would look like one that passed.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test without its database has failed"
)]

mod schema;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod server;
mod statements;

use std::{path::PathBuf, sync::OnceLock, time::Duration};

use diesel::{
    QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Text},
};
use tempfile::TempDir;
use vestibule_core::ports::store::Store;

pub use self::{
    schema::{Index, Link, TableShape, describe},
    statements::Statements,
};
pub use crate::url::Kind as Database;
use crate::{
    StoreOptions,
    conn::{Access, AnyConnection},
    migrate,
    store::{Bounds, SqlStore, connect, open, open_bounded},
};

/// A database of a test's own, gone when the test ends.
pub struct TestDatabase {
    url: String,
    place: Place,
}

enum Place {
    File(TempDir),
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    Server(#[expect(dead_code, reason = "drops the database")] server::Guard),
}

impl TestDatabase {
    /// One with this release's schema.
    pub fn fresh(database: Database) -> Self {
        match database {
            Database::Sqlite => {
                let fresh = Self::empty(database);
                std::fs::write(fresh.file(), migrated_file()).expect("the copy is written");
                fresh
            }
            #[cfg(feature = "postgres")]
            Database::Postgres => Self::on_server(server::copy_of_template()),
            #[cfg(feature = "mysql")]
            Database::Mysql => {
                let fresh = Self::empty(database);
                migrate::migrate(&fresh.url, &mut |_| {}).expect("the database is migrated");
                fresh
            }
            #[cfg(not(all(feature = "postgres", feature = "mysql")))]
            other => panic!("this build has no {other:?}"),
        }
    }

    /// One without any table (on `SQLite`, without a file yet).
    pub fn empty(database: Database) -> Self {
        match database {
            Database::Sqlite => {
                let folder = tempfile::tempdir().expect("a folder for the database");
                let url = format!("sqlite:{}", folder.path().join("vestibule.db").display());
                Self { url, place: Place::File(folder) }
            }
            #[cfg(feature = "postgres")]
            Database::Postgres => Self::on_server(server::empty_postgres()),
            #[cfg(feature = "mysql")]
            Database::Mysql => Self::on_server(server::empty_mysql()),
            #[cfg(not(all(feature = "postgres", feature = "mysql")))]
            other => panic!("this build has no {other:?}"),
        }
    }

    #[cfg(any(feature = "postgres", feature = "mysql"))]
    fn on_server(guard: server::Guard) -> Self {
        Self { url: guard.url().to_owned(), place: Place::Server(guard) }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The `SQLite` file.
    pub fn file(&self) -> PathBuf {
        match &self.place {
            Place::File(folder) => folder.path().join("vestibule.db"),
            #[cfg(any(feature = "postgres", feature = "mysql"))]
            Place::Server(_) => panic!("only SQLite is a file"),
        }
    }

    /// Opened as the server opens it, with a few connections.
    pub fn open(&self) -> SqlStore {
        open(&self.url, &StoreOptions { pool_size: 4 }).expect("the database opens")
    }

    /// As the core takes it.
    pub fn store(&self) -> Store {
        self.open().into_store()
    }

    /// A store with so many connections and little patience. A single connection, and on `SQLite`
    /// the writer, is told `first_words` first.
    pub fn store_with(
        &self,
        pool_size: usize,
        patience: Duration,
        first_words: &'static str,
    ) -> Store {
        let bounds = Bounds { pool_size, queue: 64, patience, first_words };
        open_bounded(&self.url, bounds).expect("the database opens").into_store()
    }

    /// A connection beside the store's, for what a test does behind its back.
    pub fn connection(&self) -> TestConnection {
        TestConnection::to(&self.url)
    }

    /// Undoes all migrations.
    pub fn revert_all(&self) {
        migrate::revert_all(&self.url).expect("every migration can be undone");
    }
}

/// A bare connection, for what a test does behind the store's back.
pub struct TestConnection(AnyConnection);

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    answer: i64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    answer: String,
}

impl TestConnection {
    /// A connection to the database at this address.
    pub fn to(url: &str) -> Self {
        let url = url.parse().expect("a valid address");
        Self(connect(&url, Access::ReadWrite).expect("a connection beside the store's"))
    }

    /// Runs statements as they stand.
    pub fn execute(&mut self, statements: &str) {
        self.0.batch_execute(statements).expect(statements);
    }

    /// The same, of statements that may be refused.
    pub fn try_execute(&mut self, statements: &str) -> Result<(), String> {
        self.0.batch_execute(statements).map_err(|error| error.to_string())
    }

    /// The number that a query answers in its column `answer`.
    pub fn number(&mut self, query: &str) -> i64 {
        let number: Number = sql_query(query).get_result(&mut self.0).expect(query);
        number.answer
    }

    /// The texts that a query answers in its column `answer`.
    pub fn texts(&mut self, query: &str) -> Vec<String> {
        let lines: Vec<Line> = sql_query(query).load(&mut self.0).expect(query);
        lines.into_iter().map(|line| line.answer).collect()
    }

    pub(crate) fn inner(&mut self) -> &mut AnyConnection {
        &mut self.0
    }
}

/// A migrated `SQLite` file, made once for all tests of a process.
fn migrated_file() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        let template = TestDatabase::empty(Database::Sqlite);
        // The last connection to close leaves everything in the one file.
        migrate::migrate(&template.url, &mut |_| {}).expect("the template is migrated");
        std::fs::read(template.file()).expect("the template is read")
    })
}
