//! Leaves alone what failed several times in a row, and finds out with one question at a time
//! whether it answers again.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Breaker {
    faults: u32,
    rest: Duration,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    in_a_row: u32,
    /// When it was last found failing, while it is left alone.
    open_since: Option<Instant>,
    is_trying: bool,
}

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Answer,
    Fault,
}

/// A question under way. One that is dropped, as when a visitor hangs up, says nothing.
#[derive(Debug)]
pub(super) struct Admitted<'a> {
    breaker: &'a Breaker,
    is_trial: bool,
}

impl Breaker {
    pub(super) fn new(faults: u32, rest: Duration) -> Self {
        let state = State { in_a_row: 0, open_since: None, is_trying: false };
        Self { faults, rest, state: Mutex::new(state) }
    }

    /// Lets a question through, or says how long it is still left alone.
    pub(super) fn admit(&self, now: Instant) -> Result<Admitted<'_>, Duration> {
        let mut state = self.lock();
        let Some(since) = state.open_since else {
            return Ok(Admitted { breaker: self, is_trial: false });
        };
        let left = self.rest.saturating_sub(now.saturating_duration_since(since));
        if left > Duration::ZERO {
            return Err(left);
        }
        if state.is_trying {
            return Err(Duration::from_secs(1));
        }
        state.is_trying = true;
        Ok(Admitted { breaker: self, is_trial: true })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted<'_> {
    pub(super) fn end(self, ended: Ended, now: Instant) {
        let mut state = self.breaker.lock();
        match ended {
            Ended::Answer => {
                state.in_a_row = 0;
                state.open_since = None;
            }
            Ended::Fault => {
                state.in_a_row = state.in_a_row.saturating_add(1);
                if self.is_trial || state.in_a_row >= self.breaker.faults {
                    state.open_since = Some(now);
                }
            }
        }
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if self.is_trial {
            self.breaker.lock().is_trying = false;
        }
    }
}
