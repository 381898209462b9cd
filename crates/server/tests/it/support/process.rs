//! The binary as a process.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// The password of every account that tests make.
pub(crate) const PASSWORD: &str = "a long sentence to get in with";

/// The binary on a database, in a folder without a configuration.
pub(crate) fn command(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command
        .args(arguments)
        .current_dir(std::env::temp_dir())
        .env_remove("VESTIBULE_CONFIG")
        .env("VESTIBULE_STORAGE__URL", url)
        .env("VESTIBULE_LOG__FILTER", "warn")
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end, with this on its standard input.
pub(crate) fn run(mut command: Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that wants no input may be gone before it could have read any.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Makes a superuser named `admin`.
pub(crate) fn superuser(url: &str) {
    let arguments = ["createsuperuser", "--username", "admin", "--password-stdin"];
    let output = run(command(url, &arguments), PASSWORD);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A server process; killed when it goes.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) origin: String,
}

impl Server {
    pub(crate) fn start(url: &str) -> Self {
        Self::start_with(url, |_| {})
    }

    /// With more settings, or other places for its output.
    pub(crate) fn start_with(url: &str, change: impl FnOnce(&mut Command)) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let origin = format!("http://127.0.0.1:{port}");
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut serve = command(url, &["serve"]);
        serve
            .env("VESTIBULE_SERVER__LISTEN", format!("127.0.0.1:{port}"))
            .env("VESTIBULE_SITE__BASE_URL", &origin)
            .env("VESTIBULE_LIMITS__LOGIN_PER_ADDRESS", "unlimited")
            .stdout(Stdio::null())
            .stderr(File::create(log.path()).unwrap());
        change(&mut serve);
        let mut server = Self { child: serve.spawn().unwrap(), origin };
        let began = Instant::now();
        while !server.answers() {
            let ended = server.child.try_wait().unwrap();
            let slow = began.elapsed() > Duration::from_secs(20);
            if ended.is_some() || slow {
                let text = std::fs::read_to_string(log.path()).unwrap();
                panic!("the server does not start ({ended:?}): {text}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Whether somebody listens who says that it lives.
    pub(crate) fn answers(&self) -> bool {
        status(&self.origin, "/healthz") == Some(200)
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status of a GET, if there is an answer at all.
pub(crate) fn status(origin: &str, path: &str) -> Option<u16> {
    let address = origin.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).ok()?;
    line.split(' ').nth(1)?.parse().ok()
}

/// Waits until something is so; how long it took.
#[track_caller]
pub(crate) fn until(longest: Duration, mut is_so: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < longest, "not so after {:?}", began.elapsed());
        std::thread::sleep(Duration::from_millis(20));
    }
    began.elapsed()
}
