//! Audit events from the context they happen in.

use serde_json::Value;

use crate::{
    cx::OpCx,
    domain::{
        audit::{ACTIONS, AuditEvent},
        group::Group,
        user::User,
    },
    id::AuditId,
    ports::{audit::AuditRepo, store::StoreResult},
    time::Timestamp,
};

/// What an operation was done to.
pub(crate) struct Target {
    kind: &'static str,
    id: String,
    name: String,
}

impl Target {
    #[expect(clippy::needless_pass_by_value, reason = "ids and names of any kind, by the dozen")]
    pub(crate) fn new(kind: &'static str, id: impl ToString, name: impl ToString) -> Self {
        Self { kind, id: id.to_string(), name: name.to_string() }
    }

    pub(crate) fn user(user: &User) -> Self {
        Self::new("user", user.id, &user.username)
    }

    pub(crate) fn group(group: &Group) -> Self {
        Self::new("group", group.id, &group.name)
    }
}

/// Writes the event into the transaction of what it tells of.
pub(crate) fn record(
    tx: &mut (impl AuditRepo + ?Sized),
    cx: &OpCx,
    action: &'static str,
    target: Target,
    right: impl AsRef<str>,
    details: Value,
) -> StoreResult<()> {
    record_at(tx, cx, cx.now(), action, target, right, details)
}

/// The same of what happened before.
pub(crate) fn record_at(
    tx: &mut (impl AuditRepo + ?Sized),
    cx: &OpCx,
    at: Timestamp,
    action: &'static str,
    target: Target,
    right: impl AsRef<str>,
    details: Value,
) -> StoreResult<()> {
    debug_assert!(ACTIONS.iter().any(|(known, _)| *known == action), "{action} is not listed");
    tx.insert_audit(&AuditEvent {
        id: AuditId::generate(at, cx.entropy()),
        at,
        actor_id: cx.actor.user_id(),
        actor: cx.actor.name().to_owned(),
        address: cx.client.address.clone(),
        user_agent: cx.client.user_agent.chars().take(300).collect(),
        request: cx.request,
        action,
        target_kind: target.kind,
        target_id: target.id,
        target: target.name,
        right: right.as_ref().to_owned(),
        details,
    })
}
