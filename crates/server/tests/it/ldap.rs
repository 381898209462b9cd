//! A directory as one of the doors: a real one, that of `tests/peers/ldap`.

use std::{
    env,
    io::{self, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
};

use serde_json::json;
use vestibule_auth::backends::LdapFactory;
use vestibule_core::{
    Secret,
    domain::identity::BackendName,
    policy::chain::{Control, OnUnavailable, Place},
    ports::backend::{BackendFactory, Section},
    usecase::login::Door,
};

use crate::support::{Db, PASSWORD, TestSite, Visitor, group, join, on_every_database};

on_every_database!(
    seed_om_57_people_of_a_directory_get_in_by_its_password,
    seed_om_58_only_what_the_directory_gave_is_taken_away,
    seed_om_59_while_the_directory_is_away_local_users_get_in,
    seed_om_59_whoever_left_the_directory_is_refused_where_it_has_to_know_everybody,
    seed_om_60_a_local_account_becomes_one_of_the_directory_and_back,
);

const SUFFIX: &str = "dc=facility,dc=org";

fn exported(name: &str) -> String {
    let name = format!("VESTIBULE_TEST_LDAP{name}");
    env::var(&name).unwrap_or_else(|_| {
        panic!("{name} is not set: eval \"$(tests/peers/ldap/peer start /tmp/ldap)\"")
    })
}

/// Applies LDIF as the directory's administrator.
fn modify(ldif: &str) {
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

/// Somebody new in the directory, in a group of the same name.
struct Newcomer(String);

impl Newcomer {
    fn come() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let uid = format!("it{}-{count}", std::process::id());
        modify(&format!(
            "dn: uid={uid},ou=people,{SUFFIX}\nchangetype: add\nobjectClass: inetOrgPerson\n\
             uid: {uid}\ncn: {uid}\nsn: New\ngivenName: Nora\nmail: {uid}@facility.org\n\
             userPassword: {uid}-pass-1\n\n\
             dn: cn={uid},ou=groups,{SUFFIX}\nchangetype: add\nobjectClass: groupOfNames\n\
             cn: {uid}\nmember: uid={uid},ou=people,{SUFFIX}\n"
        ));
        Self(uid)
    }

    fn lose_the_group(&self) {
        modify(&format!("dn: cn={},ou=groups,{SUFFIX}\nchangetype: delete\n", self.0));
    }

    fn leave(&self) {
        modify(&format!("dn: uid={},ou=people,{SUFFIX}\nchangetype: delete\n", self.0));
    }

    fn log_in(&self, site: &TestSite) -> Visitor {
        let mut visitor = site.visitor();
        visitor.log_in(&self.0, &format!("{}-pass-1", self.0)).expect(200);
        visitor
    }
}

fn door(url: &str, place: Place, groups: &[(&str, &str)]) -> Door {
    let section = Section::of(json!({
        "url": url,
        "bind_dn": exported("_READER_DN"),
        "user_base": format!("ou=people,{SUFFIX}"),
        "groups_from": "search",
        "group_base": format!("ou=groups,{SUFFIX}"),
        "timeout_seconds": 3.0,
    }));
    let secret = Secret::new(exported("_READER_PASSWORD"));
    let backend = LdapFactory.build(
        BackendName::parse("directory").unwrap(),
        section.with_secret("bind_password", secret),
    );
    let groups = groups.iter().map(|&(theirs, ours)| (theirs.to_owned(), ours.to_owned()));
    Door { place, create_users: true, groups: groups.collect(), ..Door::new(backend.unwrap()) }
}

fn site(db: Db, door: Door) -> TestSite {
    TestSite::plan(db).extend(move |builder| builder.door(door)).start()
}

fn groups_of(visitor: &mut Visitor) -> Vec<String> {
    let session = visitor.get("/api/v1/session").expect(200).json();
    serde_json::from_value(session["groups"].clone()).unwrap()
}

fn seed_om_57_people_of_a_directory_get_in_by_its_password(db: Db) {
    let site = site(db, door(&exported(""), Place::default(), &[]));
    let nora = Newcomer::come();
    let session = nora.log_in(&site).get("/api/v1/session").expect(200).json();
    assert_eq!(session["user"]["username"], nora.0);
    assert_eq!(session["user"]["first_name"], "Nora");
    let again = site.visitor().log_in(&nora.0.to_uppercase(), &format!("{}-pass-1", nora.0));
    assert_eq!(again.expect(200).json()["user"]["id"], session["user"]["id"]);
    for (name, password) in [(&*nora.0, "wrong"), (&nora.0, " "), ("nobody-here", "x"), ("*", "x")]
    {
        site.visitor().log_in(name, password).expect(401);
    }
    let hashes = site.database.connection().texts("select password as answer from users");
    assert_eq!(hashes, ["!"], "there is no password here that could match");
    nora.leave();
    site.visitor().log_in(&nora.0, &format!("{}-pass-1", nora.0)).expect(401);
}

fn seed_om_58_only_what_the_directory_gave_is_taken_away(db: Db) {
    let nora = Newcomer::come();
    let groups = [(&*nora.0, "team"), ("staff", "staff")];
    let site = site(db, door(&exported(""), Place::default(), &groups));
    let mut admin = site.admin();
    let [hand, ..] = ["hand", "team", "staff"].map(|name| group(&mut admin, name, "private"));
    let mut session = nora.log_in(&site);
    assert_eq!(groups_of(&mut session), ["team"]);
    let id = session.get("/api/v1/session").expect(200).json()["user"]["id"].clone();
    join(&mut admin, &hand, id.as_str().unwrap(), false);
    assert_eq!(groups_of(&mut nora.log_in(&site)), ["hand", "team"]);
    nora.lose_the_group();
    assert_eq!(groups_of(&mut nora.log_in(&site)), ["hand"]);
    assert_eq!(groups_of(&mut session), ["hand"], "also for sessions that were open before");
    nora.leave();
}

/// Passes connections on, or hangs up on them.
struct Relay {
    url: String,
    is_down: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("ldap://{}", listener.local_addr().unwrap());
        let relay = Self { url, is_down: Arc::default(), open: Arc::default() };
        let (is_down, open) = (Arc::clone(&relay.is_down), Arc::clone(&relay.open));
        let server = exported("").trim_start_matches("ldap://").to_owned();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if is_down.load(Ordering::SeqCst) {
                    continue;
                }
                let server = TcpStream::connect(&server).unwrap();
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                open.lock().unwrap().extend([client, server]);
            }
        });
        relay
    }

    fn goes(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn seed_om_59_while_the_directory_is_away_local_users_get_in(db: Db) {
    let relay = Relay::start();
    let site = site(db, door(&relay.url, Place::default(), &[]));
    site.user("local");
    let nora = Newcomer::come();
    nora.log_in(&site);
    relay.goes(true);
    for _ in 0..4 {
        let answer = site.visitor().log_in(&nora.0, &format!("{}-pass-1", nora.0));
        answer.expect_problem(503, "login_unavailable");
        site.visitor().log_in("local", PASSWORD).expect(200);
        site.visitor().log_in("local", "wrong as can be").expect(401);
    }
    relay.goes(false);
    nora.log_in(&site);
    nora.leave();
}

fn seed_om_59_whoever_left_the_directory_is_refused_where_it_has_to_know_everybody(db: Db) {
    let place = Place { control: Control::Required, on_unavailable: OnUnavailable::Fail };
    let nora = Newcomer::come();
    let site = site(db, door(&exported(""), place, &[]));
    site.user(&nora.0);
    site.user("nobody-there");
    site.visitor().log_in("nobody-there", PASSWORD).expect(401);
    site.visitor().log_in(&nora.0, PASSWORD).expect(200);
    nora.leave();
    site.visitor().log_in(&nora.0, PASSWORD).expect(401);
}

fn seed_om_60_a_local_account_becomes_one_of_the_directory_and_back(db: Db) {
    let nora = Newcomer::come();
    let site = site(db, door(&exported(""), Place::default(), &[(&nora.0, "lab")]));
    let mut admin = site.admin();
    group(&mut admin, "lab", "private");
    let mut local = site.logged_in("nora");
    let id = crate::support::id_of(&mut local);
    let path = format!("/api/v1/users/{id}/identities");
    let nobody = json!({ "backend": "directory", "username": "nobody-there" });
    admin.post(&path, &nobody).expect_problem(422, "invalid");
    assert!(local.is_in());
    let wanted = json!({ "backend": "directory", "username": nora.0 });
    let linked = admin.post(&path, &wanted).expect(201).json();
    assert_eq!(linked["subject"].as_str().unwrap().len(), 36, "the entry's own id: {linked}");
    assert!(!local.is_in());
    // By the name here or there, with the directory's password and no other.
    site.visitor().log_in("nora", PASSWORD).expect(401);
    let mut visitor = site.visitor();
    let body = json!({ "username": nora.0, "password": format!("{}-pass-1", nora.0) });
    visitor.post("/api/v1/login", &body).expect(200);
    let session = visitor.get("/api/v1/session").expect(200).json();
    assert_eq!(session["user"]["id"], id);
    assert_eq!(groups_of(&mut visitor), ["lab"]);

    let set = json!({ "password": "another long sentence to get in" });
    admin.put(&format!("/api/v1/users/{id}/password"), &set).expect(204);
    let subject = linked["subject"].as_str().unwrap();
    admin.delete(&format!("{path}?backend=directory&subject={subject}")).expect(204);
    let mut local = site.visitor();
    local.log_in("nora", "another long sentence to get in").expect(200);
    assert!(groups_of(&mut local).is_empty(), "what came by the directory is gone");
    // Whoever is nora there is somebody else now.
    let mut visitor = site.visitor();
    let other = visitor.post("/api/v1/login", &body).expect(200).json();
    assert_ne!(other["user"]["id"], id);
}
