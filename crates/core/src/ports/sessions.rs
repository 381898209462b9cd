//! Where sessions are kept.

use super::store::StoreResult;
use crate::{
    domain::{
        identity::BackendName,
        session::{KnownBrowser, Session},
    },
    id::{SessionId, UserId},
    secret::TokenDigest,
    time::Timestamp,
};

/// Where sessions are kept.
pub trait SessionRepo {
    /// The session with this digest.
    fn session_by_digest(&mut self, digest: &TokenDigest) -> StoreResult<Option<Session>>;

    /// The session with this id.
    fn session_by_id(&mut self, id: SessionId) -> StoreResult<Option<Session>>;

    /// A user's sessions, expired ones included, oldest first.
    fn sessions_of(&mut self, user: UserId) -> StoreResult<Vec<Session>>;

    /// Adds a session. A conflict when its digest is there already or its user does not exist.
    fn insert_session(&mut self, session: &Session) -> StoreResult<()>;

    /// Writes down by what a backend knows the session there that this one came from.
    fn insert_upstream_session(
        &mut self,
        session: SessionId,
        backend: &BackendName,
        upstream: &str,
    ) -> StoreResult<()>;

    /// Has a session that goes on under another id come from where it came from before.
    fn move_upstream_session(&mut self, from: SessionId, to: SessionId) -> StoreResult<()>;

    /// The sessions here that came from this one there.
    fn sessions_from_upstream(
        &mut self,
        backend: &BackendName,
        upstream: &str,
    ) -> StoreResult<Vec<Session>>;

    /// From which browsers somebody logged in, the one not seen for longest first.
    fn browsers_of(&mut self, user: UserId) -> StoreResult<Vec<KnownBrowser>>;

    /// Keeps that somebody logged in from a browser; answers whether it was not known with them.
    fn put_browser(&mut self, user: UserId, browser: &KnownBrowser) -> StoreResult<bool>;

    /// Forgets a browser of somebody's.
    fn delete_browser(&mut self, user: UserId, digest: &TokenDigest) -> StoreResult<bool>;

    /// Forgets the browsers that nobody logged in from since this instant. Answers how many.
    fn purge_browsers(&mut self, seen_before: Timestamp) -> StoreResult<u64>;

    /// Ends a session.
    fn delete_session(&mut self, id: SessionId) -> StoreResult<bool>;

    /// Ends a user's sessions, but for one that may be spared. Answers how many.
    fn delete_sessions_of(&mut self, user: UserId, spared: Option<SessionId>) -> StoreResult<u64>;

    /// Moves forward when sessions were last seen; never backward, and never revives one.
    fn touch_sessions(&mut self, seen: &[(SessionId, Timestamp)]) -> StoreResult<()>;

    /// Ends up to `limit` sessions that expired before `now` or, where idle sessions end, were
    /// last seen before `idle_since`. Answers how many, so that the caller knows whether to go on.
    fn purge_sessions(
        &mut self,
        now: Timestamp,
        idle_since: Option<Timestamp>,
        limit: u32,
    ) -> StoreResult<u64>;
}
