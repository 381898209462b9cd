//! A disk without room, and a log that nobody takes.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::json;

use crate::{
    process::{PASSWORD, Server, command, superuser, until},
    visitor::Visitor,
};

/// A small disk of its own; taken away when it goes.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    fn new(size: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(folder.path())
            .status()
            .expect("mount is there");
        assert!(mounted.success(), "this test mounts a small disk, as root");
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all the room that is left; answers what to remove to have it again.
    fn fill(&self) -> PathBuf {
        let filler = self.path().join("filler");
        let to = format!("of={}", filler.display());
        let _ =
            Command::new("dd").args(["if=/dev/zero", "bs=4k", &to]).stderr(Stdio::null()).status();
        filler
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[test]
fn flt_f08_on_a_full_disk_writes_are_503_and_reads_go_on() {
    let disk = Disk::new("8m");
    let url = format!("sqlite:{}", disk.path().join("hall.db").display());
    assert!(command(&url, &["migrate"]).stdout(Stdio::null()).status().unwrap().success());
    superuser(&url);
    let server = Server::start(&url);
    let mut admin = Visitor::new(&server.origin);
    admin.log_in("admin", PASSWORD).expect(200);
    let filler = disk.fill();
    let mut number = 0;
    let mut add = |admin: &mut Visitor| {
        number += 1;
        admin.post("/api/v1/users", &json!({ "username": format!("user{number}") })).status
    };
    // The log of the database may have some pages left.
    until(Duration::from_secs(20), || add(&mut admin) == 503);
    for _ in 0..5 {
        assert_eq!(add(&mut admin), 503);
    }
    let count = admin.get("/api/v1/users").expect(200).json()["count"].as_u64().unwrap();
    assert!(admin.is_in());
    std::fs::remove_file(filler).unwrap();
    until(Duration::from_secs(10), || add(&mut admin) == 201);
    assert_eq!(admin.get("/api/v1/users").expect(200).json()["count"], count + 1);
    drop(server);
    assert!(command(&url, &["verify"]).stdout(Stdio::null()).status().unwrap().success());
}

#[test]
fn flt_f79_when_nobody_takes_the_log_requests_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("hall.db").display());
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let server = Server::start_with(&url, |serve| {
        serve.stdout(full()).stderr(full()).env("VESTIBULE_LOG__FILTER", "trace");
    });
    superuser(&url);
    let mut admin = Visitor::new(&server.origin);
    for _ in 0..20 {
        admin.log_in("admin", PASSWORD).expect(200);
        assert!(admin.is_in());
    }
}
