//! What we keep about the services' objects: owner, group, level, shares.

use serde_json::json;

use super::{
    authority::Authority,
    error::{AdminError, AdminResult, Forbidden},
    grants::{NewGrant, concerns, put, take_back},
    record::{Target, record},
};
use crate::{
    cx::OpCx,
    domain::{
        change::Change,
        grant::{Effect, Grant, Scope, Subject},
        group::Group,
        level::{Action, Level},
        object::{Object, ObjectRef},
        page::PageRequest,
        permission::PermissionCode,
        rights,
        user::User,
    },
    id::{GrantId, GroupId, UserId},
    policy::decide::{Question, Reason, decide, may_know_of},
    ports::{
        grants::GrantFilter,
        store::{Store, Tx},
    },
    time::Timestamp,
};

/// What an object's entry is to say; on a change, `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct ObjectPatch {
    /// Whose it is; the actor's own when a new entry does not say.
    pub owner: Option<UserId>,
    /// Whose members see it; an inner `None` takes the group away.
    pub group: Option<Option<GroupId>>,
    /// How far they reach; an inner `None` makes the group's level count.
    pub level: Option<Option<Level>>,
}

/// An object with whom it is shared with.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The entry.
    pub object: Object,
    /// Its owner.
    pub owner: Option<User>,
    /// Its group.
    pub group: Option<Group>,
    /// The grants on exactly this object.
    pub shares: Vec<Grant>,
}

/// A share that is wanted.
#[derive(Clone, Debug)]
pub struct NewShare {
    /// With whom.
    pub subject: Subject,
    /// What they may.
    pub permission: PermissionCode,
    /// Until when.
    pub expires_at: Option<Timestamp>,
}

/// Keeps what we know about the services' objects.
pub struct Sharing {
    store: Store,
}

/// The most shares one object may have.
const MAX_SHARES: u32 = 1000;

impl Sharing {
    /// Over the store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// An object with its shares, for those who may see it.
    pub async fn get(&self, cx: &OpCx, object: ObjectRef) -> AdminResult<Shared> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                let found = known(tx, &authority, &cx, &object)?;
                shared(tx, found)
            })
            .await
    }

    /// Tells us of an object, or changes what we know. A new one is the actor's unless a
    /// permission lets them say otherwise.
    pub async fn put(
        &self,
        cx: &OpCx,
        object: ObjectRef,
        patch: ObjectPatch,
    ) -> AdminResult<(Shared, bool)> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                let before = tx.object(&object)?;
                if let Some(before) = &before {
                    // One change after the other: each is judged by, and keeps, what the one
                    // before it made of the object.
                    tx.announce(Change::User(before.owner), cx.now())?;
                }
                let authority = Authority::load(tx, &cx)?;
                let after = match &before {
                    Some(_) => change(tx, &cx, &authority, &object, &patch)?,
                    None => insert(tx, &cx, &authority, &object, &patch)?,
                };
                Ok((shared(tx, after)?, before.is_none()))
            })
            .await
    }

    /// Forgets an object and takes back every grant on it.
    pub async fn delete(&self, cx: &OpCx, object: ObjectRef) -> AdminResult<()> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                tx.announce(Change::Everyone, cx.now())?;
                let authority = Authority::load(tx, &cx)?;
                let found = known(tx, &authority, &cx, &object)?;
                let right = right(&authority, &cx, &found, Action::Delete)?;
                // The denials on it end with it, and its owner could tell us of it again.
                authority.require_holding_all(&tx.denials_on(&object)?, Some(&found))?;
                let shares = tx.delete_grants_on(&object)?;
                tx.delete_object(&object)?;
                let target = Target::new("object", &object, &object);
                record(tx, &cx, "object.deleted", target, right, json!({ "shares": shares }))?;
                Ok(())
            })
            .await
    }

    /// Shares an object with somebody, by the right to manage it.
    pub async fn share(
        &self,
        cx: &OpCx,
        object: ObjectRef,
        share: NewShare,
    ) -> AdminResult<(Grant, bool)> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                tx.announce(concerns(share.subject), cx.now())?;
                let authority = Authority::load(tx, &cx)?;
                let found = known(tx, &authority, &cx, &object)?;
                let right = right(&authority, &cx, &found, Action::Manage)?;
                let new = NewGrant {
                    subject: share.subject,
                    permission: share.permission.clone(),
                    effect: Effect::Allow,
                    scope: Scope::Object(object.clone()),
                    expires_at: share.expires_at,
                };
                put(tx, &cx, &authority, &new, &right)
            })
            .await
    }

    /// Takes a share back, by the right to manage the object.
    pub async fn unshare(&self, cx: &OpCx, object: ObjectRef, share: GrantId) -> AdminResult<()> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                tx.announce(Change::Everyone, cx.now())?;
                let authority = Authority::load(tx, &cx)?;
                let found = known(tx, &authority, &cx, &object)?;
                let right = right(&authority, &cx, &found, Action::Manage)?;
                let missing = || AdminError::NotFound("share");
                let grant = tx.grant_by_id(share)?.ok_or_else(missing)?;
                if grant.scope != Scope::Object(object.clone()) || grant.effect != Effect::Allow {
                    return Err(missing());
                }
                take_back(tx, &cx, &authority, &grant, &right)
            })
            .await
    }
}

