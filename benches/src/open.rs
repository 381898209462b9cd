//! The open loop: requests are due at fixed instants whether or not earlier ones were answered,
//! and each is counted from the instant it was due. A stall of a second is seen as what it is for
//! the people behind the requests, where a closed loop would just ask less in that second.

use std::{
    io,
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Result, cpu,
    http::{Connection, Request},
    stats::Latencies,
};

/// For how long after the end an answer still counts.
pub const GRACE: Duration = Duration::from_secs(2);

/// What is asked, how often, for how long.
#[derive(Clone, Copy, Debug)]
pub struct Load<'a> {
    /// The requests, asked in turn.
    pub requests: &'a [Request],
    /// The status that is expected; any other answer counts as lost.
    pub expected: u16,
    /// How many a second.
    pub rate: u32,
    /// Over how many connections. A connection asks again only once it was answered, so this is
    /// how many may be waited for at once; what is late because of that is counted as late.
    pub connections: u32,
    /// For how long.
    pub duration: Duration,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// From the instant each request was due to its answer.
    pub latencies: Latencies,
    /// How many were due.
    pub due: usize,
}

impl Seen {
    /// How many were not answered as expected within [`GRACE`] after the end.
    pub fn lost(&self) -> usize {
        self.due - self.latencies.len()
    }
}

/// Asks one site, on threads of its own that run where the calling thread does.
pub fn run(address: SocketAddr, load: &Load<'_>) -> Result<Seen> {
    let begin = Instant::now() + Duration::from_millis(50);
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..load.connections)
            .map(|lane| scope.spawn(move || run_lane(address, load, lane, begin)))
            .collect();
        let mut all = Seen::default();
        for lane in lanes {
            let seen = lane.join().map_err(|_| "a generator thread panicked")??;
            all.latencies.extend(seen.latencies);
            all.due += seen.due;
        }
        Ok(all)
    })
}

/// One connection: every `connections`-th instant is its own.
fn run_lane(address: SocketAddr, load: &Load<'_>, lane: u32, begin: Instant) -> Result<Seen> {
    cpu::wake_on_time()?;
    let interval = Duration::from_secs(1) / load.rate;
    let (end, last_call) = (begin + load.duration, begin + load.duration + GRACE);
    let mut connection = connect(address)?;
    let mut seen = Seen::default();
    for slot in (lane..).step_by(load.connections as usize) {
        let due = begin + interval * slot;
        if due >= end {
            break;
        }
        seen.due += 1;
        let now = Instant::now();
        if now >= last_call {
            continue;
        }
        thread::sleep(due.saturating_duration_since(now));
        let request = &load.requests[slot as usize % load.requests.len()];
        match connection.ask(request) {
            Ok(answer) => {
                let answered = Instant::now();
                if answer.status == load.expected && answered < last_call {
                    seen.latencies.push(answered - due);
                }
                if answer.closes {
                    connection = connect(address)?;
                }
            }
            // Lost, and so is what else was under way on this connection.
            Err(_) => connection = connect(address)?,
        }
    }
    Ok(seen)
}

fn connect(address: SocketAddr) -> io::Result<Connection> {
    Connection::open(address, GRACE)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
    };

    use super::*;

    /// A server that answers every request but holds the first one back.
    fn stalling_server(stall: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut inbox = [0; 1024];
            let mut is_first = true;
            while matches!(stream.read(&mut inbox), Ok(read) if read > 0) {
                if std::mem::take(&mut is_first) {
                    thread::park_timeout(stall);
                }
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                stream.write_all(answer).unwrap();
            }
        });
        address
    }

    #[test]
    fn a_stall_is_counted_for_all_that_were_due_meanwhile() {
        let stall = Duration::from_millis(80);
        let address = stalling_server(stall);
        let load = Load {
            requests: &[Request::get(address, "/", None)],
            expected: 200,
            rate: 250,
            connections: 1,
            duration: Duration::from_millis(160),
        };
        let mut seen = run(address, &load).unwrap();
        assert_eq!(seen.due, 40);
        assert_eq!(seen.lost(), 0);
        // A closed loop would have seen one slow answer; here every one that was due in the
        // first half of the stall took more than the other half.
        assert!(seen.latencies.percentile(800) >= stall / 2);
    }

    #[test]
    fn other_answers_than_expected_are_lost() {
        let address = stalling_server(Duration::ZERO);
        let load = Load {
            requests: &[Request::get(address, "/", None)],
            expected: 204,
            rate: 1000,
            connections: 1,
            duration: Duration::from_millis(20),
        };
        let seen = run(address, &load).unwrap();
        assert_eq!((seen.due, seen.lost()), (20, 20));
    }
}
