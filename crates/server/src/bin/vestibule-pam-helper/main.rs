//! `vestibule-pam-helper`: holds one conversation with PAM for the server, and ends.
//!
//! The server is no special user. This program is: it is installed setuid root for the server's
//! group alone, or started as root for each connection to a socket that the server alone may open
//! (docs/backends.md). It answers one question on the socket that is its standard input.

#![deny(unsafe_code)]

mod conversation;
mod edge;
mod line;
mod login;
mod options;

use std::process::ExitCode;

use rustix::{
    fs::Mode,
    process::{DumpableBehavior, Resource, Rlimit, geteuid, getuid},
};

use self::{edge::process, line::Line, options::Options};

fn main() -> ExitCode {
    process::forget_what_was_inherited();
    process::reset_signals();
    process::ignore_broken_pipes();
    let options = match Options::read(std::env::args_os().skip(1)) {
        Ok(options) => options,
        Err(why) => return refuse(&why),
    };
    harden();
    let Ok(mut line) = Line::take() else {
        return refuse("the standard input is no socket: vestibule starts this program");
    };
    // From here on nobody reads what is printed.
    let Ok(caller) = caller(&line) else { return ExitCode::FAILURE };
    if !options.may_ask(caller) {
        return ExitCode::FAILURE;
    }
    let Ok(request) = line.request() else { return ExitCode::FAILURE };
    if line.watch(request.timeout).is_err() {
        return ExitCode::FAILURE;
    }
    let Ok(again) = line.again() else { return ExitCode::FAILURE };
    let is_other = geteuid().as_raw() != caller || process::is_elevated();
    let has_more_rights = is_other && caller != 0;
    let answer = login::answer(&request, &options, has_more_rights, again);
    match line.answer(&answer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Who asks: whoever started us, where that gave us rights; nobody can lie about it. Otherwise
/// whoever made the connection.
fn caller(line: &Line) -> std::io::Result<u32> {
    if process::is_elevated() { Ok(getuid().as_raw()) } else { line.caller() }
}

/// Says why it does not start, to whoever started it by hand.
fn refuse(why: &str) -> ExitCode {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "vestibule-pam-helper: {why}");
    ExitCode::from(2)
}

/// Memory beyond this is a module gone wild.
const MOST_MEMORY: u64 = 1 << 30;

/// Nothing that is inherited from whoever started us decides what modules may do, and nothing of
/// what they hold in memory ends on a disk. What cannot be set stays: it is a second line.
fn harden() {
    let limit = |resource, most: Option<u64>| {
        let _ = rustix::process::setrlimit(resource, Rlimit { current: most, maximum: most });
    };
    limit(Resource::Core, Some(0));
    limit(Resource::As, Some(MOST_MEMORY));
    limit(Resource::Nofile, Some(256));
    if geteuid().is_root() && !getuid().is_root() {
        limit(Resource::Fsize, None);
        limit(Resource::Cpu, None);
    }
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = rustix::process::setpgid(None, None);
    let _ = rustix::process::chdir("/");
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}
