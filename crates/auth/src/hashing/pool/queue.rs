//! A queue with a bound, between async callers and threads.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// First in, first out; full or closed it takes nothing, at once.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
    capacity: usize,
}

struct State<T> {
    waiting: VecDeque<T>,
    open: bool,
}

/// The queue is full or closed.
#[derive(Debug)]
pub(super) struct Refused;

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let state = State { waiting: VecDeque::new(), open: true };
        Self { state: Mutex::new(state), ready: Condvar::new(), capacity }
    }

    pub(super) fn push(&self, item: T) -> Result<(), Refused> {
        let mut state = self.lock();
        if !state.open || state.waiting.len() >= self.capacity {
            return Err(Refused);
        }
        state.waiting.push_back(item);
        drop(state);
        self.ready.notify_one();
        Ok(())
    }

    /// Waits for the next item; `None` once the queue is closed.
    pub(super) fn pop(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(item) = state.waiting.pop_front() {
                return Some(item);
            }
            if !state.open {
                return None;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Drops what waits, takes nothing new and wakes everyone who waits for an item.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.open = false;
        let dropped = std::mem::take(&mut state.waiting);
        drop(state);
        self.ready.notify_all();
        // Outside the lock, because dropping an item wakes the one who waits for its answer.
        drop(dropped);
    }

    pub(super) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// No code that can panic runs under the lock, so the state is sound even if poisoned.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
