//! How many wrong passwords an account takes before it stops listening for a while.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sha2::{Digest, Sha256};

use crate::{id::UserId, ports::throttle::FailureCount, time::Timestamp};

/// So many failures within so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureLimit {
    /// How many are let through.
    pub count: u32,
    /// Within how long, counted from the first.
    pub window: Duration,
}

/// What failures are counted under: a digest, so that a password typed into the name field is not
/// kept readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FailureKey([u8; 32]);

impl FailureKey {
    /// Of an account, by whichever of its names it was addressed.
    pub fn of_account(user: UserId) -> Self {
        Self(
            Sha256::new()
                .chain_update(b"account")
                .chain_update(user.as_bytes())
                .finalize()
                .into(),
        )
    }

    /// Of a name that belongs to nobody here.
    pub fn of_name(typed: &str) -> Self {
        let key = crate::Username::key_of(typed.trim());
        Self(
            Sha256::new()
                .chain_update(b"name")
                .chain_update(key)
                .finalize()
                .into(),
        )
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Counts attempts that are under way together with the failures there were, so that guesses made
/// at the same moment do not slip past the limit (CVE-2024-4629).
#[derive(Debug)]
pub struct Throttle {
    limit: Option<FailureLimit>,
    keys: Mutex<HashMap<FailureKey, Known>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    under_way: u32,
    failures: FailureCount,
}

/// A place among the attempts that an account takes; given back when dropped.
#[derive(Debug)]
pub struct Reserved {
    throttle: Arc<Throttle>,
    key: FailureKey,
}

impl Throttle {
    /// With this limit; `None` counts nothing.
    pub fn new(limit: Option<FailureLimit>) -> Arc<Self> {
        Arc::new(Self {
            limit,
            keys: Mutex::default(),
        })
    }

    /// When a window that counts at this instant may have begun at the earliest.
    pub fn window_start(&self, now: Timestamp) -> Timestamp {
        self.limit.map_or(now, |limit| now.minus(limit.window))
    }

    /// Whether this many failures are the limit.
    pub fn is_reached(&self, count: u32) -> bool {
        self.limit.is_some_and(|limit| count >= limit.count)
    }

    /// Takes a place, or `None` when failures and attempts under way have used them up. `stored`
    /// is what the store counted.
    pub fn reserve(
        self: &Arc<Self>,
        key: FailureKey,
        stored: Option<FailureCount>,
        now: Timestamp,
    ) -> Option<Reserved> {
        let mut keys = self.lock();
        let start = self.window_start(now);
        let blank = Known {
            under_way: 0,
            failures: FailureCount {
                since: now,
                count: 0,
            },
        };
        let known = keys.entry(key).or_insert(blank);
        if known.failures.since < start {
            known.failures = blank.failures;
        }
        if let Some(stored) = stored.filter(|stored| stored.since >= start)
            && stored.count > known.failures.count
        {
            known.failures = stored;
        }
        if self.is_reached(known.failures.count + known.under_way) {
            return None;
        }
        known.under_way += 1;
        Some(Reserved {
            throttle: Arc::clone(self),
            key,
        })
    }

    /// Forgets keys under which nothing is under way and no window is open.
    pub fn tidy(&self, now: Timestamp) {
        let start = self.window_start(now);
        self.lock()
            .retain(|_, known| known.under_way > 0 || known.failures.since >= start);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<FailureKey, Known>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reserved {
    /// Remembers what the store counts after a failure.
    pub fn failed(self, failures: FailureCount) {
        if let Some(known) = self.throttle.lock().get_mut(&self.key)
            && failures.count > known.failures.count
        {
            known.failures = failures;
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
