//! Telling the site's administrators that requests fail, not more often than anybody reads it.

use std::time::Duration;

use super::{post::Postbox, throttle::FailureKey};
use crate::{
    cx::OpCx,
    domain::notice::Notice,
    ports::store::{Store, StoreError},
    time::Timestamp,
};

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// It waits in the outbox.
    Posted,
    /// There was one from the same place not long ago, of this server process or another: it may
    /// be told from then on.
    TooSoon(Timestamp),
}

/// Posts reports of failures to the site's administrators.
#[derive(Clone)]
pub struct ErrorReports {
    store: Store,
    postbox: Postbox,
}

impl ErrorReports {
    /// Over the store; `postbox` knows who the administrators are.
    pub fn new(store: Store, postbox: Postbox) -> Self {
        Self { store, postbox }
    }

    /// Whether there is anybody to report to.
    pub fn has_readers(&self) -> bool {
        self.postbox.has_admins()
    }

    /// Posts a report about a place, unless there was one within the time for which that place is
    /// to be quiet. Counted by the database, so that all server processes together send one.
    pub async fn report(
        &self,
        cx: &OpCx,
        place: &str,
        quiet: Duration,
        notice: Notice,
    ) -> Result<Reported, StoreError> {
        let (cx, postbox, key) =
            (cx.clone(), self.postbox.clone(), FailureKey::of_error_report(place));
        self.store
            .write(move |tx| {
                let now = cx.now();
                // A time that is just over is over.
                let start = now.minus(quiet).plus(Duration::from_micros(1));
                if tx.add_failure(key.as_bytes(), now, start)? > 1 {
                    let since = tx.failures(key.as_bytes())?.map_or(now, |counted| counted.since);
                    return Ok(Reported::TooSoon(since.plus(quiet)));
                }
                postbox.post_to_admins(tx, &cx, &notice)?;
                Ok(Reported::Posted)
            })
            .await
    }
}
