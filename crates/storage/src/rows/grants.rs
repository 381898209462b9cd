//! Grants.

use diesel::prelude::*;
use vestibule_core::{
    domain::{
        grant::{Grant, Scope, Subject},
        object::{ObjectPrefix, ObjectRef},
        permission::PermissionCode,
    },
    id::{GrantId, GroupId, UserId},
};

use crate::{
    columns::{Column, instant, instant_or_none, micros},
    error::{DbError, DbResult},
    schema::grants,
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = grants)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct GrantRow {
    pub(crate) id: Vec<u8>,
    pub(crate) subject_kind: String,
    pub(crate) subject_id: Vec<u8>,
    pub(crate) user_id: Option<Vec<u8>>,
    pub(crate) group_id: Option<Vec<u8>>,
    pub(crate) permission: String,
    pub(crate) effect: String,
    pub(crate) scope_kind: String,
    pub(crate) object_kind: String,
    pub(crate) object_id: String,
    pub(crate) expires_at: Option<i64>,
    pub(crate) granted_by: Option<Vec<u8>>,
    pub(crate) granted_at: i64,
}

/// Word and id of a subject. Those without an id have zeros, which no account or group has.
pub(crate) fn subject_columns(subject: &Subject) -> (&'static str, Vec<u8>) {
    match subject {
        Subject::User(id) => ("user", id.as_bytes().to_vec()),
        Subject::Group(id) => ("group", id.as_bytes().to_vec()),
        Subject::Authenticated => ("authenticated", vec![0; 16]),
    }
}

/// Word, kind and id or path of a scope.
pub(crate) fn scope_columns(scope: &Scope) -> (&'static str, &str, &str) {
    match scope {
        Scope::Whole => ("whole", "", ""),
        Scope::Object(object) => ("object", object.kind.as_str(), &object.id),
        Scope::Prefix(prefix) => ("prefix", prefix.kind.as_str(), &prefix.path),
    }
}

impl From<&Grant> for GrantRow {
    fn from(grant: &Grant) -> Self {
        let (subject_kind, subject_id) = subject_columns(&grant.subject);
        let (scope_kind, object_kind, object_id) = scope_columns(&grant.scope);
        let (user_id, group_id) = match grant.subject {
            Subject::User(_) => (Some(subject_id.clone()), None),
            Subject::Group(_) => (None, Some(subject_id.clone())),
            Subject::Authenticated => (None, None),
        };
        Self {
            id: grant.id.as_bytes().to_vec(),
            subject_kind: subject_kind.to_owned(),
            subject_id,
            user_id,
            group_id,
            permission: grant.permission.as_str().to_owned(),
            effect: grant.effect.as_str().to_owned(),
            scope_kind: scope_kind.to_owned(),
            object_kind: object_kind.to_owned(),
            object_id: object_id.to_owned(),
            expires_at: micros(grant.expires_at),
            granted_by: grant.granted_by.map(|id| id.as_bytes().to_vec()),
            granted_at: grant.granted_at.as_micros(),
        }
    }
}

impl GrantRow {
    fn subject(&self) -> DbResult<Subject> {
        let user = Column("grants", "user_id")
            .bytes_or_none(self.user_id.as_deref(), UserId::from_bytes)?;
        let group = Column("grants", "group_id")
            .bytes_or_none(self.group_id.as_deref(), GroupId::from_bytes)?;
        let subject = match (self.subject_kind.as_str(), user, group) {
            ("user", Some(id), None) => Subject::User(id),
            ("group", None, Some(id)) => Subject::Group(id),
            ("authenticated", None, None) => Subject::Authenticated,
            _ => return Err(DbError::corrupt("grants", "subject_kind")),
        };
        if subject_columns(&subject).1 == self.subject_id {
            Ok(subject)
        } else {
            Err(DbError::corrupt("grants", "subject_id"))
        }
    }
}

impl TryFrom<GrantRow> for Grant {
    type Error = DbError;

    fn try_from(row: GrantRow) -> DbResult<Self> {
        let subject = row.subject()?;
        let scope = match row.scope_kind.as_str() {
            "whole" => Scope::Whole,
            "object" => Scope::Object(ObjectRef::from_stored(row.object_kind, row.object_id)),
            "prefix" => Scope::Prefix(ObjectPrefix::from_stored(row.object_kind, row.object_id)),
            _ => return Err(DbError::corrupt("grants", "scope_kind")),
        };
        Ok(Self {
            id: Column("grants", "id").bytes(&row.id, GrantId::from_bytes)?,
            subject,
            permission: PermissionCode::from_stored(row.permission),
            effect: Column("grants", "effect").word(&row.effect)?,
            scope,
            expires_at: instant_or_none(row.expires_at),
            granted_by: Column("grants", "granted_by")
                .bytes_or_none(row.granted_by.as_deref(), UserId::from_bytes)?,
            granted_at: instant(row.granted_at),
        })
    }
}
