//! One run of one unit of work.

use std::panic::{AssertUnwindSafe, catch_unwind};

use vestibule_core::{
    domain::change::Change,
    ports::store::{Mode, Outcome, StoreError, StoreErrorKind, Work},
};

use crate::{conn::AnyConnection, dialect, error::store_error, tx::DieselTx};

/// What the work came to, before anything is committed.
pub(super) enum Ran {
    /// It wants its writes kept; these changes go with them.
    Keep(Vec<Change>),
    /// It wants its writes undone.
    Undo,
    /// It cannot be kept: the database failed in it, or it panicked.
    Failed(StoreErrorKind),
}

/// Runs the work within the transaction that the connection is in.
pub(super) fn run_work(conn: &mut AnyConnection, work: &mut Work) -> Ran {
    let mut tx = DieselTx::new(conn);
    let outcome = catch_unwind(AssertUnwindSafe(|| work(&mut tx)));
    match (outcome, tx.failure()) {
        (Err(_), _) => {
            tracing::error!("a unit of work panicked; it is rolled back");
            Ran::Failed(StoreErrorKind::Other)
        }
        (Ok(_), Some(kind)) => Ran::Failed(kind.clone()),
        (Ok(Outcome::Commit), None) => Ran::Keep(tx.take_changes()),
        (Ok(Outcome::RollBack), None) => Ran::Undo,
    }
}

/// Where an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Before the work was run.
    Begin,
    /// In the work.
    Work,
    /// At the commit: nobody knows whether it took place.
    Commit,
}

/// One attempt at a whole transaction.
pub(super) enum Attempt {
    /// Committed, with these changes.
    Done(Vec<Change>),
    /// Rolled back, as the work wished.
    Undone,
    /// Nothing of it is kept, but for a commit whose answer was lost.
    Failed {
        /// Why.
        error: StoreError,
        /// Where.
        stage: Stage,
        /// Whether the connection is of no more use.
        broken: bool,
    },
}

/// Runs the work in a transaction of its own.
pub(super) fn attempt(conn: &mut AnyConnection, mode: Mode, work: &mut Work) -> Attempt {
    if let Err(error) = dialect::begin(conn, mode) {
        return Attempt::Failed {
            error: store_error(error),
            stage: Stage::Begin,
            // Whatever is wrong, a fresh connection begins from a known state.
            broken: dialect::rollback(conn).is_err(),
        };
    }
    match run_work(conn, work) {
        Ran::Keep(changes) => match dialect::commit(conn) {
            Ok(()) => Attempt::Done(changes),
            Err(error) => Attempt::Failed {
                error: store_error(error),
                stage: Stage::Commit,
                broken: dialect::rollback(conn).is_err(),
            },
        },
        Ran::Undo => match dialect::rollback(conn) {
            Ok(()) => Attempt::Undone,
            Err(error) => {
                Attempt::Failed { error: store_error(error), stage: Stage::Work, broken: true }
            }
        },
        Ran::Failed(kind) => Attempt::Failed {
            error: StoreError::new(kind),
            stage: Stage::Work,
            broken: dialect::rollback(conn).is_err(),
        },
    }
}
