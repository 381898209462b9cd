//! Grants: that somebody may, or must not, do something somewhere.

use super::{
    level::{UnknownWord, words},
    object::{ObjectPrefix, ObjectRef},
    permission::PermissionCode,
};
use crate::{
    id::{GrantId, GroupId, UserId},
    time::Timestamp,
};
use std::{fmt, str::FromStr};

/// Whom a grant is made to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// One user.
    User(UserId),
    /// The members of a group and of the groups in it.
    Group(GroupId),
    /// Everybody who is logged in.
    Authenticated,
}

/// Whether a grant allows or denies. A denial wins over every allowance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// The subject may.
    Allow,
    /// The subject may not, whatever else allows it.
    Deny,
}

words!(Effect: Allow = "allow", Deny = "deny"; "allow, deny");

/// Where a grant holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everywhere: the permission as a whole, every object included.
    Whole,
    /// On one object.
    Object(ObjectRef),
    /// On every object below a path.
    Prefix(ObjectPrefix),
}

impl Scope {
    /// Whether a question about this object (or none) falls under it.
    pub fn covers(&self, object: Option<&ObjectRef>) -> bool {
        match (self, object) {
            (Self::Whole, _) => true,
            (Self::Object(own), Some(asked)) => own == asked,
            (Self::Prefix(prefix), Some(asked)) => prefix.covers(asked),
            (_, None) => false,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("everywhere"),
            Self::Object(object) => object.fmt(f),
            Self::Prefix(prefix) => prefix.fmt(f),
        }
    }
}

/// That a subject may, or must not, use a permission within a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The grant's id.
    pub id: GrantId,
    /// Whom it is made to.
    pub subject: Subject,
    /// What it is about.
    pub permission: PermissionCode,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// Where it holds.
    pub scope: Scope,
    /// From when on it does not count any more.
    pub expires_at: Option<Timestamp>,
    /// Who made it; nobody, when it came from an import or the command line.
    pub granted_by: Option<UserId>,
    /// When it was made.
    pub granted_at: Timestamp,
}

impl Grant {
    /// Whether it counts at this instant.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}
