//! The helper behind a socket, as systemd starts it: nothing on the disk has special rights, and the
//! server cannot get any.

use std::{
    fs,
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt, net::UnixListener},
    },
    process::{Command, Stdio},
};

use crate::{
    helper::NOBODY_SPECIAL,
    site::Site,
    world::{helper, until, user},
};

/// Listens, and starts a helper for each connection, as root.
struct Door {
    folder: tempfile::TempDir,
}

impl Door {
    fn new(service_dir: &std::path::Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let path = folder.path().join("pam.sock");
        let listener = UnixListener::bind(&path).unwrap();
        // Open to all, so that it is the helper that has to look at who it is.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let service_dir = service_dir.to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut command = Command::new(helper());
                command
                    .args(["--caller", &NOBODY_SPECIAL.to_string(), "--service-dir"])
                    .arg(&service_dir)
                    .stdin(OwnedFd::from(stream.unwrap()))
                    .stdout(Stdio::null())
                    .stderr(Stdio::null());
                let mut child = command.spawn().unwrap();
                std::thread::spawn(move || child.wait());
            }
        });
        Self { folder }
    }

    fn setting(&self) -> String {
        format!("unix:{}", self.folder.path().join("pam.sock").display())
    }
}

#[test]
fn seed_oq_27_a_helper_behind_a_socket_answers_the_server_and_nobody_else() {
    let services = crate::world::Services::new();
    services.copy("unix", "vestibule");
    services.copy("unix", "su");
    let door = Door::new(services.path());
    let site = Site::with_helper(&door.setting(), "");
    let output = site.run_as(NOBODY_SPECIAL, &["migrate"], "");
    assert!(output.status.success());
    let login = user("OK");
    let login = (&*login.0, &*login.1);
    assert_eq!(site.tried(login).0, "verified");
    assert_eq!(site.tried((login.0, "wrong")).0, "rejected");
    let server = site.serve();
    server.visitor().log_in(login.0, login.1).expect(200);
    drop(server);

    let stranger = Site::with_helper(&door.setting(), "");
    let folder = NOBODY_SPECIAL + 1;
    stranger.give_to(folder);
    assert!(stranger.run_as(folder, &["migrate"], "").status.success());
    let (answer, reason) = stranger.tried_as(folder, login);
    let words = "protocol: the helper hung up without an answer";
    assert_eq!((&*answer, &*reason), ("fault", words));

    let other = Site::with_helper(&door.setting(), "service = \"su\"\n");
    assert!(other.run_as(NOBODY_SPECIAL, &["migrate"], "").status.success());
    let (_, reason) = other.tried(login);
    assert!(reason.contains("has to begin with vestibule"), "{reason}");
}

#[test]
fn flt_f60_behind_a_socket_a_helper_ends_when_the_server_hangs_up() {
    let services = crate::world::Services::new();
    services.module("vestibule", "hang", "ask stubborn");
    let door = Door::new(services.path());
    let site = Site::with_helper(&door.setting(), "timeout_seconds = 0.5\n");
    assert!(site.run_as(NOBODY_SPECIAL, &["migrate"], "").status.success());
    let name = user("OK").0;
    assert_eq!(
        site.tried((&name, "x")),
        ("fault".to_owned(), "timeout: no answer in time".to_owned())
    );
    let process = services.last_pid().unwrap();
    until(|| !crate::world::lives(&process));
}
