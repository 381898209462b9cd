//! `vestibule createsuperuser`.

use std::io::{self, IsTerminal};

use vestibule_core::usecase::users::NewUser;

use super::{CliError, Global, hall::with_hall, output::Out, secret};
use crate::dto::user::UserOut;

/// Makes a superuser.
#[derive(clap::Args)]
pub(crate) struct SuperuserArgs {
    /// The login name; asked for when it is not given
    #[arg(long)]
    username: Option<String>,
    /// The mail address; may be left out
    #[arg(long)]
    email: Option<String>,
    /// Read the password from the standard input
    #[arg(long)]
    password_stdin: bool,
}

pub(super) fn run(global: &Global, args: SuperuserArgs, out: &mut Out) -> Result<u8, CliError> {
    with_hall(global, async |hall| {
        let can_ask = !args.password_stdin && io::stdin().is_terminal();
        let username = match args.username {
            Some(username) => username,
            None if can_ask => secret::ask("Username")?,
            None => return Err(CliError::Usage("--username is missing".to_owned())),
        };
        let email = match args.email {
            None if can_ask => Some(secret::ask("Email address (may be left out)")?),
            email => email,
        };
        let password = secret::new_password(args.password_stdin)?;
        let new = NewUser { username, email, password: Some(password), ..NewUser::default() };
        let user = hall.services().bootstrap.create_superuser(&hall.cx, new).await?;
        out.say("made the superuser:")?;
        out.record(&UserOut::from(user))?;
        Ok(0)
    })
}
