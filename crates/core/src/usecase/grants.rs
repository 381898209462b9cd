//! Granting, denying and taking back.

use serde_json::json;

use super::{
    authority::Authority,
    error::{AdminError, AdminResult},
    record::{Target, record},
};
use crate::{
    cx::OpCx,
    domain::{
        change::Change,
        grant::{Effect, Grant, Scope, Subject},
        page::{Page, PageRequest},
        permission::PermissionCode,
        rights,
    },
    id::GrantId,
    ports::{
        grants::GrantFilter,
        store::{Store, Tx},
    },
    time::Timestamp,
};

/// A grant that is wanted.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// Whom it is made to.
    pub subject: Subject,
    /// What it is about.
    pub permission: PermissionCode,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// Where it holds.
    pub scope: Scope,
    /// Until when.
    pub expires_at: Option<Timestamp>,
}

/// Grants, denies and takes back.
pub struct Grants {
    store: Store,
}

impl Grants {
    /// Over the store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// A page of grants.
    pub async fn list(
        &self,
        cx: &OpCx,
        filter: GrantFilter,
        request: PageRequest<()>,
    ) -> AdminResult<Page<Grant>> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                Authority::load(tx, &cx)?.require(rights::VIEW_GRANT)?;
                Ok(tx.grant_page(&filter, &request)?)
            })
            .await
    }

    /// One grant.
    pub async fn get(&self, cx: &OpCx, id: GrantId) -> AdminResult<Grant> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                authority.right(rights::VIEW_GRANT).ok_or(AdminError::NotFound("grant"))?;
                tx.grant_by_id(id)?.ok_or(AdminError::NotFound("grant"))
            })
            .await
    }

    /// Makes a grant, or renews the one that says the same. Answers it and whether it is new.
    pub async fn add(&self, cx: &OpCx, new: NewGrant) -> AdminResult<(Grant, bool)> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                tx.announce(concerns(new.subject), cx.now())?;
                let authority = Authority::load(tx, &cx)?;
                let right = authority.require(rights::CHANGE_GRANT)?;
                put(tx, &cx, &authority, &new, &right)
            })
            .await
    }

    /// Takes a grant back.
    pub async fn remove(&self, cx: &OpCx, id: GrantId) -> AdminResult<()> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                // Whom it concerns is known only once it is read, and it is read under the lock.
                tx.announce(Change::Everyone, cx.now())?;
                let authority = Authority::load(tx, &cx)?;
                let right = authority.require(rights::CHANGE_GRANT)?;
                let grant = tx.grant_by_id(id)?.ok_or(AdminError::NotFound("grant"))?;
                take_back(tx, &cx, &authority, &grant, &right)
            })
            .await
    }
}

/// Whose rights a grant to this subject changes.
pub(super) fn concerns(subject: Subject) -> Change {
    match subject {
        Subject::User(user) => Change::User(user),
        Subject::Group(_) | Subject::Authenticated => Change::Everyone,
    }
}

/// Makes or renews a grant by a right that was established; the actor must hold what it gives, and
/// for as long.
pub(super) fn put(
    tx: &mut dyn Tx,
    cx: &OpCx,
    authority: &Authority,
    new: &NewGrant,
    right: &str,
) -> AdminResult<(Grant, bool)> {
    let now = cx.now();
    let known = match &new.scope {
        Scope::Object(object) => tx.object(object)?,
        Scope::Whole | Scope::Prefix(_) => None,
    };
    if tx.permission(&new.permission)?.is_none() {
        let message = "no service has registered this permission";
        return Err(AdminError::field("permission", "unknown", message));
    }
    authority.require_holding(&new.permission, &new.scope, known.as_ref())?;
    if new.effect == Effect::Allow && !authority.lasts_until(new.expires_at) {
        // What somebody holds for a time would be made lasting, by themselves or by another.
        let lasting = Authority::load_until(tx, cx, new.expires_at)?;
        lasting.require_holding(&new.permission, &new.scope, known.as_ref())?;
    }
    let name = subject_name(tx, new.subject)?;
    let mut grant = Grant {
        id: GrantId::generate(now, cx.entropy()),
        subject: new.subject,
        permission: new.permission.clone(),
        effect: new.effect,
        scope: new.scope.clone(),
        expires_at: new.expires_at,
        granted_by: cx.actor.user_id(),
        granted_at: now,
    };
    let before = tx.grant_like(&grant)?;
    if let Some(before) = &before {
        if before.expires_at == grant.expires_at {
            return Ok((before.clone(), false));
        }
        grant.id = before.id;
        tx.update_grant(&grant)?;
    } else {
        tx.insert_grant(&grant)?;
    }
    let action = match (before.is_some(), grant.effect) {
        (true, _) => "grant.renewed",
        (false, Effect::Allow) => "grant.added",
        (false, Effect::Deny) => "grant.denied",
    };
    record(tx, cx, action, Target::new("grant", grant.id, &name), right, details(&grant))?;
    Ok((grant, before.is_none()))
}

/// Takes a grant back by a right that was established. Nobody frees others from a denial of what
/// they do not hold themselves.
pub(super) fn take_back(
    tx: &mut dyn Tx,
    cx: &OpCx,
    authority: &Authority,
    grant: &Grant,
    right: &str,
) -> AdminResult<()> {
    let known = match &grant.scope {
        Scope::Object(object) => tx.object(object)?,
        Scope::Whole | Scope::Prefix(_) => None,
    };
    authority.require_holding(&grant.permission, &grant.scope, known.as_ref())?;
    let name = subject_name(tx, grant.subject)?;
    tx.delete_grant(grant.id)?;
    let target = Target::new("grant", grant.id, &name);
    record(tx, cx, "grant.removed", target, right, details(grant))?;
    Ok(())
}

fn details(grant: &Grant) -> serde_json::Value {
    let (kind, id) = match grant.subject {
        Subject::User(user) => ("user", user.to_string()),
        Subject::Group(group) => ("group", group.to_string()),
        Subject::Authenticated => ("authenticated", String::new()),
    };
    json!({
        "subject_kind": kind,
        "subject_id": id,
        "permission": grant.permission.as_str(),
        "effect": grant.effect.as_str(),
        "scope": grant.scope.to_string(),
        "expires_at": grant.expires_at.map(|end| end.to_string()),
    })
}

fn subject_name(tx: &mut dyn Tx, subject: Subject) -> AdminResult<String> {
    match subject {
        Subject::User(id) => {
            let user = tx.user_by_id(id)?;
            let missing = || AdminError::field("user", "unknown", "there is no such user");
            Ok(user.ok_or_else(missing)?.username.to_string())
        }
        Subject::Group(id) => {
            let group = tx.group_by_id(id)?;
            let missing = || AdminError::field("group", "unknown", "there is no such group");
            Ok(group.ok_or_else(missing)?.name.to_string())
        }
        Subject::Authenticated => Ok("everybody who is logged in".to_owned()),
    }
}
