//! What databases are told, counted.

use std::sync::{Mutex, MutexGuard, PoisonError};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Hears what all stores of this process that are opened from now on ask and change. There is one
/// for all of a process: a test that counts is alone in its program.
#[derive(Clone, Copy, Debug)]
pub struct Statements(());

struct Ear;

impl Instrumentation for Ear {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let statement = text.split(" -- binds").next().unwrap_or_default();
            // What begins and ends a transaction, and what tests say themselves, is no work.
            if ["SELECT ", "INSERT ", "UPDATE ", "DELETE "].iter().any(|w| statement.starts_with(w))
            {
                heard().push(statement.to_owned());
            }
        }
    }
}

fn heard() -> MutexGuard<'static, Vec<String>> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Statements {
    /// Begins to listen.
    pub fn listen() -> Self {
        set_default_instrumentation(|| Some(Box::new(Ear))).expect("nobody listens yet");
        Self(())
    }

    /// What was heard since it was asked last.
    pub fn take(self) -> Vec<String> {
        std::mem::take(&mut *heard())
    }
}
