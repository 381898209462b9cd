//! The helper itself: what it inherits, and what it does for whom.

use std::{
    fs,
    io::Read,
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt, net::UnixStream, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::json;
use vestibule_auth::backends::pam::wire::{self, Answer, Question, Request, Who};

use crate::world::{Services, helper, lives, told, until, user};

/// A user and a group that nobody has.
pub(crate) const NOBODY_SPECIAL: u32 = 58_213;

/// By another process: what is open for writing here, a child that another test starts meanwhile
/// would hold open as well, and nobody could start it ("text file busy").
fn copy_helper(to: &Path) {
    assert!(Command::new("cp").arg(helper()).arg(to).status().unwrap().success());
}

/// The helper as `install -o root -g GROUP -m 4750` puts it.
pub(crate) struct Installed {
    folder: tempfile::TempDir,
}

impl Installed {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let installed = Self { folder };
        copy_helper(&installed.path());
        std::os::unix::fs::chown(installed.path(), Some(0), Some(NOBODY_SPECIAL)).unwrap();
        fs::set_permissions(installed.path(), fs::Permissions::from_mode(0o4750)).unwrap();
        installed
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("vestibule-pam-helper")
    }

    /// Started as the server would, by this user and group.
    fn command(&self, id: u32) -> Command {
        let mut command = Command::new(self.path());
        command.uid(id).gid(id).env_clear().stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }
}

fn request(service: &str, question: Question) -> Request {
    Request {
        service: service.to_owned(),
        min_uid: 1000,
        timeout: Duration::from_secs(5),
        address: String::new(),
        needs_root: true,
        question,
    }
}

/// Asks a helper that this command starts; none when it hangs up.
fn ask(mut command: Command, request: &Request) -> Option<Answer> {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut child = command.stdin(OwnedFd::from(theirs)).spawn().unwrap();
    // Its end of the line must not stay open with us.
    drop(command);
    let _ = wire::send_request(&mut ours, request);
    let answer = wire::read_answer(&mut ours).ok();
    drop(ours);
    child.wait().unwrap();
    answer
}

#[tokio::test]
async fn atk_a190_the_helper_inherits_nothing_and_shows_nothing() {
    let (services, name) = (Services::new(), user("OK").0);
    services.module("login", "hang", "ask");
    // A file of ours that a careless library has opened for all its children.
    let careless = fs::File::open("/etc/passwd").unwrap();
    rustix::io::fcntl_setfd(&careless, rustix::io::FdFlags::empty()).unwrap();
    let pam = services.backend("login", &json!({}));
    let login = tokio::time::timeout(
        Duration::from_secs(2),
        pam.log_in(&name, "surely not on any command line"),
    );
    let whose = name.clone();
    let look = tokio::task::spawn_blocking(move || {
        until(|| services.last_pid().is_some());
        let process = services.last_pid().unwrap();
        let read = |file: &str| fs::read_to_string(process.join(file)).unwrap();
        let (environment, arguments, limits) = (read("environ"), read("cmdline"), read("limits"));
        assert_eq!(environment, "");
        assert!(!arguments.contains("surely") && !arguments.contains(&whose), "{arguments}");
        assert!(limits.lines().any(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            words.starts_with(&["Max", "core", "file", "size", "0", "0"])
        }));
        let open = fs::read_dir(process.join("fd")).unwrap();
        for file in open.map(|file| file.unwrap().path()) {
            let leads_to = fs::read_link(&file).unwrap_or_default().display().to_string();
            let number = file.file_name().unwrap().to_str().unwrap().parse::<u32>().unwrap();
            let expected = if number < 3 { "/dev/null" } else { "socket:" };
            assert!(leads_to.starts_with(expected), "{number} {leads_to}");
        }
        assert_eq!(fs::read_link(process.join("cwd")).unwrap(), Path::new("/"));
        process
    });
    let (_, process) = tokio::join!(login, look);
    let process = process.unwrap();
    until(|| !lives(&process));
}

#[test]
fn atk_a184_with_rights_of_its_own_it_asks_no_service_but_the_servers() {
    let installed = Installed::new();
    for service in ["su", "login", "sshd", "other", "../../tmp/vestibule", "", "Vestibule"] {
        let answer = ask(installed.command(NOBODY_SPECIAL), &request(service, Question::Look));
        assert!(matches!(answer, Some(Answer::Misconfigured(_))), "{service}: {answer:?}");
    }
    let who = Who::Name("root".to_owned());
    let question = Question::LogIn { who, password: "x".to_owned().into(), code: None };
    let answer = ask(installed.command(NOBODY_SPECIAL), &request("su", question));
    assert!(matches!(answer, Some(Answer::Misconfigured(_))), "{answer:?}");
}

#[test]
fn atk_a184_with_rights_of_its_own_it_takes_no_arguments() {
    let installed = Installed::new();
    for arguments in [&["--service-dir", &told("CONFDIR")][..], &["--caller", "0"], &["--help"]] {
        let mut command = installed.command(NOBODY_SPECIAL);
        let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(words.contains("takes no arguments where it is installed setuid"), "{words}");
    }
    // Who is not in its group cannot start it at all.
    let error = installed.command(NOBODY_SPECIAL + 1).spawn().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
}

#[test]
fn without_the_rights_it_needs_it_says_so_and_refuses_nobody() {
    let services = Services::new();
    services.write("vestibule", "auth required pam_unix.so\naccount required pam_unix.so\n");
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let plain = folder.path().join("helper");
    copy_helper(&plain);
    let command = || {
        let mut command = Command::new(&plain);
        command.uid(NOBODY_SPECIAL).gid(NOBODY_SPECIAL).env_clear();
        command.arg("--service-dir").arg(services.path());
        command.args(["--caller", "0"]);
        command
    };
    let Some(Answer::Misconfigured(words)) = ask(command(), &request("vestibule", Question::Look))
    else {
        panic!("no such answer")
    };
    assert!(words.starts_with("the helper runs as uid 58213 and not as root"), "{words}");
    let able = Request { needs_root: false, ..request("vestibule", Question::Look) };
    assert!(matches!(ask(command(), &able), Some(Answer::Ready(_))));
}

#[test]
fn whoever_starts_it_by_hand_is_told_what_it_is_for() {
    let output = Command::new(helper()).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("the standard input is no socket"), "{words}");
    // A line on which nobody asks anything is left alone after a while, one that is cut at once.
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut child = Command::new(helper()).stdin(OwnedFd::from(theirs)).spawn().unwrap();
    ours.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(!child.wait().unwrap().success());
    assert_eq!(ours.read(&mut [0; 16]).unwrap(), 0);
}
