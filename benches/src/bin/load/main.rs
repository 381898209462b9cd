//! Measures Vestibule under load beside a bare actix-web handler and a Django site. The commands
//! and what they have shown are in `docs/performance.md`.

#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use clap::{Parser, Subcommand};
use vestibule_benches::Result;

mod logins;
mod serve;
mod sessions;
mod sites;
mod storm;

/// Measures Vestibule under load, each server on one core and the generator on another.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Session checks in a closed loop, beside a bare handler and Django
    Sessions(sessions::Arguments),
    /// Session checks in an open loop while many people log in
    Storm(storm::Arguments),
    /// What one login costs, and whether its time tells a known name from an unknown one
    Logins(logins::Arguments),
    /// One of the measured servers; the other commands start it
    #[command(hide = true)]
    Serve(serve::Arguments),
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Sessions(arguments) => sessions::run(&arguments),
        Command::Storm(arguments) => storm::run(&arguments),
        Command::Logins(arguments) => logins::run(&arguments),
        Command::Serve(arguments) => serve::run(arguments),
    }
}
