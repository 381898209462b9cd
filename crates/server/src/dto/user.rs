//! Accounts.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_core::{
    Secret,
    domain::user::User,
    usecase::users::{NewUser, UserPatch},
};

use super::{nullable, optional_time, time};
use crate::problem::Problem;

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
#[expect(clippy::struct_excessive_bools, reason = "independent marks of an account")]
pub(crate) struct UserOut {
    id: uuid::Uuid,
    username: String,
    email: Option<String>,
    email_verified: bool,
    first_name: String,
    last_name: String,
    is_active: bool,
    is_staff: bool,
    is_superuser: bool,
    expires_at: Option<String>,
    created_at: String,
    last_login_at: Option<String>,
}

impl From<User> for UserOut {
    fn from(user: User) -> Self {
        Self {
            id: user.id.as_uuid(),
            username: user.username.to_string(),
            email: user.email.map(|email| email.to_string()),
            email_verified: user.email_verified,
            first_name: user.first_name.as_str().to_owned(),
            last_name: user.last_name.as_str().to_owned(),
            is_active: user.is_active,
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            expires_at: user.expires_at.map(|end| end.to_string()),
            created_at: user.created_at.to_string(),
            last_login_at: user.last_login_at.map(|at| at.to_string()),
        }
    }
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUser)]
pub(crate) struct UserIn {
    username: String,
    email: Option<String>,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    /// Without one the account has no password that could match.
    password: Option<String>,
    is_active: Option<bool>,
    #[serde(default)]
    is_staff: bool,
    #[serde(default)]
    is_superuser: bool,
    expires_at: Option<String>,
    /// Whether an account with an address and without a password has its owner mailed a link to
    /// choose one; it has when nothing is said.
    welcome: Option<bool>,
}

impl UserIn {
    pub(crate) fn parse(self) -> Result<NewUser, Problem> {
        Ok(NewUser {
            expires_at: optional_time("expires_at", self.expires_at.as_ref())?,
            username: self.username,
            email: self.email,
            first_name: self.first_name,
            last_name: self.last_name,
            password: self.password.map(Secret::from),
            is_disabled: self.is_active == Some(false),
            is_staff: self.is_staff,
            is_superuser: self.is_superuser,
            groups: Vec::new(),
            is_welcomed: self.welcome.unwrap_or(true),
        })
    }
}

/// What is to be different about an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserPatch)]
pub(crate) struct UserPatchIn {
    username: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    email: Option<Option<String>>,
    first_name: Option<String>,
    last_name: Option<String>,
    is_active: Option<bool>,
    is_staff: Option<bool>,
    is_superuser: Option<bool>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    expires_at: Option<Option<String>>,
}

impl UserPatchIn {
    pub(crate) fn parse(self) -> Result<UserPatch, Problem> {
        let expires_at = match self.expires_at {
            Some(Some(text)) => Some(Some(time("expires_at", &text)?)),
            Some(None) => Some(None),
            None => None,
        };
        Ok(UserPatch {
            username: self.username,
            email: self.email,
            first_name: self.first_name,
            last_name: self.last_name,
            is_active: self.is_active,
            is_staff: self.is_staff,
            is_superuser: self.is_superuser,
            expires_at,
        })
    }
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPassword)]
pub(crate) struct PasswordIn {
    pub(crate) password: String,
}

/// A change of the own password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordChange)]
pub(crate) struct PasswordChangeIn {
    pub(crate) old_password: String,
    pub(crate) password: String,
}
