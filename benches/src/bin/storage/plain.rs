//! The same queries by diesel alone, as one would first write them.

use std::path::Path;

use diesel::{
    Connection, ExpressionMethods, Insertable, QueryDsl, Queryable, RunQueryDsl, Selectable,
    SelectableHelper, SqliteConnection, connection::SimpleConnection,
};
use vestibule_benches::Result;
use vestibule_core::{TokenDigest, domain::session::Session};

diesel::table! {
    sessions (digest) {
        digest -> Binary,
        id -> Binary,
        user_id -> Binary,
        created_at -> BigInt,
        last_seen_at -> BigInt,
        expires_at -> BigInt,
        address -> Text,
        user_agent -> Text,
        backend -> Text,
    }
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub(crate) struct Row {
    digest: Vec<u8>,
    id: Vec<u8>,
    user_id: Vec<u8>,
    created_at: i64,
    last_seen_at: i64,
    expires_at: i64,
    address: String,
    user_agent: String,
    backend: String,
}

impl From<&Session> for Row {
    fn from(session: &Session) -> Self {
        Self {
            digest: session.digest.as_bytes().to_vec(),
            id: session.id.as_bytes().to_vec(),
            user_id: session.user.as_bytes().to_vec(),
            created_at: session.created_at.as_micros(),
            last_seen_at: session.last_seen_at.as_micros(),
            expires_at: session.expires_at.as_micros(),
            address: session.address.clone(),
            user_agent: session.user_agent.clone(),
            backend: session.backend.clone(),
        }
    }
}

/// A connection to the embedded database in a directory, as durable as ours.
pub(crate) fn connect(directory: &Path) -> Result<SqliteConnection> {
    let file = directory.join("bench.db");
    let mut connection = SqliteConnection::establish(&file.display().to_string())?;
    connection.batch_execute(
        "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA foreign_keys = ON; PRAGMA mmap_size = 268435456;",
    )?;
    Ok(connection)
}

/// Inserts a session in a transaction of its own.
pub(crate) fn insert(connection: &mut SqliteConnection, session: &Session) -> Result<()> {
    diesel::insert_into(sessions::table).values(Row::from(session)).execute(connection)?;
    Ok(())
}

/// Finds a session.
pub(crate) fn find(connection: &mut SqliteConnection, digest: &TokenDigest) -> Result<i64> {
    let row: Row = sessions::table
        .filter(sessions::digest.eq(digest.as_bytes().as_slice()))
        .select(Row::as_select())
        .first(connection)?;
    Ok(row.expires_at)
}
