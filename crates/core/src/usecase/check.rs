//! May this user do that, and why; and what may this user see.

use super::{
    authority::Authority,
    error::{AdminError, AdminResult, Forbidden},
    principal::{Principal, Principals},
};
use crate::{
    cx::OpCx,
    domain::{
        object::{Object, ObjectRef, ObjectType},
        page::{Page, PageRequest},
        rights,
        user::User,
    },
    id::UserId,
    policy::{
        catalogue::Catalogue,
        decide::{Decision, Question, decide, may_know_of, whole_permissions},
        facts::Facts,
        visible::visible,
    },
    ports::{
        objects::ObjectFilter,
        store::{Store, StoreError},
    },
    time::Timestamp,
};

/// What a service is told when it requires a permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Go on.
    Allowed(Decision),
    /// Refuse, and say so.
    Forbidden(Decision),
    /// Answer as if the object did not exist: the caller may not know that it does.
    Hidden(Decision),
}

/// Answers what somebody may do.
pub struct Check {
    store: Store,
}

impl Check {
    /// Over the store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Whether a user may, and why. Anybody may ask about themselves, about others by permission.
    pub async fn explain(
        &self,
        cx: &OpCx,
        user: UserId,
        permission: &str,
        object: Option<ObjectRef>,
    ) -> AdminResult<Decision> {
        let (cx, permission) = (cx.clone(), permission.to_owned());
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                if !authority.is(user) {
                    authority.require(rights::CHECK_ACCESS)?;
                }
                let now = cx.now();
                let facts = Facts::load(tx, &authority.catalogue, user, now)?
                    .ok_or(AdminError::NotFound("user"))?;
                let known = object.as_ref().map(|object| tx.object(object)).transpose()?.flatten();
                let question = Question {
                    permission: &permission,
                    object: object.as_ref(),
                    known: known.as_ref(),
                };
                Ok(decide(&facts, &authority.catalogue, question, now))
            })
            .await
    }

    /// What a service asks on behalf of a recognised user, with at most one look-up for the
    /// object while the user's rights are remembered.
    pub async fn access(
        &self,
        cx: &OpCx,
        principals: &Principals,
        principal: &Principal,
        permission: &str,
        object: Option<&ObjectRef>,
    ) -> Result<Access, StoreError> {
        let now = cx.now();
        let Some(facts) = principals.facts(principal, now).await? else {
            return Ok(Access::Forbidden(Decision {
                allowed: false,
                reason: crate::policy::decide::Reason::NotLive,
            }));
        };
        let known = match object.cloned() {
            Some(object) => {
                self.store.lookup::<_, StoreError>(move |tx| tx.object(&object)).await?
            }
            None => None,
        };
        let catalogue = principal.catalogue();
        let question = Question { permission, object, known: known.as_ref() };
        let decision = decide(&facts, catalogue, question, now);
        let hidden = |object| !may_know_of(&facts, catalogue, object, known.as_ref(), now);
        Ok(match object {
            _ if decision.allowed => Access::Allowed(decision),
            Some(object) if hidden(object) => Access::Hidden(decision),
            _ => Access::Forbidden(decision),
        })
    }

    /// A page of the objects of a kind for which the actor has a permission: one query, however
    /// many there are.
    pub async fn visible(
        &self,
        cx: &OpCx,
        permission: &str,
        kind: &str,
        filter: ObjectFilter,
        request: PageRequest<()>,
    ) -> AdminResult<Page<Object>> {
        let user = cx.actor.user_id().ok_or(Forbidden::NotAuthenticated)?;
        let kind = ObjectType::parse(kind)?;
        let (cx, permission) = (cx.clone(), permission.to_owned());
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                let facts = authority.facts().filter(|facts| facts.user().id == user);
                let facts = facts.ok_or(Forbidden::NotAuthenticated)?;
                let visibility = visible(facts, &authority.catalogue, &permission, &kind, cx.now());
                match visibility {
                    Some(visibility) => {
                        Ok(tx.visible_objects(&kind, &visibility, &filter, &request)?)
                    }
                    None => Ok(Page { count: 0, items: Vec::new() }),
                }
            })
            .await
    }
}

/// Who somebody is and what they may, for their own eyes.
#[derive(Clone, Debug)]
pub struct Description {
    /// The account.
    pub user: User,
    /// The names of all groups the user is in, directly or through others, in order.
    pub groups: Vec<String>,
    /// The names of the groups the user manages, in order.
    pub managed_groups: Vec<String>,
    /// The codes of all permissions held as a whole, in order.
    pub permissions: Vec<String>,
}

impl Description {
    /// Of what is known about a user.
    pub fn of(facts: &Facts, catalogue: &Catalogue, now: Timestamp) -> Self {
        let held = whole_permissions(facts, catalogue, now);
        let all = catalogue.permissions();
        let held = held.iter().filter_map(|bit| all.get(bit as usize));
        let mut groups: Vec<_> =
            facts.groups().map(|(_, group)| (group.name.to_string(), group.is_manager)).collect();
        groups.sort_unstable();
        Self {
            user: facts.user().clone(),
            managed_groups: groups.iter().filter(|g| g.1).map(|g| g.0.clone()).collect(),
            groups: groups.into_iter().map(|g| g.0).collect(),
            permissions: held.map(|p| p.code.to_string()).collect(),
        }
    }
}

impl Check {
    /// Tells a user who they are, as it is stored now; `None` when the account is not there, or
    /// not live, any more.
    pub async fn describe(
        &self,
        cx: &OpCx,
        user: UserId,
    ) -> Result<Option<Description>, StoreError> {
        let now = cx.now();
        self.store
            .read(move |tx| {
                let catalogue = Catalogue::load(tx)?;
                let facts = Facts::load(tx, &catalogue, user, now)?;
                let facts = facts.filter(|facts| facts.user().is_live(now));
                Ok(facts.map(|facts| Description::of(&facts, &catalogue, now)))
            })
            .await
    }

    /// Tells a recognised user who they are, from what is remembered with them.
    pub async fn describe_remembered(
        &self,
        cx: &OpCx,
        principals: &Principals,
        principal: &Principal,
    ) -> Result<Option<Description>, StoreError> {
        let now = cx.now();
        let facts = principals.facts(principal, now).await?;
        Ok(facts.map(|facts| Description::of(&facts, principal.catalogue(), now)))
    }
}