fn insert(
    tx: &mut dyn Tx,
    cx: &OpCx,
    authority: &Authority,
    object: &ObjectRef,
    patch: &ObjectPatch,
) -> AdminResult<Object> {
    let may_all = authority.right(rights::CHANGE_OBJECT);
    let own = cx.actor.user_id();
    let owner = patch.owner.or(own).ok_or_else(|| {
        AdminError::field("owner", "required", "say who owns it: the command line owns nothing")
    })?;
    if Some(owner) != own && may_all.is_none() {
        return Err(Forbidden::Permission(rights::CHANGE_OBJECT.to_owned()).into());
    }
    let group = patch.group.flatten();
    if may_all.is_none() {
        require_ungranted(tx, object)?;
        if let Some(group) = group {
            require_member(authority, group)?;
        }
    }
    let after = Object {
        object: object.clone(),
        owner,
        group,
        level: patch.level.flatten(),
        created_at: cx.now(),
    };
    require_there(tx, &after)?;
    tx.insert_object(&after)?;
    let right = may_all.unwrap_or_else(|| "own object".to_owned());
    let target = Target::new("object", object, object);
    record(tx, cx, "object.added", target, right, details(&after))?;
    Ok(after)
}

/// Refuses to make somebody the owner of what others were given rights on already, as all that an
/// import brings: it is somebody's, whom nobody told us of.
fn require_ungranted(tx: &mut dyn Tx, object: &ObjectRef) -> AdminResult<()> {
    let filter = GrantFilter { object: Some(object.clone()), ..GrantFilter::default() };
    let one = PageRequest { size: 1, ..PageRequest::default() };
    if tx.grant_page(&filter, &one)?.count > 0 {
        return Err(Forbidden::Permission(rights::CHANGE_OBJECT.to_owned()).into());
    }
    Ok(())
}

fn change(
    tx: &mut dyn Tx,
    cx: &OpCx,
    authority: &Authority,
    object: &ObjectRef,
    patch: &ObjectPatch,
) -> AdminResult<Object> {
    let before = known(tx, authority, cx, object)?;
    let right = right(authority, cx, &before, Action::Manage)?;
    let may_all = authority.right(rights::CHANGE_OBJECT).is_some();
    let after = Object {
        owner: patch.owner.unwrap_or(before.owner),
        group: patch.group.unwrap_or(before.group),
        level: patch.level.unwrap_or(before.level),
        ..before.clone()
    };
    if after == before {
        return Ok(after);
    }
    // Managers look after what is in their group; whose it is and which group has it, the owner
    // says.
    let is_owner = authority.is(before.owner);
    if !may_all && !is_owner && (after.owner != before.owner || after.group != before.group) {
        return Err(Forbidden::Permission(rights::CHANGE_OBJECT.to_owned()).into());
    }
    if let Some(group) = after.group.filter(|group| Some(*group) != before.group)
        && !may_all
    {
        require_member(authority, group)?;
    }
    require_there(tx, &after)?;
    tx.update_object(&after)?;
    let target = Target::new("object", object, object);
    let particulars = json!({ "from": details(&before), "to": details(&after) });
    record(tx, cx, "object.changed", target, right, particulars)?;
    Ok(after)
}

