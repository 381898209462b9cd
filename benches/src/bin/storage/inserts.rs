//! Many people open a session at once, and each is told only when it is on the disk.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use futures_executor::block_on;
use tempfile::TempDir;
use vestibule_benches::{
    Result, memory,
    stats::{Latencies, float, median, micros, paired_ratio},
    table::Table,
    world,
};
use vestibule_core::{
    OpCx, TokenDigest,
    id::UserId,
    ports::{
        hasher::PasswordHash,
        store::{Store, StoreError},
    },
};

use crate::{plain, slow_sync};

const USERS: usize = 1000;

/// How many, how long and how often.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many insert at once
    #[arg(long, default_value_t = 32)]
    clients: usize,
    /// Length of each run in seconds
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How often both are run in turn
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Has every commit wait so many microseconds longer for the disk (Linux, with a C compiler)
    #[arg(long, value_name = "MICROS")]
    sync_micros: Option<u32>,
}

/// What one run saw.
#[derive(Default)]
struct Seen {
    done: Latencies,
    failed: usize,
}

/// What all runs of one way saw.
#[derive(Default)]
struct All {
    rates: Vec<f64>,
    p99: Vec<f64>,
    failed: usize,
}

impl All {
    fn note(&mut self, mut seen: Seen, duration: Duration) {
        self.rates.push(float(seen.done.len()) / duration.as_secs_f64());
        self.p99.push(micros(seen.done.percentile(990)) / 1000.0);
        self.failed += seen.failed;
    }
}

pub(crate) fn run(arguments: &Arguments, fresh: &dyn Fn() -> Result<TempDir>) -> Result<()> {
    if let Some(micros) = arguments.sync_micros
        && slow_sync::again(micros)?
    {
        return Ok(());
    }
    let duration = Duration::from_secs(arguments.seconds);
    let (mut ours, mut naive) = (All::default(), All::default());
    for round in 0..arguments.rounds {
        println!("round {} of {}", round + 1, arguments.rounds);
        let directory = fresh()?;
        let (store, users) = filled(directory.path())?;
        let seen = at_once(arguments.clients, duration, &users, |_| {
            let store = store.clone();
            Ok(move |user, cx: &OpCx| {
                let session = world::session(user, digest(cx), cx);
                let work = store.write::<_, StoreError>(move |tx| tx.insert_session(&session));
                Ok(block_on(work)?)
            })
        })?;
        ours.note(seen, duration);
        drop(store);

        let directory = fresh()?;
        let (_, users) = filled(directory.path())?;
        let seen = at_once(arguments.clients, duration, &users, |_| {
            let mut connection = plain::connect(directory.path())?;
            Ok(move |user, cx: &OpCx| {
                plain::insert(&mut connection, &world::session(user, digest(cx), cx))
            })
        })?;
        naive.note(seen, duration);
    }
    let mut table = Table::new(["what", "inserts/s", "p99 ms", "failed"]);
    for (name, all) in [("one writer, many to a commit", &ours), ("a commit each", &naive)] {
        table.row([
            name.to_owned(),
            format!("{:.0}", median(&all.rates)),
            format!("{:.1}", median(&all.p99)),
            all.failed.to_string(),
        ]);
    }
    println!("\n{table}");
    println!("ours / a commit each: {:.1}", paired_ratio(&ours.rates, &naive.rates));
    Ok(())
}

fn filled(directory: &Path) -> Result<(Store, Vec<UserId>)> {
    let store = memory::empty_store(directory)?;
    let users = block_on(world::settle(&store, USERS, &PasswordHash::unusable(), 0))?;
    Ok((store, users))
}

fn digest(cx: &OpCx) -> TokenDigest {
    TokenDigest::of(cx.new_token().expose())
}

/// Has so many threads insert, one after the other on each, until the time is over.
fn at_once<W>(
    clients: usize,
    duration: Duration,
    users: &[UserId],
    prepare: impl Fn(usize) -> Result<W> + Sync,
) -> Result<Seen>
where
    W: FnMut(UserId, &OpCx) -> Result<()>,
{
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..clients)
            .map(|client| {
                let (is_over, prepare) = (&is_over, &prepare);
                scope.spawn(move || {
                    let mut work = prepare(client)?;
                    let (cx, mut seen) = (world::cx(), Seen::default());
                    let owners = users.iter().cycle().skip(client).step_by(clients);
                    for owner in owners {
                        let begin = Instant::now();
                        let result = work(*owner, &cx);
                        if is_over.load(Ordering::Acquire) {
                            break;
                        }
                        match result {
                            Ok(()) => seen.done.push(begin.elapsed()),
                            Err(_) => seen.failed += 1,
                        }
                    }
                    Ok::<_, Box<dyn std::error::Error + Send + Sync>>(seen)
                })
            })
            .collect();
        thread::sleep(duration);
        is_over.store(true, Ordering::Release);
        let mut all = Seen::default();
        for thread in threads {
            let seen = thread.join().map_err(|_| "a thread panicked")??;
            all.done.extend(seen.done);
            all.failed += seen.failed;
        }
        Ok(all)
    })
}
