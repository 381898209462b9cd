//! Logins and sessions.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_core::{
    domain::{session::Session, user::User},
    id::SessionId,
    usecase::login::CodeWanted,
};

use super::user::UserOut;

/// A name and a password, and a one-time code where one is wanted.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Login)]
pub(crate) struct LoginIn {
    /// The login name or the mail address, in any case.
    pub(crate) username: Option<String>,
    /// The password, exactly as it was set.
    pub(crate) password: Option<String>,
    /// The one way in that is to be tried.
    pub(crate) backend: Option<String>,
    /// A one-time code, for ways in that want one.
    pub(crate) otp: Option<String>,
    /// In the place of the name and the password: what the answer that asked for the code gave.
    pub(crate) step: Option<String>,
}

/// Who is logged in, and what they may.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CurrentSession)]
pub(crate) struct CurrentOut {
    user: UserOut,
    /// The names of all groups the user is in, directly or through others.
    groups: Vec<String>,
    /// The names of the groups the user manages.
    managed_groups: Vec<String>,
    /// The codes of all permissions held as a whole.
    permissions: Vec<String>,
    /// What unsafe requests with the cookie carry as `X-CSRF-Token`; empty for programs that have
    /// no cookie.
    csrf_token: String,
    /// When the session ends whatever happens.
    expires_at: String,
}

/// What [`CurrentOut`] is made of.
pub(crate) struct Current {
    pub(crate) user: User,
    pub(crate) groups: Vec<String>,
    pub(crate) managed_groups: Vec<String>,
    pub(crate) permissions: Vec<String>,
    pub(crate) csrf_token: String,
    pub(crate) expires_at: vestibule_core::Timestamp,
}

impl From<Current> for CurrentOut {
    fn from(current: Current) -> Self {
        Self {
            user: current.user.into(),
            groups: current.groups,
            managed_groups: current.managed_groups,
            permissions: current.permissions,
            csrf_token: current.csrf_token,
            expires_at: current.expires_at.to_string(),
        }
    }
}

/// A session, as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionOut {
    id: uuid::Uuid,
    /// Whether it is the one that asks.
    is_current: bool,
    created_at: String,
    last_seen_at: String,
    expires_at: String,
    address: String,
    user_agent: String,
    backend: String,
}

impl SessionOut {
    pub(crate) fn new(session: Session, current: Option<SessionId>) -> Self {
        Self {
            id: session.id.as_uuid(),
            is_current: current == Some(session.id),
            created_at: session.created_at.to_string(),
            last_seen_at: session.last_seen_at.to_string(),
            expires_at: session.expires_at.to_string(),
            address: session.address,
            user_agent: session.user_agent,
            backend: session.backend,
        }
    }
}

/// A one-time code that is wanted: it goes to `POST api/v1/login` as `otp`, with `step` in the place
/// of the name and the password.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = LoginStep)]
pub(crate) struct StepBody {
    /// Good for one attempt, for ten minutes.
    pub(crate) token: String,
    /// What the visitor is asked for; may be empty.
    pub(crate) prompt: String,
}

/// Without the token, which stands for a password.
impl fmt::Debug for StepBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepBody").field("prompt", &self.prompt).finish_non_exhaustive()
    }
}

impl From<CodeWanted> for StepBody {
    fn from(wanted: CodeWanted) -> Self {
        let token = wanted.token.expose_str().unwrap_or_default().to_owned();
        Self { token, prompt: wanted.prompt }
    }
}
