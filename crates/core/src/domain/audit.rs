//! Audit events: who did what to whom, from where, when and by what right.

use serde_json::Value;

use crate::{
    id::{AuditId, RequestId, UserId},
    time::Timestamp,
};

/// What happened, as it is kept. No field ever holds a secret.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// The event's id; ordered by time.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Which account acted; none for the command line, jobs and strangers.
    pub actor_id: Option<UserId>,
    /// The actor's name at that time: a username, `command line`, `anonymous`.
    pub actor: String,
    /// The client's address, where there was one.
    pub address: String,
    /// The client's description of itself, cut at 300 characters.
    pub user_agent: String,
    /// The request it happened in, to find it in the log.
    pub request: RequestId,
    /// A stable name: `login.succeeded`, `group.member_added`.
    pub action: &'static str,
    /// What kind of thing it was done to: `user`, `group`, `session`.
    pub target_kind: &'static str,
    /// Its id; empty where there is none.
    pub target_id: String,
    /// Its name at that time.
    pub target: String,
    /// By what right it was done, or why it was refused.
    pub right: String,
    /// Particulars by name.
    pub details: Value,
}

/// An audit event read back: its names may be of releases past.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAuditEvent {
    /// As in [`AuditEvent::id`].
    pub id: AuditId,
    /// As in [`AuditEvent::at`].
    pub at: Timestamp,
    /// As in [`AuditEvent::actor_id`].
    pub actor_id: Option<UserId>,
    /// As in [`AuditEvent::actor`].
    pub actor: String,
    /// As in [`AuditEvent::address`].
    pub address: String,
    /// As in [`AuditEvent::user_agent`].
    pub user_agent: String,
    /// As in [`AuditEvent::request`].
    pub request: RequestId,
    /// As in [`AuditEvent::action`].
    pub action: String,
    /// As in [`AuditEvent::target_kind`].
    pub target_kind: String,
    /// As in [`AuditEvent::target_id`].
    pub target_id: String,
    /// As in [`AuditEvent::target`].
    pub target: String,
    /// As in [`AuditEvent::right`].
    pub right: String,
    /// As in [`AuditEvent::details`].
    pub details: Value,
}
