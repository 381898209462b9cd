//! Answers that take as long whatever they are about.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// Answers leave at multiples of this after the request came: longer than a look-up, a write and
/// what the database takes for them, and short enough to wait for.
const BEAT: Duration = Duration::from_millis(250);

/// Has an answer leave on the beat, so that how long the work took is not told.
pub(crate) struct Pace(Instant);

impl Pace {
    /// The request is there.
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    /// Waits for the next beat.
    pub(crate) async fn end(self) {
        sleep_until(self.0 + on_the_beat(self.0.elapsed())).await;
    }
}

fn on_the_beat(took: Duration) -> Duration {
    let beats = took.as_nanos() / BEAT.as_nanos() + 1;
    BEAT.saturating_mul(u32::try_from(beats).unwrap_or(u32::MAX))
}

/// Has refused logins take the same time, whichever backends were asked: one that is slow would
/// tell by its time whose name is known without it.
///
/// Where accounts are here alone there is nothing to even out, since all refusals take as much work.
pub(crate) struct Refusals(Option<Mutex<Slowest>>);

#[derive(Debug)]
struct Slowest {
    since: Instant,
    /// The longest refusal since then, and that of the time before.
    now: Duration,
    before: Duration,
}

impl Refusals {
    /// Nobody is kept waiting for longer.
    const MOST: Duration = Duration::from_secs(5);
    /// What was slow is forgotten after one to two of these.
    const MEMORY: Duration = Duration::from_mins(30);

    /// With what is to be evened out, if anything is.
    pub(crate) fn new(asks_elsewhere: bool) -> Self {
        let (since, none) = (Instant::now(), Duration::ZERO);
        Self(asks_elsewhere.then(|| Mutex::new(Slowest { since, now: none, before: none })))
    }

    /// Waits until a refusal may leave that came about since then.
    pub(crate) async fn even_out(&self, began: Instant) {
        if let Some(slowest) = &self.0 {
            let now = Instant::now();
            let leaves = {
                let mut slowest = slowest.lock().unwrap_or_else(PoisonError::into_inner);
                slowest.refuse(now - began, now)
            };
            sleep_until(began + leaves).await;
        }
    }
}

impl Slowest {
    /// How long after its beginning a refusal leaves that took so long.
    fn refuse(&mut self, took: Duration, now: Instant) -> Duration {
        if now - self.since >= Refusals::MEMORY {
            let is_old = now - self.since >= Refusals::MEMORY * 2;
            self.before = if is_old { Duration::ZERO } else { self.now };
            (self.now, self.since) = (Duration::ZERO, now);
        }
        self.now = self.now.max(on_the_beat(took)).min(Refusals::MOST);
        self.now.max(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atk_a001_refusals_take_as_long_as_the_slowest_of_late() {
        let (start, none) = (Instant::now(), Duration::ZERO);
        let mut slowest = Slowest { since: start, now: none, before: none };
        let mut refuse = |took: u64, minute: u64| {
            let at = start + Duration::from_mins(minute);
            u64::try_from(slowest.refuse(Duration::from_millis(took), at).as_millis()).unwrap()
        };
        assert_eq!(
            [refuse(100, 0), refuse(2_100, 1), refuse(100, 2), refuse(2_240, 3)],
            [250, 2_250, 2_250, 2_250]
        );
        assert_eq!(refuse(100, 31), 2_250, "the time before counts as well");
        assert_eq!(refuse(100, 62), 250);
        assert_eq!([refuse(60_000, 63), refuse(1, 64)], [5_000, 5_000]);
        assert_eq!(refuse(1, 200), 250);
    }

    #[test]
    fn answers_leave_on_the_beat() {
        for (took, leaves) in [(0, 250), (1, 250), (249, 250), (250, 500), (700, 750)] {
            let at = on_the_beat(Duration::from_millis(took));
            assert_eq!(at, Duration::from_millis(leaves), "{took}");
        }
    }
}
