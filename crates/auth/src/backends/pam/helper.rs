//! Starting the helper, asking it one question, and making sure that it is gone afterwards.
//!
//! Each question has a process and a thread of its own; a bounded number of places keeps both few.
//! A place comes back when the process is gone, and not before. No thread of the server waits.

use std::{
    fs, io,
    os::{
        fd::OwnedFd,
        unix::{
            net::UnixStream,
            process::{CommandExt, ExitStatusExt},
        },
    },
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use futures_channel::oneshot;
use rustix::{
    net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt},
    process::{Pid, Signal, kill_process_group},
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use vestibule_core::ports::backend::Fault;

use super::{
    settings::Helper,
    wire::{self, Answer, Request},
};

/// The places in which helpers run.
pub(super) struct Helpers {
    helper: Arc<Helper>,
    places: Arc<Semaphore>,
    at_once: usize,
}

impl Helpers {
    pub(super) fn new(helper: Arc<Helper>, at_once: usize) -> Self {
        Self { helper, places: Arc::new(Semaphore::new(at_once)), at_once }
    }

    /// Asks, within the request's timeout, the wait for a place included. Dropping the future ends
    /// the helper.
    pub(super) async fn ask(&self, mut request: Request) -> Result<Answer, Fault> {
        let until = Instant::now() + request.timeout;
        let place = timeout_at(until, Arc::clone(&self.places).acquire_owned()).await;
        request.timeout = until.saturating_duration_since(Instant::now());
        let (Ok(Ok(place)), false) = (place, request.timeout.is_zero()) else {
            return Err(Fault::unavailable(format!("all {} helpers are busy", self.at_once)));
        };
        let line = Arc::new(Line::default());
        let hang_up = HangUp(Arc::clone(&line));
        let helper = Arc::clone(&self.helper);
        let (tell, told) = oneshot::channel();
        let started = thread::Builder::new().name("pam-helper".to_owned()).spawn(move || {
            let answer = converse(&helper, &request, &line);
            drop(place);
            // Whoever asked may be gone.
            let _ = tell.send(answer);
        });
        started
            .map_err(|error| Fault::unavailable(format!("no thread for the helper: {error}")))?;
        let answer = told.await;
        drop(hang_up);
        answer.unwrap_or_else(|_| Err(Fault::Bug("the helper's thread ended".to_owned())))
    }
}

/// Our end of the connection, for whoever wants to cut it.
#[derive(Default)]
struct Line(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    Waiting,
    Open(UnixStream),
    Cut,
}

impl Line {
    /// Notes the connection; not if nobody waits for it any more.
    fn open(&self, stream: UnixStream) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_wanted = !matches!(*state, State::Cut);
        if is_wanted {
            *state = State::Open(stream);
        }
        is_wanted
    }

    fn cut(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Open(stream) = &*state {
            // The helper notices and ends itself; our own thread wakes up and ends it, too.
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        *state = State::Cut;
    }
}

/// Cuts the line when it goes: a visitor who hangs up leaves no helper behind.
struct HangUp(Arc<Line>);

impl Drop for HangUp {
    fn drop(&mut self) {
        self.0.cut();
    }
}

/// One question from the start of the helper to its end.
fn converse(helper: &Helper, request: &Request, line: &Line) -> Result<Answer, Fault> {
    match helper {
        Helper::Socket(path) => {
            let stream = connect(path, request.timeout)?;
            match exchange(stream, request, line) {
                Ok(answer) => Ok(answer),
                Err(Broke::Fault(fault)) => Err(fault),
                Err(Broke::HungUp) => Err(Fault::protocol("the helper hung up without an answer")),
            }
        }
        Helper::Program { path, service_dir } => {
            let (stream, mut child) = start(path, service_dir.as_deref())?;
            let answer = exchange(stream, request, line);
            let status = end(&mut child);
            match answer {
                Ok(answer) => Ok(answer),
                Err(Broke::Fault(fault)) => Err(fault),
                Err(Broke::HungUp) => Err(Fault::protocol(format!(
                    "the helper ended without an answer ({})",
                    ended(status)
                ))),
            }
        }
    }
}

enum Broke {
    Fault(Fault),
    HungUp,
}

fn exchange(mut stream: UnixStream, request: &Request, line: &Line) -> Result<Answer, Broke> {
    let prepare = |stream: &UnixStream| {
        stream.set_read_timeout(Some(request.timeout.max(SHORTEST)))?;
        stream.set_write_timeout(Some(request.timeout.max(SHORTEST)))?;
        stream.try_clone()
    };
    let other = prepare(&stream)
        .map_err(|error| Broke::Fault(Fault::unavailable(format!("no socket: {error}"))))?;
    if !line.open(other) {
        return Err(Broke::Fault(Fault::Timeout));
    }
    let answered =
        wire::send_request(&mut stream, request).and_then(|()| wire::read_answer(&mut stream));
    answered.map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Broke::Fault(Fault::Timeout),
        io::ErrorKind::InvalidData => Broke::Fault(Fault::protocol(format!("the helper: {error}"))),
        _ => Broke::HungUp,
    })
}

/// A timeout of nothing would mean none.
const SHORTEST: Duration = Duration::from_millis(1);

/// With nothing in its environment and no file of ours but its end of the socket.
fn start(path: &Path, service_dir: Option<&Path>) -> Result<(UnixStream, Child), Fault> {
    let no_start = |error: &io::Error| {
        let what = format!("{} cannot be started: {error}", path.display());
        match error.kind() {
            io::ErrorKind::NotFound
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::InvalidInput => Fault::Misconfigured(what),
            _ if error.raw_os_error() == Some(NOT_EXECUTABLE) => Fault::Misconfigured(what),
            _ => Fault::unavailable(what),
        }
    };
    let (ours, theirs) = UnixStream::pair().map_err(|error| no_start(&error))?;
    let mut command = Command::new(path);
    command
        .env_clear()
        .current_dir("/")
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    if let Some(folder) = service_dir {
        command.arg("--service-dir").arg(folder);
    }
    let child = command.spawn().map_err(|error| no_start(&error))?;
    Ok((ours, child))
}

/// `ENOEXEC`: the file is there and may be executed, and is no program.
const NOT_EXECUTABLE: i32 = 8;

/// Ends it with whatever it has started, if it is still there, and takes note of its end.
fn end(child: &mut Child) -> Option<std::process::ExitStatus> {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
    child.wait().ok()
}

fn ended(status: Option<std::process::ExitStatus>) -> String {
    match status.map(|status| (status.signal(), status.code())) {
        Some((Some(signal), _)) => format!("signal {signal}"),
        Some((_, Some(code))) => format!("exit status {code}"),
        _ => "nobody knows how".to_owned(),
    }
}

fn connect(path: &Path, timeout: Duration) -> Result<UnixStream, Fault> {
    let (kind, flags) = (SocketType::STREAM, SocketFlags::CLOEXEC);
    let connected = rustix::net::socket_with(AddressFamily::UNIX, kind, flags, None)
        .and_then(|socket| {
            // Where the other side's queue is full a connection waits as long as this.
            sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(timeout))?;
            rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
            Ok(socket)
        })
        .map_err(io::Error::from);
    match connected {
        Ok(socket) => Ok(UnixStream::from(socket)),
        Err(error) => {
            let what = format!("the helper's socket {}: {error}", path.display());
            let is_ours_to_mend = error.kind() == io::ErrorKind::PermissionDenied
                || fs::symlink_metadata(path).is_ok_and(|there| there.is_file());
            Err(if is_ours_to_mend { Fault::Misconfigured(what) } else { Fault::unavailable(what) })
        }
    }
}
