//! Questions to somebody elsewhere: answered in time, so many at once, and not at all for a while
//! after several went without an answer.

use std::panic::AssertUnwindSafe;

use futures_util::future::FutureExt;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use vestibule_core::ports::backend::Fault;

use super::{
    Limits,
    breaker::{Breaker, Ended},
};

/// Asks within limits.
pub struct Guard {
    /// What the log calls the one who is asked.
    called: String,
    limits: Limits,
    places: Semaphore,
    breaker: Breaker,
}

impl Guard {
    /// For one who is asked; `called` is what the log calls them.
    pub fn new(called: impl Into<String>, limits: Limits) -> Self {
        Self {
            called: called.into(),
            limits,
            places: Semaphore::new(limits.at_once),
            breaker: Breaker::new(limits.faults, limits.rest),
        }
    }

    /// Asks. `fault_of` finds the fault in an answer that holds one.
    pub async fn ask<T>(
        &self,
        question: impl Future<Output = T> + Send,
        fault_of: impl Fn(&T) -> Option<&Fault> + Send,
    ) -> Result<T, Fault> {
        let admitted = self.breaker.admit(Instant::now()).map_err(|wait| {
            let what = "it failed several times in a row and is left alone".to_owned();
            let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
            Fault::Unavailable { what, retry_after: seconds }
        })?;
        let answer = self.within_limits(question).await;
        let fault = answer.as_ref().map_or_else(Some, &fault_of);
        if let Some(fault) = fault {
            let (backend, kind) = (&self.called, fault.as_str());
            tracing::warn!(target: "vestibule::backend", %backend, fault = kind, %fault, "no answer");
        }
        let ended = if fault.is_some() { Ended::Fault } else { Ended::Answer };
        admitted.end(ended, Instant::now());
        answer
    }

    /// The same, whatever became of the questions before, and without a word about this one.
    pub(super) async fn within_limits<T>(
        &self,
        question: impl Future<Output = T> + Send,
    ) -> Result<T, Fault> {
        let until = Instant::now() + self.limits.deadline;
        let Ok(place) = timeout_at(until, self.places.acquire()).await else {
            let what = format!("{} questions are under way already", self.limits.at_once);
            return Err(Fault::unavailable(what));
        };
        let answer = timeout_at(until, AssertUnwindSafe(question).catch_unwind()).await;
        drop(place);
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            // What it panicked with may hold what the visitor typed: it is not told.
            Ok(Err(_)) => Err(Fault::Bug("it panicked".to_owned())),
            Err(_) => Err(Fault::Timeout),
        }
    }
}
