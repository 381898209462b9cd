//! The command line.

mod backend;
mod check;
pub mod config;
mod group;
mod hall;
mod import;
mod mail;
mod migrate;
mod output;
mod perm;
mod secret;
mod serve;
mod service_provider;
mod session;
mod superuser;
mod user;
mod user_convert;
mod user_csv;
mod verify;
mod whole;

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{
    Args, CommandFactory, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};
use clap_complete::Shell;
use vestibule_core::{ports::store::StoreError, usecase::error::AdminError};

use self::{config::ConfigCommand, output::Out};
use crate::{
    compose::BuildError,
    config::{ConfigError, Sources},
    doors, office,
    telemetry::TelemetryError,
};

/// Who gets in, and what they may do there.
#[derive(Parser)]
#[command(name = "vestibule", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args)]
pub(crate) struct Global {
    /// The configuration file
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help = "The configuration file [default: $VESTIBULE_CONFIG, else ./vestibule.toml if it exists]"
    )]
    config: Option<PathBuf>,
    /// Print records as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server; an empty embedded database is set up by itself
    Serve(serve::ServeArgs),
    /// Bring the database up to date
    Migrate(migrate::MigrateArgs),
    /// Make a superuser
    Createsuperuser(superuser::SuperuserArgs),
    /// Accounts
    #[command(subcommand)]
    User(user::UserCommand),
    /// Groups and their members
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Permissions: who holds what, and why
    #[command(subcommand)]
    Perm(perm::PermCommand),
    /// The ways to log in
    #[command(subcommand)]
    Backend(backend::BackendCommand),
    /// Mail: whether it works, and what waits to be sent
    #[command(subcommand)]
    Mail(mail::MailCommand),
    /// Sessions
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// End the sessions that have expired (the same as `session clear`)
    Clearsessions,
    /// Bring accounts over from elsewhere
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// The configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look at configuration, database and deployment, one line each
    Check(check::CheckArgs),
    /// Walk the whole database and report what does not hold together
    Verify,
    /// Print the `OpenAPI` document
    Openapi,
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// Why a command did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The operation failed: exit status 1.
    #[error("{0}")]
    Failed(String),
    /// The command was used wrongly: exit status 2.
    #[error("{0}")]
    Usage(String),
    /// The configuration does not hold: exit status 2.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A `config` command failed.
    #[error(transparent)]
    ConfigCommand(#[from] config::ConfigCommandError),
    /// Nothing could be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl CliError {
    fn exit_status(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::Io(_) => 1,
            Self::Usage(_) | Self::Config(_) => 2,
            Self::ConfigCommand(error) => error.exit_code(),
        }
    }
}

impl From<AdminError> for CliError {
    fn from(error: AdminError) -> Self {
        Self::Failed(with_causes(&error))
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::Failed(with_causes(&error))
    }
}

impl From<BuildError> for CliError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Config(error) => Self::Config(error),
            BuildError::Doors(error) => Self::Usage(error.to_string()),
            error @ BuildError::Office(_) => Self::Usage(error.to_string()),
            BuildError::Mail(error) => Self::Usage(with_causes(&error)),
            other => Self::Failed(with_causes(&other)),
        }
    }
}

impl From<TelemetryError> for CliError {
    fn from(error: TelemetryError) -> Self {
        match error {
            TelemetryError::Filter(_) => Self::Usage(error.to_string()),
            TelemetryError::Twice => Self::Failed(error.to_string()),
        }
    }
}

/// An error with what led to it, in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// Without what was typed where nothing belongs: it may be a password, and the terminal's history
/// is enough of a place for it.
fn unrepeated(mut error: clap::Error) -> clap::Error {
    let is_too_much = matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::TooManyValues);
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue] {
        let value = error.get(kind);
        let is_value = matches!(value, Some(ContextValue::String(text)) if !text.starts_with('-'));
        if is_too_much && is_value {
            error.insert(kind, ContextValue::String("…".to_owned()));
        }
    }
    error
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| unrepeated(error).exit());
    let mut out = Out::stdout(cli.global.json);
    match run(cli, &mut out) {
        Ok(status) => ExitCode::from(status),
        // Whoever reads us has had enough: `vestibule user list | head`.
        Err(
            CliError::Io(error)
            | CliError::ConfigCommand(config::ConfigCommandError::Output(error)),
        ) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "vestibule: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}

fn run(cli: Cli, out: &mut Out) -> Result<u8, CliError> {
    let global = cli.global;
    match cli.command {
        Command::Serve(args) => serve::run(&global, &args),
        Command::Migrate(args) => migrate::run(&global, &args, out),
        Command::Createsuperuser(args) => superuser::run(&global, args, out),
        Command::User(command) => user::run(&global, command, out),
        Command::Group(command) => group::run(&global, command, out),
        Command::Perm(command) => perm::run(&global, command, out),
        Command::Backend(command) => backend::run(&global, command, out),
        Command::Mail(command) => mail::run(&global, command, out),
        Command::Session(command) => session::run(&global, command, out),
        Command::Clearsessions => session::run(&global, session::SessionCommand::Clear, out),
        Command::Import(command) => import::run(&global, &command, out),
        Command::Config(command) => {
            config::run(&command, &global.judged_sources(), global.json, out.writer())?;
            Ok(0)
        }
        Command::Check(args) => check::run(&global, &args, out),
        Command::Verify => verify::run(&global, out),
        Command::Openapi => {
            out.json(&crate::openapi::document(""))?;
            Ok(0)
        }
        Command::Completions { shell } => {
            // Not written by clap itself, which panics when nobody reads.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "vestibule", &mut script);
            out.writer().write_all(&script)?;
            Ok(0)
        }
    }
}

impl Global {
    /// Where this command's settings come from.
    fn sources(&self) -> Sources {
        Sources::new(self.config.clone(), std::env::vars_os())
    }

    /// The same, where what the configuration says of backends has to hold as well: commands that
    /// ask none of them do without.
    fn judged_sources(&self) -> Sources {
        self.sources().judged_by(|settings| {
            let office = office::desk(settings).err().map(|error| format!("user_office.{error}"));
            doors::problems(settings).into_iter().chain(office).collect()
        })
    }
}
