//! Sessions: how long a login lasts.

use std::time::Duration;

use crate::{
    id::{SessionId, UserId},
    secret::TokenDigest,
    time::Timestamp,
};

/// A login that is still in force, as it is stored. The token that opens it is not in here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What its owner knows it by.
    pub id: SessionId,
    /// What its token is recognised by.
    pub digest: TokenDigest,
    /// Whose it is.
    pub user: UserId,
    /// When it was opened, which is also when its owner last proved who they are.
    pub created_at: Timestamp,
    /// When it was last used, up to a minute late.
    pub last_seen_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// Where the login came from.
    pub address: String,
    /// The browser's or program's description of itself, cut at 300 characters.
    pub user_agent: String,
    /// The backend that verified the login.
    pub backend: String,
}

/// A browser that somebody logged in from before, known by a cookie that it keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownBrowser {
    /// What its cookie is recognised by.
    pub digest: TokenDigest,
    /// When somebody last logged in from it, up to a day late.
    pub seen_at: Timestamp,
}

/// How long sessions last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// From login to the end, whatever happens in between.
    pub absolute: Duration,
    /// Without any request; `None` leaves the absolute limit alone.
    pub idle: Option<Duration>,
    /// How many sessions one user may have; one more ends the oldest.
    pub per_user: u32,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { absolute: Duration::from_hours(24), idle: None, per_user: 50 }
    }
}

impl SessionLimits {
    /// Whether a session that was last seen then still counts.
    pub fn hold(&self, expires_at: Timestamp, last_seen: Timestamp, now: Timestamp) -> bool {
        now < expires_at && self.idle.is_none_or(|idle| now < last_seen.plus(idle))
    }
}
