//! Runs the binary in a folder and on a database of a test's own.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{OnceLock, mpsc},
    thread,
    time::Duration,
};

use serde_json::Value;
use vestibule_storage::testkit::{Database, TestConnection, TestDatabase};

/// The superuser's password.
pub(crate) const PASSWORD: &str = "a long sentence to get in with";

/// Where an operator works.
pub(crate) struct Desk {
    pub(crate) database: TestDatabase,
    folder: tempfile::TempDir,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    /// One whose database has this release's schema and nobody in it.
    pub(crate) fn new() -> Self {
        Self::on(TestDatabase::fresh(Database::Sqlite))
    }

    /// One without a database.
    pub(crate) fn bare() -> Self {
        Self::on(TestDatabase::empty(Database::Sqlite))
    }

    /// One with the superuser `root`, the users `anna` and `ben`, the groups `inner`, `outer` and
    /// `other` of which `inner` lies in `outer` and has `anna` in it, and a grant to `outer`.
    pub(crate) fn furnished() -> Self {
        static FILE: OnceLock<Vec<u8>> = OnceLock::new();
        let file = FILE.get_or_init(|| {
            let desk = Self::new();
            desk.superuser("root");
            desk.succeed(&["user", "add", "anna", "--email", "anna@example.org", "--no-password"]);
            desk.succeed(&["user", "add", "ben", "--no-password"]);
            for group in ["inner", "outer", "other"] {
                desk.succeed(&["group", "add", group]);
            }
            desk.succeed(&["group", "add-member", "inner", "anna"]);
            desk.succeed(&["group", "add-member", "outer", "--group", "inner"]);
            desk.succeed(&["perm", "grant", "vestibule.view_user", "--group", "outer"]);
            // The last connection to close has left everything in the one file.
            fs::read(desk.database.file()).unwrap()
        });
        let desk = Self::bare();
        fs::write(desk.database.file(), file).unwrap();
        desk
    }

    fn on(database: TestDatabase) -> Self {
        Self { database, folder: tempfile::tempdir().unwrap() }
    }

    /// A file beside the operator.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// The binary, with nothing of this process's environment that would change what it does.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare_command(self.folder.path(), arguments);
        command.env("VESTIBULE_STORAGE__URL", self.database.url());
        command
    }

    /// Runs a command without any input.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Runs a command that reads `input`.
    pub(crate) fn feed(&self, arguments: &[&str], input: &str) -> Ran {
        fed(&mut self.command(arguments), input)
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub(crate) fn succeed(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.status, 0, "{arguments:?}: {ran:?}");
        ran
    }

    #[track_caller]
    pub(crate) fn superuser(&self, name: &str) -> Ran {
        let arguments = ["createsuperuser", "--username", name, "--password-stdin"];
        self.feed(&arguments, PASSWORD).expect(0)
    }

    pub(crate) fn connection(&self) -> TestConnection {
        self.database.connection()
    }

    /// The number of rows of a table.
    pub(crate) fn count(&self, table: &str) -> i64 {
        self.connection().number(&format!("select count(*) as answer from {table}"))
    }

    /// The login names, in their order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.connection().texts("select username as answer from users order by username")
    }
}

/// The binary in a folder, without a database.
pub(crate) fn bare_command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let ours = name.to_string_lossy().starts_with("VESTIBULE_");
        if ours || ["VISUAL", "EDITOR", "COLUMNS"].iter().any(|other| name == *other) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command that reads `input`, which it may do without.
pub(crate) fn fed(command: &mut Command, input: &str) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    Ran::of(child.wait_with_output().unwrap())
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let status = output.status.code().expect("it ended by itself");
        Self { status, out: text(output.stdout), err: text(output.stderr) }
    }

    /// Insists on an exit status.
    #[track_caller]
    pub(crate) fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Insists on words among the errors.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.err.contains(words), "{words:?} is missing: {self:?}");
        self
    }

    /// Insists on words in the output.
    #[track_caller]
    pub(crate) fn prints(self, words: &str) -> Self {
        assert!(self.out.contains(words), "{words:?} is missing: {self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Everything that was printed.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// A running server; killed when it goes.
pub(crate) struct Server {
    child: Child,
    pub(crate) origin: String,
    /// The lines of its standard output.
    said: mpsc::Receiver<String>,
}

impl Server {
    pub(crate) fn start(desk: &Desk) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let origin = format!("http://127.0.0.1:{port}");
        let mut child = desk
            .command(&["serve", "--listen", &format!("127.0.0.1:{port}")])
            .env("VESTIBULE_SITE__BASE_URL", &origin)
            .env("VESTIBULE_LOG__FILTER", "warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (say, said) = mpsc::channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        thread::spawn(move || lines.take_while(|line| say.send(line.clone()).is_ok()).count());
        let first = said.recv().unwrap_or_default();
        if !first.contains(&origin) {
            let mut errors = String::new();
            child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
            panic!("the server does not start: {errors}");
        }
        Self { child, origin, said }
    }

    /// Waits for a line of its standard output.
    #[track_caller]
    pub(crate) fn says(&self, is_meant: impl Fn(&str) -> bool) -> String {
        let mut heard = Vec::new();
        while let Ok(line) = self.said.recv_timeout(Duration::from_secs(20)) {
            if is_meant(&line) {
                return line;
            }
            heard.push(line);
        }
        panic!("it said only {heard:#?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