/// The object, if the actor may know of it.
fn known(
    tx: &mut dyn Tx,
    authority: &Authority,
    cx: &OpCx,
    object: &ObjectRef,
) -> AdminResult<Object> {
    let found = tx.object(object)?.ok_or(AdminError::NotFound("object"))?;
    let own = authority.facts().is_none_or(|facts| {
        let looks = authority.catalogue.permissions_for(&object.kind, Action::View).next();
        facts.user().id == found.owner
            || (looks.is_some()
                && may_know_of(facts, &authority.catalogue, object, Some(&found), cx.now()))
    });
    // Who may change it may see what they change.
    let may_look = [rights::VIEW_OBJECT, rights::CHANGE_OBJECT];
    if own || may_look.into_iter().any(|right| authority.right(right).is_some()) {
        Ok(found)
    } else {
        Err(AdminError::NotFound("object"))
    }
}

/// By what right the actor does this to the object itself: a permission that stands for the
/// action on its kind, ownership unless that is denied, or the permission over all objects.
fn right(authority: &Authority, cx: &OpCx, object: &Object, action: Action) -> AdminResult<String> {
    if let Some(facts) = authority.facts() {
        let mut is_denied = false;
        let catalogue = &authority.catalogue;
        for permission in catalogue.permissions_for(&object.object.kind, action) {
            let question = Question {
                permission: permission.code.as_str(),
                object: Some(&object.object),
                known: Some(object),
            };
            let decision = decide(facts, catalogue, question, cx.now());
            if decision.allowed {
                return Ok(format!("{}: {}", permission.code, decision.reason));
            }
            is_denied |= matches!(decision.reason, Reason::Denied(_));
        }
        if authority.is(object.owner) && !is_denied {
            return Ok("own object".to_owned());
        }
        let manages = object.group.and_then(|id| facts.reached(id)).is_some_and(|g| g.is_manager);
        if manages && action == Action::Manage && !is_denied {
            return Ok("manager of the object's group".to_owned());
        }
    }
    Ok(authority.require(rights::CHANGE_OBJECT)?)
}

fn require_member(authority: &Authority, group: GroupId) -> AdminResult<()> {
    if authority.facts().is_none_or(|facts| facts.reached(group).is_some()) {
        Ok(())
    } else {
        Err(AdminError::field("group", "not_a_member", "you are not in this group"))
    }
}

fn require_there(tx: &mut dyn Tx, object: &Object) -> AdminResult<()> {
    if tx.user_by_id(object.owner)?.is_none() {
        return Err(AdminError::field("owner", "unknown", "there is no such user"));
    }
    if let Some(group) = object.group
        && tx.group_by_id(group)?.is_none()
    {
        return Err(AdminError::field("group", "unknown", "there is no such group"));
    }
    Ok(())
}

fn shared(tx: &mut dyn Tx, object: Object) -> AdminResult<Shared> {
    let filter = GrantFilter { object: Some(object.object.clone()), ..GrantFilter::default() };
    let all = PageRequest { size: MAX_SHARES, ..PageRequest::default() };
    let shares = tx.grant_page(&filter, &all)?.items;
    let owner = tx.user_by_id(object.owner)?;
    let group = object.group.map(|id| tx.group_by_id(id)).transpose()?.flatten();
    Ok(Shared { object, owner, group, shares })
}

fn details(object: &Object) -> serde_json::Value {
    json!({
        "owner": object.owner,
        "group": object.group,
        "level": object.level.map(Level::as_str),
    })
}
