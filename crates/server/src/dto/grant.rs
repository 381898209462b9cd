//! Grants and denials.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_core::{
    domain::{
        grant::{Effect, Grant, Scope, Subject},
        object::{ObjectPrefix, ObjectRef},
        permission::PermissionCode,
    },
    usecase::{error::AdminError, grants::NewGrant},
};

use super::{id, optional_time};
use crate::problem::Problem;

/// A grant or a denial.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Grant)]
pub(crate) struct GrantOut {
    id: uuid::Uuid,
    /// The user it is made to; or `group`, or `authenticated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<uuid::Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<uuid::Uuid>,
    /// Made to everybody who is logged in.
    authenticated: bool,
    permission: String,
    /// `allow` or `deny`.
    effect: &'static str,
    /// `type:id`, where it holds on one object.
    object: Option<String>,
    /// `type:/path/`, where it holds on everything below a path.
    prefix: Option<String>,
    expires_at: Option<String>,
    granted_by: Option<uuid::Uuid>,
    granted_at: String,
}

impl From<Grant> for GrantOut {
    fn from(grant: Grant) -> Self {
        let (user, group) = match grant.subject {
            Subject::User(user) => (Some(user.as_uuid()), None),
            Subject::Group(group) => (None, Some(group.as_uuid())),
            Subject::Authenticated => (None, None),
        };
        let (object, prefix) = match grant.scope {
            Scope::Whole => (None, None),
            Scope::Object(object) => (Some(object.to_string()), None),
            Scope::Prefix(prefix) => (None, Some(format!("{}:{}", prefix.kind, prefix.path))),
        };
        Self {
            id: grant.id.as_uuid(),
            user,
            group,
            authenticated: grant.subject == Subject::Authenticated,
            permission: grant.permission.to_string(),
            effect: grant.effect.as_str(),
            object,
            prefix,
            expires_at: grant.expires_at.map(|end| end.to_string()),
            granted_by: grant.granted_by.map(|user| user.as_uuid()),
            granted_at: grant.granted_at.to_string(),
        }
    }
}

/// Whom a grant is made to: exactly one of the three.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct SubjectIn {
    pub(crate) user: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) authenticated: Option<bool>,
}

impl SubjectIn {
    pub(crate) fn parse(&self) -> Result<Subject, Problem> {
        match (&self.user, &self.group, self.authenticated.unwrap_or(false)) {
            (Some(user), None, false) => Ok(Subject::User(id("user", user)?)),
            (None, Some(group), false) => Ok(Subject::Group(id("group", group)?)),
            (None, None, true) => Ok(Subject::Authenticated),
            _ => {
                let detail = "name exactly one of user, group and authenticated";
                Err(Problem::malformed_field("user", detail))
            }
        }
    }
}

/// A grant or a denial that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewGrant)]
pub(crate) struct GrantIn {
    user: Option<String>,
    group: Option<String>,
    authenticated: Option<bool>,
    permission: String,
    /// `allow`, when not said.
    effect: Option<String>,
    /// `type:id`, to have it hold on one object.
    object: Option<String>,
    /// `type:/path/`, to have it hold on everything below a path.
    prefix: Option<String>,
    expires_at: Option<String>,
}

impl GrantIn {
    pub(crate) fn parse(self) -> Result<NewGrant, Problem> {
        let subject =
            SubjectIn { user: self.user, group: self.group, authenticated: self.authenticated };
        let effect = self.effect.as_deref().unwrap_or("allow").parse::<Effect>();
        Ok(NewGrant {
            subject: subject.parse()?,
            permission: PermissionCode::parse(&self.permission).map_err(AdminError::from)?,
            effect: effect.map_err(|e| Problem::malformed_field("effect", e.to_string()))?,
            scope: scope(self.object.as_deref(), self.prefix.as_deref())?,
            expires_at: optional_time("expires_at", self.expires_at.as_ref())?,
        })
    }
}

fn scope(object: Option<&str>, prefix: Option<&str>) -> Result<Scope, Problem> {
    match (object, prefix) {
        (None, None) => Ok(Scope::Whole),
        (Some(object), None) => {
            Ok(Scope::Object(ObjectRef::parse(object).map_err(AdminError::from)?))
        }
        (None, Some(prefix)) => {
            let malformed = || Problem::malformed_field("prefix", "is not of the form type:/path/");
            let (kind, path) = prefix.split_once(':').ok_or_else(malformed)?;
            Ok(Scope::Prefix(ObjectPrefix::new(kind, path).map_err(AdminError::from)?))
        }
        (Some(_), Some(_)) => {
            Err(Problem::malformed_field("prefix", "goes without object, and object without it"))
        }
    }
}
