//! Invitations.

use diesel::prelude::*;
use vestibule_core::{
    Email,
    domain::invitation::Invitation,
    id::{GroupId, InvitationId, UserId},
};

use crate::{
    columns::{Column, instant},
    error::{DbError, DbResult},
    schema::{invitation_groups, invitations},
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = invitations)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct InvitationRow {
    pub(crate) id: Vec<u8>,
    pub(crate) email: String,
    pub(crate) email_key: String,
    pub(crate) invited_by: Option<Vec<u8>>,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}

impl From<&Invitation> for InvitationRow {
    fn from(invitation: &Invitation) -> Self {
        Self {
            id: invitation.id.as_bytes().to_vec(),
            email: invitation.email.as_str().to_owned(),
            email_key: invitation.email.key().to_owned(),
            invited_by: invitation.invited_by.map(|id| id.as_bytes().to_vec()),
            created_at: invitation.created_at.as_micros(),
            expires_at: invitation.expires_at.as_micros(),
        }
    }
}

/// Without its groups, which are rows of their own.
impl TryFrom<InvitationRow> for Invitation {
    type Error = DbError;

    fn try_from(row: InvitationRow) -> DbResult<Self> {
        Ok(Self {
            id: Column("invitations", "id").bytes(&row.id, InvitationId::from_bytes)?,
            email: Email::from_stored(row.email),
            groups: Vec::new(),
            invited_by: Column("invitations", "invited_by")
                .bytes_or_none(row.invited_by.as_deref(), UserId::from_bytes)?,
            created_at: instant(row.created_at),
            expires_at: instant(row.expires_at),
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = invitation_groups)]
pub(crate) struct InvitationGroupRow {
    pub(crate) invitation_id: Vec<u8>,
    pub(crate) group_id: Vec<u8>,
}

impl TryFrom<InvitationGroupRow> for (InvitationId, GroupId) {
    type Error = DbError;

    fn try_from(row: InvitationGroupRow) -> DbResult<Self> {
        let column = |name| Column("invitation_groups", name);
        Ok((
            column("invitation_id").bytes(&row.invitation_id, InvitationId::from_bytes)?,
            column("group_id").bytes(&row.group_id, GroupId::from_bytes)?,
        ))
    }
}
