//! Identities from elsewhere.

use diesel::prelude::*;
use vestibule_core::{domain::identity::Identity, id::UserId};

use crate::{
    columns::{Column, instant, instant_or_none, micros},
    error::{DbError, DbResult},
    schema::identities,
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = identities)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct IdentityRow {
    pub(crate) backend: String,
    pub(crate) subject: String,
    pub(crate) user_id: Vec<u8>,
    pub(crate) linked_at: i64,
    pub(crate) used_at: i64,
    pub(crate) groups_at: Option<i64>,
}

impl From<&Identity> for IdentityRow {
    fn from(identity: &Identity) -> Self {
        Self {
            backend: identity.backend.to_string(),
            subject: identity.subject.to_string(),
            user_id: identity.user.as_bytes().to_vec(),
            linked_at: identity.linked_at.as_micros(),
            used_at: identity.used_at.as_micros(),
            groups_at: micros(identity.groups_at),
        }
    }
}

impl TryFrom<IdentityRow> for Identity {
    type Error = DbError;

    fn try_from(row: IdentityRow) -> DbResult<Self> {
        Ok(Self {
            backend: Column("identities", "backend").word(&row.backend)?,
            subject: Column("identities", "subject").word(&row.subject)?,
            user: Column("identities", "user_id").bytes(&row.user_id, UserId::from_bytes)?,
            linked_at: instant(row.linked_at),
            used_at: instant(row.used_at),
            groups_at: instant_or_none(row.groups_at),
        })
    }
}
