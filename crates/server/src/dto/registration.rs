//! Registrations that wait for an administrator, and what people agreed to.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_core::domain::registration::{Consent, Registration};

/// A registration that waits for an administrator. Its address is its owner's.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WaitingRegistration)]
pub(crate) struct WaitingOut {
    id: uuid::Uuid,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    created_at: String,
    /// When its owner showed that the address is theirs.
    confirmed_at: Option<String>,
    /// When it is forgotten, if nobody says anything.
    expires_at: String,
    /// The version of the site's policy that its owner agreed to.
    policy: Option<String>,
}

impl From<Registration> for WaitingOut {
    fn from(waiting: Registration) -> Self {
        Self {
            id: waiting.id.as_uuid(),
            username: waiting.username.to_string(),
            email: waiting.email.to_string(),
            first_name: waiting.first_name.as_str().to_owned(),
            last_name: waiting.last_name.as_str().to_owned(),
            created_at: waiting.created_at.to_string(),
            confirmed_at: waiting.confirmed_at.map(|at| at.to_string()),
            expires_at: waiting.expires_at.to_string(),
            policy: waiting.policy,
        }
    }
}

/// Why a registration is refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Refusal)]
pub(crate) struct RefusalIn {
    /// Told to whoever registered; may be left out.
    #[serde(default)]
    pub(crate) reason: String,
}

/// That somebody agreed to the site's policy.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Consent)]
pub(crate) struct ConsentOut {
    /// To which version.
    version: String,
    at: String,
}

impl From<Consent> for ConsentOut {
    fn from(consent: Consent) -> Self {
        Self { version: consent.version, at: consent.at.to_string() }
    }
}
