//! Session checks in a closed loop: how many a core answers, beside what else could be there.

use std::time::Duration;

use vestibule_benches::{
    Result,
    child::Server,
    closed, cpu,
    http::Request,
    stats::{Latencies, float, median, micros, paired_ratio},
    table::Table,
};

use crate::{
    serve::PREFIX,
    sites::{self, Ours, Site},
};

/// Sessions that are open at once while warm checks are measured.
const WARM: usize = 10_000;
/// Sessions that are each checked once while nothing is remembered.
const COLD: usize = 200_000;
const WARM_CHECK: &str = "check: CurrentUser and has";
const MADE_UP: &str = "made-up cookie: 401";
const BARE_WITH_COOKIE: &str = "bare handler, sent that cookie";
const COLD_CHECK: &str = "check, nothing remembered";
const USERS: usize = 1000;
/// After each warm session has been asked about once.
const WARM_UP: Duration = Duration::from_millis(300);
/// Longer than asking about each warm session takes the slowest site.
const ALL: Duration = Duration::from_mins(1);

/// What else there is in Rust, and the program that serves it.
const OTHERS: &[(&str, &str)] =
    &[("actix-identity, cookie", "identity"), ("axum-login, SQLite", "axum_login")];

/// How long and how often.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How often all servers are loaded in turn
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// For how long each, in seconds
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// How many connections ask at once
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Leaves the Django site out
    #[arg(long)]
    no_django: bool,
    /// Also measures actix-identity and axum-login; builds them first
    #[arg(long)]
    peers: bool,
}

/// One thing that is measured, and what was seen in each round.
struct Subject<'a> {
    name: &'static str,
    server: &'a Server,
    requests: Vec<Request>,
    expected: u16,
    /// Asked before each round; each other request is then asked once and no more. Without it
    /// there is a run that does not count, in which all that can be remembered is.
    forget: Option<Request>,
    rates: Vec<f64>,
    cpu_micros: Vec<f64>,
    latencies: Latencies,
}

impl<'a> Subject<'a> {
    fn new(name: &'static str, server: &'a Server, requests: Vec<Request>, expected: u16) -> Self {
        Self {
            name,
            server,
            requests,
            expected,
            forget: None,
            rates: Vec::new(),
            cpu_micros: Vec::new(),
            latencies: Latencies::default(),
        }
    }

