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

/// Is told all fields, in a row, and who logged them.
type Hear = dyn Fn(&str, &str) + Send + Sync;

/// Hears every event and every span, of every level.
#[derive(Clone)]
pub struct Listener(Arc<Hear>);

impl Listener {
    /// Is told all fields of an event or a span, in a row, and who logged them.
    pub fn new(hear: impl Fn(&str, &str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    fn hear(&self, said: &Said, from: &str) {
        (self.0)(&said.0, from);
    }
}

/// What was logged, line by line.
#[derive(Clone, Debug, Default)]
pub struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// Writes down what is logged while it is the subscriber.
    pub fn listener(&self) -> Listener {
        let lines = Arc::clone(&self.0);
        Listener::new(move |said, _| {
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(said.to_owned());
        })
    }

    /// The lines so far.
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
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

impl Subscriber for Listener {
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
