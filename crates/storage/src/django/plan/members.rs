//! Who is in which group.

use vestibule_core::{domain::group::Membership, ports::imports::ImportLink};

use super::{
    Halt, KEY_ONLY, Planner, Subject, Wrong, key::RowKey, present, referred, values::text,
};
use crate::django::{
    batch::{Perhaps, What},
    fingerprint,
    known::kind,
    report::Kind,
    source::{RawRow, Source},
};

impl Planner<'_> {
    pub(super) fn plan_memberships(&mut self, source: &mut Source) -> Result<(), Halt> {
        let (table, user) = self.found.user_groups.clone();
        self.begin(Kind::Memberships, source.count(&table)?)?;
        let mut seen = std::collections::HashSet::new();
        source.rows(&table, &["id", &user, "group_id"], |row| {
            if let Err(wrong) = self.plan_membership(&row, &user, &mut seen) {
                let subject = self.membership_subject(&row);
                self.leave_out(Kind::Memberships, &table, row.shown(0), &subject, wrong);
            }
            self.row_done()
        })?;
        self.end()
    }

    fn plan_membership(
        &mut self,
        row: &RawRow,
        user_column: &str,
        seen: &mut std::collections::HashSet<String>,
    ) -> Result<(), Wrong> {
        let user_key = text(row, 1, user_column);
        let group_key = text(row, 2, "group_id");
        let key = fingerprint::fitted(format!("{}/{}", row.shown(1), row.shown(2)));
        let link = self.known.memberships.remove(&key);
        let (user, user_fresh) = present(referred(&self.users, user_key, "user")?, "user")?;
        let (group, group_fresh) = present(referred(&self.groups, group_key, "group")?, "group")?;
        if !seen.insert(key.clone()) {
            self.summary.counts.memberships.merged += 1;
            return Ok(());
        }
        if link.is_some() {
            self.summary.counts.memberships.unchanged += 1;
            return Ok(());
        }
        let membership =
            Membership { group, user, is_manager: false, expires_at: None, since: self.now };
        let link =
            ImportLink { foreign_key: key, local_id: *user.as_bytes(), fingerprint: KEY_ONLY };
        if user_fresh || group_fresh {
            self.summary.counts.memberships.new += 1;
            self.batch.memberships.push(membership);
            self.batch.links.push(kind::MEMBERSHIP, link);
        } else {
            self.batch.perhaps.push(Perhaps {
                kind: Kind::Memberships,
                what: What::Membership(membership),
                link_kind: kind::MEMBERSHIP,
                link,
            });
        }
        Ok(())
    }

    fn membership_subject(&self, row: &RawRow) -> String {
        let (user, group) = (row.shown(1), row.shown(2));
        let user_name = self.users.get(&RowKey::from(user)).map_or(user, Subject::name);
        let group_name = self.groups.get(&RowKey::from(group)).map_or(group, Subject::name);
        format!("{user_name} in {group_name}")
    }
}
