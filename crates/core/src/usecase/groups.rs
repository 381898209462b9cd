//! Administering groups and which contain which.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::{
    authority::Authority,
    error::{AdminError, AdminResult},
    record::{Target, record},
    users::owns_something,
};
use crate::{
    cx::OpCx,
    domain::{
        change::Change,
        grant::{Effect, Subject},
        group::{Group, GroupName, MAX_NESTING, Nesting, parse_description},
        invalid::Invalid,
        level::Level,
        page::{Page, PageRequest},
        rights,
    },
    id::GroupId,
    policy::catalogue::Catalogue,
    ports::{
        groups::GroupOrder,
        store::{Store, StoreError, Tx},
    },
};

/// A new group, as somebody typed it.
#[derive(Clone, Debug, Default)]
pub struct NewGroup {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The level of its objects that have none of their own; private when not said.
    pub level: Option<Level>,
}

/// What is to be different about a group; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct GroupPatch {
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The level of its objects that have none of their own.
    pub level: Option<Level>,
}

/// Administers groups.
pub struct Groups {
    store: Store,
}

impl Groups {
    /// Over the store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// A page of groups.
    pub async fn list(
        &self,
        cx: &OpCx,
        search: Option<String>,
        request: PageRequest<GroupOrder>,
    ) -> AdminResult<Page<Group>> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                Authority::load(tx, &cx)?.require(rights::VIEW_GROUP)?;
                Ok(tx.group_page(search.as_deref(), &request)?)
            })
            .await
    }

    /// One group: one's own always, others by permission.
    pub async fn get(&self, cx: &OpCx, id: GroupId) -> AdminResult<Group> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                visible(tx, &authority, id)
            })
            .await
    }

    /// The group with this name, in any case.
    pub async fn by_name(&self, cx: &OpCx, name: &str) -> AdminResult<Group> {
        let (cx, key) = (cx.clone(), GroupName::key_of(name.trim()));
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                let found = tx.group_by_name_key(&key)?.ok_or(AdminError::NotFound("group"))?;
                visible(tx, &authority, found.id)
            })
            .await
    }

    /// The groups directly in this one, and the ones it is directly in.
    pub async fn nested(&self, cx: &OpCx, id: GroupId) -> AdminResult<(Vec<Group>, Vec<Group>)> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                visible(tx, &authority, id)?;
                let nestings = tx.nestings()?;
                let inside: Vec<_> =
                    nestings.iter().filter(|n| n.parent == id).map(|n| n.child).collect();
                let around: Vec<_> =
                    nestings.iter().filter(|n| n.child == id).map(|n| n.parent).collect();
                Ok((tx.groups_by_ids(&inside)?, tx.groups_by_ids(&around)?))
            })
            .await
    }

    /// Makes a group.
    pub async fn add(&self, cx: &OpCx, new: NewGroup) -> AdminResult<Group> {
        let mut wrong = Invalid::default();
        let name = wrong.take(GroupName::parse(&new.name));
        let description = wrong.take(parse_description(&new.description));
        let (Some(name), Some(description)) = (name, description) else {
            return Err(wrong.into());
        };
        let now = cx.now();
        let group = Group {
            id: GroupId::generate(now, cx.entropy()),
            name,
            description,
            level: new.level.unwrap_or(Level::Private),
            created_at: now,
        };
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                let right = authority.require(rights::ADD_GROUP)?;
                tx.insert_group(&group).map_err(taken)?;
                let details = json!({ "level": group.level.as_str() });
                record(tx, &cx, "group.added", Target::group(&group), right, details)?;
                Ok(group.clone())
            })
            .await
    }

    /// Changes a group. Its managers may change what it is for and its level, but for making it
    /// read-write, which needs the permission.
    pub async fn edit(&self, cx: &OpCx, id: GroupId, patch: GroupPatch) -> AdminResult<Group> {
        let cx = cx.clone();
        self.store.write(move |tx| edit(tx, &cx, id, &patch)).await
    }

    /// Removes a group with its memberships, nestings and grants.
    pub async fn delete(&self, cx: &OpCx, id: GroupId) -> AdminResult<()> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                tx.announce(Change::Everyone, cx.now())?;
                let authority = Authority::load(tx, &cx)?;
                let group = visible(tx, &authority, id)?;
                let right = authority.require(rights::DELETE_GROUP)?;
                // A denial that reaches its members through it would end with it.
                require_released(tx, &authority, id)?;
                tx.delete_group(id).map_err(|error| {
                    owns_something(error, "the group still owns objects: hand them over first")
                })?;
                record(tx, &cx, "group.deleted", Target::group(&group), right, json!({}))?;
                Ok(())
            })
            .await
    }

    /// Puts a group into another: its members become members of that one too.
    pub async fn nest(&self, cx: &OpCx, nesting: Nesting) -> AdminResult<()> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                tx.announce(Change::Everyone, cx.now())?;
                let authority = Authority::load(tx, &cx)?;
                let parent = visible(tx, &authority, nesting.parent)?;
                let child = visible(tx, &authority, nesting.child)?;
                let right = authority.require(rights::CHANGE_GROUP)?;
                let nestings = tx.nestings()?;
                require_fits(&nestings, nesting)?;
                // It is for good: a right that the actor has for a time is not enough.
                let lasting = Authority::load_until(tx, &cx, None)?;
                require_conferred(tx, &authority, nesting.parent)?;
                require_conferred(tx, &lasting, nesting.parent)?;
                tx.insert_nesting(nesting).map_err(|error| {
                    if error.is_duplicate() {
                        AdminError::conflict("already_nested", "the group is in that one already")
                    } else {
                        error.into()
                    }
                })?;
                let details = json!({ "group": child.name.as_str(), "id": child.id });
                record(tx, &cx, "group.nested", Target::group(&parent), right, details)?;
                Ok(())
            })
            .await
    }

    /// Takes a group out of another.
    pub async fn unnest(&self, cx: &OpCx, nesting: Nesting) -> AdminResult<()> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                tx.announce(Change::Everyone, cx.now())?;
                let authority = Authority::load(tx, &cx)?;
                let parent = visible(tx, &authority, nesting.parent)?;
                let right = authority.require(rights::CHANGE_GROUP)?;
                require_released(tx, &authority, nesting.parent)?;
                if !tx.delete_nesting(nesting)? {
                    return Err(AdminError::NotFound("nested group"));
                }
                let details = json!({ "id": nesting.child });
                record(tx, &cx, "group.unnested", Target::group(&parent), right, details)?;
                Ok(())
            })
            .await
    }
}

