//! Who may do what, worked out by looking at everything, over and over, as the rules are written.

use std::collections::BTreeSet;

use vestibule_core::{
    Timestamp,
    domain::{
        grant::{Effect, Grant, Scope, Subject},
        level::{Action, Level},
        object::{DeleteRule, Object, ObjectPrefix, ObjectRef},
        permission::Permission,
        user::User,
    },
    id::GroupId,
    ports::objects::Visibility,
};

use super::world::World;

/// One user in one world at one instant.
pub(crate) struct Naive<'w> {
    pub(crate) world: &'w World,
    pub(crate) user: &'w User,
    pub(crate) now: Timestamp,
    /// The groups that the user is in, directly or not.
    pub(crate) groups: BTreeSet<GroupId>,
}

impl<'w> Naive<'w> {
    pub(crate) fn new(world: &'w World, user: &'w User, now: Timestamp) -> Self {
        let mut naive = Self { world, user, now, groups: BTreeSet::new() };
        for membership in &world.memberships {
            if naive.is_direct(membership.group) {
                naive.groups.insert(membership.group);
            }
        }
        loop {
            let before = naive.groups.len();
            for nesting in &world.nestings {
                if naive.groups.contains(&nesting.child) {
                    naive.groups.insert(nesting.parent);
                }
            }
            if naive.groups.len() == before {
                return naive;
            }
        }
    }

    fn is_over(&self, end: Option<Timestamp>) -> bool {
        end.is_some_and(|end| end <= self.now)
    }

    /// Whether the user is in this very group, by a membership that counts.
    pub(crate) fn is_direct(&self, group: GroupId) -> bool {
        let of = &self.world.memberships;
        of.iter().any(|m| m.user == self.user.id && m.group == group && !self.is_over(m.expires_at))
    }

    fn manages(&self, group: GroupId) -> bool {
        let of = &self.world.memberships;
        self.is_direct(group)
            && of.iter().any(|m| m.user == self.user.id && m.group == group && m.is_manager)
    }

    /// Whether a grant counts and was made to the user in some way.
    pub(crate) fn reaches(&self, grant: &Grant) -> bool {
        let is_theirs = match grant.subject {
            Subject::User(user) => user == self.user.id,
            Subject::Group(group) => self.groups.contains(&group),
            Subject::Authenticated => true,
        };
        is_theirs && !self.is_over(grant.expires_at)
    }

    fn any_grant(&self, code: &str, effect: Effect, test: impl Fn(&Scope) -> bool) -> bool {
        self.world.grants.iter().any(|grant| {
            grant.permission.as_str() == code
                && grant.effect == effect
                && test(&grant.scope)
                && self.reaches(grant)
        })
    }

