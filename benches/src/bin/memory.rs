//! What a remembered session takes of the process's memory. The commands and what they have shown
//! are in `docs/performance.md`.

#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clap::Parser;
use futures_executor::block_on;
use vestibule_benches::{
    Result, cpu,
    memory::{self, Remembering},
    stats::float,
    table::Table,
};

/// Resident memory per remembered session, each size in a process of its own
#[derive(Parser)]
struct Arguments {
    /// Remembers the sessions of the site in this directory and prints bytes for each; without it
    /// all sizes are measured
    #[arg(long, hide = true)]
    site: Option<PathBuf>,
}

/// Sessions and users: one session each, and ten each.
const SIZES: [(usize, usize); 3] = [(100_000, 100_000), (100_000, 10_000), (1_000_000, 100_000)];

fn main() -> Result<()> {
    if let Some(site) = Arguments::parse().site {
        println!("{}", bytes_per_session(&site)?);
        return Ok(());
    }
    let mut table = Table::new(["sessions", "of users", "bytes each", "all in MiB"]);
    for (sessions, users) in SIZES {
        let directory = tempfile::tempdir()?;
        memory::fill(directory.path(), users, sessions, 1000)?;
        // Memory that was used before and given back would be used again, and not be seen.
        let output = Command::new(env::current_exe()?)
            .arg("--site")
            .arg(directory.path())
            .stderr(Stdio::inherit())
            .output()?;
        let each: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
        table.row([
            sessions.to_string(),
            users.to_string(),
            format!("{each:.0}"),
            format!("{:.1}", each * float(sessions) / 1_048_576.0),
        ]);
    }
    println!("{table}");
    Ok(())
}

fn bytes_per_session(site: &Path) -> Result<f64> {
    let site = Remembering::open(site)?;
    // The first look-up sets up what all share.
    block_on(site.recognise(0))?;
    let before = cpu::private(std::process::id())?;
    block_on(site.remember_all())?;
    let after = cpu::private(std::process::id())?;
    if site.principals.remembered() != site.tokens.len() {
        return Err("not all sessions are remembered".into());
    }
    let grown = usize::try_from(after.saturating_sub(before))?;
    Ok(float(grown) / float(site.tokens.len()))
}
