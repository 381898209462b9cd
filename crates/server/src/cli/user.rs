//! `vestibule user …`.

use std::path::PathBuf;

use vestibule_core::{
    Timestamp,
    domain::page::PageRequest,
    ports::users::{UserFilter, UserOrder},
    usecase::users::{NewUser, UserPatch},
};

use super::{
    CliError, Global,
    hall::{Hall, with_hall},
    output::Out,
    secret, user_convert, user_csv,
};
use crate::dto::user::UserOut;

/// Accounts.
#[derive(clap::Subcommand)]
pub(crate) enum UserCommand {
    /// Make an account
    Add {
        /// The login name
        username: String,
        /// The mail address
        #[arg(long)]
        email: Option<String>,
        /// The given name
        #[arg(long, default_value = "")]
        first_name: String,
        /// The family name
        #[arg(long, default_value = "")]
        last_name: String,
        /// Is staff, for services that ask for that; it opens nothing here
        #[arg(long)]
        staff: bool,
        /// Holds every permission
        #[arg(long)]
        superuser: bool,
        /// May not be used from this time on (RFC 3339)
        #[arg(long, value_name = "TIME", value_parser = time)]
        expires_at: Option<Timestamp>,
        /// Read the password from the standard input
        #[arg(long, conflicts_with = "no_password")]
        password_stdin: bool,
        /// No password: none will match until one is set
        #[arg(long)]
        no_password: bool,
    },
    /// List accounts
    List {
        /// Part of the login name, the names or the mail address
        #[arg(long)]
        search: Option<String>,
        /// Only direct members of this group
        #[arg(long)]
        group: Option<String>,
        /// Which page, counted from 1
        #[arg(long, default_value_t = 1)]
        page: u32,
        /// How many to a page
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        page_size: u32,
    },
    /// Show one account
    Show {
        /// The login name or the id
        user: String,
    },
    /// Change an account
    Edit {
        /// The login name or the id
        user: String,
        /// The new login name
        #[arg(long)]
        username: Option<String>,
        /// The new mail address; an empty one takes it away
        #[arg(long)]
        email: Option<String>,
        /// The given name
        #[arg(long)]
        first_name: Option<String>,
        /// The family name
        #[arg(long)]
        last_name: Option<String>,
        /// Is staff (or not), for services that ask for that; it opens nothing here
        #[arg(long)]
        staff: Option<bool>,
        /// Holds every permission (or not)
        #[arg(long)]
        superuser: Option<bool>,
        /// May not be used from this time on (RFC 3339); `never` takes the end away
        #[arg(long, value_name = "TIME", value_parser = end)]
        expires_at: Option<End>,
        /// Entered by this backend instead of by a password here; `local` for the other way round
        #[arg(long, value_name = "BACKEND")]
        entered_by: Option<String>,
        /// With --entered-by: the owner's login name there
        #[arg(long, requires = "entered_by", conflicts_with = "subject")]
        login: Option<String>,
        /// With --entered-by: by what the backend knows the owner for good
        #[arg(long, requires = "entered_by")]
        subject: Option<String>,
        /// With --entered-by local: read the password from the standard input, where no link can be
        /// mailed to choose one
        #[arg(long, requires = "entered_by", conflicts_with_all = ["login", "subject"])]
        password_stdin: bool,
    },
    /// Set an account's password; all its sessions end
    Password {
        /// The login name or the id
        user: String,
        /// Read the password from the standard input
        #[arg(long)]
        password_stdin: bool,
        /// Take the password away: none matches until one is set
        #[arg(long, conflicts_with = "password_stdin")]
        unusable: bool,
    },
    /// Let an account be used again
    Enable {
        /// The login name or the id
        user: String,
    },
    /// Have an account not be used any more; its sessions end
    Disable {
        /// The login name or the id
        user: String,
    },
    /// Remove an account
    Delete {
        /// The login name or the id
        user: String,
    },
    /// Make accounts from a CSV file with a header row
    Import {
        /// The file; - for the standard input
        file: PathBuf,
        /// Check every row and write nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Write all accounts as CSV with a header row
    Export {
        /// The file; - for the standard output
        file: PathBuf,
    },
}

/// When an account ends: at a time, or never.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End(Option<Timestamp>);

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| "is not an RFC 3339 time such as 2026-01-31T12:00:00Z".to_owned())
}

