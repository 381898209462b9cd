//! Mails kept in memory, for tests.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::Transport;
use crate::{classify::Failure, message::Letter};

/// Keeps each mail, and fails as it was told to.
#[derive(Clone, Default)]
pub struct MemoryTransport(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    letters: Vec<Letter>,
    failures: VecDeque<Option<Failure>>,
    down: Option<Failure>,
    tried: usize,
}

impl MemoryTransport {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mails so far, in their order.
    pub fn letters(&self) -> Vec<Letter> {
        self.kept().letters.clone()
    }

    /// How often it was asked.
    pub fn tried(&self) -> usize {
        self.kept().tried
    }

    /// What the next attempts come to; `None` lets one through.
    pub fn then(&self, outcomes: impl IntoIterator<Item = Option<Failure>>) {
        self.kept().failures.extend(outcomes);
    }

    /// What all attempts come to from now on, when nothing else is said of them.
    pub fn set_down(&self, failure: Option<Failure>) {
        self.kept().down = failure;
    }
}

#[async_trait]
impl Transport for MemoryTransport {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn deliver(&self, letter: &Letter) -> Result<String, Failure> {
        let mut kept = self.kept();
        kept.tried += 1;
        let down = kept.down.clone();
        if let Some(failure) = kept.failures.pop_front().unwrap_or(down) {
            return Err(failure);
        }
        kept.letters.push(letter.clone());
        Ok("kept".to_owned())
    }

    async fn probe(&self) -> Result<String, Failure> {
        self.kept().down.clone().map_or(Ok("mails are kept".to_owned()), Err)
    }
}
