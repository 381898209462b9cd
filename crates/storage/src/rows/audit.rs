//! Audit events.

use diesel::prelude::*;
use vestibule_core::{
    domain::audit::{AuditEvent, StoredAuditEvent},
    id::{AuditId, RequestId, UserId},
};

use crate::{
    columns::{Column, instant},
    error::{DbError, DbResult},
    schema::audit_events,
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_events)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct AuditRow {
    pub(crate) id: Vec<u8>,
    pub(crate) at: i64,
    pub(crate) actor_id: Option<Vec<u8>>,
    pub(crate) actor: String,
    pub(crate) address: String,
    pub(crate) user_agent: String,
    pub(crate) request_id: Vec<u8>,
    pub(crate) action: String,
    pub(crate) target_kind: String,
    pub(crate) target_id: String,
    pub(crate) target: String,
    pub(crate) by_right: String,
    pub(crate) details: String,
}

impl From<&AuditEvent> for AuditRow {
    fn from(event: &AuditEvent) -> Self {
        Self {
            id: event.id.as_bytes().to_vec(),
            at: event.at.as_micros(),
            actor_id: event.actor_id.map(|id| id.as_bytes().to_vec()),
            actor: event.actor.clone(),
            address: event.address.clone(),
            user_agent: event.user_agent.clone(),
            request_id: event.request.as_bytes().to_vec(),
            action: event.action.to_owned(),
            target_kind: event.target_kind.to_owned(),
            target_id: event.target_id.clone(),
            target: event.target.clone(),
            by_right: event.right.clone(),
            details: event.details.to_string(),
        }
    }
}

impl TryFrom<AuditRow> for StoredAuditEvent {
    type Error = DbError;

    fn try_from(row: AuditRow) -> DbResult<Self> {
        Ok(Self {
            id: Column("audit_events", "id").bytes(&row.id, AuditId::from_bytes)?,
            at: instant(row.at),
            actor_id: Column("audit_events", "actor_id")
                .bytes_or_none(row.actor_id.as_deref(), UserId::from_bytes)?,
            actor: row.actor,
            address: row.address,
            user_agent: row.user_agent,
            request: Column("audit_events", "request_id")
                .bytes(&row.request_id, RequestId::from_bytes)?,
            action: row.action,
            target_kind: row.target_kind,
            target_id: row.target_id,
            target: row.target,
            right: row.by_right,
            details: serde_json::from_str(&row.details)
                .map_err(|_| DbError::corrupt("audit_events", "details"))?,
        })
    }
}
