//! How many wrong passwords an account takes before it stops listening for a while.

mod keys;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub use self::keys::CountKey;
use crate::{ports::throttle::WindowCount, time::Timestamp};

/// So many failures within so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureLimit {
    /// How many are let through.
    pub count: u32,
    /// Within how long, counted from the first.
    pub window: Duration,
}

/// For how long a failure that was counted here is remembered though the store does not know it.
/// Longer than anybody takes from asking the store to reserving a place, so that an attempt which
/// asked before the failure does not undo it.
const OWN_WORD: Duration = Duration::from_mins(1);

/// Counts attempts that are under way together with the failures there were, so that guesses made
/// at the same moment do not slip past the limit (CVE-2024-4629).
#[derive(Debug)]
pub struct Throttle {
    limit: Option<FailureLimit>,
    keys: Mutex<HashMap<CountKey, Known>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    under_way: u32,
    failures: WindowCount,
    /// When something was last learned of them.
    noted: Timestamp,
}

/// A place among the attempts that an account takes; given back when dropped.
#[derive(Debug)]
pub struct Reserved {
    throttle: Arc<Throttle>,
    key: CountKey,
}

/// Why an account takes no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// There were too many failures.
    Failures,
    /// Those that are under way could all fail; how they end is known in a moment.
    UnderWay,
}

impl Throttle {
    /// With this limit; `None` counts nothing.
    pub fn new(limit: Option<FailureLimit>) -> Arc<Self> {
        Arc::new(Self { limit, keys: Mutex::default() })
    }

    /// When a window that counts at this instant may have begun at the earliest.
    pub fn window_start(&self, now: Timestamp) -> Timestamp {
        self.limit.map_or(now, |limit| now.minus(limit.window))
    }

    /// Whether this many failures are the limit.
    pub fn is_reached(&self, count: u32) -> bool {
        self.limit.is_some_and(|limit| count >= limit.count)
    }

    /// Takes a place, unless failures and attempts under way have used them up. `stored` is what
    /// the store counted.
    pub fn reserve(
        self: &Arc<Self>,
        key: CountKey,
        stored: Option<WindowCount>,
        now: Timestamp,
    ) -> Result<Reserved, Full> {
        let mut keys = self.lock();
        let start = self.window_start(now);
        let blank = WindowCount { since: now, count: 0 };
        let unknown = Known { under_way: 0, failures: blank, noted: now };
        let known = keys.entry(key).or_insert(unknown);
        // Another replica may have forgiven them: then the store says less than what is known here.
        let is_stale = known.under_way == 0 && known.noted < now.minus(OWN_WORD);
        if known.failures.since < start || is_stale {
            known.failures = blank;
        }
        if let Some(stored) = stored.filter(|stored| stored.since >= start)
            && stored.count > known.failures.count
        {
            known.failures = stored;
            known.noted = now;
        }
        if self.is_reached(known.failures.count) {
            return Err(Full::Failures);
        }
        if self.is_reached(known.failures.count + known.under_way) {
            return Err(Full::UnderWay);
        }
        known.under_way += 1;
        Ok(Reserved { throttle: Arc::clone(self), key })
    }

    /// Forgets the failures under a key: who it is about has shown who they are in another way.
    pub fn forgive(&self, key: CountKey) {
        if let Some(known) = self.lock().get_mut(&key) {
            known.failures.count = 0;
        }
    }

