//! `vestibule backend …`.

use std::sync::Arc;

use serde::Serialize;
use vestibule_auth::backends::LocalBackend;
use vestibule_core::{
    ports::backend::{Assertion, Attempt, BackendCx, Groups, Step, Verdict},
    usecase::{error::AdminError, login::Door},
};

use super::{
    CliError, Global,
    hall::{Hall, with_hall},
    output::Out,
    secret,
};
use crate::{config::Settings, doors};

/// The ways to log in.
#[derive(clap::Subcommand)]
pub(crate) enum BackendCommand {
    /// List the backends in their order, and whether they answer
    List,
    /// Ask one backend about a login, and show what it answers; nobody is logged in, nothing is
    /// counted and no account is made
    Test {
        /// The backend
        name: String,
        /// The login name; asked for when left out
        #[arg(long)]
        username: Option<String>,
        /// Read the password from the standard input
        #[arg(long)]
        password_stdin: bool,
    },
}

/// A backend in the list.
#[derive(Serialize)]
struct Listed {
    name: String,
    kind: &'static str,
    control: &'static str,
    answers: String,
}

/// What a backend said.
#[derive(Default, Serialize)]
struct Said {
    answer: &'static str,
    reason: String,
    subject: String,
    username: String,
    emails: Vec<String>,
    /// As they are called there.
    groups: Option<Vec<String>>,
    /// As they are called here.
    mapped_groups: Option<Vec<String>>,
    /// Only their names: what they hold may be anything.
    attributes: Vec<String>,
}

pub(super) fn run(global: &Global, command: BackendCommand, out: &mut Out) -> Result<u8, CliError> {
    let settings = Settings::load(&global.sources())?;
    let doors = configured(&settings)?;
    match command {
        BackendCommand::List => super::hall::block_on(async { list(&doors, out).await }),
        BackendCommand::Test { name, username, password_stdin } => {
            let door = doors.iter().find(|door| door.name().as_str() == name);
            let door = door
                .ok_or_else(|| CliError::Failed(format!("there is no backend {name:?}")))?
                .clone();
            let username = match username {
                Some(username) => username,
                None => secret::ask_until("Username", |typed| {
                    typed.is_empty().then_some("a name is needed")
                })?,
            };
            let password = secret::present_password(password_stdin)?;
            let attempt = Attempt::password(username, password);
            with_hall(global, async |hall| test(&hall, &door, &attempt, out).await)
        }
    }
}

/// The configured backends; where none is, the one that is then meant.
pub(super) fn configured(settings: &Settings) -> Result<Vec<Door>, CliError> {
    let usage = |error: doors::DoorsError| CliError::Usage(error.to_string());
    let mut doors = doors::from_settings(settings, &[]).map_err(usage)?;
    if doors.is_empty() {
        doors.push(Door::new(Arc::new(LocalBackend::default())));
    }
    doors::require_sound(&doors).map_err(usage)?;
    doors::require_proxies(&doors, &settings.server.trusted_proxies).map_err(usage)?;
    Ok(doors.into_iter().map(doors::guarded).collect())
}

async fn list(doors: &[Door], out: &mut Out) -> Result<u8, CliError> {
    let (mut listed, mut all_answer) = (Vec::new(), true);
    for door in doors {
        let looked = match door.backend.probe() {
            Some(probe) => Some(probe.look().await),
            None => None,
        };
        all_answer &= !matches!(looked, Some(Err(_)));
        listed.push(Listed {
            name: door.name().to_string(),
            kind: door.backend.descriptor().kind,
            control: door.place.control.as_str(),
            answers: match looked {
                None => "not looked at".to_owned(),
                Some(Ok(found)) => found,
                Some(Err(fault)) => format!("{}: {fault}", fault.as_str()),
            },
        });
    }
    out.records(&listed, &["name", "kind", "control", "answers"])?;
    Ok(u8::from(!all_answer))
}

async fn test(hall: &Hall, door: &Door, attempt: &Attempt, out: &mut Out) -> Result<u8, CliError> {
    let Attempt::Password { username, .. } = attempt else {
        return Err(CliError::Usage("only passwords can be tried here".to_owned()));
    };
    let services = hall.services();
    let account = match services.users.by_name(&hall.cx, username).await {
        Ok(user) => Some(user.id),
        Err(AdminError::NotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let cx = BackendCx {
        op: &hall.cx,
        store: &services.store,
        hasher: &*services.hasher,
        account,
        known_as: None,
    };
    let verdict = match door.backend.entitlement().filter(|_| door.only_entitles()) {
        Some(entitlement) => entitlement.judge(username, &cx).await,
        None => door.backend.authenticate(attempt, &cx).await,
    };
    let verified = matches!(verdict, Verdict::Verified(_));
    out.record(&said(door, verdict))?;
    Ok(u8::from(!verified))
}

fn said(door: &Door, verdict: Verdict) -> Said {
    match verdict {
        Verdict::Verified(assertion) => asserted(door, *assertion),
        Verdict::Rejected(rejection) => {
            let reason = rejection.for_audit().to_owned();
            Said { answer: "rejected", reason, ..Said::default() }
        }
        Verdict::NotMine(why) => {
            let reason = why.as_str().to_owned();
            Said { answer: "not mine", reason, ..Said::default() }
        }
        Verdict::Challenge(challenge) => {
            let reason = match challenge.step {
                Step::Redirect { url } => format!("sends the visitor to {url}"),
                Step::Code { prompt } if prompt.is_empty() => "wants a one-time code".to_owned(),
                Step::Code { prompt } => format!("wants a one-time code: {prompt}"),
            };
            Said { answer: "challenge", reason, ..Said::default() }
        }
        Verdict::Fault(fault) => {
            let reason = format!("{}: {fault}", fault.as_str());
            Said { answer: "fault", reason, ..Said::default() }
        }
        _ => Said { answer: "unknown", ..Said::default() },
    }
}

fn asserted(door: &Door, assertion: Assertion) -> Said {
    let groups = match &assertion.groups {
        Groups::Known(groups) => Some(groups.clone()),
        Groups::Unchanged | Groups::Unknown => None,
    };
    let email = |email: &vestibule_core::ports::backend::AssertedEmail| {
        let verified = if email.is_verified { "verified" } else { "not verified" };
        format!("{} ({verified})", email.address)
    };
    Said {
        answer: "verified",
        reason: String::new(),
        subject: assertion.subject.to_string(),
        username: assertion.username.clone().unwrap_or_default(),
        emails: assertion.emails.iter().map(email).collect(),
        mapped_groups: groups
            .as_ref()
            .map(|groups| groups.iter().filter_map(|g| door.groups.get(g).cloned()).collect()),
        groups,
        attributes: assertion.attributes.into_keys().collect(),
    }
}
