//! Sessions.

use diesel::prelude::*;
use vestibule_core::{
    TokenDigest,
    domain::session::{KnownBrowser, Session},
    id::{SessionId, UserId},
};

use crate::{
    columns::{Column, instant},
    error::{DbError, DbResult},
    schema::{browsers, sessions},
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct SessionRow {
    pub(crate) digest: Vec<u8>,
    pub(crate) id: Vec<u8>,
    pub(crate) user_id: Vec<u8>,
    pub(crate) created_at: i64,
    pub(crate) last_seen_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) address: String,
    pub(crate) user_agent: String,
    pub(crate) backend: String,
}

impl From<&Session> for SessionRow {
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

impl TryFrom<SessionRow> for Session {
    type Error = DbError;

    fn try_from(row: SessionRow) -> DbResult<Self> {
        Ok(Self {
            id: Column("sessions", "id").bytes(&row.id, SessionId::from_bytes)?,
            digest: Column("sessions", "digest").bytes(&row.digest, TokenDigest::from_bytes)?,
            user: Column("sessions", "user_id").bytes(&row.user_id, UserId::from_bytes)?,
            created_at: instant(row.created_at),
            last_seen_at: instant(row.last_seen_at),
            expires_at: instant(row.expires_at),
            address: row.address,
            user_agent: row.user_agent,
            backend: row.backend,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = browsers)]
pub(crate) struct BrowserRow {
    pub(crate) user_id: Vec<u8>,
    pub(crate) digest: Vec<u8>,
    pub(crate) seen_at: i64,
}

impl TryFrom<BrowserRow> for KnownBrowser {
    type Error = DbError;

    fn try_from(row: BrowserRow) -> DbResult<Self> {
        Ok(Self {
            digest: Column("browsers", "digest").bytes(&row.digest, TokenDigest::from_bytes)?,
            seen_at: instant(row.seen_at),
        })
    }
}
