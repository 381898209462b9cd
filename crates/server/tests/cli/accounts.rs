//! Accounts, groups and memberships by command.

use crate::{
    support::{Desk, PASSWORD, Ran, Server, fed},
    visitor::Visitor,
};

#[test]
fn seed_oq_5_migrate_createsuperuser_serve_and_the_superuser_logs_in() {
    let desk = Desk::bare();
    desk.succeed(&["migrate"]);
    desk.superuser("admin").prints("made the superuser:");
    let server = Server::start(&desk);
    let mut visitor = Visitor::new(&server.origin);
    visitor.log_in("admin", "another sentence than that").expect(401);
    visitor.log_in("admin", PASSWORD).expect(200);
    let session = visitor.get("/api/v1/session").expect(200);
    assert_eq!(session.json()["user"]["username"], "admin", "{}", session.text);
    assert_eq!(session.json()["user"]["is_superuser"], true, "{}", session.text);
    let sessions = desk.succeed(&["session", "list", "admin", "--json"]).json();
    let [session] = &sessions.as_array().unwrap()[..] else { panic!("{sessions}") };
    let id = session["id"].as_str().unwrap().to_owned();
    desk.succeed(&["session", "revoke", &id]).prints("ended");
    assert_eq!(desk.succeed(&["session", "list", "admin", "--json"]).json(), serde_json::json!([]));
}

#[test]
fn seed_oq_5_migrating_again_changes_nothing() {
    let desk = Desk::bare();
    let first = desk.succeed(&["migrate"]);
    assert!(first.out.lines().all(|line| line.starts_with("applying ")), "{first:?}");
    desk.superuser("admin");
    let before = std::fs::read(desk.database.file()).unwrap();
    desk.succeed(&["migrate"]).prints("the database is up to date");
    assert!(before == std::fs::read(desk.database.file()).unwrap(), "the file was changed");
    assert_eq!(desk.names(), ["admin"]);
}

#[test]
fn seed_oq_6_a_taken_name_exits_1_and_adds_nobody() {
    let desk = Desk::furnished();
    let events = desk.count("audit_events");
    for taken in ["anna", "ANNA"] {
        let ran = desk.run(&["user", "add", taken, "--no-password"]).expect(1);
        assert_eq!(ran.err, "vestibule: username: is taken\n");
        assert!(ran.out.is_empty(), "{ran:?}");
    }
    desk.feed(&["createsuperuser", "--username", "anna", "--password-stdin"], PASSWORD)
        .expect(1)
        .says("username: is taken");
    assert_eq!(desk.names(), ["anna", "ben", "root"]);
    assert_eq!(desk.count("audit_events"), events);
    assert_eq!(desk.succeed(&["user", "show", "anna", "--json"]).json()["is_superuser"], false);
}

#[test]
fn seed_cn_46_createsuperuser_takes_all_by_options_and_standard_input() {
    let desk = Desk::new();
    let options = ["--username", "chief", "--email", "chief@example.org", "--password-stdin"];
    let ran = desk.feed(&[&["createsuperuser", "--json"][..], &options].concat(), PASSWORD);
    let user = ran.expect(0).json();
    assert_eq!(user["username"], "chief");
    assert_eq!(user["email"], "chief@example.org");
    assert_eq!(user["is_superuser"], true);
    assert_eq!(user["is_staff"], true);
    assert_eq!(user["is_active"], true);
}

#[test]
fn seed_cn_46_without_a_terminal_it_says_what_is_missing() {
    let desk = Desk::new();
    let ran = desk.run(&["createsuperuser"]).expect(2);
    assert_eq!(ran.err, "vestibule: --username is missing\n");
    let ran = desk.run(&["createsuperuser", "--username", "chief"]).expect(2);
    assert!(ran.err.contains("use --password-stdin"), "{ran:?}");
    desk.run(&["createsuperuser", "--username", "chief", "--password-stdin"])
        .expect(2)
        .says("the standard input holds no password");
    desk.feed(&["createsuperuser", "--username", "chief", "--password-stdin"], "short")
        .expect(1)
        .says("the password needs at least 15 characters");
    assert_eq!(desk.count("users"), 0);
}

