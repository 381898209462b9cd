//! By what right an operation acts, and how far that right goes.

use std::time::Duration;

use super::error::Forbidden;
use crate::{
    cx::{Actor, OpCx},
    domain::{
        grant::{Grant, Scope},
        object::Object,
        permission::PermissionCode,
    },
    id::UserId,
    policy::{
        bits::Bits,
        catalogue::Catalogue,
        decide::{Question, decide, whole_once_live},
        facts::Facts,
        holds::holds,
    },
    ports::store::{StoreError, Tx},
    time::Timestamp,
};

/// How recent a login has to be for what cannot be undone or gives power away.
pub const FRESH: Duration = Duration::from_mins(15);

/// The actor's rights at the time of the transaction: read within it, never from a cache.
pub(crate) struct Authority {
    holder: Holder,
    pub(crate) catalogue: Catalogue,
    now: Timestamp,
    as_of: Timestamp,
}

enum Holder {
    System(&'static str),
    User { facts: Box<Facts>, authenticated_at: Timestamp },
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorityError {
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AuthorityError> for super::error::AdminError {
    fn from(error: AuthorityError) -> Self {
        match error {
            AuthorityError::Forbidden(error) => Self::Forbidden(error),
            AuthorityError::Store(error) => Self::Store(error),
        }
    }
}

impl Authority {
    pub(crate) fn load(tx: &mut dyn Tx, cx: &OpCx) -> Result<Self, AuthorityError> {
        Self::load_as_of(tx, cx, cx.now())
    }

    /// What will be left of the actor's rights at the last instant before an end: of memberships
    /// and grants that end sooner, nothing. When the account itself ends does not matter: what
    /// somebody gave stays when they go.
    pub(crate) fn load_until(
        tx: &mut dyn Tx,
        cx: &OpCx,
        end: Option<Timestamp>,
    ) -> Result<Self, AuthorityError> {
        Self::load_as_of(tx, cx, Timestamp::last_before(end).max(cx.now()))
    }

    fn load_as_of(tx: &mut dyn Tx, cx: &OpCx, as_of: Timestamp) -> Result<Self, AuthorityError> {
        let now = cx.now();
        let catalogue = Catalogue::load(tx)?;
        let holder = match &cx.actor {
            Actor::System(name) => Holder::System(name),
            Actor::Anonymous => return Err(Forbidden::NotAuthenticated.into()),
            Actor::User { id, authenticated_at, .. } => {
                let facts = Facts::load(tx, &catalogue, *id, as_of)?
                    .filter(|facts| facts.user().is_live(now))
                    .ok_or(Forbidden::NotAuthenticated)?;
                Holder::User { facts: Box::new(facts), authenticated_at: *authenticated_at }
            }
        };
        Ok(Self { holder, catalogue, now, as_of })
    }

    /// The actor's own facts; none for the operator at the command line.
    pub(crate) fn facts(&self) -> Option<&Facts> {
        match &self.holder {
            Holder::System(_) => None,
            Holder::User { facts, .. } => Some(facts),
        }
    }

    pub(crate) fn is(&self, user: UserId) -> bool {
        self.facts().is_some_and(|facts| facts.user().id == user)
    }

    pub(crate) fn is_superuser(&self) -> bool {
        self.facts().is_none_or(|facts| facts.user().is_superuser)
    }

    /// Whether nothing that the actor's rights rest on ends before.
    pub(crate) fn lasts_until(&self, end: Option<Timestamp>) -> bool {
        self.facts().is_none_or(|facts| end.unwrap_or(Timestamp::MAX) <= facts.valid_until())
    }

    /// The right, in words for the audit log, or what is missing.
    pub(crate) fn require(&self, code: &'static str) -> Result<String, Forbidden> {
        self.right(code).ok_or_else(|| Forbidden::Permission(code.to_owned()))
    }

    /// The right, in words, if the actor has it.
    pub(crate) fn right(&self, code: &'static str) -> Option<String> {
        match &self.holder {
            Holder::System(name) => Some((*name).to_owned()),
            Holder::User { facts, .. } => {
                let decision = decide(facts, &self.catalogue, Question::whole(code), self.now);
                decision.allowed.then(|| format!("{code}: {}", decision.reason))
            }
        }
    }

    pub(crate) fn require_superuser(&self) -> Result<(), Forbidden> {
        if self.is_superuser() { Ok(()) } else { Err(Forbidden::SuperuserOnly) }
    }

    /// Refuses an actor whose last proof of identity is too long ago.
    pub(crate) fn require_fresh(&self) -> Result<(), Forbidden> {
        match &self.holder {
            Holder::User { authenticated_at, .. } if self.now.since(*authenticated_at) > FRESH => {
                Err(Forbidden::NotFresh { minutes: FRESH.as_secs() / 60 })
            }
            _ => Ok(()),
        }
    }

    /// Refuses to give away what the actor does not hold in that scope.
    pub(crate) fn require_holding(
        &self,
        code: &PermissionCode,
        scope: &Scope,
        known: Option<&Object>,
    ) -> Result<(), Forbidden> {
        match self.facts() {
            Some(facts) if !holds(facts, &self.catalogue, code, scope, known, self.now) => {
                Err(Forbidden::MoreThanHeld(code.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// Refuses to touch grants of what the actor does not hold; those that have ended count for
    /// nothing.
    pub(crate) fn require_holding_all(
        &self,
        grants: &[Grant],
        known: Option<&Object>,
    ) -> Result<(), Forbidden> {
        if self.is_superuser() {
            return Ok(());
        }
        let mut live = grants.iter().filter(|grant| grant.is_live(self.as_of));
        live.try_for_each(|grant| self.require_holding(&grant.permission, &grant.scope, known))
    }

    /// Refuses to act upon an account that has rights the actor lacks.
    pub(crate) fn require_not_outranked(&self, target: &Facts) -> Result<(), Forbidden> {
        let Some(own) = self.facts() else {
            return Ok(());
        };
        if own.user().is_superuser {
            return Ok(());
        }
        if target.user().is_superuser {
            return Err(Forbidden::Outranked);
        }
        if self.whole_of(own).covers(&self.whole_of(target)) {
            Ok(())
        } else {
            Err(Forbidden::Outranked)
        }
    }

    fn whole_of(&self, facts: &Facts) -> Bits {
        // What a disabled account would have counts too: enabling it is acting upon it.
        whole_once_live(facts, &self.catalogue)
    }
}
