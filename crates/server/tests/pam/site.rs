//! The server as nobody special: no root, no group of the system's, the helper installed beside it
//! as the documentation says, `/etc/pam.d` a folder of the test's own that nobody else sees.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    os::unix::{fs::chown, process::CommandExt},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    helper::{Installed, NOBODY_SPECIAL},
    visitor::{Answer, Visitor},
    world::{SAID, Services, told, until, user},
};

const PASSWORD: &str = "a long sentence to get in with";

/// A site with a local door and one for Unix accounts.
pub(crate) struct Site {
    pub(crate) services: Services,
    folder: tempfile::TempDir,
    installed: Option<Installed>,
}

impl Site {
    /// With the helper installed, and more keys of the backend.
    pub(crate) fn new(keys: &str) -> Self {
        let installed = Installed::new();
        let helper = installed.path().display().to_string();
        let mut site = Self::with_helper(&helper, keys);
        site.installed = Some(installed);
        site.succeed(&["migrate"], "");
        site
    }

    pub(crate) fn with_helper(helper: &str, keys: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let configuration = format!(
            "[storage]\nurl = \"sqlite:hall.db\"\n\
             [limits]\nlogin_per_address = \"unlimited\"\n\
             [log]\nfilter = \"warn\"\n\
             [[backend]]\nname = \"local\"\nkind = \"local\"\n\
             [[backend]]\nname = \"unix\"\nkind = \"pam\"\ncreate_users = true\n\
             helper = \"{helper}\"\n{keys}"
        );
        fs::write(folder.path().join("vestibule.toml"), configuration).unwrap();
        let site = Self { services: Services::new(), folder, installed: None };
        site.give_to(NOBODY_SPECIAL);
        site
    }

    /// Makes its folder somebody's.
    pub(crate) fn give_to(&self, id: u32) {
        for path in [self.folder.path().to_owned(), self.folder.path().join("vestibule.toml")] {
            chown(path, Some(id), Some(id)).unwrap();
        }
    }

