//! `vestibule migrate`.

use serde_json::json;
use vestibule_storage::{MigrateError, migrate, migrations};

use super::{CliError, Global, output::Out, with_causes};
use crate::config::Settings;

/// Brings the database up to date.
#[derive(clap::Args)]
pub(crate) struct MigrateArgs {
    /// Change nothing; exit with 1 when the database is behind
    #[arg(long, conflicts_with = "list")]
    check: bool,
    /// Change nothing; list all migrations and which have been run
    #[arg(long)]
    list: bool,
}

pub(super) fn run(global: &Global, args: &MigrateArgs, out: &mut Out) -> Result<u8, CliError> {
    let settings = Settings::load(&global.sources())?;
    let url = settings.storage.url.expose();
    let failed = |error: MigrateError| CliError::Failed(with_causes(&error));
    if args.list {
        let all = migrations(url).map_err(failed)?;
        let records: Vec<_> = all
            .iter()
            .map(|migration| json!({ "name": migration.name, "applied": migration.applied }))
            .collect();
        out.records(&records, &["name", "applied"])?;
        return Ok(0);
    }
    if args.check {
        let pending = migrations(url).map_err(failed)?.iter().filter(|m| !m.applied).count();
        let state = match pending {
            0 => "the database is up to date".to_owned(),
            1 => "the database is behind by 1 migration: run `vestibule migrate`".to_owned(),
            n => format!("the database is behind by {n} migrations: run `vestibule migrate`"),
        };
        out.say(&state)?;
        return Ok(u8::from(pending > 0));
    }
    let run = migrate(url, &mut |name| {
        // A line that cannot be printed is no reason to stop halfway.
        let _ = out.say(&format!("applying {name}"));
    });
    if run.map_err(failed)? == 0 {
        out.say("the database is up to date")?;
    }
    Ok(0)
}
