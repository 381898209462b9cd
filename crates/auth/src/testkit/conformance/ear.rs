//! Listens for secrets in what is logged.

use std::sync::{Arc, Mutex, PoisonError};

use crate::testkit::log::Listener;

/// What must never be seen; what turns up on the way is added.
#[derive(Clone)]
pub(super) struct Secrets(Arc<Mutex<Vec<String>>>);

impl Secrets {
    pub(super) fn of<'a>(all: impl Iterator<Item = &'a String>) -> Self {
        let all = all.filter(|secret| !secret.is_empty()).cloned().collect();
        Self(Arc::new(Mutex::new(all)))
    }

    /// One more. What is so short that it may stand anywhere is none.
    pub(super) fn add(&self, secret: &str) {
        if secret.len() >= SHORTEST {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(secret.to_owned());
        }
    }

    /// Whether any of them stands in a text.
    pub(super) fn are_in(&self, text: &str) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().any(|secret| text.contains(secret.as_str()))
    }
}

const SHORTEST: usize = 16;

/// Remembers which event showed a secret.
#[derive(Clone)]
pub(super) struct Ear {
    secrets: Secrets,
    heard: Arc<Mutex<Option<String>>>,
}

impl Ear {
    pub(super) fn new(secrets: Secrets) -> Self {
        Self { secrets, heard: Arc::default() }
    }

    /// Which event showed a secret, if any did.
    pub(super) fn heard(&self) -> Option<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What listens for it.
    pub(super) fn listener(&self) -> Listener {
        let Self { secrets, heard } = self.clone();
        Listener::new(move |said, from| {
            if secrets.are_in(said) {
                let what = format!("what {from} logs shows a secret");
                *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
            }
        })
    }
}
