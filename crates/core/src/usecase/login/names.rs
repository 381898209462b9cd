//! By what name somebody is asked about at a backend that is told no more than a name.
//!
//! A name that its owner could choose may be another person's there: whoever registers as `alice`
//! must not come in on what Alice may, nor get her groups.

use std::collections::HashSet;

use super::{Door, Login};
use crate::{
    domain::{
        identity::{BackendName, Identity, Subject},
        user::User,
    },
    id::UserId,
    ports::{
        backend::Assertion,
        store::{StoreError, Tx},
    },
};

/// Whose login names are somebody's word, so that nobody can have chosen another's.
#[derive(Clone, Debug, Default)]
pub struct GivenNames {
    /// Whether nobody makes an account here by themselves.
    pub here: bool,
    /// The backends whose people cannot choose what their accounts are called.
    pub by: HashSet<BackendName>,
}

impl GivenNames {
    /// Whether the owner of an account, who is these elsewhere, cannot have chosen its name.
    pub fn has(&self, identities: &[Identity]) -> bool {
        self.here && identities.iter().all(|identity| self.by.contains(&identity.backend))
    }
}

/// An account, and who its owner is elsewhere.
pub(super) struct Owned {
    pub(super) user: User,
    pub(super) identities: Vec<Identity>,
}

impl Owned {
    pub(super) fn of(tx: &mut dyn Tx, user: User) -> Result<Self, StoreError> {
        let identities = tx.identities_of(user.id)?;
        Ok(Self { user, identities })
    }

    /// Who the owner is to a backend, each by a link.
    pub(super) fn subjects_at(&self, backend: &BackendName) -> impl Iterator<Item = &Subject> {
        let there = self.identities.iter().filter(move |known| known.backend == *backend);
        there.map(|known| &known.subject)
    }
}

/// Somebody who is to be asked about.
pub(super) struct Whom<'a> {
    owned: Option<&'a Owned>,
    /// What they are called by somebody's word, if they are.
    name: Option<String>,
}

impl Whom<'_> {
    /// Their account, if they have one.
    pub(super) fn account(&self) -> Option<UserId> {
        self.owned.map(|owned| owned.user.id)
    }

    /// What a backend is asked, and by what it knows them if they are linked to it. Nothing where
    /// it would be asked about a name that anybody could have chosen.
    pub(super) fn at(&self, backend: &BackendName) -> Option<(&str, Option<&Subject>)> {
        let known = self.owned.and_then(|owned| owned.subjects_at(backend).next());
        match known {
            Some(subject) => Some((subject.as_str(), Some(subject))),
            None => self.name.as_deref().map(|name| (name, None)),
        }
    }

    /// Whether one of those that have to verify everybody could not be asked about them.
    pub(super) fn is_nobody_to_one_of(&self, doors: &[Door]) -> bool {
        let must_tell = |door: &&Door| door.only_entitles() && door.must_verify();
        doors.iter().filter(must_tell).any(|door| self.at(door.name()).is_none())
    }
}

impl Login {
    /// Whether the owner of an account, who is these elsewhere, cannot have chosen its name.
    pub fn is_name_given(&self, identities: &[Identity]) -> bool {
        self.names.has(identities)
    }

    /// An account, if it is there, and who its owner is elsewhere.
    pub(super) async fn owned(&self, user: UserId) -> Result<Option<Owned>, StoreError> {
        let find =
            move |tx: &mut dyn Tx| tx.user_by_id(user)?.map(|user| Owned::of(tx, user)).transpose();
        self.store.lookup(find).await
    }

    /// Whom others are asked about while the owner of the account is not there.
    pub(super) fn whom_without_them<'a>(&self, owned: &'a Owned) -> Whom<'a> {
        let is_given = self.is_name_given(&owned.identities);
        let name = is_given.then(|| owned.user.username.as_str().to_owned());
        Whom { owned: Some(owned), name }
    }

    /// Whom others are asked about, after the door at `at` has said who it is. `typed` is the name
    /// that they typed there.
    pub(super) fn whom<'a>(
        &self,
        at: usize,
        said: &Assertion,
        typed: Option<&str>,
        owned: Option<&'a Owned>,
    ) -> Whom<'a> {
        let door = &self.doors[at];
        let is_told =
            !door.is_local() && (typed.is_some() || said.account.is_some() || door.trust_names);
        let told = said.username.clone().filter(|_| is_told);
        match owned {
            Some(owned) => {
                let whom = self.whom_without_them(owned);
                // They are not called there what they typed, but what they are known by.
                Whom { name: whom.name.or(told), ..whom }
            }
            None => Whom { owned: None, name: told.or_else(|| typed.map(str::to_owned)) },
        }
    }
}
