//! Threads that own connections and run units of work, so that nothing asynchronous ever waits
//! for a database and the number of connections is bounded by the number of threads.

mod client;
mod embedded;
mod queue;
mod unit;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, PoisonError, RwLock},
    thread::{self, JoinHandle},
};

use vestibule_core::{
    domain::change::Change,
    ports::store::{ChangeObserver, StoreError, StoreErrorKind},
};

pub(crate) use self::{client::ClientLanes, embedded::EmbeddedLanes};

/// Who is told of committed changes.
#[derive(Default)]
pub(crate) struct Observers(RwLock<Vec<Arc<dyn ChangeObserver>>>);

impl Observers {
    pub(crate) fn add(&self, observer: Arc<dyn ChangeObserver>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(observer);
    }

    fn tell(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let observers = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        for observer in observers {
            // The changes are committed whatever an observer does, and the lane has to go on.
            if catch_unwind(AssertUnwindSafe(|| observer.committed(changes))).is_err() {
                tracing::error!("an observer of committed changes panicked");
            }
        }
    }
}

/// The threads of a store; they end when their queues are closed.
#[derive(Default)]
struct Threads(Vec<JoinHandle<()>>);

impl Threads {
    fn spawn(&mut self, name: &str, body: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        self.0.push(thread::Builder::new().name(name.to_owned()).spawn(body)?);
        Ok(())
    }

    fn join(&mut self) {
        for thread in self.0.drain(..) {
            // The last handle on the store may be dropped by a unit of work, on a lane itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

fn unavailable() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable)
}

/// A second copy of an error for another caller: the cause stays with the first.
fn same_kind(error: &StoreError) -> StoreError {
    StoreError::new(error.kind.clone())
}
