//! What goes with links that come by mail.

use serde::Deserialize;
use utoipa::ToSchema;
use vestibule_core::{Secret, usecase::users::NewUser};

/// A mail address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MailAddress)]
pub(crate) struct AddressIn {
    pub(crate) email: String,
}

/// What a link holds after its last slash.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LinkToken)]
pub(crate) struct TokenIn {
    pub(crate) token: String,
}

/// What the link of a registration holds after its last slash.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Activation)]
pub(crate) struct ActivateIn {
    pub(crate) token: String,
    /// The password that was chosen at registration. A link shows that somebody reads mail at the
    /// address, and not that it was they who registered: pages that people open from a mail ask for
    /// it.
    pub(crate) password: Option<String>,
}

/// Another password by a link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordReset)]
pub(crate) struct ResetIn {
    pub(crate) token: String,
    pub(crate) password: String,
}

/// An account that somebody makes for themselves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Registration)]
pub(crate) struct RegisterIn {
    username: String,
    email: String,
    password: String,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    /// The version of the site's policy that one agrees to, where there is one.
    pub(crate) policy: Option<String>,
}

impl From<RegisterIn> for NewUser {
    fn from(typed: RegisterIn) -> Self {
        Self {
            username: typed.username,
            email: Some(typed.email),
            password: Some(Secret::from(typed.password)),
            first_name: typed.first_name,
            last_name: typed.last_name,
            ..Self::default()
        }
    }
}

/// Another mail address of one's own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EmailChange)]
pub(crate) struct EmailChangeIn {
    pub(crate) email: String,
    /// The present password, for whoever has one here.
    pub(crate) password: Option<String>,
}
