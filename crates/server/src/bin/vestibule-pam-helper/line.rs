//! The line to the server: on a file of its own, which no module knows of and no child gets.

use std::{
    io,
    os::{fd::AsFd, unix::net::UnixStream},
    thread,
    time::Duration,
};

use rustix::{
    net::sockopt,
    process::{Signal, kill_current_process_group},
};
use vestibule_auth::backends::pam::wire::{self, Answer, Request};

/// The server gives up first, and then knows that it was for want of time.
const GRACE: Duration = Duration::from_secs(1);

/// How long the server may take to say what it wants.
const ASKING: Duration = Duration::from_secs(5);

/// The connection.
pub(crate) struct Line(UnixStream);

impl Line {
    /// Takes it from the standard input, where whoever starts us has put it, and leaves nothing
    /// behind there: what modules and their children read and write goes nowhere.
    pub(crate) fn take() -> io::Result<Self> {
        let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        // Only a socket knows who is at its other end.
        sockopt::socket_peercred(&stream)?;
        let nothing = std::fs::File::options().read(true).write(true).open("/dev/null")?;
        rustix::stdio::dup2_stdin(&nothing)?;
        rustix::stdio::dup2_stdout(&nothing)?;
        rustix::stdio::dup2_stderr(&nothing)?;
        Ok(Self(stream))
    }

    /// The user at the other end.
    pub(crate) fn caller(&self) -> io::Result<u32> {
        Ok(sockopt::socket_peercred(&self.0)?.uid.as_raw())
    }

    /// What is asked.
    pub(crate) fn request(&mut self) -> io::Result<Request> {
        self.0.set_read_timeout(Some(ASKING))?;
        wire::read_request(&mut self.0)
    }

    /// From now on, ends the process when the time is over, or when nobody waits any more.
    pub(crate) fn watch(&self, within: Duration) -> io::Result<()> {
        let mut stream = self.0.try_clone()?;
        stream.set_read_timeout(Some(within.saturating_add(GRACE)))?;
        stream.set_write_timeout(Some(ASKING))?;
        thread::Builder::new().name("watch".to_owned()).spawn(move || {
            // The server has nothing more to say: whatever comes, or does not, is the end.
            let _ = io::Read::read(&mut stream, &mut [0]);
            die();
        })?;
        Ok(())
    }

    /// A second hold on the same line.
    pub(crate) fn again(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Answers.
    pub(crate) fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        wire::send_answer(&mut self.0, answer)
    }

    /// Answers and ends the process at once, with all that its modules have started. No module
    /// runs any further, none cleans up.
    pub(crate) fn end_with(&mut self, answer: &Answer) -> ! {
        let _ = self.answer(answer);
        die()
    }
}

/// Ends this process with all that it has started: it leads a group of its own.
fn die() -> ! {
    let _ = kill_current_process_group(Signal::KILL);
    std::process::abort()
}
