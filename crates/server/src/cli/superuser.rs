//! `vestibule createsuperuser`.

use std::io::{self, IsTerminal};

use vestibule_core::{
    domain::{
        email::Email,
        invalid::{FieldError, Invalid},
        username::Username,
    },
    usecase::{error::AdminError, users::NewUser},
};

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
            None if can_ask => secret::ask_until("Username", |text| wrong(Username::parse(text)))?,
            None => return Err(CliError::Usage("--username is missing".to_owned())),
        };
        let email = match args.email {
            None if can_ask => {
                let question = "Email address (may be left out)";
                Some(secret::ask_until(question, |text| match text {
                    "" => None,
                    text => wrong(Email::parse(text)),
                })?)
            }
            email => email,
        };
        let user = loop {
            let password = Some(secret::new_password(args.password_stdin)?);
            let (username, email) = (username.clone(), email.clone());
            let new = NewUser { username, email, password, ..NewUser::default() };
            match hall.services().bootstrap.create_superuser(&hall.cx, new).await {
                Ok(user) => break user,
                // All else is typed already, and need not be again.
                Err(error @ AdminError::Password(_)) if can_ask => secret::again(&error)?,
                Err(error) => return Err(error.into()),
            }
        };
        out.say("made the superuser:")?;
        out.record(&UserOut::from(user))?;
        Ok(0)
    })
}

fn wrong<T>(parsed: Result<T, FieldError>) -> Option<Invalid> {
    parsed.err().map(Invalid::from)
}