/// Runs a command at a terminal, where these lines are typed.
fn typed(desk: &Desk, command: &str, lines: &[&str]) -> Ran {
    let line = format!("{} {command}", env!("CARGO_BIN_EXE_vestibule"));
    let mut script = std::process::Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).env("VESTIBULE_STORAGE__URL", desk.database.url());
    fed(&mut script, &format!("{}\n", lines.join("\n")))
}

#[test]
fn seed_cn_46_at_a_terminal_createsuperuser_asks() {
    let desk = Desk::new();
    let answers = ["chief", "chief@example.org", PASSWORD, PASSWORD];
    let ran = typed(&desk, "createsuperuser", &answers).expect(0);
    for question in ["Username: ", "Email address", "Password: ", "Password (again): "] {
        assert!(ran.out.contains(question), "{ran:?}");
    }
    let user = desk.succeed(&["user", "show", "chief", "--json"]).json();
    assert_eq!(user["email"], "chief@example.org");
    assert_eq!(user["is_superuser"], true);
    let server = Server::start(&desk);
    Visitor::new(&server.origin).log_in("chief", PASSWORD).expect(200);
}

#[test]
fn seed_cn_46_what_does_not_hold_is_asked_for_again_at_once() {
    let desk = Desk::new();
    let names = ["", "chief", "chief at example", "chief@example.org"];
    let passwords = ["short", "short", PASSWORD, "a slip of the hand", PASSWORD, PASSWORD];
    let ran = typed(&desk, "createsuperuser", &[&names[..], &passwords].concat()).expect(0);
    let asked_again = [
        "username: ",
        "email: has no @ between name and domain: try again",
        "the password needs at least 15 characters",
        "the two passwords differ: try again",
        "made the superuser",
    ];
    let mut rest = ran.out.as_str();
    for words in asked_again {
        let at = rest.find(words).unwrap_or_else(|| panic!("{words:?} is missing: {}", ran.out));
        rest = &rest[at + words.len()..];
    }
    assert_eq!(desk.names(), ["chief"]);
}

#[test]
fn seed_cn_46_who_leaves_in_the_middle_makes_nobody() {
    let desk = Desk::new();
    let differ = ["", PASSWORD, "a long sentence with a slip of the hand"];
    let ran = typed(&desk, "createsuperuser --username chief", &differ).expect(1);
    assert!(ran.out.contains("the two passwords differ: try again"), "{ran:?}");
    assert!(!ran.out.contains("Username: "), "{ran:?}");
    for answers in [&[""][..], &["chief", "no address"], &["chief", "", "short", "short"]] {
        let ran = typed(&desk, "createsuperuser", answers).expect(1);
        assert!(ran.out.contains(": try again"), "{ran:?}");
    }
    assert_eq!(desk.count("users"), 0);
}

#[test]
fn seed_om_62_an_account_is_managed_by_command() {
    let desk = Desk::furnished();
    let made = desk.succeed(&["user", "add", "cara", "--no-password", "--json"]).json();
    let id = made["id"].as_str().unwrap();
    let edit = ["user", "edit", id, "--first-name", "Cara", "--email", "cara@example.org"];
    let edited = desk.succeed(&[&edit[..], &["--staff", "true", "--json"]].concat()).json();
    assert_eq!(edited["first_name"], "Cara");
    assert_eq!(edited["is_staff"], true);
    assert_eq!(desk.succeed(&["user", "disable", "cara", "--json"]).json()["is_active"], false);
    desk.succeed(&["user", "list"]).prints("cara@example.org  no ");
    assert_eq!(desk.succeed(&["user", "enable", "cara", "--json"]).json()["is_active"], true);
    assert_eq!(desk.succeed(&["user", "show", "cara", "--json"]).json()["id"], id);
    let found = desk.succeed(&["user", "list", "--search", "car", "--json"]).json();
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    desk.succeed(&["user", "list", "--page-size", "2", "--page", "2"]).prints("2 of 4");
    desk.succeed(&["user", "delete", "cara"]).prints("removed cara");
    desk.run(&["user", "show", "cara"]).expect(1).says("there is no user \"cara\"");
    assert_eq!(desk.names(), ["anna", "ben", "root"]);
}

