//! The permissions that Vestibule itself asks for: who may administer accounts, groups, grants.

use super::permission::{Permission, PermissionCode};
use crate::time::Timestamp;

/// The service under which Vestibule registers its own permissions.
pub const SERVICE: &str = "vestibule";

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $description:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $code;)*
        const ALL: &[(&str, &str)] = &[$(($name, $description)),*];
    };
}

rights! {
    /// See accounts.
    VIEW_USER = "vestibule.view_user", "See accounts";
    /// Make accounts.
    ADD_USER = "vestibule.add_user", "Make accounts";
    /// Invite people by mail.
    INVITE_USER = "vestibule.invite_user", "Invite people by mail";
    /// Change accounts, disable and enable them.
    CHANGE_USER = "vestibule.change_user", "Change, disable and enable accounts";
    /// Remove accounts.
    DELETE_USER = "vestibule.delete_user", "Remove accounts";
    /// Set other people's passwords.
    SET_PASSWORD = "vestibule.set_password", "Set other people's passwords";
    /// See groups and their members.
    VIEW_GROUP = "vestibule.view_group", "See groups and their members";
    /// Make groups.
    ADD_GROUP = "vestibule.add_group", "Make groups";
    /// Change groups, their members and what they contain.
    CHANGE_GROUP = "vestibule.change_group", "Change groups and who is in them";
    /// Remove groups.
    DELETE_GROUP = "vestibule.delete_group", "Remove groups";
    /// Register and remove permissions.
    REGISTER_PERMISSION = "vestibule.register_permission", "Register and remove permissions";
    /// See grants.
    VIEW_GRANT = "vestibule.view_grant", "See who was granted what";
    /// Make and take back grants, within what one holds.
    CHANGE_GRANT = "vestibule.change_grant", "Make and take back grants within the own rights";
    /// See what is known of every object.
    VIEW_OBJECT = "vestibule.view_object", "See owner, group, level and shares of every object";
    /// Change owner, group, level and shares of every object.
    CHANGE_OBJECT = "vestibule.change_object", "Change owner, group, level and shares of objects";
    /// See everybody's sessions.
    VIEW_SESSION = "vestibule.view_session", "See everybody's sessions";
    /// End everybody's sessions.
    END_SESSION = "vestibule.end_session", "End everybody's sessions";
    /// Read the audit log.
    VIEW_AUDIT = "vestibule.view_audit", "Read the audit log";
    /// See the outbox.
    VIEW_OUTBOX = "vestibule.view_outbox", "See which mails wait, were sent or given up";
    /// Send mails again and remove them.
    CHANGE_OUTBOX = "vestibule.change_outbox", "Send mails of the outbox again, and remove them";
    /// Tell many people something by mail.
    SEND_ANNOUNCEMENT = "vestibule.send_announcement", "Mail everybody, groups or holders of a permission";
    /// Ask what somebody else may do.
    CHECK_ACCESS = "vestibule.check_access", "Ask what somebody else may do";
}

/// All of them, as they are registered.
pub fn all(now: Timestamp) -> impl Iterator<Item = Permission> {
    ALL.iter().map(move |(code, description)| Permission {
        code: PermissionCode::from_stored((*code).to_owned()),
        description: (*description).to_owned(),
        service: SERVICE.to_owned(),
        on: None,
        registered_at: now,
    })
}
