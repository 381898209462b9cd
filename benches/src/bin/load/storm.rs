//! Session checks in an open loop while many people log in at once.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use vestibule_benches::{
    Result, cpu,
    http::{Connection, Request},
    open,
    stats::{Latencies, float, median, micros, paired_ratio},
    table::Table,
    world,
};

use crate::{
    logins::verify_time,
    serve::{PASSWORD, PREFIX},
    sites::{self, Ours},
};

/// How long a login may take before its client gives up.
const PATIENCE: Duration = Duration::from_mins(2);
/// For how long a client that was sent away stays away.
const AWAY: Duration = Duration::from_millis(200);

/// How hard, how long and how often.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Pairs of a calm and a stormy run
    #[arg(long, default_value_t = 6)]
    rounds: usize,
    /// Length of each run in seconds
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Session checks a second
    #[arg(long, default_value_t = 2000)]
    rate: u32,
    /// How many people log in back to back
    #[arg(long, default_value_t = 32)]
    clients: usize,
    /// 1: the server has one core and the generator another; 2: both share both
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    cores: u8,
    /// Passwords that may wait to be hashed
    #[arg(long, default_value_t = 256)]
    queue: usize,
    /// Two short rounds, and a failure when checks are lost or slow tenfold
    #[arg(long)]
    ci: bool,
}

/// What the people who logged in saw.
#[derive(Default)]
struct Logins {
    done: Latencies,
    sent_away: Latencies,
    rude: usize,
    failed: usize,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let (rounds, seconds) =
        if arguments.ci { (2, 4) } else { (arguments.rounds, arguments.seconds) };
    let is_shared = arguments.cores == 2;
    let directory = tempfile::tempdir()?;
    let site = sites::ours(
        directory.path(),
        Ours {
            users: arguments.clients,
            sessions: 1000,
            workers: arguments.cores.into(),
            hash_threads: arguments.cores.into(),
            hash_queue: arguments.queue,
            core: (!is_shared).then_some(cpu::SERVER_CORE),
        },
    )?;
    let verify = verify_time()?;
    if !is_shared {
        cpu::pin(cpu::LOAD_CORE)?;
    }
    let checks = site.requests("/check", "vestibule");
    let load = open::Load {
        requests: &checks,
        expected: 200,
        rate: arguments.rate,
        connections: 64,
        duration: Duration::from_secs(seconds),
    };
    let address = site.server.address;
    // So that each session has been looked up once.
    open::run(address, &open::Load { duration: Duration::from_secs(1), ..load })?;

    let mut table = Table::new([
        "round",
        "calm p50 µs",
        "calm p99 µs",
        "storm p50 µs",
        "storm p99 µs",
        "× calm p99",
        "lost",
        "logins/s",
        "sent away",
        "p99 µs of that",
    ]);
    let (mut calm_p99, mut storm_p99, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    let (mut lost, mut failed) = (0, 0);
    for round in 0..rounds {
        let mut calm = open::run(address, &load)?;
        let (mut storm, mut logins) = storm(address, &load, arguments.clients)?;
        calm_p99.push(micros(calm.latencies.percentile(990)));
        storm_p99.push(micros(storm.latencies.percentile(990)));
        rates.push(float(logins.done.len()) / load.duration.as_secs_f64());
        lost += calm.lost() + storm.lost();
        failed += logins.failed + logins.rude;
        table.row([
            (round + 1).to_string(),
            format!("{:.0}", micros(calm.latencies.percentile(500))),
            format!("{:.0}", calm_p99[round]),
            format!("{:.0}", micros(storm.latencies.percentile(500))),
            format!("{:.0}", storm_p99[round]),
            format!("{:.2}", storm_p99[round] / calm_p99[round]),
            format!("{} + {}", calm.lost(), storm.lost()),
            format!("{:.2}", rates[round]),
            logins.sent_away.len().to_string(),
            format!("{:.0}", micros(logins.sent_away.percentile(990))),
        ]);
    }
    println!("\n{table}");
    let ratio = paired_ratio(&storm_p99, &calm_p99);
    let possible = float(arguments.cores.into()) / verify.as_secs_f64();
    println!("storm p99 / calm p99: {ratio:.2}; checks lost: {lost}; logins failed: {failed}");
    println!(
        "one verification alone takes {:.1} ms, so {} thread(s) could do {possible:.2} logins/s; \
         done: {:.2} ({:.2} of it)",
        micros(verify) / 1000.0,
        arguments.cores,
        median(&rates),
        median(&rates) / possible,
    );
    if arguments.ci && (lost > 0 || failed > 0 || ratio > 10.0) {
        return Err("the storm delayed or lost session checks, or logins failed".into());
    }
    Ok(())
}

/// The same checks while so many clients log in back to back.
fn storm(
    address: SocketAddr,
    load: &open::Load<'_>,
    clients: usize,
) -> Result<(open::Seen, Logins)> {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..clients)
            .map(|number| {
                let is_over = &is_over;
                scope.spawn(move || log_in_until(address, number, is_over))
            })
            .collect();
        // Not before the queue is as long as it gets.
        thread::sleep(Duration::from_millis(500));
        let seen = open::run(address, load);
        is_over.store(true, Ordering::Release);
        let mut all = Logins::default();
        for client in clients {
            let logins = client.join().map_err(|_| "a login thread panicked")??;
            all.done.extend(logins.done);
            all.sent_away.extend(logins.sent_away);
            all.rude += logins.rude;
            all.failed += logins.failed;
        }
        Ok((seen?, all))
    })
}

/// Logs in again as soon as it is logged in. A login that ends after the storm does not count.
fn log_in_until(address: SocketAddr, number: usize, is_over: &AtomicBool) -> Result<Logins> {
    let body = json!({ "username": world::username(number), "password": PASSWORD });
    let request = Request::post(address, &format!("{PREFIX}/api/v1/login"), &body);
    let mut connection = Connection::open(address, PATIENCE)?;
    let mut seen = Logins::default();
    loop {
        let begin = Instant::now();
        let answer = connection.ask(&request)?;
        let took = begin.elapsed();
        let ended = is_over.load(Ordering::Acquire);
        match answer.status {
            _ if ended => {}
            200 => seen.done.push(took),
            429 | 503 => {
                seen.sent_away.push(took);
                seen.rude += usize::from(!answer.has_retry_after);
                thread::sleep(AWAY);
            }
            _ => seen.failed += 1,
        }
        if ended {
            return Ok(seen);
        }
        if answer.closes {
            connection = Connection::open(address, PATIENCE)?;
        }
    }
}
