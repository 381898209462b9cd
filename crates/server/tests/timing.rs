//! What the time of an answer tells, measured in a program of its own: whatever else runs would be
//! measured too.
//!
//! Each endpoint is asked about people of all kinds by turns, 400 times each, by visitors of whom no
//! two begin at once: their answers are held back together, and the work behind them is not mixed.
//! Of two kinds the area under the curve is the chance that an
//! answer about one takes longer than an answer about the other: one half where time tells nothing.
//! It must lie between 0.45 and 0.55. Where it is one half, chance alone takes it out of there in
//! one measurement of 70 (its standard deviation is 0.0204), and out of three in a row in one of
//! 340,000: so there are up to three. What is left out or done besides comes out near 0 or 1 in all.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "what was measured is worth reading")]

#[path = "it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "these tests use less of it than the others"
)]
mod support;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use vestibule_core::{
    SystemClock,
    ports::backend::Assertion,
    usecase::{login::Door, users::NewUser},
};

use support::{Db, PASSWORD, Post, Says, Script, TestSite, with_address};

const ROUNDS: u32 = 400;
const VISITORS: u32 = 20;
/// From a visitor's request to the next one; another visitor's begins each twentieth of it. Longer
/// than an answer takes.
const TURN: Duration = Duration::from_millis(400);
const TRIES: usize = 3;
const FROM_HALF: f64 = 0.05;

/// One measurement at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// The chance that one of the first takes longer than one of the second.
fn area(first: &[Duration], second: &[Duration]) -> f64 {
    let (mut longer, mut all) = (0.0, 0.0);
    for a in first {
        for b in second {
            longer += match a.cmp(b) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
            all += 1.0;
        }
    }
    longer / all
}

fn median(times: &[Duration]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[sorted.len() / 2].as_secs_f64() * 1e3
}

/// How long the answers about each kind take. Every visitor asks about all kinds in each round,
/// beginning with another one each time, and no two at once need ask about the same: what the
/// others have the machine do is to be felt by all kinds alike.
fn measure<V: Send>(
    kinds: usize,
    visitor: impl Fn() -> V + Sync,
    ask: impl Fn(&mut V, usize, usize) + Sync,
) -> Vec<Vec<Duration>> {
    let (numbers, start) = (AtomicUsize::new(0), Instant::now() + TURN);
    let parts: Vec<Vec<Vec<Duration>>> = std::thread::scope(|scope| {
        let (visitor, ask, numbers) = (&visitor, &ask, &numbers);
        let asking: Vec<_> = (0..VISITORS)
            .map(|first| {
                scope.spawn(move || {
                    let (mut visitor, mut times) = (visitor(), vec![Vec::new(); kinds]);
                    for round in 0..ROUNDS / VISITORS {
                        for at in 0..kinds {
                            let kind = ((first + round) as usize + at) % kinds;
                            let number = numbers.fetch_add(1, Ordering::Relaxed);
                            let turn =
                                round * u32::try_from(kinds).unwrap() + u32::try_from(at).unwrap();
                            let place = TURN * first;
                            let begins = start + TURN * turn + place / VISITORS;
                            std::thread::sleep(begins.saturating_duration_since(Instant::now()));
                            let began = Instant::now();
                            ask(&mut visitor, kind, number);
                            times[kind].push(began.elapsed());
                        }
                    }
                    times
                })
            })
            .collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let of = |kind: usize| parts.iter().flat_map(|part| part[kind].clone()).collect();
    (0..kinds).map(of).collect()
}

/// Holds the answers about all kinds to those about the first.
fn tells_nothing<V: Send>(
    what: &str,
    kinds: &[&str],
    visitor: impl Fn() -> V + Sync,
    ask: impl Fn(&mut V, usize, usize) + Sync,
) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut found = vec![Vec::new(); kinds.len()];
    for _ in 0..TRIES {
        let times = measure(kinds.len(), &visitor, &ask);
        for (kind, own) in times.iter().enumerate().skip(1) {
            let (area, gap) = (area(own, &times[0]), median(own) - median(&times[0]));
            println!("{what}, {}: area {area:.3}, medians {gap:+.3} ms apart", kinds[kind]);
            found[kind].push(area);
        }
        let is_even = |areas: &Vec<f64>| areas.iter().any(|area| (area - 0.5).abs() <= FROM_HALF);
        if found.iter().skip(1).all(is_even) {
            return;
        }
    }
    panic!("{what} tells {} apart from {kinds:?}: {found:?}", kinds[0]);
}

/// A site with people of all kinds, each with an address of their name.
fn site() -> (TestSite, Post) {
    let claim = Assertion::new("u1".parse().unwrap()).with_username("elsewhere");
    let claim = claim.with_email("elsewhere@example.org", true);
    let script = Script::new("unix", Says::Verified(Box::new(claim)));
    let (plan, post) = Post::plan(Db::Sqlite);
    let (sending, door) = (post.0.clone(), Door { create_users: true, ..script.door() });
    let plan = ["mail_per_address", "mail_per_site"]
        .iter()
        .fold(plan, |plan, limit| plan.set(&format!("limits.{limit}"), "unlimited"));
    let plan = plan.set("registration.mode", "open").set("server.http_basic", "true").extend(
        move |builder| builder.clock(Arc::new(SystemClock)).mail_transport(sending).door(door),
    );
    let site = plan.start();
    with_address(&site, "known");
    let gone = NewUser {
        username: "disabled".to_owned(),
        email: Some("disabled@example.org".to_owned()),
        is_disabled: true,
        ..NewUser::default()
    };
    site.account(gone);
    let body = json!({ "username": "elsewhere", "password": "x", "backend": "unix" });
    site.visitor().post("/api/v1/login", &body).expect(200);
    let waiting = json!({
        "username": "waiting", "email": "waiting@example.org", "password": PASSWORD,
    });
    site.visitor().post("/api/v1/register", &waiting).expect(202);
    (site, post)
}

const KINDS: [&str; 5] = ["unknown", "known", "disabled", "elsewhere", "waiting"];

fn address(kind: usize, number: usize) -> Value {
    match kind {
        0 => json!(format!("nobody{number}@example.org")),
        kind => json!(format!("{}@example.org", KINDS[kind])),
    }
}

#[test]
fn atk_a004_the_time_of_a_request_for_another_password_tells_nothing_of_the_address() {
    let (site, _post) = site();
    tells_nothing(
        "forgot",
        &KINDS,
        || site.visitor(),
        |visitor, kind, number| {
            let body = json!({ "email": address(kind, number) });
            visitor.post("/api/v1/password/forgot", &body).expect(202);
        },
    );
}

#[test]
fn atk_a005_the_time_of_a_registration_tells_nothing_of_the_address() {
    let (site, _post) = site();
    tells_nothing(
        "register",
        &KINDS,
        || site.visitor(),
        |visitor, kind, number| {
            let name = format!("new{number}");
            let body =
                json!({ "username": name, "email": address(kind, number), "password": PASSWORD });
            visitor.post("/api/v1/register", &body).expect(202);
        },
    );
}

#[test]
fn atk_a005_the_time_of_a_request_for_another_link_tells_nothing_of_the_address() {
    let (site, _post) = site();
    tells_nothing(
        "resend",
        &KINDS,
        || site.visitor(),
        |visitor, kind, number| {
            let body = json!({ "email": address(kind, number) });
            visitor.post("/api/v1/activate/resend", &body).expect(202);
        },
    );
}
