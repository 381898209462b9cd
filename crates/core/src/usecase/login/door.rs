//! The ways to log in, as the operator ordered them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    domain::identity::{BackendName, Subject},
    policy::chain::{Control, Place},
    ports::backend::{Accounts, Attempt, Backend},
};

/// A backend in its place, with what the operator decided about those who come in by it.
#[derive(Clone)]
pub struct Door {
    /// What is asked.
    pub backend: Arc<dyn Backend>,
    /// What its answers mean.
    pub place: Place,
    /// Whether the login names that it tells are given by somebody, and cannot be chosen by those
    /// who have them.
    pub trust_names: bool,
    /// What a visitor reads on its button; its name where there is none.
    pub label: Option<String>,
    /// After how long the backend is asked again about those whom it let in, where it can be asked
    /// without them; `None` for never.
    pub refresh: Option<Duration>,
    /// Names that end in one of these go to this backend and to no other: `@facility.org`.
    pub realms: Vec<String>,
    /// Whether an account is made for people who have none.
    pub create_users: bool,
    /// Which group there is which group here, by name.
    pub groups: BTreeMap<String, String>,
}

impl Door {
    /// What the login page calls it.
    pub fn called(&self) -> &str {
        self.label.as_deref().unwrap_or_else(|| self.name().as_str())
    }

    /// With nothing decided: `sufficient`, and nobody gets an account by it.
    pub fn new(backend: Arc<dyn Backend>) -> Self {
        Self {
            backend,
            place: Place::default(),
            trust_names: false,
            label: None,
            refresh: None,
            realms: Vec::new(),
            create_users: false,
            groups: BTreeMap::new(),
        }
    }

    /// What the operator calls it.
    pub fn name(&self) -> &BackendName {
        &self.backend.descriptor().name
    }

    /// Whether its accounts are ours.
    pub fn is_local(&self) -> bool {
        self.backend.descriptor().accounts == Accounts::Here
    }

    /// Whether it is asked about people who proved who they are to another, and shown no
    /// credential: so it is with all that can tell, unless the operator has it say who somebody is.
    pub fn only_entitles(&self) -> bool {
        self.place.control != Control::Sufficient && self.backend.entitlement().is_some()
    }

    /// Whether somebody may be let in on its word alone.
    pub fn lets_in(&self) -> bool {
        !self.only_entitles() && self.place.control != Control::Optional
    }

    /// Whether everybody has to be verified by it.
    pub const fn must_verify(&self) -> bool {
        matches!(self.place.control, Control::Required | Control::Requisite)
    }

    /// Whether it judges this kind of credential.
    pub(super) fn takes(&self, attempt: &Attempt) -> bool {
        self.backend.descriptor().takes.contains(&attempt.kind())
    }

    /// Whether the name says that it is this backend's.
    fn has_realm_of(&self, username: &str) -> bool {
        let name = username.trim().to_lowercase();
        self.realms.iter().any(|realm| name.ends_with(&realm.to_lowercase()))
    }
}

/// What is known of a login before anybody is asked.
pub(super) struct Known<'a> {
    /// The one way in that was asked for, as by a button.
    pub(super) button: Option<&'a str>,
    /// The name that was typed.
    pub(super) username: &'a str,
    /// What the account of that name is bound to, if there is one.
    pub(super) ties: Option<&'a Ties>,
}

/// By which doors an account is entered.
pub(super) struct Ties {
    pub(super) elsewhere: Vec<(BackendName, Subject)>,
    /// Whether it has a password here that could match.
    pub(super) has_password: bool,
}

impl Ties {
    /// Who the account's owner is to a backend.
    pub(super) fn subject_at(&self, backend: &BackendName) -> Option<&Subject> {
        self.elsewhere.iter().find(|(name, _)| name == backend).map(|(_, subject)| subject)
    }
}

/// The doors that may say who the visitor is.
pub(super) struct Identifying {
    meant: Vec<bool>,
    /// Whether each of them knows the visitor, so that a wrong password at one of them may be the
    /// right one at another.
    pub(super) all_know: bool,
}

impl Identifying {
    pub(super) fn is_meant(&self, at: usize) -> bool {
        self.meant.get(at).copied().unwrap_or(false)
    }
}

/// Which doors may say who the visitor is, so that a password goes to nobody who need not see it:
/// the one that was asked for; else the one whose realm the name has; else those that the account
/// is bound to (an account that is bound to none is one of ours); else all, in their order.
pub(super) fn identifying(doors: &[Door], known: &Known<'_>) -> Identifying {
    let choose = |is_meant: &dyn Fn(&Door) -> bool| -> Option<Vec<bool>> {
        let meant: Vec<bool> = doors.iter().map(is_meant).collect();
        meant.contains(&true).then_some(meant)
    };
    if let Some(name) = known.button {
        let meant = doors.iter().map(|door| door.name().as_str() == name).collect();
        return Identifying { meant, all_know: false };
    }
    if let Some(meant) = choose(&|door| door.has_realm_of(known.username)) {
        return Identifying { meant, all_know: false };
    }
    if let Some(ties) = known.ties {
        let is_tied = |door: &Door| {
            if door.is_local() {
                ties.has_password || ties.elsewhere.is_empty()
            } else {
                ties.subject_at(door.name()).is_some()
            }
        };
        if let Some(meant) = choose(&is_tied) {
            return Identifying { meant, all_know: true };
        }
    }
    Identifying { meant: vec![true; doors.len()], all_know: false }
}

/// Whether an account that has a password here, or none, and is known to these backends can still
/// be entered.
pub(super) fn is_entered<'a>(
    doors: &[Door],
    has_password: bool,
    mut links: impl Iterator<Item = &'a BackendName>,
) -> bool {
    let leads_in = |name: &BackendName| {
        doors.iter().any(|door| !door.is_local() && door.lets_in() && door.name() == name)
    };
    (has_password && doors.iter().any(|door| door.is_local() && door.lets_in()))
        || links.any(leads_in)
}
