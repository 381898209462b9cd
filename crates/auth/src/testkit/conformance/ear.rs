//! Listens to what is logged.

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex, PoisonError},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

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

/// Hears every event of every level, and remembers which shows a secret.
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

    fn hear(&self, said: &Said, from: &str) {
        if self.secrets.are_in(&said.0) {
            let what = format!("what {from} logs shows a secret");
            *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
        }
    }
}

/// All fields of an event or a span, in a row.
#[derive(Default)]
struct Said(String);

impl Visit for Said {
    fn record_str(&mut self, _: &Field, value: &str) {
        self.0.push_str(value);
        self.0.push(' ');
    }

    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{value:?} ");
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut said = Said::default();
        span.record(&mut said);
        self.hear(&said, span.metadata().target());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, later: &Record<'_>) {
        let mut said = Said::default();
        later.record(&mut said);
        self.hear(&said, "a span");
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut said = Said::default();
        event.record(&mut said);
        self.hear(&said, event.metadata().target());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
