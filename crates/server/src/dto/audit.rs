//! Audit events.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use vestibule_core::domain::audit::StoredAuditEvent;

/// Who did what to whom, from where, when and by what right.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEvent)]
pub(crate) struct AuditOut {
    id: uuid::Uuid,
    at: String,
    actor_id: Option<uuid::Uuid>,
    actor: String,
    address: String,
    user_agent: String,
    request_id: uuid::Uuid,
    action: String,
    target_kind: String,
    target_id: String,
    target: String,
    right: String,
    #[schema(value_type = Object)]
    details: Value,
}

impl From<StoredAuditEvent> for AuditOut {
    fn from(event: StoredAuditEvent) -> Self {
        Self {
            id: event.id.as_uuid(),
            at: event.at.to_string(),
            actor_id: event.actor_id.map(|id| id.as_uuid()),
            actor: event.actor,
            address: event.address,
            user_agent: event.user_agent,
            request_id: event.request.as_uuid(),
            action: event.action,
            target_kind: event.target_kind,
            target_id: event.target_id,
            target: event.target,
            right: event.right,
            details: event.details,
        }
    }
}
