//! The closed loop: each connection asks again as soon as it is answered, so the server is always
//! busy. Shows how much it can do; hides how long it stalls (for that, see [`open`](crate::open)).

use std::{
    io,
    time::{Duration, Instant},
};

use rustix::{
    buffer::spare_capacity,
    event::{Timespec, epoll},
};

use crate::{
    Result,
    http::{Connection, Request},
    stats::{Latencies, float},
};

/// How long an answer may take before the server counts as stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is asked, by how many at once, for how long.
#[derive(Debug)]
pub struct Load<'a> {
    /// The requests, asked in turn.
    pub requests: &'a [Request],
    /// The status that is expected; anything else is an error.
    pub expected: u16,
    /// Whether each request is asked once at most; the run ends with the last of them.
    pub once: bool,
    /// How many connections.
    pub connections: usize,
    /// For how long.
    pub duration: Duration,
}

/// What was seen.
#[derive(Debug)]
pub struct Seen {
    /// From the first request to the last answer that counts.
    pub elapsed: Duration,
    /// One for each answer.
    pub latencies: Latencies,
}

impl Seen {
    /// Answers in a second.
    pub fn rate(&self) -> f64 {
        float(self.latencies.len()) / self.elapsed.as_secs_f64()
    }
}

struct Client {
    connection: Connection,
    asked_at: Instant,
}

/// Asks one site, on the calling thread.
pub fn run(address: std::net::SocketAddr, load: &Load<'_>) -> Result<Seen> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    if load.requests.len() < load.connections && load.once || load.requests.is_empty() {
        return Err("there is too little to ask".into());
    }
    let mut asked = 0;
    let mut next = move || {
        let number = asked;
        asked += 1;
        if load.once {
            load.requests.get(number)
        } else {
            load.requests.get(number % load.requests.len())
        }
    };
    let begin = Instant::now();
    let mut clients = Vec::with_capacity(load.connections);
    for number in 0..load.connections {
        let mut client =
            Client { connection: connect(address, &epoll, number)?, asked_at: Instant::now() };
        if let Some(request) = next() {
            client.connection.send(request)?;
        }
        clients.push(client);
    }
    let mut latencies = Latencies::default();
    let mut events = Vec::with_capacity(load.connections);
    let timeout = Timespec::try_from(PATIENCE)?;
    loop {
        epoll::wait(&epoll, spare_capacity(&mut events), Some(&timeout))?;
        if events.is_empty() {
            return Err(format!("{address} has not answered for {PATIENCE:?}").into());
        }
        for event in events.drain(..) {
            let number = usize::try_from(event.data.u64())?;
            let Some(client) = clients.get_mut(number) else {
                continue;
            };
            let Some(answer) = client.connection.receive_some()? else {
                continue;
            };
            let now = Instant::now();
            if answer.status != load.expected {
                return Err(format!(
                    "{address} answered {} where {} was expected",
                    answer.status, load.expected
                )
                .into());
            }
            latencies.push(now - client.asked_at);
            if answer.closes {
                client.connection = connect(address, &epoll, number)?;
            }
            client.asked_at = now;
            let Some(request) = next() else {
                let elapsed = begin.elapsed();
                return Ok(Seen { elapsed, latencies });
            };
            client.connection.send(request)?;
        }
        let elapsed = begin.elapsed();
        if elapsed >= load.duration {
            return Ok(Seen { elapsed, latencies });
        }
    }
}

fn connect(
    address: std::net::SocketAddr,
    epoll: &impl std::os::fd::AsFd,
    number: usize,
) -> io::Result<Connection> {
    let connection = Connection::open(address, PATIENCE)?;
    connection.stream().set_nonblocking(true)?;
    let data = epoll::EventData::new_u64(number as u64);
    epoll::add(epoll, connection.stream(), data, epoll::EventFlags::IN)?;
    Ok(connection)
}
