//! The ways to log in, put into order and made safe to ask.

use std::{collections::HashSet, sync::Arc};

use vestibule_auth::runner::{Guarded, Limits};
use vestibule_core::{
    domain::identity::BackendName,
    policy::chain::{Control, OnUnavailable},
    ports::backend::Accounts,
    usecase::login::Door,
};

/// Why a table of backends does not hold.
#[derive(Debug, thiserror::Error)]
pub enum DoorsError {
    /// No way to log in was named.
    #[error("no backend can say who somebody is: add one with `.backend(LocalBackend::default())`")]
    Nobody,
    /// Two backends go by one name.
    #[error("two backends are called {0}: accounts are linked to a backend by its name")]
    Twice(BackendName),
    /// A backend has to verify everybody, except when it cannot be reached.
    #[error(
        "backend {0}: on_unavailable = \"skip\" would let in whoever it refuses, as soon as it \
         cannot be reached; with control = \"required\" or \"requisite\" it is \"fail\" or \
         \"cached:8h\""
    )]
    SkippedAndRequired(BackendName),
}

/// Refuses a table that can let nobody in, or that lets somebody in whom it should not.
pub(crate) fn require_sound(doors: &[Door]) -> Result<(), DoorsError> {
    let says_who = |door: &Door| !door.only_entitles() && door.place.control != Control::Optional;
    if !doors.iter().any(says_who) {
        return Err(DoorsError::Nobody);
    }
    let mut names = HashSet::new();
    for door in doors {
        if !names.insert(door.name()) {
            return Err(DoorsError::Twice(door.name().clone()));
        }
        let must_verify = matches!(door.place.control, Control::Required | Control::Requisite);
        if must_verify && door.place.on_unavailable == OnUnavailable::Skip {
            return Err(DoorsError::SkippedAndRequired(door.name().clone()));
        }
    }
    Ok(())
}

/// Whatever asks elsewhere has to answer in time.
pub(crate) fn guarded(mut door: Door) -> Door {
    if door.backend.descriptor().accounts == Accounts::Elsewhere {
        door.backend = Arc::new(Guarded::new(door.backend, Limits::default()));
    }
    door
}
