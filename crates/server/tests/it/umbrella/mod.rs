//! Umbrella through real proxies: Apache with `mod_shib` behind an identity provider, plain Apache and
//! nginx, some of them set up wrongly. The user office is a real service as well.

mod attacks;
mod guarding;

use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use vestibule_auth::{backends::ShibbolethFactory, testkit::Host};
use vestibule_core::{
    Secret,
    domain::identity::BackendName,
    ports::backend::{BackendFactory, Section, Verdict},
    usecase::login::Door,
};

use crate::support::{Db, TestSite, Visitor};

const PLACE: &str = "/auth/umbrella/assert";
/// Behind the same proxies: one that asks nobody, and one that wants the proxy's secret.
const ALONE: &str = "/auth/alone/assert";
const GUARDED: &str = "/auth/guarded/assert";
const EVIL: &str = "6f1c9c1e-0d0f-4d43-9b1a-1b2f3c4d5e08";

/// The proxies lead to one port, which one site after the other takes.
static PORT: Mutex<Option<u16>> = Mutex::new(None);

fn variable(name: &str) -> String {
    let name = format!("VESTIBULE_TEST_{name}");
    std::env::var(&name).unwrap_or_else(|_| panic!("{name}: docs/testing.md says how to set it"))
}

fn shib(name: &str) -> String {
    variable(&format!("SHIB_{name}"))
}

/// A site behind the proxies, with a user office of its own.
struct Stage {
    site: TestSite,
    world: &'static str,
    _turn: MutexGuard<'static, Option<u16>>,
}

impl Stage {
    fn set(world: &'static str) -> Self {
        let mut turn = PORT.lock().unwrap_or_else(PoisonError::into_inner);
        let port = *turn.get_or_insert_with(point_the_proxies_here);
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let section = |keys: Value| Section::of(keys);
        let secret = Secret::from(shib("SECRET"));
        let url = format!("{}/w/{world}/hash", variable("USER_OFFICE"));
        let doors = [
            door("umbrella", section(json!({ "hash_url": url, "timeout_seconds": 2.0 }))),
            door(
                "alone",
                section(json!({ "groups_header": "groups", "last_name_header": "displayName" })),
            ),
            door("guarded", section(json!({})).with_secret("proxy_secret", secret)),
        ];
        let proxies = format!("[\"{}\"]", shib("PROXY_SOURCE"));
        let plan = TestSite::plan(Db::Sqlite).set("server.trusted_proxies", &proxies);
        let plan = plan.extend(move |builder| {
            doors.into_iter().fold(builder, vestibule_server::Builder::door)
        });
        let stage = Self { site: plan.start_at(listener), world, _turn: turn };
        for name in ["alice", "bob", "dora", "emil", "mallory", "anna", "norman"] {
            stage.site.user(name);
        }
        stage.office("POST", "reset", &json!({}));
        stage
    }

    /// Tells the user office something, or asks it.
    fn office(&self, method: &str, call: &str, body: &Value) -> Value {
        let mut control = Visitor::new(&variable("USER_OFFICE_CONTROL"));
        let body = (method != "GET").then(|| ("application/json", body.to_string()));
        let answer = control.send(method, &format!("/w/{}/{call}", self.world), body);
        assert!((200..300).contains(&answer.status), "{}", answer.text);
        serde_json::from_str(&answer.text).unwrap_or_default()
    }

    fn times_asked(&self) -> u64 {
        self.office("GET", "counts", &json!({}))["counts"]["hash"].as_u64().unwrap_or(0)
    }
}

fn door(name: &str, section: Section) -> Door {
    let backend = ShibbolethFactory.build(BackendName::parse(name).unwrap(), section).unwrap();
    Door { create_users: true, ..Door::new(backend) }
}

/// To a port that nobody listens on meanwhile: the proxies are asked until all of them know it.
fn point_the_proxies_here() -> u16 {
    // Below the ports that outgoing connections take, so that it is free again for the next.
    let mut ports = 21_000..32_000_u16;
    let port = ports.find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok()).unwrap();
    let peer = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/peers/shibboleth/peer");
    let url = format!("http://127.0.0.1:{port}");
    let told = Command::new(peer).args(["backend", &variable("SHIB"), &url]).status().unwrap();
    assert!(told.success());
    port
}

