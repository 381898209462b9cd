//! A service behind a Unix socket.

use std::{
    fs::{self, Permissions},
    io::{Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixListener},
    path::Path,
    sync::Arc,
    thread,
};

use serde_json::{Value, json};
use vestibule_auth::{backends::RemoteFactory, testkit::Host};
use vestibule_core::ports::backend::{Backend, BackendFactory, Fault, Section, Verdict};

use super::name;

/// Says yes to the first who asks; answers what was asked.
fn listen(path: &Path) -> thread::JoinHandle<String> {
    let listener = UnixListener::bind(path).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut asked, mut buffer) = (String::new(), [0; 4096]);
        let question: Value = loop {
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the question ends early: {asked}");
            asked.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
            let body = asked.split("\r\n\r\n").nth(1).unwrap_or_default();
            if let Ok(question) = serde_json::from_str(body) {
                break question;
            }
        };
        let yes =
            json!({ "version": 1, "id": question["id"], "verdict": "verified", "subject": "4711" });
        let yes = yes.to_string();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{yes}",
            yes.len()
        )
        .unwrap();
        asked
    })
}

fn build(path: &Path) -> Arc<dyn Backend> {
    let url = format!("unix:{}", path.display());
    RemoteFactory.build(name(), Section::of(json!({ "url": url }))).unwrap()
}

#[tokio::test]
async fn it_is_asked_over_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lab.sock");
    let backend = build(&path);
    let verdict = Host::default().log_in(&*backend, "ann", "secret").await;
    assert!(matches!(verdict, Verdict::Fault(Fault::Unavailable { .. })), "nobody is there yet");
    let service = listen(&path);
    let verdict = Host::default().log_in(&*backend, "ann", "secret").await;
    assert!(matches!(verdict, Verdict::Verified(ann) if ann.subject.as_str() == "4711"));
    assert!(service.join().unwrap().starts_with("POST /authenticate HTTP/1.1\r\n"));
}

#[tokio::test]
async fn no_password_goes_to_a_socket_that_anybody_could_have_put_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
    let path = folder.path().join("lab.sock");
    let listener = UnixListener::bind(&path).unwrap();
    listener.set_nonblocking(true).unwrap();
    let verdict = Host::default().log_in(&*build(&path), "ann", "secret").await;
    assert!(matches!(verdict, Verdict::Fault(Fault::Misconfigured(_))), "{verdict:?}");
    assert!(listener.accept().is_err(), "nobody came");
}
