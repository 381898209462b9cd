//! A mail server that kills whoever speaks to it, at a word.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

/// Where in a dialogue the other side dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trap {
    /// When this command was heard; it gets no answer.
    Word(&'static str),
    /// In the middle of a mail.
    Body,
    /// When the whole mail was heard; its answer is withheld. A mail server may have taken it all
    /// the same.
    Withheld { takes_it: bool },
    /// When the answer that the mail was taken has just been written.
    Accepted,
}

/// A mail that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) message_id: String,
    pub(crate) to: String,
}

#[derive(Default)]
struct State {
    taken: Vec<Taken>,
    /// How many lines are open.
    lines: usize,
    /// What kills whom, and how often it is passed by before it does.
    trap: Option<(Trap, u32)>,
    victim: Option<Pid>,
}

/// A mail server.
#[derive(Clone)]
pub(crate) struct Sink {
    pub(crate) port: u16,
    state: Arc<(Mutex<State>, Condvar)>,
}

/// An open line, counted as long as it is there.
struct Line(Sink);

impl Drop for Line {
    fn drop(&mut self) {
        self.0.state().lines -= 1;
        self.0.state.1.notify_all();
    }
}

impl Sink {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sink = Self { port, state: Arc::default() };
        let serving = sink.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serving.state().lines += 1;
                let line = Line(serving.clone());
                std::thread::spawn(move || line.serve(stream));
            }
        });
        sink
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap()
    }

    /// From now on it is this process that speaks; it dies when the trap was passed so often.
    pub(crate) fn speak_to(&self, victim: Pid, trap: Option<(Trap, u32)>) {
        let mut state = self.state();
        (state.victim, state.trap) = (Some(victim), trap);
    }

    /// Kills whoever speaks, once.
    pub(crate) fn kill(&self) {
        let victim = self.state().victim.take();
        if let Some(victim) = victim {
            kill_process(victim, Signal::KILL).unwrap();
        }
    }

    /// What was taken since it was asked last, when nobody is on the line any more.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        let idle =
            self.state
                .1
                .wait_timeout_while(self.state(), Duration::from_secs(20), |state| state.lines > 0);
        let (mut state, waited) = idle.unwrap();
        assert!(!waited.timed_out(), "{} lines stay open", state.lines);
        std::mem::take(&mut state.taken)
    }

    /// Whether this is where the other side is to die.
    fn is_sprung(&self, here: Trap) -> bool {
        let mut state = self.state();
        match state.trap {
            Some((trap, left)) if trap == here => {
                state.trap = (left > 1).then(|| (trap, left - 1));
                left <= 1
            }
            _ => false,
        }
    }
}

impl Line {
    /// Whoever speaks may be gone at any moment.
    fn serve(self, stream: TcpStream) {
        let _ = self.talk(stream);
    }

    fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut says = stream.try_clone()?;
        let mut hears = BufReader::new(stream);
        says.write_all(b"220 sink\r\n")?;
        let (mut to, mut line) = (String::new(), String::new());
        loop {
            line.clear();
            if hears.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let word = line.split([' ', '\r']).next().unwrap_or_default();
            let known = ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"].into_iter().find(|w| *w == word);
            if known.is_some_and(|word| self.0.is_sprung(Trap::Word(word))) {
                self.0.kill();
                return Ok(());
            }
            match known {
                Some("RCPT") => line.trim_end().clone_into(&mut to),
                Some("DATA") => {
                    says.write_all(b"354 go on\r\n")?;
                    if !self.mail(&mut hears, &mut says, &to)? {
                        return Ok(());
                    }
                    continue;
                }
                Some("QUIT") => return Ok(()),
                _ => {}
            }
            says.write_all(b"250 ok\r\n")?;
        }
    }

    /// Hears a mail; answers whether the dialogue goes on.
    fn mail(
        &self,
        hears: &mut impl BufRead,
        says: &mut TcpStream,
        to: &str,
    ) -> std::io::Result<bool> {
        let (mut line, mut message_id) = (String::new(), None);
        for number in 0.. {
            line.clear();
            if hears.read_line(&mut line)? == 0 {
                return Ok(false);
            }
            if line == ".\r\n" {
                break;
            }
            if let Some(id) = line.strip_prefix("Message-ID: ") {
                message_id = Some(id.trim().trim_matches(['<', '>']).to_owned());
            }
            if number == 8 && self.0.is_sprung(Trap::Body) {
                self.0.kill();
                return Ok(false);
            }
        }
        let message_id = message_id.expect("every mail has an id");
        let taken = Taken { message_id, to: to.to_owned() };
        if self.0.is_sprung(Trap::Withheld { takes_it: false }) {
            self.0.kill();
            return Ok(false);
        }
        self.0.state().taken.push(taken);
        if self.0.is_sprung(Trap::Withheld { takes_it: true }) {
            self.0.kill();
            return Ok(false);
        }
        // Asked before: between the answer and the kill there is to be nothing.
        let ends_here = self.0.is_sprung(Trap::Accepted);
        says.write_all(b"250 2.0.0 taken\r\n")?;
        if ends_here {
            self.0.kill();
        }
        Ok(!ends_here)
    }
}
