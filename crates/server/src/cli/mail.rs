//! `vestibule mail …`.

use std::time::Duration;

use serde::Serialize;
use vestibule_core::{
    domain::{
        email::Email,
        notice::{NoticeState, StoredNotice},
        page::PageRequest,
    },
    id::NoticeId,
    ports::outbox::NoticeFilter,
    usecase::error::AdminError,
};
use vestibule_mail::worker::Delivered;

use super::{
    CliError, Global,
    hall::{Hall, with_hall},
    output::Out,
};
use crate::config::duration::HumanDuration;

/// How often a command looks whether a server has sent the mail by now.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long it looks.
const PATIENCE: Duration = Duration::from_secs(75);

/// Mail.
#[derive(clap::Subcommand)]
pub(crate) enum MailCommand {
    /// Send a mail now, and tell what the mail server said
    Test {
        /// To whom
        address: String,
    },
    /// What waits to be sent, what was sent and what was given up
    #[command(subcommand)]
    Outbox(OutboxCommand),
}

/// The outbox.
#[derive(clap::Subcommand)]
pub(crate) enum OutboxCommand {
    /// List mails, newest first
    List {
        /// Only those in this state
        #[arg(long, value_name = "waiting|sent|dead|expired")]
        state: Option<NoticeState>,
        /// Only those of this kind
        #[arg(long)]
        kind: Option<String>,
        /// Only those to this address
        #[arg(long)]
        to: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Have mails tried now that were given up or wait
    Retry {
        /// Which mails
        #[arg(required_unless_present = "dead")]
        ids: Vec<NoticeId>,
        /// All that were given up
        #[arg(long, conflicts_with = "ids")]
        dead: bool,
    },
    /// Remove mails: those named, or all that were sent, given up or not worth sending any more
    Purge {
        /// Which mails; one that waits is then never sent
        ids: Vec<NoticeId>,
        /// Only those in this state
        #[arg(long, value_name = "sent|dead|expired", conflicts_with = "ids")]
        state: Option<NoticeState>,
        /// Only those that came to it longer ago than this
        #[arg(long, value_name = "DURATION", default_value = "0s", conflicts_with = "ids")]
        older_than: HumanDuration,
    },
}

/// A mail in the list. What it says is not in it: nobody reads other people's mail here.
#[derive(Serialize)]
struct Listed {
    id: String,
    to: String,
    kind: String,
    state: &'static str,
    attempts: u32,
    posted: String,
    /// When it is tried next, or when it was settled.
    at: String,
    reason: String,
}

/// What came of a mail that was sent by hand.
#[derive(Serialize)]
struct Tested {
    id: String,
    sent: bool,
    answer: String,
}

pub(super) fn run(global: &Global, command: MailCommand, out: &mut Out) -> Result<u8, CliError> {
    with_hall(global, async |hall| match command {
        MailCommand::Test { address } => test(&hall, &address, out).await,
        MailCommand::Outbox(OutboxCommand::List { state, kind, to, limit }) => {
            let recipient = to.as_deref().map(Email::key_of);
            let filter = NoticeFilter { state, kind, recipient };
            let request = PageRequest { size: limit, ..PageRequest::default() };
            let page = hall.services().outbox.list(&hall.cx, filter, request).await?;
            let listed: Vec<Listed> = page.items.into_iter().map(Listed::from).collect();
            out.records(&listed, &["id", "to", "kind", "state", "attempts", "at", "reason"])?;
            Ok(0)
        }
        MailCommand::Outbox(OutboxCommand::Retry { ids, dead }) => {
            let outbox = &hall.services().outbox;
            let mut count = if dead { outbox.retry_dead(&hall.cx).await? } else { 0 };
            for id in ids {
                outbox.retry(&hall.cx, id).await.map_err(|error| about(id, error))?;
                count += 1;
            }
            out.say(&format!("{count} to be tried now"))?;
            Ok(0)
        }
        MailCommand::Outbox(OutboxCommand::Purge { ids, state, older_than }) => {
            let outbox = &hall.services().outbox;
            let mut count = 0;
            if ids.is_empty() {
                count = outbox.purge(&hall.cx, state, older_than.0).await?;
            }
            for id in ids {
                outbox.delete(&hall.cx, id).await.map_err(|error| about(id, error))?;
                count += 1;
            }
            out.say(&format!("{count} removed"))?;
            Ok(0)
        }
    })
}

fn about(id: NoticeId, error: AdminError) -> CliError {
    let CliError::Failed(text) = CliError::from(error) else {
        return CliError::Failed(id.to_string());
    };
    CliError::Failed(format!("{id}: {text}"))
}

async fn test(hall: &Hall, address: &str, out: &mut Out) -> Result<u8, CliError> {
    let id = hall.services().outbox.post_test(&hall.cx, address).await?;
    let worker = hall.site.mail.worker(&hall.site.clock, &hall.site.entropy);
    let tested = match worker.send_now(id).await? {
        Delivered::Sent(answer) => Tested { id: id.to_string(), sent: true, answer },
        Delivered::Failed(answer) => Tested { id: id.to_string(), sent: false, answer },
        // A server that runs on the same database was quicker.
        Delivered::NotHere => watched(hall, id).await?,
    };
    if out.is_json() {
        out.json(&tested)?;
    } else if tested.sent {
        let transport = hall.site.mail.office.transport().name();
        out.say(&format!("sent by {transport}: {}", tested.answer))?;
    }
    if tested.sent {
        Ok(0)
    } else {
        Err(CliError::Failed(format!("the mail was not sent: {}", tested.answer)))
    }
}

async fn watched(hall: &Hall, id: NoticeId) -> Result<Tested, CliError> {
    let began = std::time::Instant::now();
    loop {
        let stored = hall.services().outbox.get(&hall.cx, id).await?;
        let is_late = began.elapsed() > PATIENCE;
        if stored.state != NoticeState::Waiting || is_late {
            let sent = stored.state == NoticeState::Sent;
            return Ok(Tested { id: id.to_string(), sent, answer: stored.reason });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

impl From<StoredNotice> for Listed {
    fn from(stored: StoredNotice) -> Self {
        Self {
            id: stored.id.to_string(),
            to: stored.recipient.to_string(),
            kind: stored.kind,
            state: stored.state.as_str(),
            attempts: stored.attempts,
            posted: stored.created_at.to_string(),
            at: stored.settled_at.unwrap_or(stored.due_at).to_string(),
            reason: stored.reason,
        }
    }
}
