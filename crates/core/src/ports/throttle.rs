//! Where failed logins, and whatever else may happen so often within a time, are counted, so that a
//! restart or another replica forgives none.

use super::store::StoreResult;
use crate::time::Timestamp;

/// What was counted under one key within the present window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowCount {
    /// When the window began.
    pub since: Timestamp,
    /// How many since.
    pub count: u32,
}

/// Counts within windows of time. Keys are digests: a mistyped password in the name field is not
/// kept readable.
pub trait ThrottleRepo {
    /// The count under a key, whenever its window began.
    fn window_count(&mut self, key: &[u8; 32]) -> StoreResult<Option<WindowCount>>;

    /// Counts one more. A window that began before `window_start` is forgotten and a new one
    /// begins now. Answers the count with this one.
    fn count_one(
        &mut self,
        key: &[u8; 32],
        now: Timestamp,
        window_start: Timestamp,
    ) -> StoreResult<u32>;

    /// Forgets the count under a key.
    fn forget_count(&mut self, key: &[u8; 32]) -> StoreResult<bool>;

    /// Forgets windows that began before this instant. Answers how many.
    fn purge_counts(&mut self, before: Timestamp) -> StoreResult<u64>;
}
