//! The ways to log in that come with Vestibule.

mod local;

use std::sync::Arc;

use vestibule_core::ports::backend::BackendFactory;

pub use local::{LocalBackend, LocalFactory};

/// What makes each of them from its section of the configuration.
pub fn factories() -> Vec<Arc<dyn BackendFactory>> {
    vec![Arc::new(LocalFactory)]
}
