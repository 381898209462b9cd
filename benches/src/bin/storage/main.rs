//! Measures the storage on an embedded database: durable inserts, how look-ups grow with the
//! database, and the import of a Django site. What it has shown is in `docs/performance.md`.

#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use tempfile::TempDir;
use vestibule_benches::Result;

mod growth;
mod import;
mod inserts;
mod plain;
mod slow_sync;

/// Measures the storage
#[derive(Parser)]
struct Arguments {
    /// Where databases are made; must lie on a disk, or what is durable costs nothing
    #[arg(long, global = true)]
    directory: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Sessions opened by many at once, each on the disk when it is answered
    Inserts(inserts::Arguments),
    /// Look-ups among a thousand, a hundred thousand and a million users
    Growth(growth::Arguments),
    /// The import of a Django site, beside Django's own `bulk_create`
    Import(import::Arguments),
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let fresh = || -> Result<TempDir> {
        Ok(match &arguments.directory {
            Some(directory) => tempfile::tempdir_in(directory)?,
            None => tempfile::tempdir()?,
        })
    };
    match &arguments.command {
        Command::Inserts(inserts) => inserts::run(inserts, &fresh),
        Command::Growth(growth) => growth::run(growth, &fresh),
        Command::Import(import) => import::run(import, &fresh),
    }
}
