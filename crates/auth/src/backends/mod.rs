//! The ways to log in that come with Vestibule.

mod local;
mod remote;
mod user_office;

use std::sync::Arc;

use vestibule_core::ports::backend::BackendFactory;

pub use self::{
    local::{LocalBackend, LocalFactory},
    remote::RemoteFactory,
    user_office::UserOfficeFactory,
};

/// What makes each of them from its section of the configuration.
pub fn factories() -> Vec<Arc<dyn BackendFactory>> {
    vec![Arc::new(LocalFactory), Arc::new(RemoteFactory), Arc::new(UserOfficeFactory)]
}
