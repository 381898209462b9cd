//! What is known about one user when a decision is made.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use super::catalogue::Catalogue;
use crate::{
    domain::{
        grant::{Effect, Grant, Scope, Subject},
        group::{Group, MAX_NESTING, Membership},
        level::Level,
        object::{ObjectPrefix, ObjectRef},
        permission::PermissionCode,
        user::User,
    },
    id::{GroupId, UserId},
    ports::store::{StoreResult, Tx},
    time::Timestamp,
};

/// How a user came to be in a group.
#[derive(Clone, Debug)]
pub struct Reached {
    /// The group's name.
    pub name: Arc<str>,
    /// The level of its objects that have none of their own.
    pub level: Level,
    /// Whether the user manages this very group.
    pub is_manager: bool,
    /// The group in it through which the user is in it; none for a direct member.
    pub through: Option<GroupId>,
}

/// Everything about one user that decisions rest on, read at one instant.
#[derive(Debug)]
pub struct Facts {
    user: User,
    reached: HashMap<GroupId, Reached>,
    grants: Vec<Grant>,
    by_permission: HashMap<PermissionCode, PermissionGrants>,
    valid_until: Timestamp,
}

/// The grants of one permission, ready to be asked about any object without walking them all.
#[derive(Debug, Default)]
struct PermissionGrants {
    whole: Found,
    objects: HashMap<ObjectRef, Found>,
    prefixes: HashMap<ObjectPrefix, Found>,
}

/// The first allowance and the first denial at one place, as positions in the list of grants.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    allow: Option<usize>,
    deny: Option<usize>,
}

impl Facts {
    /// Reads what is known about a user: five queries, whatever there is. `None` for nobody.
    pub fn load(
        tx: &mut dyn Tx,
        catalogue: &Catalogue,
        user: UserId,
        now: Timestamp,
    ) -> StoreResult<Option<Self>> {
        let Some(user) = tx.user_by_id(user)? else {
            return Ok(None);
        };
        let memberships = tx.memberships_of(user.id)?;
        let reach = reach(&memberships, catalogue, now);
        let ids: Vec<GroupId> = reach.iter().map(|step| step.group).collect();
        let groups = tx.groups_by_ids(&ids)?;
        let grants = tx.grants_to(&subjects(user.id, &ids))?;
        Ok(Some(Self::new(user, &memberships, &groups, grants, catalogue, now)))
    }

    /// Puts together what has been read: the user's memberships, the groups these reach, and the
    /// grants to any of them. What has expired or is another's is left out; when the next thing
    /// expires is noted.
    pub fn new(
        user: User,
        memberships: &[Membership],
        groups: &[Group],
        mut grants: Vec<Grant>,
        catalogue: &Catalogue,
        now: Timestamp,
    ) -> Self {
        let ends = memberships.iter().filter_map(|m| m.expires_at);
        let ends = ends.chain(grants.iter().filter_map(|g| g.expires_at)).chain(user.expires_at);
        let valid_until = ends.filter(|end| *end > now).min().unwrap_or(Timestamp::MAX);

        let groups: HashMap<GroupId, &Group> = groups.iter().map(|g| (g.id, g)).collect();
        let reached: HashMap<_, _> = reach(memberships, catalogue, now)
            .into_iter()
            .filter_map(|step| {
                let group = groups.get(&step.group)?;
                let reached = Reached {
                    name: group.name.as_str().into(),
                    level: group.level,
                    is_manager: step.is_manager,
                    through: step.through,
                };
                Some((step.group, reached))
            })
            .collect();

        let is_theirs = |subject: Subject| match subject {
            Subject::User(id) => id == user.id,
            Subject::Group(id) => reached.contains_key(&id),
            Subject::Authenticated => true,
        };
        grants.retain(|grant| grant.is_live(now) && is_theirs(grant.subject));
        // The oldest first, so that a decision names the same grant whatever order they came in.
        grants.sort_unstable_by_key(|grant| grant.id);
        let mut by_permission: HashMap<PermissionCode, PermissionGrants> = HashMap::new();
        for (position, grant) in grants.iter().enumerate() {
            let of_code = by_permission.entry(grant.permission.clone()).or_default();
            let found = match &grant.scope {
                Scope::Whole => &mut of_code.whole,
                Scope::Object(object) => of_code.objects.entry(object.clone()).or_default(),
                Scope::Prefix(prefix) => of_code.prefixes.entry(prefix.clone()).or_default(),
            };
            let slot = match grant.effect {
                Effect::Allow => &mut found.allow,
                Effect::Deny => &mut found.deny,
            };
            slot.get_or_insert(position);
        }
        Self { user, reached, grants, by_permission, valid_until }
    }

