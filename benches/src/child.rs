//! The measured servers, each a process of its own that ends when it is dropped.

use std::{
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Result, cpu,
    http::{Answer, Connection, Request},
};

/// How long a server may take until it answers.
const START: Duration = Duration::from_mins(1);

/// A running server.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// From the start of the process to its first answer.
    pub started_in: Duration,
    process: Child,
}

/// An address on this machine that nobody listens on.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

impl Server {
    /// Starts a server and waits until it answers `path`. With `core` it and all its threads stay
    /// on that core.
    pub fn start(
        mut command: Command,
        address: SocketAddr,
        path: &str,
        core: Option<usize>,
    ) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let begin = Instant::now();
        let mut spawn = || {
            let program = command.get_program().to_owned();
            let process = command.spawn();
            process.map_err(|error| format!("{}: {error}", program.display()).into())
        };
        let process = match core {
            Some(core) => cpu::pinned(core, spawn)?,
            None => spawn()?,
        };
        let mut server = Self { address, started_in: Duration::ZERO, process };
        let request = Request::get(address, path, None);
        while server.ask(&request).is_err() {
            if let Some(status) = server.process.try_wait()? {
                return Err(format!("the server at {address} ended: {status}").into());
            }
            if begin.elapsed() > START {
                return Err(format!("the server at {address} does not answer").into());
            }
            thread::sleep(Duration::from_millis(1));
        }
        server.started_in = begin.elapsed();
        Ok(server)
    }

    /// Asks once, over a connection of its own.
    pub fn ask(&self, request: &Request) -> Result<Answer> {
        Ok(Connection::open(self.address, START)?.ask(request)?)
    }

    /// The processor time it has used so far.
    pub fn cpu(&self) -> Result<Duration> {
        cpu::used_by(self.process.id())
    }

    /// The memory it holds, in bytes.
    pub fn resident(&self) -> Result<u64> {
        cpu::resident(self.process.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked first, so that a server with workers takes them along.
        let asked = i32::try_from(self.process.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::TERM));
        let deadline = Instant::now() + Duration::from_secs(5);
        while asked.is_some() && Instant::now() < deadline {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        // There is nobody to tell when even this fails.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
