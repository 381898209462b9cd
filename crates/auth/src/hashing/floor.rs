//! The time below which no refusal is given, so that all refusals take the same.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Refusals never wait longer than this.
pub(super) const CAP: Duration = Duration::from_secs(2);

/// The slowest comparison that is to be expected: what was set or calibrated stays, what was
/// measured in passing fades, because one slow moment of the machine must not stay for ever.
#[derive(Debug, Default)]
pub(super) struct Floor {
    set: AtomicU64,
    learned: AtomicU64,
}

impl Floor {
    pub(super) fn set(&self, to: Duration) {
        self.set.store(nanos(to), Ordering::Relaxed);
    }

    /// Raises what was set; never lowers it.
    pub(super) fn raise(&self, to: Duration) {
        self.set.fetch_max(nanos(to), Ordering::Relaxed);
    }

    /// Takes in what one comparison took. What was learned before halves in 178 of them.
    pub(super) fn learn(&self, took: Duration) {
        let took = nanos(took);
        // Two threads at once may lose one fading step, which does no harm.
        let before = self.learned.load(Ordering::Relaxed);
        self.learned.store(took.max(before - before / 256), Ordering::Relaxed);
    }

    pub(super) fn current(&self) -> Duration {
        let nanos = self.set.load(Ordering::Relaxed).max(self.learned.load(Ordering::Relaxed));
        Duration::from_nanos(nanos)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.min(CAP).as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_counts_and_fades_down_to_what_was_set() {
        let floor = Floor::default();
        let ms = Duration::from_millis;
        floor.set(ms(10));
        floor.learn(ms(400));
        floor.learn(ms(20));
        assert!(floor.current() > ms(390), "{:?}", floor.current());
        for _ in 0..2000 {
            floor.learn(ms(2));
        }
        assert_eq!(floor.current(), ms(10));
        floor.raise(ms(5));
        assert_eq!(floor.current(), ms(10));
        floor.raise(ms(30));
        assert_eq!(floor.current(), ms(30));
    }

    #[test]
    fn nobody_waits_longer_than_the_cap() {
        let floor = Floor::default();
        floor.set(Duration::from_mins(1));
        floor.learn(Duration::from_mins(10));
        assert_eq!(floor.current(), CAP);
    }
}
