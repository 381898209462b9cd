//! Requests that failed, gathered until the background work has written them into the audit log
//! and told `site.admins` of them.
//!
//! What is kept of a request is its id, the route as it is declared, who asked, and the stable
//! word that it was answered with: nothing that anybody sent. The mails say not even who. A request
//! that fails costs a look at a small table here and waits for nothing.

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
    ports::store::StoreErrorKind,
    usecase::error_report::{ErrorReports, FailedRequest, Reported},
};

/// How many places are told apart. There are about as many routes; what comes after them is told
/// of as one.
const MOST_PLACES: usize = 128;
const ELSEWHERE: &str = "other routes";
/// How many requests of a place are named in a report.
const MOST_REQUESTS: usize = 5;
/// After how long a report that the database did not take is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(30);
/// How many requests wait for the audit log at most; what comes after them is in the log alone.
const MOST_WAITING: usize = 200;

/// What failed and was not told of yet.
pub(crate) struct Failures {
    reports: ErrorReports,
    /// For how long a place is not told of again; `None` when nothing is.
    quiet: Option<Duration>,
    places: Mutex<BTreeMap<String, Place>>,
    waiting: Mutex<Waiting>,
}

/// What the audit log does not hold yet.
#[derive(Default)]
struct Waiting {
    failed: Vec<FailedRequest>,
    /// When it is tried again.
    due: Option<Timestamp>,
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
        Self { reports, quiet, places: Mutex::default(), waiting: Mutex::default() }
    }

    /// Takes down that a request failed.
    pub(crate) fn add(&self, failed: FailedRequest) {
        if self.quiet.is_some() {
            let FailedRequest { code, at, request, .. } = failed;
            let tally = Tally { code, count: 1, first: at, last: at, requests: vec![request] };
            self.put(failed.place.clone(), tally, None);
        }
        let mut waiting = lock(&self.waiting);
        if waiting.failed.len() < MOST_WAITING {
            waiting.failed.push(failed);
        }
    }

    /// Tells of what is due. What cannot be told now is told later, with what came in between.
    pub(crate) async fn tell(&self, cx: &OpCx) {
        let mut is_away = self.keep(cx).await;
        let Some(quiet) = self.quiet else { return };
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

    /// Writes into the audit log what waits for it. Answers whether the database is away.
    async fn keep(&self, cx: &OpCx) -> bool {
        let failed = {
            let mut waiting = lock(&self.waiting);
            if waiting.failed.is_empty() || waiting.due.is_some_and(|due| due > cx.now()) {
                return false;
            }
            mem::take(&mut waiting.failed)
        };
        let Err(error) = self.reports.keep(cx, failed.clone()).await else { return false };
        tracing::warn!(
            %error,
            cause = ?error.source,
            "failed requests cannot be written into the audit log; it is tried again"
        );
        let mut waiting = lock(&self.waiting);
        let later = mem::replace(&mut waiting.failed, failed);
        waiting.failed.extend(later);
        waiting.failed.truncate(MOST_WAITING);
        waiting.due = Some(cx.now().plus(TRY_AGAIN));
        error.kind == StoreErrorKind::Unavailable
    }

    fn take_due(&self, now: Timestamp) -> Vec<(String, Tally)> {
        let mut places = lock(&self.places);
        let is_due = |place: &Place| place.due.is_none_or(|due| due <= now);
        let (due, later): (BTreeMap<_, _>, BTreeMap<_, _>) =
            mem::take(&mut *places).into_iter().partition(|(_, place)| is_due(place));
        *places = later;
        due.into_iter().filter_map(|(name, place)| Some((name, place.untold?))).collect()
    }

    fn put(&self, name: String, tally: Tally, due: Option<Timestamp>) {
        let mut places = lock(&self.places);
        let is_new = !places.contains_key(&name) && places.len() >= MOST_PLACES;
        let name = if is_new { ELSEWHERE.to_owned() } else { name };
        let place = places.entry(name).or_default();
        place.due = place.due.max(due);
        match &mut place.untold {
            Some(known) => known.add(tally),
            None => place.untold = Some(tally),
        }
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "failures_tests.rs"]
mod tests;
