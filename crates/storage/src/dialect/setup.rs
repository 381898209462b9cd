//! What a connection is told before it is used.

use std::{
    thread,
    time::{Duration, Instant},
};

use diesel::{
    QueryResult, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query,
    sql_types::BigInt,
};

use super::kind;
use crate::{
    conn::{Access, AnyConnection},
    error::kind_of,
    url::{DatabaseUrl, Kind},
};
use vestibule_core::ports::store::StoreErrorKind;

/// How long one waits for another, as `busy_timeout` has it.
const SQLITE_PATIENCE: Duration = Duration::from_secs(5);

const SQLITE: &str = "
    PRAGMA busy_timeout = 5000;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA temp_store = MEMORY;
";

/// A commit is on the disk when it is answered; the writer makes up for the cost by committing
/// many units at once. Its cache holds what an import changes, or pages would be written many
/// times over; it takes no memory before it is needed.
const SQLITE_WRITER: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -65536;
";

const SQLITE_READER: &str = "
    PRAGMA query_only = ON;
    PRAGMA mmap_size = 268435456;
";

const POSTGRES: &str = "
    SET statement_timeout = '10s';
    SET lock_timeout = '5s';
    SET idle_in_transaction_session_timeout = '60s';
    SET TIME ZONE 'UTC';
";

const MYSQL: &str = "
    SET NAMES utf8mb4 COLLATE utf8mb4_bin;
    SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO,PIPES_AS_CONCAT';
    SET SESSION innodb_lock_wait_timeout = 5;
    SET SESSION time_zone = '+00:00';
";

/// Sets a fresh connection up.
pub(crate) fn prepare(conn: &mut AnyConnection, access: Access) -> QueryResult<()> {
    match kind(conn) {
        Kind::Sqlite => {
            conn.batch_execute(SQLITE)?;
            match access {
                Access::ReadOnly => conn.batch_execute(SQLITE_READER),
                Access::ReadWrite | Access::Create => {
                    write_ahead(conn)?;
                    conn.batch_execute(SQLITE_WRITER)
                }
            }
        }
        Kind::Postgres => conn.batch_execute(POSTGRES),
        Kind::Mysql => {
            conn.batch_execute(MYSQL)?;
            // Seconds on MariaDB; MySQL does not know it and has milliseconds by another name.
            conn.batch_execute("SET SESSION max_statement_time = 10")
                .or_else(|_| conn.batch_execute("SET SESSION max_execution_time = 10000"))
        }
    }
}

/// Turns to a write-ahead log. Two who do so in a fresh file at once would wait for each other, so
/// `SQLite` refuses one at once, whatever its `busy_timeout`: that one asks again.
fn write_ahead(conn: &mut AnyConnection) -> QueryResult<()> {
    let until = Instant::now() + SQLITE_PATIENCE;
    loop {
        match conn.batch_execute("PRAGMA journal_mode = WAL") {
            Err(error)
                if kind_of(&error) == StoreErrorKind::Contended && Instant::now() < until =>
            {
                thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = BigInt)]
    flag: i64,
}

/// Why the database would take no writes, when it would take none.
pub(crate) fn refusal_to_write(conn: &mut AnyConnection) -> QueryResult<Option<String>> {
    let question = match kind(conn) {
        Kind::Sqlite => {
            return match conn
                .batch_execute("BEGIN IMMEDIATE; ROLLBACK")
                .map_err(|error| (kind_of(&error), error))
            {
                // One who writes right now proves that it can be written.
                Ok(()) | Err((StoreErrorKind::Contended, _)) => Ok(None),
                Err((StoreErrorKind::ReadOnly(_), error)) => Ok(Some(error.to_string())),
                Err((_, error)) => Err(error),
            };
        }
        Kind::Postgres => {
            "SELECT CASE WHEN current_setting('transaction_read_only') = 'on' \
             THEN 1 ELSE 0 END::bigint AS flag"
        }
        Kind::Mysql => "SELECT CAST(@@global.read_only AS SIGNED) AS flag",
    };
    let flag = sql_query(question).get_result::<Flag>(conn)?.flag;
    Ok((flag != 0).then(|| "the server is a standby or set to read-only".to_owned()))
}

/// Whether the server does not even take a connection within two seconds, where the driver itself
/// would wait for minutes.
pub(crate) fn server_is_slow_to_answer(url: &DatabaseUrl) -> Option<String> {
    match url {
        #[cfg(feature = "mysql")]
        DatabaseUrl::Mysql(address) => {
            use std::net::{TcpStream, ToSocketAddrs};

            let (host, port) = address.host_and_port(3306)?;
            let addresses = match (host.as_str(), port).to_socket_addrs() {
                Ok(addresses) => addresses,
                Err(error) => return Some(error.to_string()),
            };
            let mut reason = Some("the host has no address".to_owned());
            for address in addresses {
                match TcpStream::connect_timeout(&address, Duration::from_secs(2)) {
                    Ok(_) => return None,
                    Err(error) => reason = Some(error.to_string()),
                }
            }
            reason
        }
        _ => None,
    }
}

#[derive(QueryableByName)]
struct Tables {
    #[diesel(sql_type = BigInt)]
    tables: i64,
}

/// Whether there is a table of this name. Asked before use, since on `PostgreSQL` a failed query
/// ends the transaction.
pub(crate) fn has_table(conn: &mut AnyConnection, name: &str) -> QueryResult<bool> {
    let question = match kind(conn) {
        Kind::Sqlite => {
            "SELECT COUNT(*) AS tables FROM sqlite_schema WHERE type = 'table' AND name = ?"
        }
        Kind::Postgres => {
            "SELECT COUNT(*) AS tables FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1"
        }
        Kind::Mysql => {
            "SELECT COUNT(*) AS tables FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_name = ?"
        }
    };
    let found: Tables =
        sql_query(question).bind::<diesel::sql_types::Text, _>(name).get_result(conn)?;
    Ok(found.tables > 0)
}

/// A table's name as it stands in a query: `groups` is a word of its own to some.
pub(crate) fn quoted(conn: &AnyConnection, name: &str) -> String {
    match kind(conn) {
        Kind::Sqlite | Kind::Postgres => format!("\"{name}\""),
        Kind::Mysql => format!("`{name}`"),
    }
}
