//! The peer's world, and backends that live in it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use vestibule_auth::{backends::PamFactory, testkit::Host};
use vestibule_core::{
    domain::identity::{BackendName, Subject},
    ports::backend::{
        Answer, Attempt, Backend, BackendFactory, Fault, RejectReason, Section, Verdict,
    },
};

/// What the peer exports.
#[track_caller]
pub(crate) fn told(name: &str) -> String {
    let name = format!("VESTIBULE_TEST_PAM_{name}");
    std::env::var(&name).unwrap_or_else(|_| {
        panic!("{name} is not set: as root, eval \"$(tests/peers/pam/peer start DIR)\"")
    })
}

/// A real user of the peer's: name and password.
#[track_caller]
pub(crate) fn user(which: &str) -> (String, String) {
    (told(&format!("{which}_USER")), told(&format!("{which}_PASSWORD")))
}

/// What real users give to the `say` services, and their code there.
pub(crate) const SAID: &str = "-";
pub(crate) const CODE: &str = "424242";

pub(crate) fn helper() -> &'static str {
    env!("CARGO_BIN_EXE_vestibule-pam-helper")
}

/// A folder of service files of a test's own, with the users and the notes of its modules.
pub(crate) struct Services {
    folder: tempfile::TempDir,
}

impl Services {
    pub(crate) fn new() -> Self {
        let services = Self { folder: tempfile::tempdir().unwrap() };
        fs::set_permissions(services.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(services.path().join("notes"), "").unwrap();
        services.write("other", "auth required pam_deny.so\naccount required pam_deny.so\n");
        services
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    /// A service of the peer's, under a name of the test's own.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        fs::copy(Path::new(&told("CONFDIR")).join(from), self.path().join(to)).unwrap();
    }

    /// A service whose authentication is one of the peer's modules, with these arguments; notes go
    /// to a file of this test's own.
    pub(crate) fn module(&self, service: &str, module: &str, arguments: &str) {
        let path = format!("{}/pam_{module}.so", told("MODULES"));
        let notes = self.path().join("notes");
        let notes = notes.display();
        self.write(
            service,
            &format!(
                "auth required {path} note={notes} {arguments}\naccount required pam_permit.so\n"
            ),
        );
    }

    /// A service that knows these people: name, password, code.
    pub(crate) fn people(&self, service: &str, people: &[(&str, &str, &str)], arguments: &str) {
        let lines: Vec<_> =
            people.iter().map(|(name, pass, code)| format!("{name}:{pass}:{code}")).collect();
        let file = format!("{service}.users");
        self.write(&file, &format!("{}\n", lines.join("\n")));
        let file = self.path().join(file);
        self.module(service, "say", &format!("users={} {arguments}", file.display()));
    }

    /// What its modules were called for.
    pub(crate) fn notes(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path().join("notes")).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// The process of the last module that was called.
    pub(crate) fn last_pid(&self) -> Option<PathBuf> {
        let notes = self.notes();
        let pid = notes.last()?.split(' ').find_map(|word| word.strip_prefix("pid="))?;
        Some(Path::new("/proc").join(pid))
    }

    pub(crate) fn backend(&self, service: &str, keys: &Value) -> Pam {
        Pam::new(&json!({ "service": service, "service_dir": self.path() }), keys)
    }
}

/// A backend, and a host for it.
pub(crate) struct Pam {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) host: Host,
}

impl Pam {
    pub(crate) fn new(some: &Value, more: &Value) -> Self {
        let own = Section::of(json!({ "helper": helper() }));
        let section = Section::of(more.clone()).over(&Section::of(some.clone())).over(&own);
        let backend = PamFactory.build(BackendName::parse("unix").unwrap(), section).unwrap();
        Self { backend, host: Host::default() }
    }

    /// By a service of the peer's.
    pub(crate) fn of(service: &str) -> Self {
        Self::new(&json!({ "service": service, "service_dir": told("CONFDIR") }), &json!({}))
    }

    pub(crate) async fn log_in(&self, name: &str, password: &str) -> Verdict {
        self.host.log_in(&*self.backend, name, password).await
    }

    pub(crate) async fn log_in_with(&self, name: &str, password: &str, code: &str) -> Verdict {
        let attempt = Attempt::Password {
            username: name.to_owned(),
            password: password.to_owned().into(),
            answer: Some(Answer { code: code.to_owned().into(), state: None }),
        };
        self.backend.authenticate(&attempt, &self.host.cx()).await
    }

    pub(crate) async fn log_in_as(&self, known: &str, name: &str, password: &str) -> Verdict {
        let known = Subject::parse(known).unwrap();
        self.host.log_in_again(&*self.backend, (name, password), &known).await
    }

    pub(crate) async fn may_enter(&self, name: &str) -> Verdict {
        self.host.entitle(&*self.backend, name).await
    }
}

/// Who was let in: the subject.
#[track_caller]
pub(crate) fn verified(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Verified(assertion) => assertion.subject.as_str(),
        other => panic!("{other:?}"),
    }
}

/// Why somebody was not: the reason and what stands in the audit log.
#[track_caller]
pub(crate) fn rejected(verdict: &Verdict) -> (RejectReason, &str) {
    match verdict {
        Verdict::Rejected(rejection) => (rejection.reason, rejection.for_audit()),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn fault(verdict: &Verdict) -> &Fault {
    match verdict {
        Verdict::Fault(fault) => fault,
        other => panic!("{other:?}"),
    }
}

/// Waits until something holds.
#[track_caller]
pub(crate) fn until(holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(10), "it does not come to hold");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a process is there and does something still.
pub(crate) fn lives(process: &Path) -> bool {
    let status = fs::read_to_string(process.join("status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}
