//! Mails that leave evenly spaced.

use std::time::Duration;

use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

/// For how long at a time a turn is waited for.
const NAP: Duration = Duration::from_millis(250);

/// Turns that come one after the other, so far apart.
pub(super) struct Turns {
    pace: Duration,
    next: Mutex<Option<Instant>>,
}

impl Turns {
    pub(super) fn new(pace: Duration) -> Self {
        Self { pace, next: Mutex::default() }
    }

    /// How long it is until the next turn.
    pub(super) async fn wait(&self) -> Duration {
        let next = *self.next.lock().await;
        next.map_or(Duration::ZERO, |next| next.saturating_duration_since(Instant::now()))
    }

    /// Takes the next turn and waits for it, unless it comes later than that or nobody wants it
    /// any more.
    pub(super) async fn take(&self, at_the_latest: Duration, goes_on: impl Fn() -> bool) -> bool {
        if self.pace.is_zero() {
            return true;
        }
        let start = {
            let (mut next, now) = (self.next.lock().await, Instant::now());
            let start = next.map_or(now, |next| next.max(now));
            if start.saturating_duration_since(now) > at_the_latest {
                return false;
            }
            *next = Some(start + self.pace);
            start
        };
        // In short naps, so that a server that is told to stop need not wait for a long one.
        while goes_on() && Instant::now() < start {
            sleep_until(start.min(Instant::now() + NAP)).await;
        }
        goes_on()
    }
}
