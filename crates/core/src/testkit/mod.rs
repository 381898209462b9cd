//! Clocks that stand still and chance that repeats itself, for tests of this and other crates.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use crate::{
    cx::{Client, OpCx},
    entropy::Entropy,
    time::{Clock, Timestamp},
};

/// A clock that moves only when told to. Begins on 2026-01-01T00:00:00Z.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl Default for ManualClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_767_225_600_000_000))
    }
}

impl ManualClock {
    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.0.fetch_add(micros, Ordering::SeqCst);
    }

    /// Sets the clock, also back.
    pub fn set(&self, to: Timestamp) {
        self.0.store(to.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Bytes that follow from a seed (SplitMix64): unlike each other, the same at every run.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<u64>);

impl SeededEntropy {
    /// Begins at this seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in buffer.chunks_mut(8) {
            *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut word = *state;
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            let bytes = (word ^ (word >> 31)).to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

/// A context at the manual clock's time, with repeatable chance, acting as the command line.
pub fn cx(clock: &Arc<ManualClock>, seed: u64) -> OpCx {
    OpCx::for_cli(Arc::clone(clock) as Arc<dyn Clock>, Arc::new(SeededEntropy::new(seed)))
}

/// As [`cx`], of a request that nobody has been recognised in yet.
pub fn request_cx(clock: &Arc<ManualClock>, seed: u64, address: &str) -> OpCx {
    let client =
        Client { address: address.to_owned(), user_agent: "test".to_owned(), browser: None };
    OpCx::for_request(
        client,
        Arc::clone(clock) as Arc<dyn Clock>,
        Arc::new(SeededEntropy::new(seed)),
    )
}