#[test]
fn seed_om_62_a_disabled_account_does_not_log_in_and_its_sessions_end() {
    let desk = Desk::new();
    desk.feed(&["user", "add", "anna", "--password-stdin"], PASSWORD).expect(0);
    let server = Server::start(&desk);
    let mut anna = Visitor::new(&server.origin);
    anna.log_in("anna", PASSWORD).expect(200);
    desk.succeed(&["user", "disable", "anna"]);
    assert_eq!(desk.count("sessions"), 0);
    anna.log_in("anna", PASSWORD).expect(401);
    desk.succeed(&["user", "enable", "anna"]);
    anna.log_in("anna", PASSWORD).expect(200);
}

#[test]
fn seed_om_62_a_new_password_counts_and_ends_all_sessions() {
    let desk = Desk::new();
    desk.feed(&["user", "add", "anna", "--password-stdin"], PASSWORD).expect(0);
    let server = Server::start(&desk);
    let mut anna = Visitor::new(&server.origin);
    anna.log_in("anna", PASSWORD).expect(200);
    let (next, arguments) = ("quite another long sentence", ["user", "password", "anna"]);
    let from_stdin = [&arguments[..], &["--password-stdin"]].concat();
    desk.feed(&from_stdin, next).expect(0).prints("all sessions ended");
    assert_eq!(desk.count("sessions"), 0);
    anna.log_in("anna", PASSWORD).expect(401);
    anna.log_in("anna", next).expect(200);
    desk.succeed(&[&arguments[..], &["--unusable"]].concat());
    anna.log_in("anna", next).expect(401);
}

#[test]
fn seed_om_62_groups_are_managed_by_command() {
    let desk = Desk::furnished();
    let add = ["group", "add", "lab", "--description", "The lab", "--json"];
    let group = desk.succeed(&add).json();
    assert_eq!(group["description"], "The lab");
    desk.run(&["group", "add", "lab"]).expect(1).says("name: is taken");
    desk.succeed(&["group", "edit", "lab", "--name", "laboratory"]);
    let shown = desk.succeed(&["group", "show", "laboratory", "--json"]).json();
    assert_eq!(shown["group"]["id"], group["id"]);
    desk.succeed(&["group", "list"]).prints("laboratory").prints("4 of 4");
    desk.succeed(&["group", "delete", "laboratory"]).prints("removed laboratory");
    desk.run(&["group", "show", "laboratory"]).expect(1).says("there is no group \"laboratory\"");
}

#[test]
fn seed_om_62_memberships_are_managed_by_command() {
    let desk = Desk::furnished();
    desk.succeed(&["group", "add-member", "other", "ben", "--manager"]).prints("ben is in other");
    let shown = desk.succeed(&["group", "show", "other", "--json"]).json();
    assert_eq!(shown["members"][0]["username"], "ben", "{shown}");
    assert_eq!(shown["members"][0]["is_manager"], true, "{shown}");
    let members = desk.succeed(&["user", "list", "--group", "other", "--json"]).json();
    assert_eq!(members.as_array().unwrap().len(), 1, "{members}");
    desk.succeed(&["group", "remove-member", "other", "ben"]).prints("ben is no longer in other");
    let shown = desk.succeed(&["group", "show", "other", "--json"]).json();
    assert_eq!(shown["members"], serde_json::json!([]));
    desk.run(&["group", "remove-member", "other", "ben"]).expect(1);
}

#[test]
fn seed_om_62_groups_nest_by_command_and_never_in_a_circle() {
    let desk = Desk::furnished();
    desk.succeed(&["group", "show", "outer"]).prints("contains     inner\n");
    desk.succeed(&["group", "show", "inner"]).prints("inside       outer\n");
    desk.run(&["group", "add-member", "inner", "--group", "outer"]).expect(1);
    assert_eq!(desk.count("nestings"), 1);
    desk.succeed(&["group", "remove-member", "outer", "--group", "inner"]);
    assert_eq!(desk.count("nestings"), 0);
}
