//! The facility's user office, asked for people who have logged in.

use vestibule_auth::backends::{ShibbolethFactory, UserOfficeFactory, user_office::Desk};
use vestibule_core::{
    ports::backend::{CredentialKind, SectionError},
    usecase::login::{Door, GivenNames},
};

use crate::{
    config::{RegistrationMode, Settings},
    extract::RequestCx,
    problem::Problem,
};

/// The office of the settings.
pub(crate) fn desk(settings: &Settings) -> Result<Desk, SectionError> {
    Desk::new(settings.user_office.section.clone())
}

/// By what name the office knows the person who asks; `None` where nobody made sure of one.
///
/// Whoever logs in by the office, or has linked who they are there, is known by that. Where nobody
/// logs in by it, it is asked by the names of accounts here, as `authorized_url` is at logins; but
/// not by a name that its owner may have chosen, since it could be somebody else's there.
pub(crate) async fn name_there(cx: &RequestCx) -> Result<Option<String>, Problem> {
    let session = cx.session.as_ref().ok_or_else(Problem::unauthenticated)?;
    let doors = cx.site.services.login.doors();
    let identities = cx.site.services.login.identities(&cx.op).await?;
    let of_office = |door: &&Door| door.backend.descriptor().kind == UserOfficeFactory::KIND;
    for door in doors.iter().filter(of_office) {
        if let Some(known) = identities.iter().find(|known| known.backend == *door.name()) {
            return Ok(Some(known.subject.as_str().to_owned()));
        }
    }
    let says_who = |door: &Door| of_office(&door) && !door.only_entitles();
    let is_by_account =
        !doors.iter().any(says_who) && cx.site.services.login.is_name_given(&identities);
    Ok(is_by_account.then(|| session.principal.username.to_string()))
}

/// Whose names nobody can have chosen, by the office and at logins.
pub(crate) fn given_names(settings: &Settings, doors: &[Door]) -> GivenNames {
    let are_given = |door: &&Door| {
        let descriptor = door.backend.descriptor();
        let is_named_by_office =
            descriptor.kind == ShibbolethFactory::KIND && settings.user_office.names_accounts;
        let takes_passwords = descriptor.takes.contains(&CredentialKind::Password);
        door.trust_names || is_named_by_office || takes_passwords
    };
    GivenNames {
        here: settings.registration.mode == RegistrationMode::Closed,
        by: doors.iter().filter(are_given).map(|door| door.name().clone()).collect(),
    }
}
