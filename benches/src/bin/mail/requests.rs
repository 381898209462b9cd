//! What requests that have mail sent notice of a mail server that is dead.

use std::{env, path::Path, process::Command, time::Duration};

use vestibule_benches::{
    Result,
    child::{Server, free_address},
    cpu,
    http::Request,
    open,
    stats::{median, micros, paired_ratio},
    table::Table,
    world,
};

use crate::sink::{self, Sink};

/// How many people are told something, and how many of them in a second.
const PEOPLE: usize = 1000;
const RATE: u32 = 200;

/// The site under each kind of mail server.
struct Case {
    name: &'static str,
    server: Server,
    p50: Vec<f64>,
    p99: Vec<f64>,
    most: Duration,
    lost: usize,
}

pub(crate) fn run(rounds: usize, seconds: u64) -> Result<()> {
    cpu::pin(cpu::LOAD_CORE)?;
    let sink = Sink::start()?;
    let folder = tempfile::tempdir()?;
    let mut cases = [
        case(folder.path(), "answers", sink.port)?,
        case(folder.path(), "refuses every line", free_address()?.port())?,
        case(folder.path(), "never says a word", sink::silent()?)?,
    ];
    for _ in 0..rounds {
        for case in &mut cases {
            let address = case.server.address;
            let requests: Vec<Request> = (0..PEOPLE)
                .map(|number| {
                    let path = format!("/tell/{}", world::username(number));
                    Request::get(address, &path, None)
                })
                .collect();
            let duration = Duration::from_secs(seconds);
            let load = open::Load {
                requests: &requests,
                expected: 202,
                rate: RATE,
                connections: 16,
                duration,
            };
            let mut seen = open::run(address, &load)?;
            case.lost += seen.lost();
            case.p50.push(micros(seen.latencies.percentile(500)));
            case.p99.push(micros(seen.latencies.percentile(990)));
            case.most = case.most.max(seen.latencies.percentile(1000));
        }
    }
    if sink.count() == 0 {
        return Err("the site sends no mail".into());
    }
    let mut table =
        Table::new(["a mail server that", "p50 µs", "p99 µs", "longest ms", "× p99", "lost"]);
    for case in &cases {
        table.row([
            case.name.to_owned(),
            format!("{:.0}", median(&case.p50)),
            format!("{:.0}", median(&case.p99)),
            format!("{:.1}", micros(case.most) / 1000.0),
            format!("{:.2}", paired_ratio(&case.p99, &cases[0].p99)),
            case.lost.to_string(),
        ]);
    }
    println!("\n{table}");
    Ok(())
}

fn case(folder: &Path, name: &'static str, port: u16) -> Result<Case> {
    let address = free_address()?;
    let database = folder.join(format!("{port}.db"));
    let mut command = Command::new(env::current_exe()?);
    command.arg("serve").arg(address.to_string()).arg(port.to_string()).arg(database);
    let server = Server::start(command, address, "/healthz", Some(cpu::SERVER_CORE))?;
    Ok(Case { name, server, p50: Vec::new(), p99: Vec::new(), most: Duration::ZERO, lost: 0 })
}
