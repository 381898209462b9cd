//! What look-ups cost as the database grows.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use futures_executor::block_on;
use tempfile::TempDir;
use vestibule_benches::{
    Result,
    memory::{self, Remembering},
    stats::{float, median, paired_ratio},
    table::Table,
    world,
};
use vestibule_core::{
    TokenDigest,
    id::UserId,
    policy::{catalogue::Catalogue, facts::Facts},
    ports::store::{StoreError, Tx},
};

use crate::plain;

/// How large and how often.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many users, each with a session and in one group
    #[arg(long, value_delimiter = ',', default_values_t = [1000, 100_000, 1_000_000])]
    users: Vec<usize>,
    /// How often all are measured in turn
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Length of each measurement in milliseconds
    #[arg(long, default_value_t = 400)]
    millis: u64,
}

/// A database and what was seen there.
struct Size {
    users: usize,
    site: Remembering,
    directory: TempDir,
    digests: Vec<TokenDigest>,
    owners: Vec<UserId>,
    catalogue: Catalogue,
    sessions: Vec<f64>,
    plain_sessions: Vec<f64>,
    rights: Vec<f64>,
}

pub(crate) fn run(arguments: &Arguments, fresh: &dyn Fn() -> Result<TempDir>) -> Result<()> {
    let duration = Duration::from_millis(arguments.millis);
    let mut sizes = Vec::new();
    for users in &arguments.users {
        println!("making {users} users");
        sizes.push(prepare(*users, fresh()?)?);
    }
    // The first round is not counted: it reads what the others find in memory.
    for round in 0..=arguments.rounds {
        for size in &mut sizes {
            measure(size, duration)?;
            if round == 0 {
                size.sessions.clear();
                size.plain_sessions.clear();
                size.rights.clear();
            }
        }
    }
    report(&sizes);
    Ok(())
}

fn prepare(users: usize, directory: TempDir) -> Result<Size> {
    memory::fill(directory.path(), users, users, 1000)?;
    let site = Remembering::open(directory.path())?;
    let digests = site.digests();
    let sample: Vec<TokenDigest> =
        digests.iter().step_by(users.div_ceil(50_000)).copied().collect();
    let (owners, catalogue) = block_on(site.store.read::<_, StoreError>(move |tx| {
        let mut owners = Vec::new();
        for digest in &sample {
            owners.extend(tx.session_by_digest(digest)?.map(|session| session.user));
        }
        Ok((owners, Catalogue::load(tx)?))
    }))?;
    Ok(Size {
        users,
        site,
        directory,
        digests,
        owners,
        catalogue,
        sessions: Vec::new(),
        plain_sessions: Vec::new(),
        rights: Vec::new(),
    })
}

fn measure(size: &mut Size, duration: Duration) -> Result<()> {
    let store = &size.site.store;
    let digests = &size.digests;
    let rate = rate(duration, digests.len(), |at| {
        let digest = digests[at];
        let find = move |tx: &mut dyn Tx| tx.session_by_digest(&digest);
        let found = block_on(store.lookup::<_, StoreError>(find))?;
        Ok(found.is_some())
    })?;
    size.sessions.push(rate);

    let mut connection = plain::connect(size.directory.path())?;
    let rate = self::rate(duration, digests.len(), |at| {
        Ok(plain::find(&mut connection, &digests[at])? > 0)
    })?;
    size.plain_sessions.push(rate);

    // Borrowed work cannot be handed to a store, so the look-ups are made within one unit.
    let owners = size.owners.clone();
    let catalogue = std::mem::take(&mut size.catalogue);
    let now = world::cx().now();
    let (rate, catalogue) = block_on(store.lookup::<_, Failed>({
        let mut catalogue = Some(catalogue);
        move |tx| {
            let held = catalogue.take().ok_or(Failed)?;
            let rate = self::rate(duration, owners.len(), |at| {
                Ok(Facts::load(tx, &held, owners[at], now)?.is_some())
            });
            Ok((rate.map_err(|_| Failed)?, held))
        }
    }))?;
    size.rights.push(rate);
    size.catalogue = catalogue;
    Ok(())
}

/// The look-ups within the unit failed.
#[derive(Debug)]
struct Failed;

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the look-ups failed")
    }
}

impl std::error::Error for Failed {}

impl From<StoreError> for Failed {
    fn from(_: StoreError) -> Self {
        Self
    }
}

/// How often something can be done in a second, jumping about among so many.
fn rate(
    duration: Duration,
    among: usize,
    mut work: impl FnMut(usize) -> Result<bool>,
) -> Result<f64> {
    let begin = Instant::now();
    let (mut done, mut at) = (0, 0);
    while begin.elapsed() < duration {
        // A prime far from any power of two, so that neighbours are not asked for in turn.
        at = (at + 48_611) % among;
        if !black_box(work(at)?) {
            return Err("what was stored is not found".into());
        }
        done += 1;
    }
    Ok(float(done) / begin.elapsed().as_secs_f64())
}

fn report(sizes: &[Size]) {
    let Some(smallest) = sizes.first() else {
        return;
    };
    let mut table = Table::new([
        "users",
        "session look-ups/s",
        "cost × smallest",
        "by diesel alone/s",
        "ours / diesel",
        "rights loaded/s",
        "cost × smallest",
    ]);
    for size in sizes {
        table.row([
            size.users.to_string(),
            format!("{:.0}", median(&size.sessions)),
            format!("{:.2}", paired_ratio(&smallest.sessions, &size.sessions)),
            format!("{:.0}", median(&size.plain_sessions)),
            format!("{:.2}", paired_ratio(&size.sessions, &size.plain_sessions)),
            format!("{:.0}", median(&size.rights)),
            format!("{:.2}", paired_ratio(&smallest.rights, &size.rights)),
        ]);
    }
    println!("\n{table}");
}
