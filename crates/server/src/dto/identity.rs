//! Who people are elsewhere.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_core::domain::identity::Identity;

/// A proof of who one is elsewhere.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewIdentity)]
pub(crate) struct IdentityIn {
    /// The backend that knows one.
    pub(crate) backend: String,
    /// The login name there. Neither name nor password for backends that lead elsewhere.
    pub(crate) username: Option<String>,
    /// The password there.
    pub(crate) password: Option<String>,
    /// A one-time code, for backends that want one besides.
    pub(crate) otp: Option<String>,
    /// Where to go after coming back from elsewhere: a path of this site.
    pub(crate) next: Option<String>,
}

/// By which backend an account is to be entered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewConversion)]
pub(crate) struct ConversionIn {
    /// The backend.
    pub(crate) backend: String,
    /// The owner's login name there, for backends that can be asked who that is.
    pub(crate) username: Option<String>,
    /// Instead of that: by what the backend knows the owner for good.
    pub(crate) subject: Option<String>,
}

/// Where the proof is to be had.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Departure)]
pub(crate) struct DepartureOut {
    /// Where the browser has to go, and from where it comes back.
    pub(crate) location: String,
}

/// Which identity is meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityQuery {
    pub(crate) backend: String,
    pub(crate) subject: String,
}

/// Who somebody is elsewhere.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Identity)]
pub(crate) struct IdentityOut {
    backend: String,
    /// By what the backend knows the person for good.
    subject: String,
    linked_at: String,
    used_at: String,
    /// When the backend last told which groups the person is in.
    groups_at: Option<String>,
}

impl From<Identity> for IdentityOut {
    fn from(identity: Identity) -> Self {
        Self {
            backend: identity.backend.to_string(),
            subject: identity.subject.to_string(),
            linked_at: identity.linked_at.to_string(),
            used_at: identity.used_at.to_string(),
            groups_at: identity.groups_at.map(|at| at.to_string()),
        }
    }
}
