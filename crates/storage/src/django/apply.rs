//! Writing a batch, or finding out what writing it would do.

use std::collections::HashMap;

use vestibule_core::{
    Timestamp,
    domain::{change::Change, group::Group, ticket::Purpose, user::User},
    id::UserId,
    ports::{
        imports::{ImportLink, LinksOf},
        store::{StoreResult, Tx},
    },
    usecase::{bootstrap::FIRST_SUPERUSER_MARK, links},
};

use super::{
    batch::{Batch, ChangedUser, Links, What},
    fingerprint::Part,
    known::kind,
    merge::{loses_superuser, merge},
    report::{Action, Counts, Entry, Kind, Reason},
};

/// What a batch did, beyond what was known when it was planned.
#[derive(Default)]
pub(super) struct Applied {
    pub(super) counts: Counts,
    pub(super) entries: Vec<Entry>,
    /// Whether anything was, or would be, written.
    pub(super) writes: bool,
}

/// How a batch is to be applied.
#[derive(Clone, Copy)]
pub(super) struct How<'a> {
    /// Which system the links are of.
    pub(super) source: &'a str,
    pub(super) now: Timestamp,
    /// Only find out; write nothing.
    pub(super) dry: bool,
}

/// Applies the batch within the transaction.
pub(super) fn apply(tx: &mut dyn Tx, batch: &Batch, how: How<'_>) -> StoreResult<Applied> {
    // Before anything is read: what is read from here on stays true until the commit.
    if batch.changes_rights() && !how.dry {
        tx.announce(Change::Everyone, how.now)?;
    }
    let mut applying = Applying {
        tx,
        how,
        applied: Applied { writes: batch.surely_writes(), ..Applied::default() },
        links: Links::default(),
        superuser: None,
    };
    applying.groups(batch)?;
    applying.users(batch)?;
    applying.rights(batch)?;
    applying.remember(batch)?;
    Ok(applying.applied)
}

struct Applying<'t> {
    tx: &'t mut dyn Tx,
    how: How<'t>,
    applied: Applied,
    links: Links,
    superuser: Option<UserId>,
}

