//! The import of a Django site's users, beside what Django itself takes to write them.

use std::time::{Duration, Instant};

use futures_executor::block_on;
use tempfile::TempDir;
use vestibule_benches::{
    Result,
    django::Django,
    memory,
    stats::{median, paired_ratio},
    table::Table,
    world,
};
use vestibule_storage::django;

/// How many and how often.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many users there are
    #[arg(long, default_value_t = 100_000)]
    users: usize,
    /// How many groups each of them is in
    #[arg(long, default_value_t = 0)]
    groups: usize,
    /// How often both are run in turn
    #[arg(long, default_value_t = 3, conflicts_with = "to")]
    rounds: usize,
    /// Imports once into this database, which must be empty, and has Django write the same there:
    /// `postgres://…`, with `--features full`
    #[arg(long)]
    to: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, fresh: &dyn Fn() -> Result<TempDir>) -> Result<()> {
    let django = Django::find()?;
    let (mut theirs, mut ours, mut again) = (Vec::new(), Vec::new(), Vec::new());
    let rounds = if arguments.to.is_some() { 1 } else { arguments.rounds };
    for round in 0..rounds {
        println!("round {} of {rounds}", round + 1);
        let directory = fresh()?;
        let (source, took) = django.people(directory.path(), arguments.users, arguments.groups)?;
        let took = match &arguments.to {
            Some(server) => django.people_in(server, arguments.users, arguments.groups)?,
            None => took,
        };
        theirs.push(took.as_secs_f64());
        let source = source.display().to_string();
        let url = memory::url(directory.path());
        let store = memory::migrated(arguments.to.as_deref().unwrap_or(&url))?;
        let import = || -> Result<Duration> {
            let begin = Instant::now();
            let options = django::Options::default();
            let cx = world::cx();
            block_on(django::import(&source, &store, &cx, options, &mut |_| {}))?;
            Ok(begin.elapsed())
        };
        ours.push(import()?.as_secs_f64());
        let users = block_on(store.read(|tx| tx.user_count()))?;
        if users != u64::try_from(arguments.users)? {
            return Err(format!("{users} users were imported").into());
        }
        again.push(import()?.as_secs_f64());
    }
    let mut table = Table::new(["what", "seconds"]);
    table.row(["Django's bulk_create".to_owned(), format!("{:.2}", median(&theirs))]);
    table.row(["import".to_owned(), format!("{:.2}", median(&ours))]);
    table.row(["import again, nothing new".to_owned(), format!("{:.2}", median(&again))]);
    println!("\n{table}");
    println!("Django / import: {:.1}", paired_ratio(&theirs, &ours));
    Ok(())
}
