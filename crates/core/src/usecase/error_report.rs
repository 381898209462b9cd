//! Telling the site's administrators that requests fail, not more often than anybody reads it.

use std::time::Duration;

use serde_json::json;

use super::{
    post::Postbox,
    record::{Target, record_at},
    throttle::CountKey,
};
use crate::{
    cx::{Actor, Client, OpCx},
    domain::notice::Notice,
    id::RequestId,
    ports::store::{Store, StoreError},
    time::Timestamp,
};

/// How many failed requests of a place are kept, and within how long.
const MOST_KEPT: u32 = 50;
const KEPT_WITHIN: Duration = Duration::from_hours(1);

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// It waits in the outbox.
    Posted,
    /// There was one from the same place not long ago, of this server process or another: it may
    /// be told from then on.
    TooSoon(Timestamp),
}

/// A request that failed, without anything that was sent.
#[derive(Clone, Debug)]
pub struct FailedRequest {
    /// What failed: a route as it is declared, never as it was called.
    pub place: String,
    /// The stable word that was answered.
    pub code: &'static str,
    /// Who asked.
    pub actor: Actor,
    /// From which network address; empty when it is not known.
    pub address: String,
    /// Which request it was, to find it in the log.
    pub request: RequestId,
    /// When.
    pub at: Timestamp,
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

    /// Keeps requests that failed in the audit log, where administrators can read them: so many
    /// of a place within the hour.
    pub async fn keep(&self, cx: &OpCx, failed: Vec<FailedRequest>) -> Result<(), StoreError> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                for one in &failed {
                    let key = CountKey::of_kept_failures(&one.place);
                    let since = one.at.minus(KEPT_WITHIN);
                    if tx.count_one(key.as_bytes(), one.at, since)? > MOST_KEPT {
                        continue;
                    }
                    let mut own = cx.clone().acting_as(one.actor.clone());
                    own.client = Client { address: one.address.clone(), ..Client::default() };
                    own.request = one.request;
                    let target = Target::new("route", "", &one.place);
                    record_at(tx, &own, one.at, "request.failed", target, one.code, json!({}))?;
                }
                Ok(())
            })
            .await
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
            (cx.clone(), self.postbox.clone(), CountKey::of_error_report(place));
        self.store
            .write(move |tx| {
                let now = cx.now();
                // A time that is just over is over.
                let start = now.minus(quiet).plus(Duration::from_micros(1));
                if tx.count_one(key.as_bytes(), now, start)? > 1 {
                    let since =
                        tx.window_count(key.as_bytes())?.map_or(now, |counted| counted.since);
                    return Ok(Reported::TooSoon(since.plus(quiet)));
                }
                postbox.post_to_admins(tx, &cx, &notice)?;
                Ok(Reported::Posted)
            })
            .await
    }
}
