//! The directory of the tests, and backends that ask it.

use std::{
    env,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};
use vestibule_auth::{backends::LdapFactory, http::HttpClient, testkit::Host};
use vestibule_core::{
    Secret,
    domain::identity::{BackendName, Subject},
    ports::backend::{
        Assertion, Backend, BackendFactory, Groups, RejectReason, Section, SectionError, Verdict,
    },
};

pub(crate) const PEOPLE: &str = "ou=people,dc=facility,dc=org";
pub(crate) const READER_PASSWORD: &str = "reader-pass-1";

/// What `tests/peers/ldap/peer start` exported.
pub(crate) fn exported(name: &str) -> String {
    let name = format!("VESTIBULE_TEST_LDAP{name}");
    env::var(&name).unwrap_or_else(|_| {
        panic!("{name} is not set: eval \"$(tests/peers/ldap/peer start /tmp/ldap)\"")
    })
}

pub(crate) fn name() -> BackendName {
    BackendName::parse("directory").unwrap()
}

/// Keys that work with the server at `url`, and those of `more` in their place.
pub(crate) fn keys_at(url: &str, more: &Value) -> Section {
    let mut keys = json!({
        "url": url,
        "ca_file": exported("_CA"),
        "bind_dn": exported("_READER_DN"),
        "user_base": PEOPLE,
        "timeout_seconds": 3.0,
        "connect_timeout_seconds": 1.0,
    });
    for (key, value) in more.as_object().unwrap() {
        keys[key] = value.clone();
    }
    Section::of(keys).with_secret("bind_password", Secret::new(READER_PASSWORD))
}

pub(crate) fn built(section: Section) -> Result<Arc<dyn Backend>, SectionError> {
    LdapFactory.build(name(), section)
}

/// A backend, and a host around it.
pub(crate) struct Setting {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) host: Host,
}

/// Of the good server, with these keys besides.
pub(crate) fn with(more: &Value) -> Setting {
    at(&exported(""), more)
}

/// Of another server.
pub(crate) fn at(url: &str, more: &Value) -> Setting {
    Setting { backend: built(keys_at(url, more)).unwrap(), host: Host::default() }
}

impl Setting {
    pub(crate) async fn log_in(&self, username: &str, password: &str) -> Verdict {
        self.host.log_in(&*self.backend, username, password).await
    }

    /// With the password that belongs to the name.
    pub(crate) async fn right(&self, username: &str) -> Verdict {
        self.log_in(username, &format!("{username}-pass-1")).await
    }

    pub(crate) async fn person(&self, username: &str) -> Assertion {
        verified(self.right(username).await)
    }

    pub(crate) async fn again(&self, pair: (&str, &str), known_as: &Subject) -> Verdict {
        self.host.log_in_again(&*self.backend, pair, known_as).await
    }

    pub(crate) async fn entitle(&self, username: &str) -> Verdict {
        self.host.entitle(&*self.backend, username).await
    }

    pub(crate) async fn groups_of(&self, username: &str) -> Vec<String> {
        match self.person(username).await.groups {
            Groups::Known(names) => names,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn verified(verdict: Verdict) -> Assertion {
    match verdict {
        Verdict::Verified(assertion) => *assertion,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn refused(verdict: &Verdict) -> RejectReason {
    match verdict {
        Verdict::Rejected(rejection) => rejection.reason,
        other => panic!("{other:?}"),
    }
}

/// A fault's word, and what it says.
pub(crate) fn fault(verdict: &Verdict) -> (&'static str, String) {
    match verdict {
        Verdict::Fault(fault) => (fault.as_str(), fault.to_string()),
        other => panic!("{other:?}"),
    }
}

/// What the server wrote about what it was asked.
pub(crate) fn log() -> String {
    std::fs::read_to_string(exported("_LOG")).unwrap()
}

/// Applies LDIF as the administrator.
pub(crate) fn modify(ldif: &str) {
    let peer = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/ldap/peer");
    let folder = PathBuf::from(exported("_LOG"));
    let mut child = Command::new(peer)
        .arg("modify")
        .arg(folder.parent().unwrap())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(ldif.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{ldif}");
}

/// Somebody new, whom no other test knows; gone when it is dropped.
pub(crate) struct Newcomer(pub(crate) String);

impl Newcomer {
    pub(crate) fn called(what: &str, more: &str) -> Self {
        let uid = format!("{what}{}", std::process::id());
        modify(&format!(
            "dn: uid={uid},{PEOPLE}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: {uid}\n\
             cn: {uid}\nsn: New\nuserPassword: {uid}-pass-1\n{more}\n"
        ));
        Self(uid)
    }

    pub(crate) fn change(&self, change: &str) {
        modify(&format!("dn: uid={},{PEOPLE}\n{change}\n", self.0));
    }

    pub(crate) fn leave(&self) {
        self.change("changetype: delete");
    }
}

/// The proxy before the server; one test at a time.
pub(crate) struct Proxy {
    client: HttpClient,
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::const_new(());

impl Proxy {
    pub(crate) async fn alone() -> Self {
        let alone = ALONE.lock().await;
        let client = HttpClient::new(Duration::from_secs(10), None).unwrap();
        let proxy = Self { client, _alone: alone };
        proxy.mend().await;
        proxy
    }

    /// All is well again; answers once the proxy takes connections. It makes none itself: that one
    /// might be counted only after the test has begun to count.
    pub(crate) async fn mend(&self) {
        self.tell("listeners/plain", &json!({ "mode": "good" })).await;
        self.tell("reset", &json!({})).await;
    }

    pub(crate) async fn tell(&self, call: &str, body: &Value) -> Value {
        let address = format!("{}/{call}", exported("_CONTROL")).parse().unwrap();
        let answer = self.client.post(&address, body, None).await.unwrap();
        assert_eq!(answer.status, 200, "{call} {body}");
        answer.json().unwrap()
    }

    pub(crate) async fn hear(&self, call: &str) -> Value {
        let address = format!("{}/{call}", exported("_CONTROL")).parse().unwrap();
        self.client.get(&address).await.unwrap().json().unwrap()
    }

    /// From now on, the server's answers in the clear come in this way.
    pub(crate) async fn way(&self, way: &Value) {
        self.tell("listeners/plain/way", way).await;
    }

    /// How many connections came so far.
    pub(crate) async fn accepted(&self) -> u64 {
        let listeners = self.hear("listeners").await;
        listeners["plain"]["accepted"].as_u64().unwrap()
    }
}
