//! Permissions of groups and of users, as a whole.

use std::collections::HashSet;

use vestibule_core::{
    domain::grant::{Effect, Grant, Scope, Subject as GrantSubject},
    ports::imports::ImportLink,
};

use super::{
    Halt, KEY_ONLY, PlannedPermission, Planner, Subject, Wrong, key::RowKey, left_out, link_kind,
    present, referred, values::text,
};
use crate::django::{
    batch::{Perhaps, What},
    fingerprint,
    report::Kind,
    source::{RawRow, Source},
};

/// A table that gives permissions, and to whom.
pub(super) struct Giving {
    pub(super) kind: Kind,
    pub(super) table: String,
    /// The column that names the user or group.
    pub(super) subject: String,
    pub(super) to_groups: bool,
}

impl Planner<'_> {
    pub(super) fn plan_grants(&mut self, source: &mut Source) -> Result<(), Halt> {
        let (table, subject) = self.found.user_permissions.clone();
        let givings = [
            Giving {
                kind: Kind::Grants,
                table: "auth_group_permissions".to_owned(),
                subject: "group_id".to_owned(),
                to_groups: true,
            },
            Giving { kind: Kind::Grants, table, subject, to_groups: false },
        ];
        let mut total = 0;
        for giving in &givings {
            total += source.count(&giving.table)?;
        }
        self.begin(Kind::Grants, total)?;
        for giving in &givings {
            let mut seen = HashSet::new();
            let columns = ["id", &giving.subject, "permission_id"];
            source.rows(&giving.table, &columns, |row| {
                if let Err(wrong) = self.plan_grant(&row, giving, &mut seen) {
                    self.leave_grant_out(&row, giving, wrong);
                }
                self.row_done()
            })?;
        }
        self.end()
    }

    fn plan_grant(
        &mut self,
        row: &RawRow,
        giving: &Giving,
        seen: &mut HashSet<String>,
    ) -> Result<(), Wrong> {
        let (grantee, fresh) = self.grantee(row, giving);
        let permission = self.given_permission(row).map(|known| known.code.clone());
        // Named by what it gives, not by its row: Django writes the rows anew when somebody
        // saves the form.
        let given = match &permission {
            Ok(Some(code)) => code.as_str().to_owned(),
            _ => row.shown(2).to_owned(),
        };
        let key = giving.key(row.shown(1), &given);
        let was_known = self.known.grants.remove(&key).is_some();
        let code = permission?.ok_or_else(|| left_out("permission"))?;
        let grant = Grant {
            id: self.ids.grant(),
            subject: grantee?,
            permission: code,
            effect: Effect::Allow,
            scope: Scope::Whole,
            expires_at: None,
            granted_by: None,
            granted_at: self.now,
        };
        self.give(giving.kind, key, grant, fresh, was_known, seen);
        Ok(())
    }

    /// Whom the row gives to, and whether that account or group is new here.
    pub(super) fn grantee(
        &self,
        row: &RawRow,
        giving: &Giving,
    ) -> (Result<GrantSubject, Wrong>, bool) {
        let cell = text(row, 1, &giving.subject);
        let found = if giving.to_groups {
            referred(&self.groups, cell, "group")
                .and_then(|group| present(group, "group"))
                .map(|(id, fresh)| (GrantSubject::Group(id), fresh))
        } else {
            referred(&self.users, cell, "user")
                .and_then(|user| present(user, "user"))
                .map(|(id, fresh)| (GrantSubject::User(id), fresh))
        };
        match found {
            Ok((subject, fresh)) => (Ok(subject), fresh),
            Err(wrong) => (Err(wrong), false),
        }
    }

    pub(super) fn given_permission(&self, row: &RawRow) -> Result<&PlannedPermission, Wrong> {
        referred(&self.permissions, text(row, 2, "permission_id"), "permission")
    }

    /// Plans a grant unless it was taken over before, or an earlier row gives the same.
    pub(super) fn give(
        &mut self,
        kind: Kind,
        key: String,
        grant: Grant,
        fresh: bool,
        was_known: bool,
        seen: &mut HashSet<String>,
    ) {
        let is_first = seen.insert(key.clone());
        let count = self.summary.counts.of(kind);
        if !is_first {
            count.merged += 1;
            return;
        }
        if was_known {
            count.unchanged += 1;
            return;
        }
        if fresh {
            count.new += 1;
        }
        let link =
            ImportLink { foreign_key: key, local_id: *grant.id.as_bytes(), fingerprint: KEY_ONLY };
        let link_kind = link_kind(kind);
        if fresh {
            self.batch.grants.push(grant);
            self.batch.links.push(link_kind, link);
        } else {
            let what = What::Grant(grant);
            self.batch.perhaps.push(Perhaps { kind, what, link_kind, link });
        }
    }

    pub(super) fn leave_grant_out(&mut self, row: &RawRow, giving: &Giving, wrong: Wrong) {
        let (grantee, permission) = (row.shown(1), row.shown(2));
        let name = if giving.to_groups {
            self.groups.get(&RowKey::from(grantee)).map(Subject::name)
        } else {
            self.users.get(&RowKey::from(grantee)).map(Subject::name)
        };
        let what = self.permissions.get(&RowKey::from(permission)).map(|known| &*known.name);
        let subject = format!("{} to {}", what.unwrap_or(permission), name.unwrap_or(grantee));
        self.leave_out(giving.kind, &giving.table, row.shown(0), &subject, wrong);
    }
}

impl Giving {
    /// The link's key: `g/` for groups, `u/` for users.
    pub(super) fn key(&self, grantee: &str, given: &str) -> String {
        let to = if self.to_groups { 'g' } else { 'u' };
        format!("{to}/{}", fingerprint::fitted(format!("{grantee}/{given}")))
    }
}