    fn permission(&self, code: &str) -> Option<&'w Permission> {
        let all = &self.world.permissions;
        all.iter().find(|p| p.code.as_str() == code)
    }

    /// Whether only the owner does what this permission stands for to objects of that kind.
    fn is_owners_alone(&self, permission: &Permission, kind: &str) -> bool {
        let stands_for_deletion = permission
            .on
            .as_ref()
            .is_some_and(|(own, action)| own.as_str() == kind && *action == Action::Delete);
        let rule = (kind, DeleteRule::OwnerOnly);
        stands_for_deletion && self.world.rules.iter().any(|(k, r)| (k.as_str(), *r) == rule)
    }

    /// What decides, in the order of the rules, and whether it allows.
    pub(crate) fn decide(&self, code: &str, object: Option<&ObjectRef>) -> (bool, &'static str) {
        if !self.user.is_active || self.is_over(self.user.expires_at) {
            return (false, "not_live");
        }
        let Some(permission) = self.permission(code) else {
            return (false, "unknown_permission");
        };
        let known = object.and_then(|object| self.world.known(object));
        let is_owner = known.is_some_and(|known| known.owner == self.user.id);
        let owners_alone =
            object.is_some_and(|object| self.is_owners_alone(permission, object.kind.as_str()));
        let is_barred = owners_alone && !is_owner;
        if self.user.is_superuser && !is_barred {
            return (true, "superuser");
        }
        let falls_under = |scope: &Scope| covers(scope, object);
        if !self.user.is_superuser && self.any_grant(code, Effect::Deny, falls_under) {
            return (false, "denied");
        }
        if self.any_grant(code, Effect::Allow, falls_under) {
            return (true, "granted");
        }
        let action = permission.on.as_ref().and_then(|(kind, action)| {
            let is_about = object.is_some_and(|object| object.kind == *kind);
            is_about.then_some(*action)
        });
        if let (Some(known), Some(action)) = (known, action) {
            if is_owner {
                return (true, "owner");
            }
            if let (false, Some(reason)) = (is_barred, self.group_allows(known, action)) {
                return (true, reason);
            }
        }
        if self.user.is_superuser { (false, "superuser_barred") } else { (false, "nothing_allows") }
    }

    fn group_allows(&self, object: &Object, action: Action) -> Option<&'static str> {
        let id = object.group.filter(|id| self.groups.contains(id))?;
        let group = self.world.groups.iter().find(|group| group.id == id)?;
        let level = object.level.unwrap_or(group.level);
        let (members, managers) = table(level, action);
        if managers && self.manages(id) {
            Some("group_manager")
        } else {
            members.then_some("sharing_level")
        }
    }

    /// Whether the user may know of an object: by any permission that stands for looking at it.
    pub(crate) fn may_know_of(&self, object: &ObjectRef) -> bool {
        let looks: Vec<_> = self
            .world
            .permissions
            .iter()
            .filter(|p| p.on == Some((object.kind.clone(), Action::View)))
            .collect();
        looks.is_empty() || looks.iter().any(|p| self.decide(p.code.as_str(), Some(object)).0)
    }

    /// Whether the permission is held everywhere in a scope.
    pub(crate) fn holds(&self, code: &str, scope: &Scope) -> bool {
        let is_denied = |inside: &dyn Fn(&Scope) -> bool| {
            !self.user.is_superuser && self.any_grant(code, Effect::Deny, inside)
        };
        match scope {
            Scope::Whole => self.decide(code, None).0 && !is_denied(&|_| true),
            Scope::Object(object) => self.decide(code, Some(object)).0,
            Scope::Prefix(prefix) => {
                let reason = self.decide(code, None).1;
                let (Some(permission), false) = (self.permission(code), reason == "not_live")
                else {
                    return false;
                };
                let by_rank = self.user.is_superuser
                    && !self.is_owners_alone(permission, prefix.kind.as_str());
                let by_grant = self.any_grant(code, Effect::Allow, |scope| match scope {
                    Scope::Whole => true,
                    Scope::Object(_) => false,
                    Scope::Prefix(outer) => is_below(outer, prefix),
                });
                let denied = is_denied(&|scope| match scope {
                    Scope::Whole => true,
                    Scope::Object(object) => below(prefix, object),
                    Scope::Prefix(other) => is_below(other, prefix) || is_below(prefix, other),
                });
                by_rank || (by_grant && !denied)
            }
        }
    }
}

/// Who is let by a level: members, managers. As the table in the documentation has it.
fn table(level: Level, action: Action) -> (bool, bool) {
    let row = match level {
        Level::Private => ["m", "-", "m", "m", "m"],
        Level::ReadOnly => ["x", "m", "m", "m", "m"],
        Level::ReadAnnotate => ["x", "x", "m", "m", "m"],
        Level::ReadWrite => ["x", "x", "x", "x", "m"],
    };
    let column = match action {
        Action::View => 0,
        Action::Annotate => 1,
        Action::Edit => 2,
        Action::Delete => 3,
        Action::Manage => 4,
    };
    (row[column] == "x", row[column] != "-")
}

pub(crate) fn covers(scope: &Scope, object: Option<&ObjectRef>) -> bool {
    match (scope, object) {
        (Scope::Whole, _) => true,
        (Scope::Object(own), Some(object)) => own == object,
        (Scope::Prefix(prefix), Some(object)) => below(prefix, object),
        (Scope::Object(_) | Scope::Prefix(_), None) => false,
    }
}

/// Whether an object lies at or below a path, segment by segment.
fn below(prefix: &ObjectPrefix, object: &ObjectRef) -> bool {
    let is_path = object.id.starts_with('/');
    is_path
        && prefix.kind == object.kind
        && segments(&object.id).starts_with(&segments(&prefix.path))
}

fn is_below(outer: &ObjectPrefix, inner: &ObjectPrefix) -> bool {
    outer.kind == inner.kind && segments(&inner.path).starts_with(&segments(&outer.path))
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

/// Whether a description of what is visible takes an object in.
pub(crate) fn takes_in(visibility: &Visibility, object: &Object) -> bool {
    let id = &object.object.id;
    let on_prefix = |prefixes: &[ObjectPrefix]| prefixes.iter().any(|p| below(p, &object.object));
    if visibility.denied_objects.contains(id) || on_prefix(&visibility.denied_prefixes) {
        return false;
    }
    visibility.everything
        || visibility.owner == Some(object.owner)
        || visibility.objects.contains(id)
        || on_prefix(&visibility.prefixes)
        || visibility.groups.iter().any(|group| {
            Some(group.group) == object.group
                && object.level.unwrap_or(group.default_level) >= group.min_level
        })
}
