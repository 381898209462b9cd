//! How the measured sites are started.

use std::{env, fs, path::Path, process::Command};

use vestibule_benches::{
    Result,
    child::{Server, free_address},
    django::Django,
    http::Request,
};

/// A running site and what its open sessions are known by.
pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) tokens: Vec<String>,
}

/// How our site is filled and run.
#[derive(Clone, Copy)]
pub(crate) struct Ours {
    pub(crate) users: usize,
    pub(crate) sessions: usize,
    pub(crate) workers: usize,
    pub(crate) hash_threads: usize,
    pub(crate) hash_queue: usize,
    pub(crate) core: Option<usize>,
}

/// The bare handler.
pub(crate) fn bare(core: usize) -> Result<Server> {
    let address = free_address()?;
    let command = serve("bare", &[("--listen", address.to_string())])?;
    Server::start(command, address, "/", Some(core))
}

/// The check written by hand.
pub(crate) fn by_hand(directory: &Path, sessions: usize, core: usize) -> Result<Site> {
    let address = free_address()?;
    let tokens = directory.join("by-hand.tokens");
    let command = serve(
        "by-hand",
        &[
            ("--listen", address.to_string()),
            ("--tokens", tokens.display().to_string()),
            ("--sessions", sessions.to_string()),
        ],
    )?;
    let server = Server::start(command, address, "/check", Some(core))?;
    Site::with_tokens(server, &tokens)
}

/// Ours, on an embedded database.
pub(crate) fn ours(directory: &Path, site: Ours) -> Result<Site> {
    let address = free_address()?;
    let tokens = directory.join("ours.tokens");
    let command = serve(
        "vestibule",
        &[
            ("--listen", address.to_string()),
            ("--database", path(directory, "ours.db")),
            ("--tokens", tokens.display().to_string()),
            ("--users", site.users.to_string()),
            ("--sessions", site.sessions.to_string()),
            ("--workers", site.workers.to_string()),
            ("--hash-threads", site.hash_threads.to_string()),
            ("--hash-queue", site.hash_queue.to_string()),
        ],
    )?;
    let server = Server::start(command, address, "/check", site.core)?;
    Site::with_tokens(server, &tokens)
}

/// Django, with as many users as sessions.
pub(crate) fn django(directory: &Path, sessions: usize, core: usize) -> Result<Site> {
    let django = Django::find()?;
    Ok(Site {
        tokens: django.prepare(directory, sessions)?,
        server: django.serve(directory, core)?,
    })
}

impl Site {
    fn with_tokens(server: Server, tokens: &Path) -> Result<Self> {
        let tokens = fs::read_to_string(tokens)?;
        Ok(Self { server, tokens: tokens.lines().map(ToOwned::to_owned).collect() })
    }

    /// A request of each session.
    pub(crate) fn requests(&self, path: &str, cookie: &str) -> Vec<Request> {
        let of_token =
            |token| Request::get(self.server.address, path, Some(&format!("{cookie}={token}")));
        self.tokens.iter().map(of_token).collect()
    }
}

/// This very program, as a server: what is measured was compiled as what measures.
fn serve(kind: &str, arguments: &[(&str, String)]) -> Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["serve", kind]);
    for (flag, value) in arguments {
        command.args([flag, value.as_str()]);
    }
    Ok(command)
}

fn path(directory: &Path, name: &str) -> String {
    directory.join(name).display().to_string()
}
