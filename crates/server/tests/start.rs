//! What the binary says when it starts and while it runs, and what it leaves on the disk.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

#[path = "it/support/visitor.rs"]
#[expect(dead_code, reason = "these tests use less of it than the others")]
mod visitor;
use visitor::Visitor;

const PASSWORD: &str = "a long sentence to get in with";
const PEPPER: &str = "the pepper that nobody may read in a log";

/// A server in a folder of its own, whose log goes into a file there.
struct Server {
    child: Child,
    origin: String,
    folder: tempfile::TempDir,
}

fn vestibule(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(arguments).current_dir(folder).env_remove("VESTIBULE_CONFIG");
    command
}

impl Server {
    fn start(format: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let origin = format!("http://127.0.0.1:{port}");
        let log = File::create(folder.path().join("log")).unwrap();
        let mut child = vestibule(folder.path(), &["serve"])
            .env("VESTIBULE_SERVER__LISTEN", format!("127.0.0.1:{port}"))
            .env("VESTIBULE_SITE__BASE_URL", &origin)
            .env("VESTIBULE_LOG__FORMAT", format)
            .env("VESTIBULE_PASSWORD__PEPPER", PEPPER)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let server = Self { child, origin, folder };
        assert!(first.contains(&server.origin), "{first}{}", server.log());
        server
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    fn superuser(&self, name: &str) {
        let arguments = ["createsuperuser", "--username", name, "--password-stdin"];
        let mut child = vestibule(self.folder.path(), &arguments)
            .env("VESTIBULE_PASSWORD__PEPPER", PEPPER)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A right login, a wrong one, one under a name that would be a line of its own, a logout.
fn come_and_go(server: &Server) {
    server.superuser("anna");
    let mut visitor = Visitor::new(&server.origin);
    visitor.log_in("anna", "not the password").expect(401);
    visitor.log_in("x\nINFO vestibule::login: login succeeded address=6.6.6.6", "x").expect(401);
    visitor.log_in("anna", PASSWORD).expect(200);
    visitor.post("/api/v1/logout", &json!({})).expect(204);
}

#[test]
fn seed_oq_37_logins_failures_and_logouts_are_lines_that_tools_can_read() {
    let server = Server::start("text");
    come_and_go(&server);
    let log = server.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("vestibule::login")).collect();
    let [wrong, unknown, login, logout] = lines[..] else { panic!("{lines:#?}") };
    // What docs/operators.md gives fail2ban to look for.
    for failed in [wrong, unknown] {
        assert!(failed.contains("login failed address=127.0.0.1"), "{failed}");
    }
    assert!(login.contains("login succeeded address=127.0.0.1 user=anna"), "{login}");
    assert!(logout.contains("logout address=127.0.0.1 user=anna"), "{logout}");
    assert!(!log.contains("6.6.6.6") && !log.contains(PASSWORD), "{log}");
}

#[test]
fn seed_oq_37_as_json_each_line_is_an_object() {
    let server = Server::start("json");
    come_and_go(&server);
    let events: Vec<Value> =
        server.log().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<&str> = events
        .iter()
        .filter(|event| event["target"] == "vestibule::login")
        .map(|event| event["message"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["login failed", "login failed", "login succeeded", "logout"]);
}

#[test]
fn seed_om_4_the_settings_in_force_are_logged_without_secrets() {
    let server = Server::start("json");
    let log = server.log();
    let setting = |key: &str| {
        let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut found = events.filter(|e| e["target"] == "vestibule::settings" && e["key"] == key);
        found.next().unwrap_or_else(|| panic!("{key} is not logged: {log}"))["value"].clone()
    };
    assert_eq!(setting("session.cookie_age"), "24h");
    assert_eq!(setting("site.base_url"), server.origin);
    assert!(!setting("password.pepper").as_str().unwrap().is_empty());
    assert!(!log.contains(PEPPER), "{log}");
}

#[test]
fn seed_oq_40_no_installation_shares_a_secret_with_another() {
    let (one, other) = (Server::start("text"), Server::start("text"));
    let mut cookies = Vec::new();
    for server in [&one, &other] {
        server.superuser("anna");
        let mut visitor = Visitor::new(&server.origin);
        visitor.log_in("anna", PASSWORD).expect(200);
        cookies.push(visitor.token());
        for entry in fs::read_dir(server.folder.path()).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            let name = entry.file_name().into_string().unwrap();
            assert!(!name.starts_with("vestibule.db") || mode == 0o600, "{name}: {mode:o}");
        }
        assert!(server.folder.path().join("vestibule.db").is_file());
    }
    assert!(!Visitor::new(&other.origin).with_token(&cookies[0]).is_in());
    let seals = [&one, &other].map(|server| {
        let database = server.folder.path().join("vestibule.db");
        let url = format!("sqlite:{}", database.display());
        vestibule_storage::testkit::TestConnection::to(&url)
            .texts("select value as answer from instance_marks where name = 'session_seal'")
    });
    assert_eq!((seals[0].len(), seals[1].len()), (1, 1));
    assert_ne!(seals[0], seals[1]);
}

#[test]
fn each_signal_that_ends_a_program_ends_a_server_in_order() {
    for signal in ["-TERM", "-INT", "-HUP"] {
        let mut server = Server::start("text");
        let id = server.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let status = server.child.wait().unwrap();
        assert!(status.success(), "{signal}: {status}");
        assert!(server.log().trim_end().ends_with("stopped"), "{signal}: {}", server.log());
    }
}