    /// Forgets keys under which nothing is under way and no window is open.
    pub fn tidy(&self, now: Timestamp) {
        let start = self.window_start(now);
        self.lock().retain(|_, known| known.under_way > 0 || known.failures.since >= start);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CountKey, Known>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reserved {
    /// Remembers what the store counts after a failure.
    pub fn failed(self, failures: WindowCount) {
        if let Some(known) = self.throttle.lock().get_mut(&self.key)
            && failures.count > known.failures.count
        {
            // The window runs from the first failure; a later one does not begin it anew.
            if known.failures.count == 0 {
                known.failures.since = failures.since;
            }
            known.failures.count = failures.count;
            known.noted = known.noted.max(failures.since);
        }
    }

    /// Forgets the failures: the right password was given.
    pub fn succeeded(self) {
        if let Some(known) = self.throttle.lock().get_mut(&self.key) {
            known.failures.count = 0;
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if let Some(known) = self.throttle.lock().get_mut(&self.key) {
            known.under_way = known.under_way.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Barrier},
        thread,
        time::Duration,
    };

    use super::{CountKey, FailureLimit, Full, Reserved, Throttle};
    use crate::{id::UserId, ports::throttle::WindowCount, time::Timestamp};

    const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
    const WINDOW: Duration = Duration::from_mins(15);
    const LIMIT: FailureLimit = FailureLimit { count: 10, window: WINDOW };

    fn key() -> CountKey {
        CountKey::of_account(UserId::from_bytes([7; 16]))
    }

    fn after(minutes: u64) -> Timestamp {
        NOW.plus(Duration::from_mins(minutes))
    }

    fn counted(since: Timestamp, count: u32) -> WindowCount {
        WindowCount { since, count }
    }

    /// Takes a place and fails, as the store counts it.
    fn fail(throttle: &Arc<Throttle>, now: Timestamp, count: u32) {
        let place = throttle.reserve(key(), None, now).unwrap();
        place.failed(counted(now, count));
    }

    #[test]
    fn atk_a006_of_200_parallel_guesses_no_more_than_the_limit_go_through() {
        let throttle = Throttle::new(Some(LIMIT));
        let start = Barrier::new(200);
        // Places are kept until all have tried, as slow hashing does.
        let places: Vec<Result<Reserved, Full>> = thread::scope(|scope| {
            let attempt = || {
                start.wait();
                throttle.reserve(key(), None, NOW)
            };
            let threads: Vec<_> = (0..200).map(|_| scope.spawn(attempt)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(places.into_iter().flatten().count(), 10);
    }

    #[test]
    fn atk_a006_guesses_that_end_while_others_begin_are_all_counted() {
        use std::sync::atomic::{AtomicU32, Ordering};
        let throttle = Throttle::new(Some(LIMIT));
        let (start, verified, stored) = (Barrier::new(200), AtomicU32::new(0), AtomicU32::new(0));
        thread::scope(|scope| {
            for _ in 0..200 {
                scope.spawn(|| {
                    // Each looked before any had failed, so the store told them of no failure.
                    start.wait();
                    if let Ok(place) = throttle.reserve(key(), None, NOW) {
                        verified.fetch_add(1, Ordering::SeqCst);
                        let count = stored.fetch_add(1, Ordering::SeqCst) + 1;
                        place.failed(counted(NOW, count));
                    }
                });
            }
        });
        let verified = verified.into_inner();
        assert!(verified <= 10, "{verified} guesses went through");
        // A guess may find all places taken for a moment; none is lost for good.
        let rest = std::iter::from_fn(|| throttle.reserve(key(), None, NOW).ok());
        assert_eq!(rest.collect::<Vec<_>>().len(), 10 - verified as usize);
    }

    #[test]
    fn atk_a006_what_another_replica_counted_is_counted_here() {
        let throttle = Throttle::new(Some(LIMIT));
        let first = throttle.reserve(key(), Some(counted(NOW, 8)), NOW);
        let second = throttle.reserve(key(), Some(counted(NOW, 8)), NOW);
        assert!(first.is_ok() && second.is_ok());
        assert!(throttle.reserve(key(), Some(counted(NOW, 8)), NOW).is_err());
        // An older look at the store does not make it less.
        drop((first, second));
        let throttled = Throttle::new(Some(LIMIT));
        fail(&throttled, NOW, 10);
        assert!(throttled.reserve(key(), Some(counted(NOW, 3)), NOW).is_err());
    }

    #[test]
    fn what_another_replica_forgave_is_forgiven_here() {
        let throttle = Throttle::new(Some(LIMIT));
        fail(&throttle, NOW, 10);
        // It may have asked the store before that failure was written down.
        let soon = NOW.plus(Duration::from_secs(30));
        assert_eq!(throttle.reserve(key(), None, soon).err(), Some(Full::Failures));
        let place = throttle.reserve(key(), None, after(2)).unwrap();
        place.failed(counted(after(2), 1));
        // One failure since is one, and not eleven.
        assert!(throttle.reserve(key(), Some(counted(after(2), 1)), after(4)).is_ok());
        fail(&throttle, after(4), 10);
        let stored = Some(counted(after(2), 10));
        assert_eq!(throttle.reserve(key(), stored, after(6)).err(), Some(Full::Failures));
    }

    #[test]
    fn a_place_that_is_dropped_is_free_again() {
        let throttle = Throttle::new(Some(FailureLimit { count: 1, ..LIMIT }));
        let place = throttle.reserve(key(), None, NOW);
        assert_eq!(throttle.reserve(key(), None, NOW).err(), Some(Full::UnderWay));
        drop(place);
        assert!(throttle.reserve(key(), None, NOW).is_ok());
    }

    #[test]
    fn the_right_password_clears_the_failures() {
        let throttle = Throttle::new(Some(LIMIT));
        fail(&throttle, NOW, 9);
        throttle.reserve(key(), None, NOW).unwrap().succeeded();
        let places: Vec<_> =
            (0..10).map_while(|_| throttle.reserve(key(), None, NOW).ok()).collect();
        assert_eq!(places.len(), 10);
    }

    #[test]
    fn the_window_ends_counted_from_its_first_failure() {
        let throttle = Throttle::new(Some(LIMIT));
        for count in 1..=10 {
            let (now, before) = (after(u64::from(count)), count - 1);
            let stored = (before > 0).then(|| counted(after(1), before));
            throttle.reserve(key(), stored, now).unwrap().failed(counted(now, count));
        }
        // The first failure was in minute 1, so the window is open through minute 16.
        let stored = Some(counted(after(1), 10));
        assert_eq!(throttle.reserve(key(), stored, after(16)).err(), Some(Full::Failures));
        let just_after = after(16).plus(Duration::from_micros(1));
        assert!(throttle.reserve(key(), stored, just_after).is_ok());
    }

    #[test]
    fn a_window_of_the_store_that_has_ended_does_not_count() {
        let throttle = Throttle::new(Some(LIMIT));
        assert!(throttle.reserve(key(), Some(counted(NOW, 99)), after(15)).is_err());
        assert!(throttle.reserve(key(), Some(counted(NOW, 99)), after(31)).is_ok());
    }

    #[test]
    fn keys_do_not_touch_each_other_and_names_are_found_in_any_spelling() {
        let throttle = Throttle::new(Some(FailureLimit { count: 1, ..LIMIT }));
        let _place = throttle.reserve(CountKey::of_name("Ann "), None, NOW).unwrap();
        assert!(throttle.reserve(CountKey::of_name("ＡＮＮ"), None, NOW).is_err());
        assert!(throttle.reserve(CountKey::of_name("Anna"), None, NOW).is_ok());
        assert!(throttle.reserve(key(), None, NOW).is_ok());
    }

    #[test]
    fn tidying_keeps_open_windows_and_attempts_under_way() {
        let throttle = Throttle::new(Some(LIMIT));
        let remembered = || throttle.lock().len();
        fail(&throttle, NOW, 1);
        let name = CountKey::of_name("slow");
        let place = throttle.reserve(name, None, NOW).unwrap();
        throttle.tidy(after(15));
        assert_eq!(remembered(), 2);
        throttle.tidy(after(16));
        assert_eq!(remembered(), 1, "one is still under way");
        drop(place);
        throttle.tidy(after(16));
        assert_eq!(remembered(), 0);
    }

    #[test]
    fn without_a_limit_everything_goes_through() {
        let throttle = Throttle::new(None);
        let stored = Some(counted(NOW, u32::MAX - 1000));
        let places: Vec<_> =
            (0..500).map_while(|_| throttle.reserve(key(), stored, NOW).ok()).collect();
        assert_eq!(places.len(), 500);
        assert!(!throttle.is_reached(u32::MAX));
    }
}
