//! Questions about what somebody may do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_core::policy::decide::Decision;

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CheckQuestion)]
pub(crate) struct CheckIn {
    /// The login name or id of the account that is asked about; one's own when not said.
    pub(crate) user: Option<String>,
    pub(crate) permission: String,
    /// `type:id`; the permission as a whole when not said.
    pub(crate) object: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckAnswer)]
pub(crate) struct CheckOut {
    allowed: bool,
    /// Why, in plain words.
    reason: String,
    /// A stable word for the kind of reason: `granted`, `denied`, `owner`, …
    reason_code: &'static str,
}

impl From<Decision> for CheckOut {
    fn from(decision: Decision) -> Self {
        Self {
            allowed: decision.allowed,
            reason: decision.reason.to_string(),
            reason_code: decision.reason.code(),
        }
    }
}
