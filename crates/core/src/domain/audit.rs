//! Audit events: who did what to whom, from where, when and by what right.

use serde_json::Value;

use crate::{
    id::{AuditId, RequestId, UserId},
    time::Timestamp,
};

/// Every name that an event can have, with what it tells. Names stay what they are: filters and
/// alarms are written against them.
pub const ACTIONS: &[(&str, &str)] = &[
    ("login.succeeded", "somebody logged in and a session was opened"),
    ("login.failed", "a login was refused; the reason stands in `right`"),
    ("login.undecided", "a login could not be decided, since a backend could not answer"),
    ("login.program", "a program brought a name and a password that are right (HTTP Basic)"),
    ("login.throttled", "an account failed so often that it listens no more for a while"),
    ("login.flood", "failed logins come in a flood, all over the site"),
    ("logout", "somebody ended the session they were in"),
    ("session.replaced", "a login in the same browser ended the session before it"),
    ("session.displaced", "one login too many ended the oldest session"),
    ("session.renewed", "a session went on under a new token"),
    ("session.ended", "one session was ended"),
    ("session.all_ended", "all sessions of a user were ended"),
    ("user.added", "an account was made"),
    ("user.changed", "an account was changed; what, from what to what, stands in `details`"),
    ("user.deleted", "an account was removed"),
    ("user.password_changed", "somebody changed their own password"),
    ("user.password_change_failed", "the old password that was given for that was wrong"),
    ("user.password_set", "somebody's password was set by somebody else"),
    ("user.password_removed", "somebody's password was taken away"),
    (
        "user.converted",
        "an account is entered by a backend, or by a password here, instead of the other",
    ),
    ("user.reset_requested", "a link was asked for that sets somebody's password"),
    ("user.password_reset", "somebody set another password by a link"),
    ("user.email_change_requested", "somebody asked for another mail address of their own"),
    ("user.email_changed", "somebody's mail address is another one now, confirmed by a link"),
    ("registration.requested", "a stranger registered; what became of it stands in `right`"),
    (
        "registration.confirmed",
        "the link of a registration was used: its account was made, or waits for an administrator",
    ),
    ("registration.approved", "an administrator made the account of a registration"),
    ("registration.refused", "an administrator refused a registration"),
    ("invitation.sent", "somebody was invited by mail"),
    ("invitation.resent", "the mail of an invitation was sent once more"),
    ("invitation.withdrawn", "an invitation was taken back"),
    ("invitation.accepted", "somebody came in by an invitation"),
    ("invitation.declined", "whoever was invited does not want to come in"),
    ("identity.withdrawn", "a backend does not stand by somebody any more"),
    ("identity.linked", "somebody's identity elsewhere was linked to an account"),
    ("identity.unlinked", "such a link was ended"),
    ("group.added", "a group was made"),
    ("group.changed", "a group was changed"),
    ("group.deleted", "a group was removed"),
    ("group.member_added", "somebody was put into a group"),
    ("group.member_changed", "a membership was changed"),
    ("group.member_removed", "somebody was taken out of a group"),
    ("group.nested", "a group was put into another"),
    ("group.unnested", "a group was taken out of another"),
    ("permission.registered", "a service told of a permission"),
    ("permission.removed", "a permission and all grants of it were removed"),
    ("grant.added", "a permission was granted"),
    ("grant.denied", "a permission was denied"),
    ("grant.renewed", "a grant was given another end"),
    ("grant.removed", "a grant or a denial was taken back"),
    ("object.added", "a service told of an object"),
    ("object.changed", "whose an object is, or who sees it, was changed"),
    ("object.deleted", "an object and all grants on it were forgotten"),
    (
        "mail.over_budget",
        "strangers asked for more mail than the whole site sends (`limits.mail_per_site`); told once",
    ),
    ("mail.given_up", "a mail could not be delivered; why stands in `right`"),
    ("request.failed", "a handler failed; where stands in `target`, the code in `right`"),
    ("announcement.sent", "somebody told many people something by mail; whom stands in `details`"),
    ("announcement.cancelled", "somebody took back what still waited of such an announcement"),
    ("outbox.retried", "somebody had mails sent again"),
    ("outbox.purged", "somebody removed mails from the outbox"),
    ("import.django", "rows were taken over from a Django site"),
];

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
    /// A stable name, one of [`ACTIONS`].
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
