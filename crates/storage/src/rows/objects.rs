//! Objects.

use diesel::prelude::*;
use vestibule_core::{
    domain::object::{Object, ObjectRef},
    id::{GroupId, UserId},
};

use crate::{
    columns::{Column, instant},
    error::{DbError, DbResult},
    schema::objects,
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = objects)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct ObjectRow {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) owner_id: Vec<u8>,
    pub(crate) group_id: Option<Vec<u8>>,
    pub(crate) level: Option<String>,
    pub(crate) created_at: i64,
}

impl From<&Object> for ObjectRow {
    fn from(object: &Object) -> Self {
        Self {
            kind: object.object.kind.as_str().to_owned(),
            id: object.object.id.to_string(),
            owner_id: object.owner.as_bytes().to_vec(),
            group_id: object.group.map(|id| id.as_bytes().to_vec()),
            level: object.level.map(|level| level.as_str().to_owned()),
            created_at: object.created_at.as_micros(),
        }
    }
}

impl TryFrom<ObjectRow> for Object {
    type Error = DbError;

    fn try_from(row: ObjectRow) -> DbResult<Self> {
        let level = row.level.as_deref();
        Ok(Self {
            object: ObjectRef::from_stored(row.kind, row.id),
            owner: Column("objects", "owner_id").bytes(&row.owner_id, UserId::from_bytes)?,
            group: Column("objects", "group_id")
                .bytes_or_none(row.group_id.as_deref(), GroupId::from_bytes)?,
            level: level.map(|word| Column("objects", "level").word(word)).transpose()?,
            created_at: instant(row.created_at),
        })
    }
}
