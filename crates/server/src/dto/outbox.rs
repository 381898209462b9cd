//! Mails of the outbox. What they say is not told: nobody reads other people's mail here.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_core::domain::notice::StoredNotice;

/// A mail and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Mail)]
pub(crate) struct MailOut {
    id: uuid::Uuid,
    /// What mail programs know it by, without angle brackets.
    message_id: String,
    to: String,
    /// The account that it is about.
    user: Option<uuid::Uuid>,
    /// What it is about: `reset`, `password_changed`.
    kind: String,
    /// `waiting`, `sent`, `dead` or `expired`.
    state: &'static str,
    /// How often its sending was begun.
    attempts: u32,
    created_at: String,
    /// When it is tried next; null when it is settled.
    due_at: Option<String>,
    /// From when on it is not worth sending.
    expires_at: Option<String>,
    /// When it was sent or given up.
    settled_at: Option<String>,
    /// What the mail server said last, or why it could not be asked.
    reason: String,
}

impl From<StoredNotice> for MailOut {
    fn from(stored: StoredNotice) -> Self {
        let settled_at = stored.settled_at.map(|at| at.to_string());
        Self {
            id: stored.id.as_uuid(),
            message_id: stored.message_id,
            to: stored.recipient.as_str().to_owned(),
            user: stored.user.map(|id| id.as_uuid()),
            kind: stored.kind,
            state: stored.state.as_str(),
            attempts: stored.attempts,
            created_at: stored.created_at.to_string(),
            due_at: settled_at.is_none().then(|| stored.due_at.to_string()),
            expires_at: stored.expires_at.map(|at| at.to_string()),
            settled_at,
            reason: stored.reason,
        }
    }
}

/// Which settled mails are to be removed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PurgeQuery {
    pub(crate) state: Option<String>,
    pub(crate) older_than: Option<String>,
}

/// How many mails it was.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MailCount)]
pub(crate) struct MailCountOut {
    pub(crate) count: u64,
}
