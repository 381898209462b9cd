//! The order in which rights changed, for the caches of all replicas.

use super::store::StoreResult;
use crate::{
    domain::change::{Change, NumberedChange},
    time::Timestamp,
};

/// The order in which rights changed.
pub trait ChangeRepo {
    /// Numbers a change and holds the counter until the transaction ends, so that transactions
    /// which change rights run one after the other and numbers become visible in their order.
    ///
    /// A unit of work that decides upon what it reads (last superuser, cycle of groups, what the
    /// actor holds) calls this **before** it reads, and so decides upon what is true.
    fn announce(&mut self, change: Change, now: Timestamp) -> StoreResult<()>;

    /// The number of the last change, zero when there was none.
    fn last_change(&mut self) -> StoreResult<i64>;

    /// The changes after this number, in order, at most `limit`.
    fn changes_after(&mut self, number: i64, limit: u32) -> StoreResult<Vec<NumberedChange>>;

    /// The number of the oldest change that is still known.
    fn oldest_change(&mut self) -> StoreResult<Option<i64>>;

    /// Forgets changes made before this instant. Answers how many.
    fn purge_changes(&mut self, before: Timestamp) -> StoreResult<u64>;
}
