//! Which objects of a kind somebody may do something to, as a description that a database can
//! turn into one query: [`decide`](super::decide::decide) for all objects at once.

use super::{catalogue::Catalogue, decide::only_owner, facts::Facts};
use crate::{
    domain::{
        grant::{Effect, Scope},
        level::{Action, Level},
        object::ObjectType,
    },
    ports::objects::{Visibility, VisibleGroup},
    time::Timestamp,
};

const LEVELS: [Level; 4] = [Level::Private, Level::ReadOnly, Level::ReadAnnotate, Level::ReadWrite];

/// Describes the objects of a kind for which the user has the permission. `None` when there can
/// be none.
pub fn visible(
    facts: &Facts,
    catalogue: &Catalogue,
    permission: &str,
    kind: &ObjectType,
    now: Timestamp,
) -> Option<Visibility> {
    let permission = catalogue.permission(permission)?;
    if !facts.user().is_live(now) {
        return None;
    }
    let action = catalogue.action_on(permission, kind);
    let owner_only = only_owner(catalogue, kind, action);
    let is_superuser = facts.user().is_superuser;
    let mut visibility = Visibility::default();

    for grant in facts.grants().iter().filter(|grant| grant.permission == permission.code) {
        match (grant.effect, &grant.scope) {
            (Effect::Deny, _) if is_superuser => {}
            (Effect::Deny, Scope::Whole) => return None,
            (Effect::Allow, Scope::Whole) => visibility.everything = true,
            (effect, Scope::Object(object)) if object.kind == *kind => match effect {
                Effect::Allow => visibility.objects.push(object.id.clone()),
                Effect::Deny => visibility.denied_objects.push(object.id.clone()),
            },
            (effect, Scope::Prefix(prefix)) if prefix.kind == *kind => match effect {
                Effect::Allow => visibility.prefixes.push(prefix.clone()),
                Effect::Deny => visibility.denied_prefixes.push(prefix.clone()),
            },
            _ => {}
        }
    }
    visibility.owner = action.map(|_| facts.user().id);
    visibility.everything |= is_superuser && !owner_only;
    if let Some(action) = action.filter(|_| !owner_only && !visibility.everything) {
        visibility.groups = groups(facts, action);
    }
    Some(visibility)
}

fn groups(facts: &Facts, action: Action) -> Vec<VisibleGroup> {
    let lowest = |lets: &dyn Fn(Level) -> bool| LEVELS.into_iter().find(|level| lets(*level));
    let mut groups: Vec<_> = facts
        .groups()
        .filter_map(|(group, reached)| {
            let as_manager = || lowest(&|level| level.lets_managers(action));
            let as_member = lowest(&|level| level.lets_members(action));
            let min_level =
                as_member.into_iter().chain(as_manager().filter(|_| reached.is_manager)).min()?;
            Some(VisibleGroup { group, default_level: reached.level, min_level })
        })
        .collect();
    groups.sort_unstable_by_key(|visible| visible.group);
    groups
}