fn end(text: &str) -> Result<End, String> {
    if text == "never" { Ok(End(None)) } else { time(text).map(|time| End(Some(time))) }
}

pub(super) fn run(global: &Global, command: UserCommand, out: &mut Out) -> Result<u8, CliError> {
    if let UserCommand::Edit { entered_by: Some(_), .. } = &command {
        return user_convert::run(global, command, out);
    }
    with_hall(global, async |hall| act(&hall, command, out).await)
}

pub(super) async fn act(hall: &Hall, command: UserCommand, out: &mut Out) -> Result<u8, CliError> {
    let (users, cx) = (&hall.services().users, &hall.cx);
    match command {
        UserCommand::Add {
            username,
            email,
            first_name,
            last_name,
            staff,
            superuser,
            expires_at,
            password_stdin,
            no_password,
        } => {
            let password =
                if no_password { None } else { Some(secret::new_password(password_stdin)?) };
            let new = NewUser {
                username,
                email,
                first_name,
                last_name,
                password,
                is_disabled: false,
                is_staff: staff,
                is_superuser: superuser,
                expires_at,
                groups: Vec::new(),
                is_welcomed: false,
            };
            out.record(&UserOut::from(users.add(cx, new).await?))?;
        }
        UserCommand::List { search, group, page, page_size } => {
            let member_of = match group {
                Some(group) => Some(hall.group(&group).await?.id),
                None => None,
            };
            let filter = UserFilter { search, member_of, ..UserFilter::default() };
            let order = UserOrder::Username;
            let request = PageRequest { page, size: page_size, order, descending: false };
            let found = users.list(cx, filter, request).await?;
            let (count, shown) = (found.count, found.items.len());
            let records: Vec<_> = found.items.into_iter().map(UserOut::from).collect();
            out.records(
                &records,
                &["username", "email", "is_active", "is_staff", "is_superuser", "last_login_at"],
            )?;
            out.say(&format!("{shown} of {count}"))?;
        }
        UserCommand::Show { user } => out.record(&UserOut::from(hall.user(&user).await?))?,
        UserCommand::Edit {
            user,
            username,
            email,
            first_name,
            last_name,
            staff,
            superuser,
            expires_at,
            ..
        } => {
            let patch = UserPatch {
                username,
                email: email.map(|email| Some(email).filter(|email| !email.is_empty())),
                first_name,
                last_name,
                is_active: None,
                is_staff: staff,
                is_superuser: superuser,
                expires_at: expires_at.map(|end| end.0),
            };
            let user = hall.user(&user).await?.id;
            out.record(&UserOut::from(users.edit(cx, user, patch).await?))?;
        }
        UserCommand::Password { user, password_stdin, unusable } => {
            let user = hall.user(&user).await?;
            if unusable {
                hall.services().passwords.make_unusable(cx, user.id).await?;
            } else {
                let password = secret::new_password(password_stdin)?;
                hall.services().passwords.set(cx, user.id, &password).await?;
            }
            out.say(&format!("changed the password of {}; all sessions ended", user.username))?;
        }
        UserCommand::Enable { user } => set_active(hall, &user, true, out).await?,
        UserCommand::Disable { user } => set_active(hall, &user, false, out).await?,
        UserCommand::Delete { user } => {
            let user = hall.user(&user).await?;
            users.delete(cx, user.id).await?;
            out.say(&format!("removed {}", user.username))?;
        }
        UserCommand::Import { file, dry_run } => {
            return user_csv::import(hall, &file, dry_run, out).await;
        }
        UserCommand::Export { file } => user_csv::export(hall, &file, out).await?,
    }
    Ok(0)
}

async fn set_active(
    hall: &Hall,
    user: &str,
    is_active: bool,
    out: &mut Out,
) -> Result<(), CliError> {
    let user = hall.user(user).await?.id;
    let patch = UserPatch { is_active: Some(is_active), ..UserPatch::default() };
    let user = hall.services().users.edit(&hall.cx, user, patch).await?;
    out.record(&UserOut::from(user))?;
    Ok(())
}
