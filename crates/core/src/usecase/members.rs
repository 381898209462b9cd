//! Who is in a group.

use std::collections::{HashMap, hash_map::Entry};

use serde_json::json;

use super::{
    authority::Authority,
    error::{AdminError, AdminResult, Forbidden},
    groups::{manages, require_conferred, require_released, visible},
    record::{Target, record},
};
use crate::{
    cx::OpCx,
    domain::{
        change::Change,
        group::{Group, Membership},
        identity::Source,
        page::{Page, PageRequest},
        rights,
        user::User,
    },
    id::{GroupId, UserId},
    ports::{
        checks::MemberSource,
        store::{Store, Tx},
    },
    time::Timestamp,
};

/// A membership that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Of which group.
    pub group: GroupId,
    /// Who.
    pub user: UserId,
    /// Whether as a manager.
    pub is_manager: bool,
    /// Until when.
    pub expires_at: Option<Timestamp>,
}

/// Somebody in a group, and where their membership comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// How they are in it.
    pub membership: Membership,
    /// Who they are.
    pub user: User,
    /// Who made the membership; empty where somebody here did and nobody else.
    pub sources: Vec<MemberSource>,
}

/// Adds and removes the members of groups.
pub struct Members {
    store: Store,
}

impl Members {
    /// Over the store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The names of the groups that each of these users is in directly, as far as the actor may see
    /// them.
    pub async fn groups_of(&self, cx: &OpCx, users: Vec<UserId>) -> AdminResult<Vec<Vec<String>>> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                let mut known: HashMap<GroupId, Option<String>> = HashMap::new();
                let mut all = Vec::with_capacity(users.len());
                for &user in &users {
                    let mut names = Vec::new();
                    for membership in tx.memberships_of(user)? {
                        if !membership.is_live(cx.now()) {
                            continue;
                        }
                        let group = membership.group;
                        if let Entry::Vacant(place) = known.entry(group) {
                            place.insert(match visible(tx, &authority, group) {
                                Ok(group) => Some(group.name.as_str().to_owned()),
                                Err(AdminError::NotFound(_)) => None,
                                Err(error) => return Err(error),
                            });
                        }
                        names.extend(known.get(&group).cloned().flatten());
                    }
                    names.sort_unstable();
                    all.push(names);
                }
                Ok(all)
            })
            .await
    }

    /// A page of a group's direct members.
    pub async fn list(
        &self,
        cx: &OpCx,
        group: GroupId,
        request: PageRequest<()>,
    ) -> AdminResult<Page<Member>> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                visible(tx, &authority, group)?;
                let page = tx.member_page(group, &request)?;
                let users: Vec<UserId> = page.items.iter().map(|(_, user)| user.id).collect();
                let sources = tx.member_sources(group, &users)?;
                Ok(page.map(|(membership, user)| {
                    let own = sources.iter().filter(|source| source.user == user.id);
                    Member { sources: own.cloned().collect(), membership, user }
                }))
            })
            .await
    }

    /// Adds a member, or changes how one is in the group. Answers whether it is new.
    pub async fn put(&self, cx: &OpCx, wanted: Wanted) -> AdminResult<bool> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                tx.announce(Change::User(wanted.user), cx.now())?;
                let authority = Authority::load(tx, &cx)?;
                put(tx, &cx, &authority, wanted)
            })
            .await
    }

    /// Removes a member; everybody may leave by themselves.
    pub async fn remove(&self, cx: &OpCx, group: GroupId, user: UserId) -> AdminResult<()> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                tx.announce(Change::User(user), cx.now())?;
                let authority = Authority::load(tx, &cx)?;
                let found = visible(tx, &authority, group)?;
                let right = if authority.is(user) {
                    "own membership".to_owned()
                } else {
                    right(&authority, group)?
                };
                // Leaving must not shake off a denial.
                require_released(tx, &authority, group)?;
                if !tx.delete_membership(group, user)? {
                    return Err(AdminError::NotFound("member"));
                }
                let user = member(tx, user)?;
                let details = json!({ "user": user.username.as_str(), "user_id": user.id });
                record(tx, &cx, "group.member_removed", Target::group(&found), right, details)?;
                Ok(())
            })
            .await
    }
}

/// Puts somebody into a group, within a transaction that has announced a change of them.
pub(super) fn put(
    tx: &mut dyn Tx,
    cx: &OpCx,
    authority: &Authority,
    wanted: Wanted,
) -> AdminResult<bool> {
    let (group, right) = addable(tx, authority, wanted.group)?;
    let before = tx.membership(group.id, wanted.user)?;
    let last = Timestamp::last_before;
    let is_cut = |before: &Membership| {
        before.is_live(cx.now()) && last(wanted.expires_at) < last(before.expires_at)
    };
    if before.as_ref().is_some_and(is_cut) {
        // As leaving does, only later.
        require_released(tx, authority, group.id)?;
    }
    if authority.is(wanted.user) && !authority.lasts_until(wanted.expires_at) {
        // Whoever is in it for a time, or may bring people in for a time, does not make that more.
        let lasting = Authority::load_until(tx, cx, wanted.expires_at)?;
        let missing = |_| Forbidden::MoreThanHeld(rights::CHANGE_GROUP.to_owned());
        self::right(&lasting, group.id).map_err(missing)?;
        require_conferred(tx, &lasting, group.id)?;
    }
    write(tx, cx, &group, &right, wanted)
}

/// The group, and the right by which the actor may bring people into it.
pub(super) fn addable(
    tx: &mut dyn Tx,
    authority: &Authority,
    group: GroupId,
) -> AdminResult<(Group, String)> {
    let found = visible(tx, authority, group)?;
    let right = right(authority, group)?;
    require_conferred(tx, authority, group)?;
    Ok((found, right))
}

/// Puts somebody into a group by a right that was looked at.
pub(super) fn write(
    tx: &mut dyn Tx,
    cx: &OpCx,
    group: &Group,
    right: &str,
    wanted: Wanted,
) -> AdminResult<bool> {
    let user = member(tx, wanted.user)?;
    let before = tx.membership(wanted.group, wanted.user)?;
    let after = Membership {
        group: wanted.group,
        user: wanted.user,
        is_manager: wanted.is_manager,
        expires_at: wanted.expires_at,
        since: before.map_or(cx.now(), |before| before.since),
    };
    // What somebody here decided stays when a backend takes back what it told.
    let is_told = before.is_some() && !tx.membership_sources(after.group, after.user)?.is_empty();
    let is_new_hand =
        is_told && tx.put_membership_source(after.group, after.user, &Source::ByHand)?;
    if before == Some(after) && !is_new_hand {
        return Ok(false);
    }
    tx.put_membership(&after)?;
    let action = match before {
        None => "group.member_added",
        Some(_) => "group.member_changed",
    };
    let details = json!({
        "user": user.username.as_str(),
        "user_id": user.id,
        "is_manager": after.is_manager,
        "expires_at": after.expires_at.map(|end| end.to_string()),
    });
    record(tx, cx, action, Target::group(group), right, details)?;
    Ok(before.is_none())
}

fn right(authority: &Authority, group: GroupId) -> Result<String, Forbidden> {
    if manages(authority, group) {
        return Ok("manager of the group".to_owned());
    }
    authority.require(rights::CHANGE_GROUP)
}

fn member(tx: &mut dyn Tx, user: UserId) -> AdminResult<User> {
    tx.user_by_id(user)?
        .ok_or_else(|| AdminError::field("user", "unknown", "there is no such user"))
}
