//! Sessions.

use diesel::prelude::*;
use vestibule_core::{
    Timestamp, TokenDigest,
    domain::{
        identity::BackendName,
        session::{KnownBrowser, Session},
    },
    id::{SessionId, UserId},
    ports::{sessions::SessionRepo, store::StoreResult},
};

use super::{IDS_AT_ONCE, no_text_holds};
use crate::{
    columns::count,
    rows::{
        sessions::{BrowserRow, SessionRow},
        value, values,
    },
    schema::{browsers, sessions, upstream_sessions},
    tx::DieselTx,
};

impl SessionRepo for DieselTx<'_> {
    fn session_by_digest(&mut self, digest: &TokenDigest) -> StoreResult<Option<Session>> {
        self.call("sessions", |conn| {
            let row = sessions::table
                .filter(sessions::digest.eq(&digest.as_bytes()[..]))
                .select(SessionRow::as_select())
                .get_result(conn)
                .optional()?;
            value(row)
        })
    }

    fn session_by_id(&mut self, id: SessionId) -> StoreResult<Option<Session>> {
        self.call("sessions", |conn| {
            let row = sessions::table
                .filter(sessions::id.eq(&id.as_bytes()[..]))
                .select(SessionRow::as_select())
                .get_result(conn)
                .optional()?;
            value(row)
        })
    }

    fn sessions_of(&mut self, user: UserId) -> StoreResult<Vec<Session>> {
        self.call("sessions", |conn| {
            let rows = sessions::table
                .filter(sessions::user_id.eq(&user.as_bytes()[..]))
                .select(SessionRow::as_select())
                .order((sessions::created_at, sessions::id))
                .load(conn)?;
            values(rows)
        })
    }

    fn insert_session(&mut self, session: &Session) -> StoreResult<()> {
        self.guarded("sessions", |conn| {
            diesel::insert_into(sessions::table).values(SessionRow::from(session)).execute(conn)?;
            Ok(())
        })
    }

    fn insert_upstream_session(
        &mut self,
        session: SessionId,
        backend: &BackendName,
        upstream: &str,
    ) -> StoreResult<()> {
        self.guarded("upstream_sessions", |conn| {
            diesel::insert_into(upstream_sessions::table)
                .values((
                    upstream_sessions::session_id.eq(&session.as_bytes()[..]),
                    upstream_sessions::backend.eq(backend.as_str()),
                    upstream_sessions::sid.eq(upstream),
                ))
                .execute(conn)?;
            Ok(())
        })
    }

    fn move_upstream_session(&mut self, from: SessionId, to: SessionId) -> StoreResult<()> {
        self.call("upstream_sessions", |conn| {
            let row = upstream_sessions::table
                .filter(upstream_sessions::session_id.eq(&from.as_bytes()[..]));
            diesel::update(row)
                .set(upstream_sessions::session_id.eq(&to.as_bytes()[..]))
                .execute(conn)?;
            Ok(())
        })
    }

    fn sessions_from_upstream(
        &mut self,
        backend: &BackendName,
        upstream: &str,
    ) -> StoreResult<Vec<Session>> {
        if no_text_holds(upstream) {
            return Ok(Vec::new());
        }
        self.call("upstream_sessions", |conn| {
            let ids: Vec<Vec<u8>> = upstream_sessions::table
                .filter(upstream_sessions::backend.eq(backend.as_str()))
                .filter(upstream_sessions::sid.eq(upstream))
                .select(upstream_sessions::session_id)
                .load(conn)?;
            let rows = sessions::table
                .filter(sessions::id.eq_any(ids))
                .select(SessionRow::as_select())
                .order((sessions::created_at, sessions::id))
                .load(conn)?;
            values(rows)
        })
    }

    fn browsers_of(&mut self, user: UserId) -> StoreResult<Vec<KnownBrowser>> {
        self.call("browsers", |conn| {
            let rows = browsers::table
                .filter(browsers::user_id.eq(&user.as_bytes()[..]))
                .select(BrowserRow::as_select())
                .load(conn)?;
            let mut found: Vec<KnownBrowser> = values(rows)?;
            found.sort_by_key(|browser| browser.seen_at);
            Ok(found)
        })
    }

    fn put_browser(&mut self, user: UserId, browser: &KnownBrowser) -> StoreResult<bool> {
        let seen_at = browser.seen_at.as_micros();
        let known = self.call("browsers", |conn| {
            let row = browsers::table
                .filter(browsers::user_id.eq(&user.as_bytes()[..]))
                .filter(browsers::digest.eq(&browser.digest.as_bytes()[..]));
            Ok(diesel::update(row).set(browsers::seen_at.eq(seen_at)).execute(conn)?)
        })?;
        if known > 0 {
            return Ok(false);
        }
        self.guarded("browsers", |conn| {
            let row = BrowserRow {
                user_id: user.as_bytes().to_vec(),
                digest: browser.digest.as_bytes().to_vec(),
                seen_at,
            };
            diesel::insert_into(browsers::table).values(row).execute(conn)?;
            Ok(true)
        })
    }

    fn delete_browser(&mut self, user: UserId, digest: &TokenDigest) -> StoreResult<bool> {
        self.call("browsers", |conn| {
            let row = browsers::table
                .filter(browsers::user_id.eq(&user.as_bytes()[..]))
                .filter(browsers::digest.eq(&digest.as_bytes()[..]));
            Ok(diesel::delete(row).execute(conn)? == 1)
        })
    }

    fn purge_browsers(&mut self, seen_before: Timestamp) -> StoreResult<u64> {
        self.call("browsers", |conn| {
            let rows = browsers::table.filter(browsers::seen_at.lt(seen_before.as_micros()));
            Ok(count(diesel::delete(rows).execute(conn)?))
        })
    }

    fn delete_session(&mut self, id: SessionId) -> StoreResult<bool> {
        self.call("sessions", |conn| {
            let row = sessions::table.filter(sessions::id.eq(&id.as_bytes()[..]));
            Ok(diesel::delete(row).execute(conn)? > 0)
        })
    }

    fn delete_sessions_of(&mut self, user: UserId, spared: Option<SessionId>) -> StoreResult<u64> {
        self.call("sessions", |conn| {
            let of_user = sessions::table.filter(sessions::user_id.eq(&user.as_bytes()[..]));
            let gone = match &spared {
                Some(spared) => {
                    diesel::delete(of_user.filter(sessions::id.ne(&spared.as_bytes()[..])))
                        .execute(conn)?
                }
                None => diesel::delete(of_user).execute(conn)?,
            };
            Ok(count(gone))
        })
    }

    fn touch_sessions(&mut self, seen: &[(SessionId, Timestamp)]) -> StoreResult<()> {
        self.call("sessions", |conn| {
            // Everybody locks rows in the same order, so that none waits in a circle.
            let mut seen = seen.to_vec();
            seen.sort_unstable();
            for (id, at) in seen {
                let older = sessions::table
                    .filter(sessions::id.eq(&id.as_bytes()[..]))
                    .filter(sessions::last_seen_at.lt(at.as_micros()));
                diesel::update(older)
                    .set(sessions::last_seen_at.eq(at.as_micros()))
                    .execute(conn)?;
            }
            Ok(())
        })
    }

    fn purge_sessions(
        &mut self,
        now: Timestamp,
        idle_since: Option<Timestamp>,
        limit: u32,
    ) -> StoreResult<u64> {
        self.call("sessions", |conn| {
            // MySQL takes no LIMIT in a subquery, so the rows are looked up first; each of the two
            // conditions has an index of its own.
            let mut ended: Vec<Vec<u8>> = sessions::table
                .filter(sessions::expires_at.le(now.as_micros()))
                .select(sessions::digest)
                .order(sessions::expires_at)
                .limit(i64::from(limit))
                .load(conn)?;
            let room = i64::from(limit) - i64::try_from(ended.len()).unwrap_or(i64::MAX);
            if let Some(since) = idle_since.filter(|_| room > 0) {
                let idle: Vec<Vec<u8>> = sessions::table
                    .filter(sessions::last_seen_at.le(since.as_micros()))
                    .filter(sessions::expires_at.gt(now.as_micros()))
                    .select(sessions::digest)
                    .order(sessions::last_seen_at)
                    .limit(room)
                    .load(conn)?;
                ended.extend(idle);
            }
            ended.sort_unstable();
            let mut gone = 0;
            for some in ended.chunks(IDS_AT_ONCE) {
                gone += diesel::delete(sessions::table.filter(sessions::digest.eq_any(some)))
                    .execute(conn)?;
            }
            Ok(count(gone))
        })
    }
}
