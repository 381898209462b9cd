//! Objects, whose they are and with whom they are shared.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_core::{
    domain::{level::Level, object::Object, permission::PermissionCode},
    usecase::{
        error::AdminError,
        sharing::{NewShare, ObjectPatch, Shared},
    },
};

use super::{
    grant::{GrantOut, SubjectIn},
    group::level,
    id, nullable, optional_time,
};
use crate::problem::Problem;

/// An object.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Object)]
pub(crate) struct ObjectOut {
    /// `type:id`.
    object: String,
    owner: uuid::Uuid,
    group: Option<uuid::Uuid>,
    /// Its own level; without one its group's counts.
    level: Option<&'static str>,
    created_at: String,
}

impl From<Object> for ObjectOut {
    fn from(object: Object) -> Self {
        Self {
            object: object.object.to_string(),
            owner: object.owner.as_uuid(),
            group: object.group.map(|group| group.as_uuid()),
            level: object.level.map(Level::as_str),
            created_at: object.created_at.to_string(),
        }
    }
}

/// An object with whom it is shared with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SharedObject)]
pub(crate) struct SharedOut {
    #[serde(flatten)]
    object: ObjectOut,
    owner_name: Option<String>,
    group_name: Option<String>,
    shares: Vec<GrantOut>,
}

impl From<Shared> for SharedOut {
    fn from(shared: Shared) -> Self {
        Self {
            object: shared.object.into(),
            owner_name: shared.owner.map(|owner| owner.username.to_string()),
            group_name: shared.group.map(|group| group.name.to_string()),
            shares: shared.shares.into_iter().map(GrantOut::from).collect(),
        }
    }
}

/// What is to be kept about an object; what is not said stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ObjectPatch)]
pub(crate) struct ObjectIn {
    owner: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    group: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    level: Option<Option<String>>,
}

impl ObjectIn {
    pub(crate) fn parse(self) -> Result<ObjectPatch, Problem> {
        Ok(ObjectPatch {
            owner: self.owner.map(|owner| id("owner", &owner)).transpose()?,
            group: match self.group {
                Some(Some(group)) => Some(Some(id("group", &group)?)),
                Some(None) => Some(None),
                None => None,
            },
            level: match self.level {
                Some(Some(text)) => Some(Some(level(&text)?)),
                Some(None) => Some(None),
                None => None,
            },
        })
    }
}

/// A share that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewShare)]
pub(crate) struct ShareIn {
    user: Option<String>,
    group: Option<String>,
    authenticated: Option<bool>,
    permission: String,
    expires_at: Option<String>,
}

impl ShareIn {
    pub(crate) fn parse(self) -> Result<NewShare, Problem> {
        let subject =
            SubjectIn { user: self.user, group: self.group, authenticated: self.authenticated };
        Ok(NewShare {
            subject: subject.parse()?,
            permission: PermissionCode::parse(&self.permission).map_err(AdminError::from)?,
            expires_at: optional_time("expires_at", self.expires_at.as_ref())?,
        })
    }
}
