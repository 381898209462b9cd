//! One transaction, as the repositories of the core see it.

use std::mem;

use vestibule_core::{
    domain::change::Change,
    ports::store::{StoreError, StoreErrorKind, StoreResult},
};

use crate::{conn::AnyConnection, dialect, error::DbResult};

/// One transaction. Once the database has failed, every further call fails alike: a unit of work
/// that swallows an error can neither go on outside its transaction nor commit half of itself.
pub(crate) struct DieselTx<'c> {
    conn: &'c mut AnyConnection,
    changes: Vec<Change>,
    failed: Option<StoreErrorKind>,
}

impl<'c> DieselTx<'c> {
    pub(crate) fn new(conn: &'c mut AnyConnection) -> Self {
        Self { conn, changes: Vec::new(), failed: None }
    }

    /// What ended the transaction before its time, if anything did. Remembered here, as the
    /// work's own kind of error says nothing to the lanes.
    pub(crate) fn failure(&self) -> Option<&StoreErrorKind> {
        self.failed.as_ref()
    }

    /// The changes that were announced.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        mem::take(&mut self.changes)
    }

    /// Whether this change was announced in this transaction already.
    pub(crate) fn has_announced(&self, change: Change) -> bool {
        self.changes.contains(&change)
    }

    pub(crate) fn note(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Runs statements on a table; `table` is for the error.
    pub(crate) fn call<T>(
        &mut self,
        table: &'static str,
        work: impl FnOnce(&mut AnyConnection) -> DbResult<T>,
    ) -> StoreResult<T> {
        self.run(table, false, work)
    }

    /// Runs a statement that the schema may refuse; the transaction goes on when it does.
    pub(crate) fn guarded<T>(
        &mut self,
        table: &'static str,
        work: impl FnOnce(&mut AnyConnection) -> DbResult<T>,
    ) -> StoreResult<T> {
        self.run(table, true, |conn| dialect::guarded(conn, work))
    }

    /// Runs statements that undo by themselves what is refused ([`dialect::put`]).
    pub(crate) fn put<T>(
        &mut self,
        table: &'static str,
        work: impl FnOnce(&mut AnyConnection) -> DbResult<T>,
    ) -> StoreResult<T> {
        self.run(table, true, work)
    }

    fn run<T>(
        &mut self,
        table: &'static str,
        conflicts_are_undone: bool,
        work: impl FnOnce(&mut AnyConnection) -> DbResult<T>,
    ) -> StoreResult<T> {
        if let Some(kind) = &self.failed {
            return Err(StoreError::new(kind.clone()));
        }
        work(self.conn).map_err(|error| {
            let error = error.into_store(table);
            let goes_on = match error.kind {
                StoreErrorKind::Corrupt { .. } => true,
                StoreErrorKind::Conflict(_) => conflicts_are_undone,
                _ => false,
            };
            if !goes_on {
                self.failed = Some(error.kind.clone());
            }
            error
        })
    }
}
