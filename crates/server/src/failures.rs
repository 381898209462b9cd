//! Requests that failed, gathered until the background work has told `site.admins` of them.
//!
//! What is kept of a request is its id, the route as it is declared, and the stable word that it
//! was answered with: nothing that anybody typed. A request that fails costs a look at a small
//! table here and waits for nothing.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use vestibule_core::{
    OpCx, Timestamp,
    domain::notice::Notice,
    id::RequestId,
    usecase::error_report::{ErrorReports, Reported},
};

/// How many places are told apart. There are about as many routes; what comes after them is told
/// of as one.
const MOST_PLACES: usize = 128;
const ELSEWHERE: &str = "other routes";
/// How many requests of a place are named in a report.
const MOST_REQUESTS: usize = 5;
/// After how long a report that the database did not take is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(30);

/// What failed and was not told of yet.
pub(crate) struct Failures {
    reports: ErrorReports,
    /// For how long a place is not told of again; `None` when nothing is.
    quiet: Option<Duration>,
    places: Mutex<BTreeMap<String, Place>>,
}

/// A place where requests failed.
#[derive(Default)]
struct Place {
    untold: Option<Tally>,
    /// When it may be told of, or tried again.
    due: Option<Timestamp>,
}

/// Failures at one place since it was told of last.
#[derive(Clone)]
struct Tally {
    code: &'static str,
    count: u64,
    first: Timestamp,
    last: Timestamp,
    requests: Vec<RequestId>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.code = other.code;
        self.count = self.count.saturating_add(other.count);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.requests.extend(other.requests);
        self.requests.truncate(MOST_REQUESTS);
    }

    fn notice(&self, place: &str) -> Notice {
        Notice::ErrorReport {
            place: place.to_owned(),
            code: self.code.to_owned(),
            count: self.count,
            first: self.first,
            last: self.last,
            requests: self.requests.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Failures {
    /// Told of by these reports, each place once within that time.
    pub(crate) fn new(reports: ErrorReports, quiet: Option<Duration>) -> Self {
        let quiet = quiet.filter(|_| reports.has_readers());
        Self { reports, quiet, places: Mutex::default() }
    }

    /// Takes down that a request failed.
    pub(crate) fn add(&self, place: String, code: &'static str, request: RequestId, at: Timestamp) {
        if self.quiet.is_some() {
            let tally = Tally { code, count: 1, first: at, last: at, requests: vec![request] };
            self.put(place, tally, None);
        }
    }

    /// Tells of what is due. What cannot be told now is told later, with what came in between.
    pub(crate) async fn tell(&self, cx: &OpCx) {
        let Some(quiet) = self.quiet else { return };
        let mut is_away = false;
        for (place, tally) in self.take_due(cx.now()) {
            // A database that is away is waited for once and not once for each place.
            if is_away {
                self.put(place, tally, Some(cx.now().plus(TRY_AGAIN)));
                continue;
            }
            let notice = tally.notice(&place);
            match self.reports.report(cx, &place, quiet, notice).await {
                Ok(Reported::Posted) => {}
                Ok(Reported::TooSoon(until)) => self.put(place, tally, Some(until)),
                Err(error) => {
                    tracing::warn!(
                        place,
                        failures = tally.count,
                        %error,
                        cause = ?error.source,
                        "site.admins cannot be told that requests fail; it is tried again"
                    );
                    self.put(place, tally, Some(cx.now().plus(TRY_AGAIN)));
                    is_away = true;
                }
            }
        }
    }

    fn take_due(&self, now: Timestamp) -> Vec<(String, Tally)> {
        let mut places = self.lock();
        let is_due = |place: &Place| place.due.is_none_or(|due| due <= now);
        let (due, later): (BTreeMap<_, _>, BTreeMap<_, _>) =
            mem::take(&mut *places).into_iter().partition(|(_, place)| is_due(place));
        *places = later;
        due.into_iter().filter_map(|(name, place)| Some((name, place.untold?))).collect()
    }

    fn put(&self, name: String, tally: Tally, due: Option<Timestamp>) {
        let mut places = self.lock();
        let is_new = !places.contains_key(&name) && places.len() >= MOST_PLACES;
        let name = if is_new { ELSEWHERE.to_owned() } else { name };
        let place = places.entry(name).or_default();
        place.due = place.due.max(due);
        match &mut place.untold {
            Some(known) => known.add(tally),
            None => place.untold = Some(tally),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "failures_tests.rs"]
mod tests;
