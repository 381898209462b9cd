//! Transactions and savepoints, in plain words: the lanes decide when, so diesel's own bookkeeping
//! of transactions is not used.

use diesel::{QueryResult, connection::SimpleConnection};
use vestibule_core::ports::store::Mode;

use super::kind;
use crate::{
    conn::AnyConnection,
    error::{DbError, DbResult},
    url::Kind,
};

/// Begins a transaction: one view of the data for reading, READ COMMITTED (or all of it for
/// oneself, on `SQLite`) for writing.
pub(crate) fn begin(conn: &mut AnyConnection, mode: Mode) -> QueryResult<()> {
    let words = match (kind(conn), mode) {
        // A deferred transaction that begins to write fails at once when another writes.
        (Kind::Sqlite, Mode::Write) => "BEGIN IMMEDIATE",
        (Kind::Sqlite, _) => "BEGIN",
        (Kind::Postgres, Mode::Write) => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
        (Kind::Postgres, _) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        (Kind::Mysql, Mode::Write) => "START TRANSACTION READ WRITE",
        (Kind::Mysql, _) => {
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION READ ONLY"
        }
    };
    conn.batch_execute(words)
}

/// Begins the transaction of one migration, where the database can undo one.
pub(crate) fn begin_migration(conn: &mut AnyConnection) -> QueryResult<()> {
    match kind(conn) {
        Kind::Sqlite => conn.batch_execute("BEGIN EXCLUSIVE"),
        Kind::Postgres => conn.batch_execute("BEGIN"),
        // Every DDL statement ends the transaction there.
        Kind::Mysql => Ok(()),
    }
}

/// Makes the transaction permanent.
pub(crate) fn commit(conn: &mut AnyConnection) -> QueryResult<()> {
    conn.batch_execute("COMMIT")
}

/// Undoes the transaction, if there still is one.
pub(crate) fn rollback(conn: &mut AnyConnection) -> QueryResult<()> {
    conn.batch_execute("ROLLBACK")
}

/// Runs statements of which all or none are to stay within the transaction, which itself goes on
/// when they fail.
pub(crate) fn savepoint<T>(
    conn: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> DbResult<T>,
) -> DbResult<T> {
    conn.batch_execute("SAVEPOINT vestibule_step")?;
    match work(conn) {
        Ok(value) => {
            conn.batch_execute("RELEASE SAVEPOINT vestibule_step")?;
            Ok(value)
        }
        Err(error) => {
            let undone = conn.batch_execute("ROLLBACK TO SAVEPOINT vestibule_step");
            let released = conn.batch_execute("RELEASE SAVEPOINT vestibule_step");
            match undone.and(released) {
                // The whole transaction is gone: what failed first says why, unless that would
                // read as a mere conflict.
                Err(gone) if error.is_conflict() => Err(DbError::Database(gone)),
                _ => Err(error),
            }
        }
    }
}

/// Runs one statement that the schema may refuse. `PostgreSQL` alone ends the transaction at any
/// refusal, so there alone it needs a savepoint.
pub(crate) fn guarded<T>(
    conn: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> DbResult<T>,
) -> DbResult<T> {
    match kind(conn) {
        Kind::Postgres => savepoint(conn, work),
        Kind::Sqlite | Kind::Mysql => work(conn),
    }
}