    /// The account.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Until when nothing in here expires.
    pub fn valid_until(&self) -> Timestamp {
        self.valid_until
    }

    /// How the user is in a group, if at all.
    pub fn reached(&self, group: GroupId) -> Option<&Reached> {
        self.reached.get(&group)
    }

    /// All groups the user is in, directly or through others, in no particular order.
    pub fn groups(&self) -> impl Iterator<Item = (GroupId, &Reached)> {
        self.reached.iter().map(|(id, reached)| (*id, reached))
    }

    /// All live grants that reach the user, oldest first.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// The names of the groups from the one the user is a direct member of up to this one.
    pub fn path_to(&self, group: GroupId) -> Vec<Arc<str>> {
        let mut path = Vec::new();
        let mut next = Some(group);
        while let Some(reached) = next.and_then(|id| self.reached.get(&id)) {
            path.push(Arc::clone(&reached.name));
            next = reached.through.filter(|_| path.len() <= MAX_NESTING);
        }
        path.reverse();
        path
    }

    /// The grant with this effect that covers the question, the narrowest scope first.
    pub(super) fn grant(
        &self,
        code: &PermissionCode,
        effect: Effect,
        object: Option<&ObjectRef>,
    ) -> Option<&Grant> {
        let of_code = self.by_permission.get(code)?;
        let pick = |found: &Found| match effect {
            Effect::Allow => found.allow,
            Effect::Deny => found.deny,
        };
        let on_object = object.and_then(|o| of_code.objects.get(o)).and_then(pick);
        let below_path = || {
            let object = object.filter(|_| !of_code.prefixes.is_empty())?;
            ancestors(object).find_map(|prefix| of_code.prefixes.get(&prefix).and_then(pick))
        };
        let position = on_object.or_else(below_path).or_else(|| pick(&of_code.whole))?;
        self.grants.get(position)
    }
}

/// Whom grants must be made to in order to reach this user.
pub fn subjects(user: UserId, groups: &[GroupId]) -> Vec<Subject> {
    let own = [Subject::User(user), Subject::Authenticated];
    own.into_iter().chain(groups.iter().copied().map(Subject::Group)).collect()
}

/// The path prefixes that cover an object, the longest first.
fn ancestors(object: &ObjectRef) -> impl Iterator<Item = ObjectPrefix> + '_ {
    let id = &*object.id;
    let is_path = id.starts_with('/');
    let itself = (is_path && !id.ends_with('/')).then(|| format!("{id}/").into());
    let above = id.rmatch_indices('/').filter(move |_| is_path).map(|(at, _)| id[..=at].into());
    itself
        .into_iter()
        .chain(above)
        .map(|path: Box<str>| ObjectPrefix { kind: object.kind.clone(), path })
}

struct Step {
    group: GroupId,
    is_manager: bool,
    through: Option<GroupId>,
}

/// The groups that live memberships reach, the nearest first.
fn reach(memberships: &[Membership], catalogue: &Catalogue, now: Timestamp) -> Vec<Step> {
    let mut direct: Vec<_> = memberships.iter().filter(|m| m.is_live(now)).collect();
    direct.sort_unstable_by_key(|m| m.group);
    let mut steps: Vec<Step> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut queue = VecDeque::new();
    for membership in direct {
        if seen.insert(membership.group) {
            steps.push(Step {
                group: membership.group,
                is_manager: membership.is_manager,
                through: None,
            });
            queue.push_back((membership.group, 0));
        }
    }
    while let Some((group, depth)) = queue.pop_front() {
        if depth == MAX_NESTING {
            continue;
        }
        for parent in catalogue.parents(group) {
            if seen.insert(*parent) {
                steps.push(Step { group: *parent, is_manager: false, through: Some(group) });
                queue.push_back((*parent, depth + 1));
            }
        }
    }
    steps
}
