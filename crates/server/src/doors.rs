//! The ways to log in, put into order and made safe to ask.

use std::{collections::HashSet, sync::Arc};

use ipnet::IpNet;
use vestibule_auth::{
    backends::{self, ShibbolethFactory, UserOfficeFactory},
    runner::{Guarded, Limits},
};
use vestibule_core::{
    domain::identity::BackendName,
    policy::chain::{Control, OnUnavailable},
    ports::backend::{Accounts, BackendFactory, CredentialKind, SectionError},
    usecase::login::Door,
};

use crate::config::{BackendSettings, Settings};

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
    /// A backend believes headers, and no proxy is named that may send them.
    #[error(
        "backend {0}: server.trusted_proxies is empty, so that nobody could log in by headers; \
         name the address of the proxy in front"
    )]
    NoProxies(BackendName),
    /// A backend believes headers, and far too many may send them.
    #[error(
        "backend {name}: server.trusted_proxies has {network}, and whoever connects from there \
         could log in as anybody; name the addresses of the proxies in front"
    )]
    TooManyProxies {
        /// Which backend.
        name: BackendName,
        /// From where they come.
        network: IpNet,
    },
    /// A backend that cannot be asked without a visitor is to be.
    #[error(
        "backend {0}: refresh: it cannot be asked about people who are not there; of the kinds \
         here, `ldap`, `pam`, `remote` and `user_office` can, as they are set up"
    )]
    CannotRefresh(BackendName),
    /// There is no such kind of backend.
    #[error("backend {name}: unknown kind {kind:?}; there are {known}")]
    UnknownKind {
        /// Which backend.
        name: BackendName,
        /// What its section says.
        kind: String,
        /// What it could say.
        known: String,
    },
    /// A section does not hold.
    #[error("backend {name}: {error}")]
    Section {
        /// Which backend.
        name: BackendName,
        /// What is wrong.
        error: SectionError,
    },
}

/// Makes the backends that the configuration names; those of the operator's own kinds by
/// `factories`.
pub(crate) fn from_settings(
    settings: &Settings,
    factories: &[Arc<dyn BackendFactory>],
) -> Result<Vec<Door>, DoorsError> {
    let mut all = backends::factories();
    all.extend(factories.iter().cloned());
    settings.backends.iter().map(|backend| door(backend, settings, &all)).collect()
}

fn door(
    backend: &BackendSettings,
    settings: &Settings,
    factories: &[Arc<dyn BackendFactory>],
) -> Result<Door, DoorsError> {
    let name = backend.name.clone();
    let Some(factory) = factories.iter().rfind(|factory| factory.kind() == backend.kind) else {
        let mut known: Vec<_> = factories.iter().map(|factory| factory.kind()).collect();
        known.sort_unstable();
        let (kind, known) = (backend.kind.clone(), known.join(", "));
        return Err(DoorsError::UnknownKind { name, kind, known });
    };
    // What stands in its own section of the configuration, and what stands with the backend.
    let section = match factory.kind() {
        UserOfficeFactory::KIND => backend.section.clone().over(&settings.user_office.section),
        ShibbolethFactory::KIND => backend.section.clone().over(&settings.user_office.hashes),
        _ => backend.section.clone(),
    };
    let built = factory.build(name.clone(), section);
    Ok(Door {
        backend: built.map_err(|error| DoorsError::Section { name, error })?,
        place: backend.place,
        trust_names: backend.trust_names,
        label: backend.label.clone(),
        refresh: backend.refresh,
        realms: backend.realms.clone(),
        create_users: backend.create_users,
        groups: backend.groups.clone(),
    })
}

/// All that is wrong with the backends that the configuration names, of the kinds that there are
/// here.
pub(crate) fn problems(settings: &Settings) -> Vec<String> {
    let factories = backends::factories();
    let (mut doors, mut found) = (Vec::new(), Vec::new());
    for backend in &settings.backends {
        match door(backend, settings, &factories) {
            Ok(door) => doors.push(door),
            Err(error) => found.push(error.to_string()),
        }
    }
    // Of some of them nothing can be said about all.
    if found.is_empty() && !doors.is_empty() {
        let whole = require_sound(&doors)
            .and_then(|()| require_proxies(&doors, &settings.server.trusted_proxies));
        found.extend(whole.err().map(|error| error.to_string()));
    }
    found
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
        if door.refresh.is_some() && door.backend.entitlement().is_none() {
            return Err(DoorsError::CannotRefresh(door.name().clone()));
        }
        if door.must_verify() && door.place.on_unavailable == OnUnavailable::Skip {
            return Err(DoorsError::SkippedAndRequired(door.name().clone()));
        }
    }
    Ok(())
}

/// Refuses to believe headers from everywhere: a backend that does wants proxies that are named.
pub(crate) fn require_proxies(doors: &[Door], proxies: &[IpNet]) -> Result<(), DoorsError> {
    let Some(door) = doors.iter().find(|door| takes_headers(door)) else { return Ok(()) };
    let name = door.name().clone();
    if proxies.is_empty() {
        return Err(DoorsError::NoProxies(name));
    }
    // A tenth of the world, in two halves or in ten parts, is no proxy either.
    let is_too_wide = |network: &&IpNet| match network {
        IpNet::V4(network) => network.prefix_len() < 8,
        IpNet::V6(network) => network.prefix_len() < 16,
    };
    match proxies.iter().find(is_too_wide) {
        Some(&network) => Err(DoorsError::TooManyProxies { name, network }),
        None => Ok(()),
    }
}

/// Whether it believes the headers of a proxy in front.
pub(crate) fn takes_headers(door: &Door) -> bool {
    door.backend.descriptor().takes.contains(&CredentialKind::Headers)
}

/// What a backend gets to see of those who log in, in words for the operator.
pub(crate) fn who_sees_what(door: &Door) -> String {
    let descriptor = door.backend.descriptor();
    let (name, kind, control) = (door.name(), descriptor.kind, door.place.control);
    let sees = if door.only_entitles() {
        "is told the names of those who have logged in, and never a password"
    } else if takes_headers(door) {
        "sees no password: it believes what a trusted proxy says in headers"
    } else if !descriptor.takes.contains(&CredentialKind::Password) {
        "sees no password: people log in there, and come back"
    } else if descriptor.accounts == Accounts::Here {
        "verifies passwords here; nobody else sees those of its accounts"
    } else if control == Control::Sufficient {
        "is shown the passwords of people who are bound to it, and those given with names that \
         nobody has here, unless a backend above has verified or refused them"
    } else {
        "is shown every password that is typed"
    };
    format!("backend {name} ({kind}, {control}): {sees}")
}

/// Whatever asks elsewhere has to answer in time.
pub(crate) fn guarded(mut door: Door) -> Door {
    if door.backend.descriptor().accounts == Accounts::Elsewhere {
        door.backend = Arc::new(Guarded::new(door.backend, Limits::default()));
    }
    door
}
