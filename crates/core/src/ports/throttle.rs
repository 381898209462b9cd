//! Where failed logins are counted, so that a restart or another replica forgives none.

use super::store::StoreResult;
use crate::time::Timestamp;

/// Failures under one key within the present window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureCount {
    /// When the window began.
    pub since: Timestamp,
    /// How many since.
    pub count: u32,
}

/// Where failed logins are counted. Keys are digests: a mistyped password in the name field is
/// not kept readable.
pub trait ThrottleRepo {
    /// The failures under a key, whenever their window began.
    fn failures(&mut self, key: &[u8; 32]) -> StoreResult<Option<FailureCount>>;

    /// Counts one more. A window that began before `window_start` is forgotten and a new one
    /// begins now. Answers the count with this one.
    fn add_failure(
        &mut self,
        key: &[u8; 32],
        now: Timestamp,
        window_start: Timestamp,
    ) -> StoreResult<u32>;

    /// Forgets the failures under a key.
    fn clear_failures(&mut self, key: &[u8; 32]) -> StoreResult<bool>;

    /// Forgets windows that began before this instant. Answers how many.
    fn purge_failures(&mut self, before: Timestamp) -> StoreResult<u64>;
}
