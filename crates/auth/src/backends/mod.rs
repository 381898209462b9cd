//! The ways to log in that come with Vestibule.

mod local;
#[cfg(feature = "pam")]
pub mod pam;
mod remote;
mod user_office;

use std::sync::Arc;

use vestibule_core::ports::backend::BackendFactory;

#[cfg(feature = "pam")]
pub use self::pam::PamFactory;
pub use self::{
    local::{LocalBackend, LocalFactory},
    remote::RemoteFactory,
    user_office::UserOfficeFactory,
};

/// What makes each of them from its section of the configuration.
pub fn factories() -> Vec<Arc<dyn BackendFactory>> {
    vec![
        Arc::new(LocalFactory),
        #[cfg(feature = "pam")]
        Arc::new(PamFactory),
        Arc::new(RemoteFactory),
        Arc::new(UserOfficeFactory),
    ]
}