impl Applying<'_> {
    fn groups(&mut self, batch: &Batch) -> StoreResult<()> {
        if !self.how.dry {
            for permission in &batch.permissions {
                self.tx.put_permission(permission)?;
            }
            // Renamed groups first: a new one may have the name that is left.
        }
        let ids: Vec<_> = batch.changed_groups.iter().map(|group| group.id).collect();
        let mut current: HashMap<_, Group> = HashMap::new();
        if !ids.is_empty() {
            let found = self.tx.groups_by_ids(&ids)?;
            current = found.into_iter().map(|group| (group.id, group)).collect();
        }
        for row in &batch.changed_groups {
            let Some(mut group) = current.remove(&row.id) else {
                continue;
            };
            self.links.push(kind::GROUP, row.link.clone());
            let is_new = group.name != row.name;
            self.count(Kind::Groups, is_new);
            if is_new && !self.how.dry {
                group.name = row.name.clone();
                self.tx.update_group(&group)?;
            }
        }
        if !self.how.dry && !batch.groups.is_empty() {
            self.tx.insert_groups(&batch.groups)?;
        }
        Ok(())
    }

    fn users(&mut self, batch: &Batch) -> StoreResult<()> {
        let ids: Vec<_> = batch.changed_users.iter().map(|user| user.id).collect();
        let mut current: HashMap<_, User> = HashMap::new();
        if !ids.is_empty() {
            let found = self.tx.users_by_ids(&ids)?;
            current = found.into_iter().map(|user| (user.id, user)).collect();
        }
        for row in &batch.changed_users {
            if let Some(user) = current.remove(&row.id) {
                self.changed_user(&user, row)?;
            }
        }
        for (user, _) in &batch.users {
            self.see_superuser(user);
        }
        if !self.how.dry && !batch.users.is_empty() {
            self.tx.insert_users(&batch.users)?;
        }
        Ok(())
    }

    fn changed_user(&mut self, current: &User, row: &ChangedUser) -> StoreResult<()> {
        let (now, dry) = (self.how.now, self.how.dry);
        let mut merged = merge(current, row);
        if merged.password_conflict {
            self.note(
                row,
                current,
                Reason::PasswordConflict,
                "the password was changed in Django and here; the one set here stays",
            );
        }
        let last = Timestamp::last_before(current.expires_at);
        if loses_superuser(current, &merged.user, now)
            && self.tx.other_live_superusers(current.id, last)? == 0
        {
            merged.user.is_active = current.is_active;
            merged.user.is_superuser = current.is_superuser;
            merged.after.keep(Part::Flags, &row.before);
            self.note(
                row,
                current,
                Reason::LastSuperuser,
                "is the last superuser here and stays so; make another one first",
            );
        }
        self.see_superuser(&merged.user);
        let is_changed = merged.user != *current || merged.takes_password;
        self.count(Kind::Users, is_changed);
        if merged.after != row.before {
            let link = ImportLink { fingerprint: merged.after.0, ..row.link.clone() };
            self.links.push(kind::USER, link);
        }
        if !is_changed || dry {
            return Ok(());
        }
        if merged.user != *current {
            self.tx.update_user(&merged.user)?;
        }
        if merged.takes_password {
            self.tx.update_user_password(current.id, &row.incoming.password, None)?;
        }
        // As after any change of a password, and after disabling an account.
        let is_shut_out = merged.takes_password || !merged.user.is_live(now);
        if is_shut_out {
            self.tx.delete_sessions_of(current.id, None)?;
        }
        // As after any of these, and after a change of the address that links were sent to.
        if is_shut_out || merged.user.email != current.email {
            links::cut(self.tx, current.id, now)?;
        }
        Ok(())
    }

    fn rights(&mut self, batch: &Batch) -> StoreResult<()> {
        if !self.how.dry {
            if !batch.memberships.is_empty() {
                self.tx.insert_memberships(&batch.memberships)?;
            }
            if !batch.grants.is_empty() {
                self.tx.insert_grants(&batch.grants)?;
            }
        }
        let (mut memberships, mut grants) = (Vec::new(), Vec::new());
        for perhaps in &batch.perhaps {
            let mut link = perhaps.link.clone();
            let is_new = match &perhaps.what {
                What::Membership(membership) => {
                    let own = self.tx.membership(membership.group, membership.user)?;
                    if own.is_none() {
                        memberships.push(*membership);
                    }
                    own.is_none()
                }
                What::Grant(grant) => {
                    let own = self.tx.grant_like(grant)?;
                    match &own {
                        Some(own) => link.local_id = *own.id.as_bytes(),
                        None => grants.push(grant.clone()),
                    }
                    own.is_none()
                }
            };
            let count = self.applied.counts.of(perhaps.kind);
            if is_new {
                count.new += 1;
            } else {
                count.unchanged += 1;
            }
            self.links.push(perhaps.link_kind, link);
        }
        if self.how.dry {
            return Ok(());
        }
        if !memberships.is_empty() {
            self.tx.insert_memberships(&memberships)?;
        }
        if !grants.is_empty() {
            self.tx.insert_grants(&grants)?;
        }
        Ok(())
    }

    fn remember(&mut self, batch: &Batch) -> StoreResult<()> {
        self.applied.writes |= !self.links.is_empty();
        if self.how.dry {
            return Ok(());
        }
        let source = self.how.source;
        for (kind, links) in batch.links.iter() {
            self.tx.insert_import_links(LinksOf { source, kind }, links)?;
        }
        for (kind, links) in self.links.iter() {
            self.tx.put_import_links(LinksOf { source, kind }, links)?;
        }
        // Whoever imports an administrator needs the first start's link no more, and nobody
        // else shall have it.
        if let Some(id) = self.superuser
            && self.tx.instance_mark(FIRST_SUPERUSER_MARK)?.is_none()
            && self.tx.set_instance_mark(FIRST_SUPERUSER_MARK, &id.to_string())?
        {
            self.tx.delete_tickets(Purpose::FirstSuperuser)?;
        }
        Ok(())
    }

    fn see_superuser(&mut self, user: &User) {
        if self.superuser.is_none() && user.is_superuser && user.is_live(self.how.now) {
            self.superuser = Some(user.id);
        }
    }

    fn count(&mut self, kind: Kind, is_changed: bool) {
        let count = self.applied.counts.of(kind);
        if is_changed {
            count.changed += 1;
        } else {
            count.unchanged += 1;
        }
        self.applied.writes |= is_changed;
    }

    fn note(&mut self, row: &ChangedUser, current: &User, reason: Reason, message: &str) {
        self.applied.entries.push(Entry::new(
            &row.table,
            &row.key,
            current.username.as_str(),
            reason,
            message,
            Action::KeptOurs,
        ));
    }
}
