//! Registered permissions and the delete rules of kinds of objects.

use diesel::prelude::*;
use vestibule_core::domain::{
    object::{DeleteRule, ObjectType},
    permission::{Permission, PermissionCode},
};

use crate::{
    columns::{Column, instant},
    error::{DbError, DbResult},
    schema::{delete_rules, permissions},
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = permissions)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct PermissionRow {
    pub(crate) code: String,
    pub(crate) description: String,
    pub(crate) service: String,
    pub(crate) object_kind: Option<String>,
    pub(crate) object_action: Option<String>,
    pub(crate) registered_at: i64,
}

impl From<&Permission> for PermissionRow {
    fn from(permission: &Permission) -> Self {
        let on = permission.on.as_ref();
        Self {
            code: permission.code.as_str().to_owned(),
            description: permission.description.clone(),
            service: permission.service.clone(),
            object_kind: on.map(|(kind, _)| kind.as_str().to_owned()),
            object_action: on.map(|(_, action)| action.as_str().to_owned()),
            registered_at: permission.registered_at.as_micros(),
        }
    }
}

impl TryFrom<PermissionRow> for Permission {
    type Error = DbError;

    fn try_from(row: PermissionRow) -> DbResult<Self> {
        let on = match (row.object_kind, row.object_action) {
            (None, None) => None,
            (Some(kind), Some(action)) => {
                let action = Column("permissions", "object_action").word(&action)?;
                Some((ObjectType::from_stored(kind), action))
            }
            _ => return Err(DbError::corrupt("permissions", "object_action")),
        };
        Ok(Self {
            code: PermissionCode::from_stored(row.code),
            description: row.description,
            service: row.service,
            on,
            registered_at: instant(row.registered_at),
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = delete_rules)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct DeleteRuleRow {
    pub(crate) object_kind: String,
    pub(crate) delete_rule: String,
}

impl TryFrom<DeleteRuleRow> for (ObjectType, DeleteRule) {
    type Error = DbError;

    fn try_from(row: DeleteRuleRow) -> DbResult<Self> {
        let rule = Column("delete_rules", "delete_rule").word(&row.delete_rule)?;
        Ok((ObjectType::from_stored(row.object_kind), rule))
    }
}
