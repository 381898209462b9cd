//! `vestibule session …`.

use vestibule_core::id::SessionId;

use super::{
    CliError, Global,
    hall::{Hall, with_hall},
    output::Out,
};
use crate::dto::session::SessionOut;

/// Sessions.
#[derive(clap::Subcommand)]
pub(crate) enum SessionCommand {
    /// List somebody's sessions
    List {
        /// The login name or the id
        user: String,
    },
    /// End a session by its id, or with --user all of somebody's
    Revoke {
        /// The session's id
        #[arg(required_unless_present = "user")]
        session: Option<String>,
        /// All sessions of this user
        #[arg(long, conflicts_with = "session")]
        user: Option<String>,
    },
    /// End the sessions that have expired
    Clear,
}

pub(super) fn run(global: &Global, command: SessionCommand, out: &mut Out) -> Result<u8, CliError> {
    with_hall(global, async |hall| {
        act(&hall, command, out).await?;
        Ok(0)
    })
}

async fn act(hall: &Hall, command: SessionCommand, out: &mut Out) -> Result<(), CliError> {
    let (services, cx) = (hall.services(), &hall.cx);
    match command {
        SessionCommand::List { user } => {
            let user = hall.user(&user).await?;
            let sessions = services.sessions.of(cx, user.id).await?;
            let sessions: Vec<_> = sessions.into_iter().map(|s| SessionOut::new(s, None)).collect();
            out.records(
                &sessions,
                &["id", "created_at", "last_seen_at", "expires_at", "address", "user_agent"],
            )?;
        }
        SessionCommand::Revoke { user: Some(user), .. } => {
            let user = hall.user(&user).await?;
            let ended = services.sessions.end_all_of(cx, user.id).await?;
            out.say(&format!("ended {ended} sessions of {}", user.username))?;
        }
        SessionCommand::Revoke { session, .. } => {
            let text = session.unwrap_or_default();
            let id: SessionId = text
                .parse()
                .map_err(|_| CliError::Usage(format!("{text:?} is not a session's id")))?;
            services.sessions.end(cx, id).await?;
            out.say("ended")?;
        }
        SessionCommand::Clear => {
            let ended = services.housekeeping.clear_sessions(cx).await?;
            out.say(&format!("ended {ended} expired sessions"))?;
        }
    }
    Ok(())
}
