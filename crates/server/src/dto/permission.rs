//! Registered permissions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_core::{
    domain::{level::Action, permission::Permission},
    usecase::permissions::Registration,
};

use crate::problem::Problem;

/// A registered permission.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Permission)]
pub(crate) struct PermissionOut {
    code: String,
    description: String,
    service: String,
    /// The kind of object that sharing levels apply to, if they do.
    object_type: Option<String>,
    /// What it does to such an object: `view`, `annotate`, `edit`, `delete` or `manage`.
    action: Option<&'static str>,
}

impl From<Permission> for PermissionOut {
    fn from(permission: Permission) -> Self {
        let (object_type, action) = permission.on.unzip();
        Self {
            code: permission.code.to_string(),
            description: permission.description,
            service: permission.service,
            object_type: object_type.map(|kind| kind.to_string()),
            action: action.map(Action::as_str),
        }
    }
}

/// What a service checks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PermissionRegistration)]
pub(crate) struct RegistrationIn {
    /// The name of the service.
    pub(crate) service: String,
    pub(crate) permissions: Vec<PermissionIn>,
    /// Who may delete objects of a kind, by kind: `by-level` or `owner-only`.
    #[serde(default)]
    pub(crate) delete_rules: std::collections::BTreeMap<String, String>,
}

/// One permission of a service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPermission)]
pub(crate) struct PermissionIn {
    code: String,
    description: String,
    object_type: Option<String>,
    action: Option<String>,
}

impl PermissionIn {
    pub(crate) fn parse(self) -> Result<Registration, Problem> {
        let on = match (self.object_type, self.action) {
            (Some(kind), Some(action)) => {
                let action = action
                    .parse()
                    .map_err(|error| Problem::malformed_field("action", format!("{error}")))?;
                Some((kind, action))
            }
            (None, None) => None,
            _ => {
                let detail = "object_type and action go together";
                return Err(Problem::malformed_field("action", detail));
            }
        };
        Ok(Registration { code: self.code, description: self.description, on })
    }
}