fn edit(tx: &mut dyn Tx, cx: &OpCx, id: GroupId, patch: &GroupPatch) -> AdminResult<Group> {
    tx.announce(Change::Everyone, cx.now())?;
    let authority = Authority::load(tx, cx)?;
    let before = visible(tx, &authority, id)?;
    let may_all = authority.right(rights::CHANGE_GROUP);
    let needs_permission = patch.name.is_some() || patch.level == Some(Level::ReadWrite);
    let right = match may_all {
        Some(right) => right,
        None if !needs_permission && manages(&authority, id) => "manager of the group".to_owned(),
        None => authority.require(rights::CHANGE_GROUP)?,
    };
    let mut after = before.clone();
    if let Some(name) = &patch.name {
        after.name = GroupName::parse(name)?;
    }
    if let Some(description) = &patch.description {
        after.description = parse_description(description)?;
    }
    after.level = patch.level.unwrap_or(before.level);
    if after == before {
        return Ok(after);
    }
    tx.update_group(&after).map_err(taken)?;
    let details = json!({
        "name": { "from": before.name.as_str(), "to": after.name.as_str() },
        "level": { "from": before.level.as_str(), "to": after.level.as_str() },
    });
    record(tx, cx, "group.changed", Target::group(&after), right, details)?;
    Ok(after)
}

