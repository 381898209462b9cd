//! What one login costs, and whether the time of a refusal tells a known name from an unknown one.

use std::time::{Duration, Instant};

use serde_json::json;
use vestibule_auth::hashing::{Scheme, hash_blocking, verify_blocking};
use vestibule_benches::{
    Result, cpu,
    django::Django,
    http::{Connection, Request},
    stats::{median, micros, paired_ratio},
    table::Table,
    world,
};
use vestibule_core::{Secret, SystemEntropy, ports::hasher::PasswordHash};

use crate::{
    serve::{PASSWORD, PREFIX},
    sites::{self, Ours},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// How often.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How often each kind of login is tried, in turn
    #[arg(long, default_value_t = 30)]
    rounds: usize,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let site = sites::ours(
        directory.path(),
        Ours {
            users: 10,
            sessions: 10,
            workers: 1,
            hash_threads: 1,
            hash_queue: 256,
            core: Some(cpu::SERVER_CORE),
        },
    )?;
    cpu::pin(cpu::LOAD_CORE)?;
    let address = site.server.address;
    let login = |name: &str, password: &str| {
        let body = json!({ "username": name, "password": password });
        Request::post(address, &format!("{PREFIX}/api/v1/login"), &body)
    };
    let kinds = [
        ("right password", login(&world::username(1), PASSWORD), 200),
        ("wrong password", login(&world::username(2), "not that one, sorry"), 401),
        ("unknown name", login("nobody", "not that one, sorry"), 401),
    ];
    let mut connection = Connection::open(address, PATIENCE)?;
    let mut took = vec![Vec::new(); kinds.len()];
    let mut verified = Vec::new();
    // The first login is not measured: it sets up what the others find.
    for round in 0..=arguments.rounds {
        for ((name, request, expected), took) in kinds.iter().zip(&mut took) {
            let begin = Instant::now();
            let answer = connection.ask(request)?;
            if answer.status != *expected {
                return Err(format!("{name}: answered {}", answer.status).into());
            }
            if round > 0 {
                took.push(micros(begin.elapsed()));
            }
        }
        if round > 0 {
            verified.push(micros(verify_time()?));
        }
    }
    let mut table = Table::new(["what", "median ms", "× verification alone"]);
    table.row([
        "verification alone".to_owned(),
        format!("{:.1}", median(&verified) / 1000.0),
        "1".to_owned(),
    ]);
    for ((name, ..), took) in kinds.iter().zip(&took) {
        table.row([
            (*name).to_owned(),
            format!("{:.1}", median(took) / 1000.0),
            format!("{:.3}", paired_ratio(took, &verified)),
        ]);
    }
    println!("\n{table}");
    compare_with_django(&Django::find()?)?;
    println!("unknown name / wrong password: {:.3}", paired_ratio(&took[2], &took[1]));
    Ok(())
}

/// A hash that Django 5.2 made of [`PASSWORD`], at its own cost.
const OF_DJANGO: &str =
    "pbkdf2_sha256$1000000$yYTXllheDLBVdo7pnZztfl$k1Nt9tSp2wq8VkGQx9eMoIgVMzAKIhXcK7nEz4+qj2A=";

/// What a login with an imported hash costs there and here.
fn compare_with_django(django: &Django) -> Result<()> {
    let stored = PasswordHash::from_stored(OF_DJANGO);
    let (mut there, mut here) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let once = cpu::pinned(cpu::SERVER_CORE, || django.verify(OF_DJANGO, PASSWORD))?;
        there.push(micros(once));
        here.push(micros(best_of_three(&stored)?));
    }
    println!(
        "Django's PBKDF2 hash: {:.1} ms in Django, {:.1} ms here: {:.3}",
        median(&there) / 1000.0,
        median(&here) / 1000.0,
        paired_ratio(&here, &there),
    );
    Ok(())
}

/// How long one verification takes on the server's core while the server is idle.
pub(crate) fn verify_time() -> Result<Duration> {
    let password = Secret::new(PASSWORD);
    best_of_three(&hash_blocking(Scheme::BCRYPT, &password, None, &SystemEntropy)?)
}

fn best_of_three(stored: &PasswordHash) -> Result<Duration> {
    cpu::pinned(cpu::SERVER_CORE, || {
        let password = Secret::new(PASSWORD);
        let mut best = Duration::MAX;
        for _ in 0..3 {
            let begin = Instant::now();
            if !verify_blocking(&password, stored, None)? {
                return Err("the password is not the one".into());
            }
            best = best.min(begin.elapsed());
        }
        Ok(best)
    })
}
