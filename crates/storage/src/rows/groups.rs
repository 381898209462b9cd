//! Groups, memberships and nestings.

use diesel::prelude::*;
use vestibule_core::{
    domain::group::{Group, GroupName, Membership, Nesting},
    id::{GroupId, UserId},
};

use crate::{
    columns::{Column, instant, instant_or_none, micros},
    error::{DbError, DbResult},
    schema::{groups, memberships, nestings},
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = groups)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct GroupRow {
    pub(crate) id: Vec<u8>,
    pub(crate) name: String,
    pub(crate) name_key: String,
    pub(crate) description: String,
    pub(crate) level: String,
    pub(crate) created_at: i64,
}

impl From<&Group> for GroupRow {
    fn from(group: &Group) -> Self {
        Self {
            id: group.id.as_bytes().to_vec(),
            name: group.name.as_str().to_owned(),
            name_key: group.name.key().to_owned(),
            description: group.description.clone(),
            level: group.level.as_str().to_owned(),
            created_at: group.created_at.as_micros(),
        }
    }
}

impl TryFrom<GroupRow> for Group {
    type Error = DbError;

    fn try_from(row: GroupRow) -> DbResult<Self> {
        Ok(Self {
            id: Column("groups", "id").bytes(&row.id, GroupId::from_bytes)?,
            name: GroupName::from_stored(row.name, row.name_key),
            description: row.description,
            level: Column("groups", "level").word(&row.level)?,
            created_at: instant(row.created_at),
        })
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = memberships, primary_key(group_id, user_id))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct MembershipRow {
    pub(crate) group_id: Vec<u8>,
    pub(crate) user_id: Vec<u8>,
    pub(crate) is_manager: bool,
    pub(crate) expires_at: Option<i64>,
    pub(crate) since: i64,
}

impl From<&Membership> for MembershipRow {
    fn from(membership: &Membership) -> Self {
        Self {
            group_id: membership.group.as_bytes().to_vec(),
            user_id: membership.user.as_bytes().to_vec(),
            is_manager: membership.is_manager,
            expires_at: micros(membership.expires_at),
            since: membership.since.as_micros(),
        }
    }
}

impl TryFrom<MembershipRow> for Membership {
    type Error = DbError;

    fn try_from(row: MembershipRow) -> DbResult<Self> {
        Ok(Self {
            group: Column("memberships", "group_id").bytes(&row.group_id, GroupId::from_bytes)?,
            user: Column("memberships", "user_id").bytes(&row.user_id, UserId::from_bytes)?,
            is_manager: row.is_manager,
            expires_at: instant_or_none(row.expires_at),
            since: instant(row.since),
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = nestings)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct NestingRow {
    pub(crate) parent_id: Vec<u8>,
    pub(crate) child_id: Vec<u8>,
}

impl From<Nesting> for NestingRow {
    fn from(nesting: Nesting) -> Self {
        Self {
            parent_id: nesting.parent.as_bytes().to_vec(),
            child_id: nesting.child.as_bytes().to_vec(),
        }
    }
}

impl TryFrom<NestingRow> for Nesting {
    type Error = DbError;

    fn try_from(row: NestingRow) -> DbResult<Self> {
        Ok(Self {
            parent: Column("nestings", "parent_id").bytes(&row.parent_id, GroupId::from_bytes)?,
            child: Column("nestings", "child_id").bytes(&row.child_id, GroupId::from_bytes)?,
        })
    }
}