/// The group, if the actor may know of it.
pub(super) fn visible(tx: &mut dyn Tx, authority: &Authority, id: GroupId) -> AdminResult<Group> {
    let group = tx.group_by_id(id)?.ok_or(AdminError::NotFound("group"))?;
    let own = authority.facts().is_some_and(|facts| facts.reached(id).is_some());
    // Who may change it may see what they change.
    let may_look = [rights::VIEW_GROUP, rights::CHANGE_GROUP];
    if own || may_look.into_iter().any(|right| authority.right(right).is_some()) {
        Ok(group)
    } else {
        Err(AdminError::NotFound("group"))
    }
}

/// Whether the actor manages this very group.
pub(super) fn manages(authority: &Authority, id: GroupId) -> bool {
    authority.facts().and_then(|facts| facts.reached(id)).is_some_and(|reached| reached.is_manager)
}

/// Refuses to bring anybody into a group whose grants the actor does not hold.
pub(super) fn require_conferred(
    tx: &mut dyn Tx,
    authority: &Authority,
    group: GroupId,
) -> AdminResult<()> {
    require_holding(tx, authority, group, Effect::Allow)
}

/// Refuses to take anybody out of a group by which a denial reaches them of what the actor does
/// not hold: nobody shakes one off, for themselves or for others.
pub(super) fn require_released(
    tx: &mut dyn Tx,
    authority: &Authority,
    group: GroupId,
) -> AdminResult<()> {
    require_holding(tx, authority, group, Effect::Deny)
}

/// Refuses to touch the grants of one effect that reach a group's members through it, by a group
/// around it too, when the actor does not hold what they are about.
fn require_holding(
    tx: &mut dyn Tx,
    authority: &Authority,
    group: GroupId,
    effect: Effect,
) -> AdminResult<()> {
    if authority.is_superuser() {
        return Ok(());
    }
    let groups = with_ancestors(&authority.catalogue, group);
    let subjects: Vec<_> = groups.into_iter().map(Subject::Group).collect();
    let mut grants = tx.grants_to(&subjects)?;
    grants.retain(|grant| grant.effect == effect);
    Ok(authority.require_holding_all(&grants, None)?)
}

/// A group and all that it is in, directly or through others.
fn with_ancestors(catalogue: &Catalogue, group: GroupId) -> Vec<GroupId> {
    let mut groups = vec![group];
    let mut at = 0;
    while let Some(next) = groups.get(at) {
        let parents = catalogue.parents(*next);
        let fresh: Vec<_> = parents.iter().filter(|p| !groups.contains(p)).copied().collect();
        groups.extend(fresh);
        at += 1;
    }
    groups
}

/// Refuses a nesting that would close a circle or a chain that is too long.
fn require_fits(nestings: &[Nesting], new: Nesting) -> AdminResult<()> {
    let cycle = || AdminError::conflict("cycle", "the group would contain itself");
    if new.parent == new.child {
        return Err(cycle());
    }
    let up = climb(nestings, new.parent, |n| (n.child, n.parent));
    let down = climb(nestings, new.child, |n| (n.parent, n.child));
    if up.contains_key(&new.child) {
        return Err(cycle());
    }
    let longest = |found: &HashMap<GroupId, usize>| found.values().copied().max().unwrap_or(0);
    if longest(&up) + longest(&down) + 1 > MAX_NESTING {
        let message = format!("groups would nest more than {MAX_NESTING} deep");
        return Err(AdminError::conflict("too_deep", message));
    }
    Ok(())
}

/// Every group that is reached from one, with the longest way to it.
fn climb(
    nestings: &[Nesting],
    from: GroupId,
    ends: impl Fn(&Nesting) -> (GroupId, GroupId),
) -> HashMap<GroupId, usize> {
    let mut found = HashMap::from([(from, 0)]);
    let mut edge = HashSet::from([from]);
    for depth in 1..=MAX_NESTING + 1 {
        edge =
            nestings.iter().map(&ends).filter(|(a, _)| edge.contains(a)).map(|(_, b)| b).collect();
        for group in &edge {
            found.insert(*group, depth);
        }
    }
    found
}

fn taken(error: StoreError) -> AdminError {
    if error.is_duplicate() { AdminError::field("name", "taken", "is taken") } else { error.into() }
}
