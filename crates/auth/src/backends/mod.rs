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

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use vestibule_core::ports::backend::{BackendFactory, SectionError};

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

/// How long a service may be given for one answer: less than the ten seconds after which
/// [nobody waits any more](crate::runner::Limits), so that it is the operator's word that counts.
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(9);

/// Such a time, by the key it was given under.
fn timeout(key: &str, seconds: f64) -> Result<Duration, SectionError> {
    let timeout = Duration::try_from_secs_f64(seconds).ok();
    timeout
        .filter(|timeout| TIMEOUTS.contains(timeout))
        .ok_or_else(|| SectionError::of_key(key, "expected up to 9 seconds"))
}

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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::timeout;
    use crate::runner::Limits;

    #[test]
    fn what_may_be_set_is_over_before_nobody_waits_any_more() {
        assert_eq!(timeout("timeout", 9.0).unwrap(), Duration::from_secs(9));
        assert!(timeout("timeout", 9.0).unwrap() < Limits::default().deadline);
        for seconds in [0.0, 0.001, 9.1, 30.0, -1.0, f64::NAN, f64::INFINITY] {
            let refusal = timeout("timeout", seconds).unwrap_err().to_string();
            assert_eq!(refusal, "timeout: expected up to 9 seconds", "{seconds}");
        }
    }
}
