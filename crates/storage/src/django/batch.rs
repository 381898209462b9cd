//! What is to be written in one transaction.

use std::collections::BTreeMap;

use vestibule_core::{
    domain::{
        grant::Grant,
        group::{Group, GroupName, Membership},
        permission::Permission,
        user::User,
    },
    id::{GroupId, UserId},
    ports::{hasher::PasswordHash, imports::ImportLink},
};

use super::{
    fingerprint::{Fingerprint, Incoming},
    report::Kind,
};

/// What is to be written in one transaction, together with the links that remember it.
#[derive(Default)]
pub(super) struct Batch {
    /// Permissions that are new here or described differently.
    pub(super) permissions: Vec<Permission>,
    pub(super) groups: Vec<Group>,
    pub(super) changed_groups: Vec<ChangedGroup>,
    pub(super) users: Vec<(User, PasswordHash)>,
    pub(super) changed_users: Vec<ChangedUser>,
    pub(super) memberships: Vec<Membership>,
    pub(super) grants: Vec<Grant>,
    /// Links of everything above that is new.
    pub(super) links: Links,
    /// Memberships and grants of users and groups that were here before: somebody here may have
    /// made the same.
    pub(super) perhaps: Vec<Perhaps>,
}

impl Batch {
    /// How many rows it writes.
    pub(super) fn len(&self) -> usize {
        self.permissions.len() + self.links.len() + self.changed_rows()
    }

    /// Whether it may write anything.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows of which only the transaction can tell whether they need writing.
    pub(super) fn changed_rows(&self) -> usize {
        self.changed_groups.len() + self.changed_users.len() + self.perhaps.len()
    }

    /// How many rows it is certain to write; the rest is counted when it is applied.
    pub(super) fn planned_rows(&self) -> u64 {
        (self.permissions.len() + self.links.len()) as u64
    }

    /// Whether it is certain that something is to be written.
    pub(super) fn surely_writes(&self) -> bool {
        self.planned_rows() > 0
    }

    /// Whether it changes what somebody who is here already may do. Accounts and groups that are
    /// new have no rights and no sessions yet.
    pub(super) fn changes_rights(&self) -> bool {
        !self.permissions.is_empty()
            || !self.memberships.is_empty()
            || !self.grants.is_empty()
            || self.changed_rows() > 0
    }
}

/// Links, by their kinds.
#[derive(Default)]
pub(super) struct Links(BTreeMap<&'static str, Vec<ImportLink>>);

impl Links {
    pub(super) fn push(&mut self, kind: &'static str, link: ImportLink) {
        self.0.entry(kind).or_default().push(link);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &[ImportLink])> {
        self.0.iter().map(|(kind, links)| (*kind, &links[..]))
    }

    pub(super) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A user's row that is not as it was at the last import.
pub(super) struct ChangedUser {
    pub(super) id: UserId,
    /// The table and the row's key there, for the report.
    pub(super) table: String,
    pub(super) key: String,
    pub(super) incoming: Incoming,
    pub(super) before: Fingerprint,
    pub(super) after: Fingerprint,
    pub(super) link: ImportLink,
}

/// A group's row that is not as it was at the last import.
pub(super) struct ChangedGroup {
    pub(super) id: GroupId,
    pub(super) name: GroupName,
    pub(super) link: ImportLink,
}

/// Something that may be here already.
pub(super) struct Perhaps {
    pub(super) kind: Kind,
    pub(super) what: What,
    pub(super) link_kind: &'static str,
    pub(super) link: ImportLink,
}

pub(super) enum What {
    Membership(Membership),
    Grant(Grant),
}
