//! `vestibule import …`.

use vestibule_storage::django;

use super::{
    CliError, Global, hall::with_hall, output::Out, secret, user_csv::progress, with_causes,
};

/// Bring accounts over from elsewhere.
#[derive(clap::Subcommand)]
pub(crate) enum ImportCommand {
    /// Users with their password hashes, groups, permissions and object permissions of a Django
    /// site; can be run again
    Django {
        /// Its database: sqlite:FILE, postgres://… or mysql://…; - to read that from the standard
        /// input, where other users of this machine do not see its password
        url: String,
        /// Write nothing; report what would be done
        #[arg(long)]
        dry_run: bool,
        /// What the site is remembered by, instead of its address: to be given each time where that
        /// changes, as from a copy to the database itself
        #[arg(long, value_name = "NAME")]
        source: Option<String>,
        /// The table with the accounts, where several could be it
        #[arg(long, value_name = "TABLE")]
        user_table: Option<String>,
    },
}

pub(super) fn run(global: &Global, command: &ImportCommand, out: &mut Out) -> Result<u8, CliError> {
    let ImportCommand::Django { url, dry_run, source, user_table } = command;
    let url = &match url.as_str() {
        "-" => secret::line()?,
        url => url.to_owned(),
    };
    with_hall(global, async |hall| {
        let bar = progress(0);
        let mut show = |step: django::Progress| {
            bar.set_length(step.total);
            bar.set_position(step.done);
        };
        let options = django::Options {
            dry_run: *dry_run,
            source: source.clone(),
            user_table: user_table.clone(),
            ..django::Options::default()
        };
        let store = &hall.services().store;
        let report = django::import(url, store, &hall.cx, options, &mut show)
            .await
            .map_err(|error| CliError::Failed(with_causes(&error)))?;
        bar.finish_and_clear();
        if out.is_json() {
            out.json(&report)?;
        } else {
            out.say(&report.to_string())?;
        }
        Ok(0)
    })
}
