//! What the server clears away by itself.

use std::{sync::Arc, time::Duration};

use super::{principal::Principals, throttle::Throttle};
use crate::{
    cx::OpCx,
    ports::store::{Store, StoreError},
};

/// For how long changes are kept for replicas that were asleep.
const KEEP_CHANGES: Duration = Duration::from_hours(1);
/// After how long an unused session is forgotten by the cache (it stays in the store).
const FORGET_UNUSED: Duration = Duration::from_mins(30);
/// For how long at most a use of a session is not written down, with room to spare.
const UNWRITTEN: Duration = Duration::from_mins(2);
/// How many rows one transaction clears away, so that no writer waits long for it.
const AT_ONCE: u32 = 500;
/// The longest window that anything is counted in (see the setting of rates).
const LONGEST_WINDOW: Duration = Duration::from_hours(24);
/// For how long a mail that was sent, given up or not worth sending is told of.
const KEEP_MAIL: Duration = Duration::from_hours(14 * 24);

/// After how long without a login a browser is forgotten: no browser keeps its cookie for longer.
const KEEP_BROWSERS: Duration = Duration::from_hours(400 * 24);

/// For how long what has expired can still be told from what never was, and a registration be
/// confirmed by another link.
const KEEP_DEAD: Duration = Duration::from_hours(30 * 24);

/// How much was cleared away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleared {
    /// Sessions that had expired.
    pub sessions: u64,
    /// One-time links that had expired.
    pub tickets: u64,
}

/// Clears away what has expired; may be run at any time, by any number of replicas.
pub struct Housekeeping {
    store: Store,
    principals: Arc<Principals>,
    throttle: Arc<Throttle>,
}

impl Housekeeping {
    /// Over the store and what is remembered beside it.
    pub fn new(store: Store, principals: Arc<Principals>, throttle: Arc<Throttle>) -> Self {
        Self { store, principals, throttle }
    }

    /// Ends the sessions that have expired. Answers how many.
    pub async fn clear_sessions(&self, cx: &OpCx) -> Result<u64, StoreError> {
        let now = cx.now();
        self.write_seen().await?;
        // Another replica may know of a later use that it has not written down yet.
        let idle = self.principals.limits().idle;
        let idle_since = idle.map(|idle| now.minus(idle + UNWRITTEN));
        let mut total = 0;
        loop {
            let ended = self
                .store
                .write::<_, StoreError>(move |tx| tx.purge_sessions(now, idle_since, AT_ONCE))
                .await?;
            total += ended;
            if ended < u64::from(AT_ONCE) {
                return Ok(total);
            }
        }
    }

    /// Forgets mails that were settled long ago.
    async fn clear_mail(&self, cx: &OpCx) -> Result<(), StoreError> {
        let before = cx.now().minus(KEEP_MAIL);
        loop {
            let purged = self
                .store
                .write::<_, StoreError>(move |tx| tx.purge_notices(None, before, AT_ONCE))
                .await?;
            if purged < u64::from(AT_ONCE) {
                return Ok(());
            }
        }
    }

    /// Clears away everything that has expired.
    pub async fn run(&self, cx: &OpCx) -> Result<Cleared, StoreError> {
        let now = cx.now();
        let sessions = self.clear_sessions(cx).await?;
        // Mails are counted there too, in windows of their own.
        let failures_before = self.throttle.window_start(now).min(now.minus(LONGEST_WINDOW));
        let tickets = self
            .store
            .write::<_, StoreError>(move |tx| {
                tx.purge_changes(now.minus(KEEP_CHANGES))?;
                tx.purge_counts(failures_before)?;
                tx.purge_login_steps(now)?;
                tx.purge_registrations(now.minus(KEEP_DEAD))?;
                tx.purge_invitations(now)?;
                tx.purge_browsers(now.minus(KEEP_BROWSERS))?;
                tx.purge_tickets(now.minus(KEEP_DEAD))
            })
            .await?;
        self.clear_mail(cx).await?;
        self.principals.tidy(now, FORGET_UNUSED);
        self.throttle.tidy(now);
        Ok(Cleared { sessions, tickets })
    }

    /// Writes down when sessions were last used.
    pub async fn write_seen(&self) -> Result<(), StoreError> {
        let seen = self.principals.take_seen();
        if seen.is_empty() {
            return Ok(());
        }
        let batch = seen.clone();
        let written = self.store.write(move |tx| tx.touch_sessions(&batch)).await;
        if written.is_err() {
            self.principals.put_seen_back(seen);
        }
        written
    }
}
