//! `vestibule user edit --entered-by …`: accounts that are entered another way from now on.

use vestibule_core::usecase::login::{LoginError, NewPassword, Person};

use super::{
    CliError, Global, backend,
    hall::{Hall, block_on},
    output::Out,
    secret,
    user::{UserCommand, act},
};
use crate::config::Settings;

pub(super) fn run(global: &Global, command: UserCommand, out: &mut Out) -> Result<u8, CliError> {
    let settings = Settings::load(&global.sources())?;
    let doors = backend::configured(&settings)?;
    block_on(async {
        let hall = Hall::with_doors(settings, doors).await?;
        let UserCommand::Edit { user, entered_by, login, subject, password_stdin, .. } = &command
        else {
            return Err(CliError::Usage("nothing to convert".to_owned()));
        };
        let owner = hall.user(user).await?.id.to_string();
        let person = match (login, subject) {
            (Some(name), _) => Some(Person::Named(name.clone())),
            (_, Some(subject)) => Some(Person::Known(subject.clone())),
            (None, None) => None,
        };
        match (entered_by.as_deref(), person) {
            (Some("local"), None) => back(&hall, &owner, *password_stdin).await?,
            (Some(backend), Some(person)) if backend != "local" => {
                let (conversions, id) = (&hall.services().conversions, hall.user(&owner).await?.id);
                conversions.convert(&hall.cx, id, backend, &person).await.map_err(failed)?;
            }
            (Some("local"), Some(_)) => {
                return Err(CliError::Usage("local knows its accounts by itself".to_owned()));
            }
            _ => {
                let what = "say who the owner is there: --login NAME, or --subject TEXT";
                return Err(CliError::Usage(what.to_owned()));
            }
        }
        // And what else is to be changed.
        act(&hall, command, out).await
    })
}

/// Ends all links of the account; the last one takes the password along.
async fn back(hall: &Hall, owner: &str, password_stdin: bool) -> Result<(), CliError> {
    let (conversions, id) = (&hall.services().conversions, hall.user(owner).await?.id);
    let password = if password_stdin { Some(secret::new_password(true)?) } else { None };
    let mut links = conversions.identities(&hall.cx, id).await?;
    let Some(last) = links.pop() else {
        return Err(CliError::Failed("the account is entered by no backend".to_owned()));
    };
    for link in links {
        let (backend, subject) = (link.backend.as_str(), link.subject.as_str());
        conversions.convert_back(&hall.cx, id, backend, subject, NewPassword::Chosen).await?;
    }
    let password = password.map_or(NewPassword::Chosen, NewPassword::Given);
    let (backend, subject) = (last.backend.as_str(), last.subject.as_str());
    Ok(conversions.convert_back(&hall.cx, id, backend, subject, password).await?)
}

fn failed(error: LoginError) -> CliError {
    match error {
        LoginError::Link(error) => error.into(),
        other => CliError::Failed(other.to_string()),
    }
}