    /// The binary as this user, in no group but their own, with our folder as `/etc/pam.d`.
    fn command_as(&self, id: u32, arguments: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c"])
            .arg(
                "mount --bind \"$1\" /etc/pam.d && id=$2 && shift 2 && \
                 exec setpriv --reuid \"$id\" --regid \"$id\" --clear-groups -- \"$@\"",
            )
            .args(["sh".as_ref(), self.services.path().as_os_str()])
            .args([&*id.to_string(), env!("CARGO_BIN_EXE_vestibule")])
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("VESTIBULE_CONFIG")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run_as(&self, id: u32, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command_as(id, arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn succeed(&self, arguments: &[&str], input: &str) {
        let output = self.run_as(NOBODY_SPECIAL, arguments, input);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// What `backend test` says of a login: the answer and the reason.
    pub(crate) fn tried_as(&self, id: u32, (name, password): (&str, &str)) -> (String, String) {
        let arguments =
            ["backend", "test", "unix", "--username", name, "--password-stdin", "--json"];
        let output = self.run_as(id, &arguments, password);
        let said: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let text = |key: &str| said[key].as_str().unwrap().to_owned();
        (text("answer"), text("reason"))
    }

    pub(crate) fn tried(&self, login: (&str, &str)) -> (String, String) {
        self.tried_as(NOBODY_SPECIAL, login)
    }

    /// An account with a password here.
    fn local(&self, name: &str) {
        self.succeed(&["user", "add", name, "--password-stdin"], PASSWORD);
    }

    pub(crate) fn serve(&self) -> Server {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let origin = format!("http://127.0.0.1:{port}");
        let log = self.folder.path().join("log");
        let mut serve = self.command_as(NOBODY_SPECIAL, &["serve"]);
        serve
            .env("VESTIBULE_SERVER__LISTEN", format!("127.0.0.1:{port}"))
            .env("VESTIBULE_SITE__BASE_URL", &origin)
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap());
        let mut server = Server { child: serve.spawn().unwrap(), origin };
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = server.child.try_wait().unwrap();
            let is_slow = began.elapsed() > Duration::from_secs(20);
            assert!(ended.is_none() && !is_slow, "{}", fs::read_to_string(&log).unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Reasons in the audit log, from the last to the first.
    fn reasons(&self) -> Vec<String> {
        let path = self.folder.path().join("hall.db");
        let url = format!("sqlite:{}", path.display());
        vestibule_storage::testkit::TestConnection::to(&url)
            .texts("select by_right as answer from audit_events order by id desc")
    }
}

pub(crate) struct Server {
    pub(crate) child: Child,
    origin: String,
}

impl Server {
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::new(&self.origin)
    }

    fn log_in_there(&self, name: &str, password: &str) -> Answer {
        let body = json!({ "username": name, "password": password, "backend": "unix" });
        self.visitor().post("/api/v1/login", &body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const UNIX: &str = "auth required pam_unix.so nodelay\naccount required pam_unix.so\n";

#[test]
fn seed_oq_27_a_server_that_is_nobody_special_lets_unix_accounts_in() {
    let site = Site::new(&format!("groups = {{ {} = \"lab\" }}\n", told("PRIMARY_GROUP")));
    site.services.write("vestibule", UNIX);
    site.succeed(&["group", "add", "lab"], "");
    let server = site.serve();
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap();
    assert_eq!(line("Uid:"), "Uid:\t58213\t58213\t58213\t58213");
    assert_eq!(
        (line("Gid:"), line("Groups:").trim()),
        ("Gid:\t58213\t58213\t58213\t58213", "Groups:")
    );
    assert_eq!(line("CapEff:"), "CapEff:\t0000000000000000");

    let (name, password) = user("GROUPS");
    let mut visitor = server.visitor();
    let grant = visitor.log_in(&name, &password).expect(200).json();
    assert_eq!(grant["user"]["username"], name.as_str());
    let members = site.run_as(NOBODY_SPECIAL, &["user", "list", "--group", "lab", "--json"], "");
    let members: Value = serde_json::from_slice(&members.stdout).unwrap();
    assert!(members.to_string().contains(&format!("\"{name}\"")), "{members}");
    visitor.post("/api/v1/logout", &json!({})).expect(204);
    assert!(!visitor.is_in());
    server.visitor().log_in(&name, "wrong").expect(401);
    // Who is somebody there and may not come in, as somebody who is nobody.
    let neutral = server.visitor().log_in("nobody-of-this-name", "wrong").expect(401).text;
    for who in ["EXPIRED", "LOCKED", "OLD_PASSWORD", "SYSTEM"] {
        let (name, password) = user(who);
        assert_eq!(server.visitor().log_in(&name, &password).expect(401).text, neutral, "{who}");
    }
    server.visitor().log_in("root", "wrong").expect(401);
}

#[test]
fn atk_a187_a_password_that_has_to_be_changed_is_refused_as_any_other_and_noted() {
    let site = Site::new("");
    site.services.write("vestibule", UNIX);
    let server = site.serve();
    let (name, password) = user("MUST_CHANGE");
    let wrong = server.visitor().log_in(&name, "wrong").expect(401);
    let right = server.visitor().log_in(&name, &password).expect(401);
    assert_eq!(right.text, wrong.text);
    let reasons = site.reasons();
    assert!(reasons[0].contains("password must be changed"), "{reasons:?}");
    assert!(!reasons.concat().contains(&password));
}

#[test]
fn seed_oq_29_an_account_here_is_not_taken_over_by_the_one_of_the_same_name_there() {
    let site = Site::new("");
    site.services.write("vestibule", UNIX);
    let (name, password) = user("OK");
    site.local(&name);
    let server = site.serve();
    server.visitor().log_in(&name, &password).expect(401);
    server.log_in_there(&name, &password).expect_problem(403, "link_needed");
    server.visitor().log_in(&name, PASSWORD).expect(200);
    // Both proofs in one browser, and the door is open.
    let mut owner = server.visitor();
    owner.log_in(&name, PASSWORD).expect(200);
    let link = json!({ "backend": "unix", "username": name, "password": password });
    let linked = owner.post("/api/v1/identities", &link);
    assert!((200..300).contains(&linked.status), "{linked:?}");
    server.log_in_there(&name, &password).expect(200);
}

#[test]
fn flt_f60_while_a_module_hangs_others_come_in() {
    let site = Site::new("timeout_seconds = 1.5\nat_once = 2\n");
    site.services.module("vestibule", "hang", "ask stubborn");
    // The module writes where it may: it runs as root.
    site.local("local");
    let server = site.serve();
    let name = user("OK").0;
    std::thread::scope(|scope| {
        let stuck: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let began = Instant::now();
                    let answer = server.visitor().log_in(&name, SAID);
                    (answer.expect_problem(503, "login_unavailable"), began.elapsed())
                })
            })
            .collect();
        until(|| site.services.last_pid().is_some());
        let began = Instant::now();
        server.visitor().log_in("local", PASSWORD).expect(200);
        assert!(began.elapsed() < Duration::from_millis(1400), "{:?}", began.elapsed());
        assert!(stuck.iter().any(|one| !one.is_finished()), "it did not hang");
        for one in stuck {
            let (answer, took) = one.join().unwrap();
            assert!(answer.header("retry-after").is_some());
            assert!(took < Duration::from_secs(4), "{took:?}");
        }
    });
    let process = site.services.last_pid().unwrap();
    until(|| !crate::world::lives(&process));
}

#[test]
fn flt_f61_a_crash_is_503_for_that_login_and_the_next_is_well() {
    let site = Site::new("");
    site.services.module("vestibule", "crash", "ask how=segv");
    let server = site.serve();
    let (name, password) = user("OK");
    for _ in 0..2 {
        server.visitor().log_in(&name, &password).expect_problem(503, "login_unavailable");
    }
    assert!(site.reasons()[0].contains("protocol"), "{:?}", site.reasons());
    site.services.write("vestibule", UNIX);
    server.visitor().log_in(&name, &password).expect(200);
}

#[test]
fn flt_f63_where_no_process_can_be_made_the_server_stays_up() {
    let site = Site::new("");
    site.services.write("vestibule", UNIX);
    site.local("local");
    let server = site.serve();
    let pid = server.child.id().to_string();
    let limit = |most: &str| {
        let limit = format!("--nproc={most}");
        let mut command = Command::new("prlimit");
        command.args(["--pid", &pid, &limit]).uid(NOBODY_SPECIAL).gid(NOBODY_SPECIAL);
        assert!(command.status().unwrap().success());
    };
    let (name, password) = user("OK");
    // What the server itself starts at its first login is there.
    server.visitor().log_in("local", PASSWORD).expect(200);
    limit("1:");
    server.visitor().log_in(&name, &password).expect_problem(503, "login_unavailable");
    assert!(site.reasons()[0].contains("unavailable"), "{:?}", site.reasons());
    server.visitor().log_in("local", PASSWORD).expect(200);
    limit("1000:");
    server.visitor().log_in(&name, &password).expect(200);
}

#[test]
fn seed_oq_30_a_test_says_why_a_login_does_not_work() {
    let (ok, expired) = (user("OK"), user("EXPIRED"));
    let (ok, expired) = ((&*ok.0, &*ok.1), (&*expired.0, &*expired.1));
    let site = Site::new("");
    let (answer, reason) = site.tried(ok);
    let missing = "misconfigured: there is no service file /etc/pam.d/vestibule";
    assert_eq!((&*answer, &*reason), ("fault", missing));
    site.services.write("vestibule", UNIX);
    assert_eq!(site.tried(ok).0, "verified");
    let (answer, reason) = site.tried(expired);
    let words = "expired (PAM_ACCT_EXPIRED from the account check)";
    assert_eq!((&*answer, &*reason), ("rejected", words));
    let (answer, reason) = site.tried(("root", "x"));
    assert_eq!((&*answer, &*reason), ("rejected", "root comes in nowhere"));

    // Installed without the bit that makes it root, and where it is not to be found.
    let plain = Site::with_helper(crate::world::helper(), "");
    plain.succeed(&["migrate"], "");
    plain.services.write("vestibule", UNIX);
    let (answer, reason) = plain.tried(ok);
    assert_eq!(answer, "fault");
    assert!(reason.contains("runs as uid 58213 and not as root"), "{reason}");
    let nowhere = Site::with_helper("/nowhere/helper", "");
    nowhere.succeed(&["migrate"], "");
    let (answer, reason) = nowhere.tried(ok);
    assert_eq!(answer, "fault");
    assert!(reason.contains("/nowhere/helper cannot be started"), "{reason}");
}