    fn measure(&mut self, connections: usize, duration: Duration) -> Result<()> {
        let run = |once, duration| {
            let load = closed::Load {
                requests: &self.requests,
                expected: self.expected,
                once,
                connections,
                duration,
            };
            closed::run(self.server.address, &load)
                .map_err(|error| format!("{}: {error}", self.name))
        };
        if let Some(request) = &self.forget {
            self.server.ask(request)?;
        } else {
            if self.requests.len() > connections {
                run(true, ALL)?;
            }
            run(false, WARM_UP)?;
        }
        let before = self.server.cpu()?;
        let seen = run(self.forget.is_some(), duration)?;
        let used = self.server.cpu()?.saturating_sub(before);
        self.rates.push(seen.rate());
        self.cpu_micros.push(micros(used) / float(seen.latencies.len()));
        self.latencies.extend(seen.latencies);
        Ok(())
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let core = cpu::SERVER_CORE;
    let bare = sites::bare(core)?;
    let by_hand = sites::by_hand(directory.path(), WARM, core)?;
    let ours = sites::ours(
        directory.path(),
        Ours {
            users: USERS,
            sessions: COLD,
            workers: 1,
            hash_threads: 1,
            hash_queue: 256,
            core: Some(core),
        },
    )?;
    let django =
        (!arguments.no_django).then(|| sites::django(directory.path(), USERS, core)).transpose()?;
    let others = if arguments.peers { OTHERS } else { &[] }
        .iter()
        .map(|(name, program)| Ok((*name, sites::of_others(directory.path(), program, 100, core)?)))
        .collect::<Result<Vec<_>>>()?;
    cpu::pin(cpu::LOAD_CORE)?;

    let mut subjects = subjects(&bare, &by_hand, &ours, django.as_ref());
    subjects.extend(others.iter().map(|(name, site)| {
        let requests = site.with_cookies("/check", ToOwned::to_owned);
        Subject::new(name, &site.server, requests, 200)
    }));
    let duration = Duration::from_secs(arguments.seconds);
    for round in 0..arguments.rounds {
        println!("round {} of {}", round + 1, arguments.rounds);
        for subject in &mut subjects {
            subject.measure(arguments.connections, duration)?;
        }
    }
    report(&mut subjects);
    Ok(())
}

fn subjects<'a>(
    bare: &'a Server,
    by_hand: &'a Site,
    ours: &'a Site,
    django: Option<&'a Site>,
) -> Vec<Subject<'a>> {
    let at = |path: &str, cookie: Option<&str>| Request::get(ours.server.address, path, cookie);
    let warm = |path: &str| {
        let mut requests = ours.requests(path, "vestibule");
        requests.truncate(WARM);
        requests
    };
    let check = |name, requests, expected| Subject::new(name, &ours.server, requests, expected);
    let made_up = format!("vestibule={}", "A".repeat(64));
    let mut cold = check(COLD_CHECK, ours.requests("/check", "vestibule"), 200);
    cold.forget = Some(at("/forget", None));
    let mut subjects = vec![
        Subject::new("bare handler", bare, vec![Request::get(bare.address, "/", None)], 200),
        // What reading a cookie's bytes costs, whoever looks at them.
        Subject::new(
            BARE_WITH_COOKIE,
            bare,
            vec![Request::get(bare.address, "/", Some(&made_up))],
            200,
        ),
        Subject::new(
            "check by hand",
            &by_hand.server,
            by_hand.requests("/check", "vestibule"),
            200,
        ),
        check(WARM_CHECK, warm("/check"), 200),
        check("check: RequirePermission", warm("/walled"), 200),
        check("check: Access::require", warm("/access"), 200),
        check("no cookie: 401", vec![at("/check", None)], 401),
        check(MADE_UP, vec![at("/check", Some(&made_up))], 401),
        cold,
        check("GET /api/v1/session", warm(&format!("{PREFIX}/api/v1/session")), 200),
    ];
    if let Some(django) = django {
        let requests = django.requests("/check", "sessionid");
        subjects.push(Subject::new("Django check", &django.server, requests, 200));
    }
    subjects
}

fn report(subjects: &mut [Subject<'_>]) {
    let Some((rates, cpu)) =
        subjects.first().map(|bare| (bare.rates.clone(), bare.cpu_micros.clone()))
    else {
        return;
    };
    let mut table =
        Table::new(["what", "answers/s", "p50 µs", "p99 µs", "× bare", "CPU µs", "× bare's CPU"]);
    for subject in &mut *subjects {
        table.row([
            subject.name.to_owned(),
            format!("{:.0}", median(&subject.rates)),
            format!("{:.0}", micros(subject.latencies.percentile(500))),
            format!("{:.0}", micros(subject.latencies.percentile(990))),
            format!("{:.3}", paired_ratio(&subject.rates, &rates)),
            format!("{:.2}", median(&subject.cpu_micros)),
            format!("{:.2}", paired_ratio(&subject.cpu_micros, &cpu)),
        ]);
    }
    println!("\n{table}");
    let rates_of = |name: &str| {
        let found = subjects.iter().find(|subject| subject.name == name);
        found.map(|subject| subject.rates.as_slice())
    };
    if let (Some(ours), Some(theirs)) = (rates_of(MADE_UP), rates_of(BARE_WITH_COOKIE)) {
        println!("{MADE_UP} / {BARE_WITH_COOKIE}: {:.3}", paired_ratio(ours, theirs));
    }
    let peers = OTHERS.iter().map(|(name, _)| *name);
    for peer in ["check by hand", "Django check"].into_iter().chain(peers) {
        for ours in [WARM_CHECK, COLD_CHECK] {
            if let (Some(ours_rates), Some(peer_rates)) = (rates_of(ours), rates_of(peer)) {
                println!("{ours} / {peer}: {:.2}", paired_ratio(ours_rates, peer_rates));
            }
        }
    }
}
