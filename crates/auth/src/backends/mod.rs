//! The ways to log in that come with Vestibule.

#[cfg(feature = "ldap")]
mod ldap;
mod local;
mod oauth2;
mod oidc;
#[cfg(feature = "pam")]
pub mod pam;
mod remote;
mod shibboleth;
pub mod user_office;

use std::sync::Arc;

use vestibule_core::ports::backend::BackendFactory;

#[cfg(feature = "ldap")]
pub use self::ldap::LdapFactory;
#[cfg(feature = "pam")]
pub use self::pam::PamFactory;
pub use self::{
    local::{LocalBackend, LocalFactory},
    oauth2::OAuth2Factory,
    oidc::OidcFactory,
    remote::RemoteFactory,
    shibboleth::ShibbolethFactory,
    user_office::UserOfficeFactory,
};

/// What makes each of them from its section of the configuration.
pub fn factories() -> Vec<Arc<dyn BackendFactory>> {
    vec![
        Arc::new(LocalFactory),
        #[cfg(feature = "ldap")]
        Arc::new(LdapFactory),
        Arc::new(OAuth2Factory),
        Arc::new(OidcFactory),
        #[cfg(feature = "pam")]
        Arc::new(PamFactory),
        Arc::new(RemoteFactory),
        Arc::new(ShibbolethFactory),
        Arc::new(UserOfficeFactory),
    ]
}
