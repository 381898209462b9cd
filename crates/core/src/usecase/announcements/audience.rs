//! Who the people are that an announcement is for.

use std::collections::{BTreeSet, HashMap};

use super::NewAnnouncement;
use crate::{
    domain::{
        announcement::Audience,
        grant::{Effect, Grant, Subject},
        group::MAX_NESTING,
        permission::PermissionCode,
    },
    id::{GroupId, UserId},
    policy::catalogue::Catalogue,
    ports::{
        announcements::{People, Person},
        store::{StoreResult, Tx},
    },
    time::Timestamp,
    usecase::error::{AdminError, AdminResult},
};

/// All of them, each once: a few questions, however many they are.
pub(super) fn people_of(
    tx: &mut dyn Tx,
    catalogue: &Catalogue,
    new: &NewAnnouncement,
    now: Timestamp,
) -> AdminResult<Vec<Person>> {
    new.audience.check()?;
    let mut look = Look { tx, now, only_live: !new.include_inactive };
    match &new.audience {
        Audience::Everyone => Ok(look.people(&People::All)?),
        Audience::Groups(groups) => {
            let known = look.tx.groups_by_ids(groups)?;
            if let Some(stranger) = groups.iter().find(|id| known.iter().all(|g| g.id != **id)) {
                let message = format!("there is no group {stranger}");
                return Err(AdminError::field("to", "unknown_group", message));
            }
            Ok(look.members(groups)?)
        }
        Audience::Permission(code) => {
            let Some(permission) = catalogue.permission(code) else {
                let message = format!("there is no permission {code:?}");
                return Err(AdminError::field("to", "unknown_permission", message));
            };
            Ok(look.holders(&permission.code)?)
        }
        Audience::Users(users) => {
            let known = look.tx.users_by_ids(users)?;
            if let Some(stranger) = users.iter().find(|id| known.iter().all(|u| u.id != **id)) {
                let message = format!("there is no user {stranger}");
                return Err(AdminError::field("to", "unknown_user", message));
            }
            Ok(look.people(&People::These(users.clone()))?)
        }
    }
}

struct Look<'a> {
    tx: &'a mut dyn Tx,
    now: Timestamp,
    only_live: bool,
}

impl Look<'_> {
    fn people(&mut self, which: &People) -> StoreResult<Vec<Person>> {
        self.tx.people(which, self.now, self.only_live)
    }

    /// Whoever is in one of these groups, directly or through others.
    fn members(&mut self, groups: &[GroupId]) -> StoreResult<Vec<Person>> {
        let within = self.within(groups)?;
        self.people(&People::MembersOf(within))
    }

    /// These groups and all that are in them, as far down as membership reaches.
    fn within(&mut self, groups: &[GroupId]) -> StoreResult<Vec<GroupId>> {
        let mut children: HashMap<GroupId, Vec<GroupId>> = HashMap::new();
        for nesting in self.tx.nestings()? {
            children.entry(nesting.parent).or_default().push(nesting.child);
        }
        let mut found: BTreeSet<GroupId> = groups.iter().copied().collect();
        let mut level: Vec<GroupId> = found.iter().copied().collect();
        for _ in 0..MAX_NESTING {
            let below = level.iter().filter_map(|group| children.get(group)).flatten();
            level = below.copied().filter(|group| found.insert(*group)).collect();
        }
        Ok(found.into_iter().collect())
    }

    /// Whoever holds a permission as a whole: what `decide` answers about each of them, asked
    /// about all of them at once. A denial wins over every grant, but for superusers.
    fn holders(&mut self, code: &PermissionCode) -> StoreResult<Vec<Person>> {
        let mut grants = self.tx.whole_grants_of(code)?;
        grants.retain(|grant| grant.is_live(self.now));
        let (denials, grants): (Vec<Grant>, Vec<Grant>) =
            grants.into_iter().partition(|grant| grant.effect == Effect::Deny);
        let mut holders = self.reached(&grants)?;
        let denied: BTreeSet<UserId> = if holders.is_empty() || denials.is_empty() {
            BTreeSet::new()
        } else {
            self.reached(&denials)?.into_iter().map(|person| person.id).collect()
        };
        holders.retain(|person| !denied.contains(&person.id));
        let superusers = self.people(&People::Superusers)?;
        let all: BTreeSet<Person> = holders.into_iter().chain(superusers).collect();
        Ok(all.into_iter().collect())
    }

    /// Whom any of these grants or denials reaches.
    fn reached(&mut self, grants: &[Grant]) -> StoreResult<Vec<Person>> {
        if grants.iter().any(|grant| grant.subject == Subject::Authenticated) {
            return self.people(&People::All);
        }
        let (mut users, mut groups) = (Vec::new(), Vec::new());
        for grant in grants {
            match grant.subject {
                Subject::User(id) => users.push(id),
                Subject::Group(id) => groups.push(id),
                Subject::Authenticated => {}
            }
        }
        let mut reached: BTreeSet<Person> = BTreeSet::new();
        if !users.is_empty() {
            reached.extend(self.people(&People::These(users))?);
        }
        if !groups.is_empty() {
            reached.extend(self.members(&groups)?);
        }
        Ok(reached.into_iter().collect())
    }
}