/// Whoever has logged in at the identity provider, by what the service provider keeps of it.
fn signed_on(proxy: &str, name: &str) -> Visitor {
    let login = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/peers/shibboleth/login.py");
    let url = format!("{proxy}{PLACE}");
    let output = Command::new("python3")
        .args([login, &url, name, &shib("PASSWORD"), "--cookies"])
        .output()
        .unwrap();
    // It calls a login that we refuse a failure; what counts here is what the provider said.
    assert!(!output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut visitor = Visitor::new(proxy);
    let cookies = String::from_utf8(output.stdout).unwrap();
    for cookie in cookies.trim().split("; ") {
        let (name, value) = cookie.split_once('=').unwrap();
        visitor.cookies.insert(name.to_owned(), value.to_owned());
    }
    visitor
}

/// Whom a plain proxy takes for somebody by a cookie.
fn known(proxy: &str, name: &str) -> Visitor {
    let mut visitor = Visitor::new(proxy);
    visitor.cookies.insert(shib("COOKIE"), name.to_owned());
    visitor
}

fn name_of(visitor: &mut Visitor) -> Option<String> {
    let answer = visitor.get("/api/v1/session");
    (answer.status == 200).then(|| answer.json()["user"]["username"].as_str().unwrap().to_owned())
}

/// Goes there; the status, and as whom they are in then.
fn enter(visitor: &mut Visitor, path: &str) -> (u16, Option<String>) {
    let status = visitor.get(path).status;
    (status, name_of(visitor))
}

fn is_in(name: &str) -> (u16, Option<String>) {
    (303, Some(name.to_owned()))
}

/// One request to the byte; the answer's head.
fn raw(origin: &str, path: &str, headers: &[(&str, &str)]) -> String {
    raw_by("GET", origin, path, headers)
}

fn raw_by(method: &str, origin: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let address = origin.strip_prefix("http://").unwrap();
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n");
    for (name, value) in headers {
        write!(text, "{name}: {value}\r\n").unwrap();
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("connection")) {
        text.push_str("Connection: close\r\n");
    }
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(format!("{text}\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..read]);
    }
    let head = String::from_utf8_lossy(&answer).into_owned();
    head.split("\r\n\r\n").next().unwrap().to_ascii_lowercase()
}

fn status_of(head: &str) -> u16 {
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

/// Nobody got in by it: no session was opened, and it was no page of somebody's.
#[track_caller]
fn refused(head: &str, what: &str) {
    assert!((400..500).contains(&status_of(head)), "{what}: {head}");
    assert!(!head.contains("set-cookie: vestibule="), "{what}: {head}");
}

#[test]
fn seed_cp_10_people_log_in_through_shibboleth_and_the_office_says_who_they_are() {
    let stage = Stage::set("sso");
    let (refused, forbidden) = ((401, None), (403, None));
    for port in ["URL", "LOGIN_ONLY_URL", "USE_HEADERS_URL"] {
        let proxy = shib(port);
        for (person, comes_in) in [
            ("alice", is_in("alice")),
            ("emil", is_in("emil")),
            ("norman", is_in("norman")),
            // The mail of alice, and the uid of alice: neither is alice.
            ("anna", is_in("anna")),
            ("mallory", is_in("mallory")),
            // No hash, two hashes, no hash at all by its form.
            ("carol", refused.clone()),
            ("dora", refused.clone()),
            ("frida", refused.clone()),
        ] {
            let mut visitor = signed_on(&proxy, person);
            assert_eq!(enter(&mut visitor, PLACE), comes_in, "{person} at {port}");
        }
    }
    stage.office("DELETE", "people/bob", &json!({}));
    let mut bob = signed_on(&shib("URL"), "bob");
    assert_eq!(enter(&mut bob, PLACE), forbidden, "whom the office does not know");
    // Nobody is in who is not signed on there; they are sent to the identity provider.
    let stranger = raw(&shib("URL"), PLACE, &[]);
    assert_eq!(status_of(&stranger), 302);
    assert!(!stranger.contains("set-cookie: vestibule="), "{stranger}");
}

#[test]
fn seed_cp_13_plain_proxies_in_front_will_do_as_well() {
    let stage = Stage::set("plain");
    for port in ["APACHE_URL", "NGINX_URL"] {
        let proxy = shib(port);
        assert_eq!(enter(&mut known(&proxy, "alice"), PLACE), is_in("alice"), "{port}");
        assert_eq!(enter(&mut known(&proxy, "mallory"), PLACE), is_in("mallory"), "{port}");
        for person in ["carol", "dora", "frida", "nobody"] {
            assert_eq!(enter(&mut known(&proxy, person), PLACE), (401, None), "{person} at {port}");
        }
        // Without an office: the hash's own account, under a name that nobody has.
        assert_eq!(enter(&mut known(&proxy, "carol"), ALONE), (401, None));
        assert_eq!(enter(&mut known(&proxy, "alice"), ALONE), (403, None), "the name is alice's");
    }
    assert_eq!(enter(&mut known(&shib("APACHE_URL"), "twice"), PLACE), (401, None));
    let mut norman = known(&shib("NGINX_URL"), "norman");
    let (status, name) = enter(&mut norman, ALONE);
    assert!(status == 303 && name.unwrap().starts_with("alone-"));
    drop(stage);
}

#[test]
fn seed_cp_3_an_office_that_is_down_is_503_through_every_proxy() {
    let stage = Stage::set("down");
    stage.office("POST", "fault", &json!({ "path": "hash", "fault": "503" }));
    for port in ["APACHE_URL", "NGINX_URL"] {
        let mut alice = known(&shib(port), "alice");
        let answer = alice.get(PLACE);
        assert_eq!((answer.status, name_of(&mut alice)), (503, None), "{port}");
        assert!(answer.header("retry-after").is_some());
        assert!(!answer.text.contains("password is wrong"), "{}", answer.text);
    }
    let mut alice = signed_on(&shib("URL"), "alice");
    assert_eq!(enter(&mut alice, PLACE), (503, None));
    stage.office("DELETE", "fault", &json!({}));
    assert_eq!(enter(&mut alice, PLACE), is_in("alice"));
}

#[test]
fn seed_cp_14_whatever_is_wrong_with_the_office_nobody_is_taken_for_another() {
    let base = variable("USER_OFFICE");
    let mut control = Visitor::new(&variable("USER_OFFICE_CONTROL"));
    let faults = control.get("/faults").expect(200).json();
    let host = Host::default();
    let hash = shib("HASH_ALICE");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut tried = 0;
    for (fault, told) in faults.as_object().unwrap() {
        // A name of somebody else cannot be told from the right one; that is what binding is for.
        // Those that say what the test makes them say are no faults of their own.
        if ["other-user", "json", "text", "raw", "status"].contains(&&**fault) {
            continue;
        }
        let set = json!({ "path": "hash", "fault": fault, "seconds_late": 2 });
        let answer = control.post("/w/faults/fault", &set);
        assert_eq!(answer.status, 200, "{fault}: {}", answer.text);
        let keys = json!({ "hash_url": format!("{base}/w/faults/hash"), "timeout_seconds": 0.6 });
        let name = BackendName::parse("umbrella").unwrap();
        let backend = ShibbolethFactory.build(name, Section::of(keys)).unwrap();
        let verdict = runtime.block_on(host.vouch(&*backend, &[("EAAHash", hash.as_bytes())]));
        let came = match &verdict {
            Verdict::Verified(assertion) => {
                assert_eq!(assertion.account.as_deref(), Some("alice"), "{fault}");
                "honest"
            }
            Verdict::Rejected(rejection) => rejection.reason.as_str(),
            Verdict::Fault(_) => "fault",
            other => panic!("{fault}: {other:?}"),
        };
        let expected = told["at"]["hash"].as_str().or(told["expect"].as_str()).unwrap();
        let may: Vec<&str> =
            told["may"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let fits = match came {
            "honest" => ["honest", "verified"].iter().any(|it| expected == *it || may.contains(it)),
            "fault" => expected != "unknown",
            "not linked to an account" => expected == "unknown",
            _ => false,
        };
        assert!(fits, "{fault}: {came}, expected {expected} or {may:?}");
        tried += 1;
        control.send("DELETE", "/w/faults/fault", None).expect(200);
    }
    assert!(tried > 60, "{tried}");
}
