//! Measures mail: how fast it goes out beside Django and beside lettre as it comes, and what
//! requests notice of a mail server that is dead. What it has shown is in `docs/performance.md`.

#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::{
    env,
    process::{Command, Stdio},
};

use clap::{Parser, Subcommand};
use vestibule_benches::{
    Result, cpu,
    django::Django,
    stats::{float, median, paired_ratio},
    table::Table,
};

mod requests;
mod send;
mod serve;
mod sink;

use send::Sender;
use sink::Sink;

/// Mail from one connection and from four, beside Django; requests beside a dead mail server
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Part>,
    /// How often all are measured in turn
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How many mails each sends in a round
    #[arg(long, default_value_t = 1500)]
    mails: usize,
    /// For how many seconds of a round requests are made
    #[arg(long, default_value_t = 3)]
    seconds: u64,
}

/// What runs in a process of its own; this program starts it.
#[derive(Subcommand)]
enum Part {
    /// Sends mails and prints the seconds it took
    #[command(hide = true)]
    Send(send::Arguments),
    /// A site with a mail server
    #[command(hide = true)]
    Serve(serve::Arguments),
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Part::Send(arguments)) => send::run(&arguments),
        Some(Part::Serve(arguments)) => serve::run(arguments),
        None => {
            speed(&arguments)?;
            requests::run(arguments.rounds, arguments.seconds)
        }
    }
}

/// Everybody sends to a mail server that is quicker than all of them.
fn speed(arguments: &Arguments) -> Result<()> {
    let django = Django::find()?;
    cpu::pin(cpu::LOAD_CORE)?;
    let sink = Sink::start()?;
    let mut rates = vec![Vec::new(); Sender::ALL.len() + 1];
    for _ in 0..arguments.rounds {
        let count = sink.count();
        let seconds = cpu::pinned(cpu::SERVER_CORE, || {
            Ok(django.send_messages(sink.port, arguments.mails)?.as_secs_f64())
        })?;
        rates[0].push(float(arguments.mails) / seconds);
        arrived(&sink, count, arguments.mails)?;
        for (sender, rates) in Sender::ALL.into_iter().zip(&mut rates[1..]) {
            let mails = sender.share_of(arguments.mails);
            let count = sink.count();
            rates.push(float(mails) / send(sender, sink.port, mails)?);
            arrived(&sink, count, mails)?;
        }
    }
    let mut table = Table::new(["what", "mails/s", "× Django"]);
    let names = ["Django `send_messages`, one connection"];
    let names = names.into_iter().chain(Sender::ALL.into_iter().map(Sender::name));
    for (name, seen) in names.zip(&rates) {
        table.row([
            name.to_owned(),
            format!("{:.0}", median(seen)),
            format!("{:.2}", paired_ratio(seen, &rates[0])),
        ]);
    }
    println!("\n{table}");
    Ok(())
}

/// Each sends one mail more before it looks at the clock, to open its lines.
fn arrived(sink: &Sink, before: usize, mails: usize) -> Result<()> {
    let arrived = sink.count() - before;
    let expected = mails..=mails + send::FIRST;
    if expected.contains(&arrived) {
        return Ok(());
    }
    Err(format!("{arrived} mails arrived of {mails}").into())
}

/// The seconds that a process of its own took.
fn send(sender: Sender, port: u16, mails: usize) -> Result<f64> {
    let output = cpu::pinned(cpu::SERVER_CORE, || {
        Ok(Command::new(env::current_exe()?)
            .args(["send", sender.word(), &port.to_string(), &mails.to_string()])
            .stderr(Stdio::inherit())
            .output()?)
    })?;
    if !output.status.success() {
        return Err(format!("{}: {}", sender.word(), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
