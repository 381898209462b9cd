//! How the measured sites are started.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use vestibule_benches::{
    Result,
    child::{Server, free_address},
    django::Django,
    http::{Connection, Request},
};

const PATIENCE: Duration = Duration::from_secs(10);

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

/// A site of other libraries, from the workspace beside this one. Its tokens are whole cookies.
pub(crate) fn of_others(
    directory: &Path,
    program: &str,
    sessions: usize,
    core: usize,
) -> Result<Site> {
    let target = directory_of(&env::current_exe()?, "target")?.join("bench-peers");
    let built = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--release", "--quiet", "--locked", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/rust/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()?;
    if !built.success() {
        return Err(format!("{program} could not be built: {built}").into());
    }
    let address = free_address()?;
    let mut command = Command::new(target.join("release").join(program));
    command.args([address.to_string(), path(directory, program)]);
    let server = Server::start(command, address, "/check", Some(core))?;
    let mut tokens = Vec::with_capacity(sessions);
    for _ in 0..sessions {
        let mut connection = Connection::open(address, PATIENCE)?;
        tokens.push(connection.ask_cookie(&Request::get(address, "/login", None))?);
    }
    Ok(Site { server, tokens })
}

fn directory_of(program: &Path, name: &str) -> Result<PathBuf> {
    let mut above = program.ancestors();
    let found = above.find(|path| path.ends_with(name));
    Ok(found.ok_or("this program does not lie below target/")?.to_owned())
}

impl Site {
    fn with_tokens(server: Server, tokens: &Path) -> Result<Self> {
        let tokens = fs::read_to_string(tokens)?;
        Ok(Self { server, tokens: tokens.lines().map(ToOwned::to_owned).collect() })
    }

    /// A request of each session.
    pub(crate) fn requests(&self, path: &str, cookie: &str) -> Vec<Request> {
        self.with_cookies(path, |token| format!("{cookie}={token}"))
    }

    /// As [`Self::requests`], where tokens are whole cookies.
    pub(crate) fn with_cookies(&self, path: &str, cookie: impl Fn(&str) -> String) -> Vec<Request> {
        let of_token =
            |token: &String| Request::get(self.server.address, path, Some(&cookie(token)));
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
