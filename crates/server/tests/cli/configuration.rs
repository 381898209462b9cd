//! The configuration by command, and one that does not hold.

use std::{fs, net::TcpListener};

use crate::support::{Desk, Ran};

/// Settings that do not hold, the key that is to be named, and the words that say why.
const BAD: &[(&str, &str, &str)] = &[
    ("nonsense = 1", "nonsense", "unknown"),
    ("[server]\nlissen = \"127.0.0.1:1\"", "server.lissen", "did you mean"),
    ("[nonsense]\nx = 1", "nonsense", "unknown"),
    ("[server]\nworkers = \"many\"", "server.workers", ""),
    ("[server]\nworkers = 0", "server.workers", ""),
    ("[session]\ncookie_age = \"1 year\"", "session.cookie_age", "duration"),
    ("[site]\nbase_url = \"ftp://example.org\"", "site.base_url", ""),
    ("[password]\nmin_length = 7", "password.min_length", "8"),
    ("[password]\nscheme = \"md5\"", "password.scheme", "argon2id"),
    ("[limits]\nlogin_per_address = \"often\"", "limits.login_per_address", ""),
    ("[storage]\nurl = \"oracle:hall\"", "storage.url", ""),
    ("[log]\nfilter = \"=loud=\"", "log.filter", ""),
];

#[test]
fn flt_f85_serve_names_file_and_key_and_opens_no_socket() {
    for (text, key, why) in BAD {
        let desk = Desk::bare();
        // Whoever binds this address fails, and says so instead.
        let occupied = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = occupied.local_addr().unwrap().to_string();
        desk.write("vestibule.toml", text);
        let mut command = desk.command(&["serve", "--listen", &address]);
        if *key == "storage.url" {
            command.env_remove("VESTIBULE_STORAGE__URL");
        }
        let ran = Ran::of(command.output().unwrap()).expect(2);
        let line = ran.err.lines().find(|line| line.contains(key));
        let line = line.unwrap_or_else(|| panic!("{text}: {key} is not named: {ran:?}"));
        assert!(line.contains("vestibule.toml") && line.contains(why), "{text}: {ran:?}");
        assert!(!ran.err.contains("cannot listen") && ran.out.is_empty(), "{text}: {ran:?}");
        assert!(!desk.database.file().exists(), "{text}: a database was made");
    }
}

#[test]
fn flt_f85_the_address_that_is_taken_would_have_been_noticed() {
    let desk = Desk::bare();
    let occupied = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = occupied.local_addr().unwrap().to_string();
    let ran = desk.run(&["serve", "--listen", &address]).expect(1);
    assert!(ran.err.contains(&format!("server.listen: cannot listen on {address}")), "{ran:?}");
}

#[test]
fn flt_f85_everything_that_is_wrong_is_told_at_once_and_by_every_command() {
    let desk = Desk::furnished();
    desk.write("vestibule.toml", "[site]\nnaem = \"x\"\n[server]\nworkers = 0\n");
    for arguments in [
        &["serve"][..],
        &["migrate"],
        &["user", "list"],
        &["check"],
        &["verify"],
        &["config", "check"],
        &["config", "get"],
    ] {
        let ran = desk.run(arguments).expect(2).says("site.naem").says("server.workers");
        assert!(ran.out.is_empty(), "{ran:?}");
    }
}

#[test]
fn flt_f85_environment_and_flags_are_named_too() {
    let desk = Desk::furnished();
    let run = |name: &str, value: &str, arguments: &[&str]| {
        Ran::of(desk.command(arguments).env(name, value).output().unwrap()).expect(2)
    };
    run("VESTIBULE_SERVER__WORKERS", "x", &["serve"]).says("VESTIBULE_SERVER__WORKERS");
    run("VESTIBULE_SERVER__LISSEN", "x", &["user", "list"]).says("VESTIBULE_SERVER__LISSEN");
    desk.run(&["serve", "--listen", "here"]).expect(2).says("--listen");
    desk.run(&["user", "list", "--config", "missing.toml"]).expect(2).says("missing.toml");
    run("VESTIBULE_CONFIG", "missing.toml", &["user", "list"]).says("missing.toml");
}

#[test]
fn settings_are_set_shown_and_taken_out_and_comments_stay() {
    let desk = Desk::new();
    desk.write("vestibule.toml", "# who we are\n[site]\nname = \"Hall\" # for now\n");
    let text = || fs::read_to_string(desk.path("vestibule.toml")).unwrap();
    assert_eq!(desk.succeed(&["config", "get", "site.name"]).out, "Hall\n");
    desk.succeed(&["config", "set", "site.name", "The Inn"]).prints("site.name is set");
    assert_eq!(text(), "# who we are\n[site]\nname = \"The Inn\" # for now\n");
    desk.succeed(&["config", "get", "site", "--verbose"])
        .prints("site.name = \"The Inn\"  # ")
        .prints("vestibule.toml");
    let json = desk.succeed(&["config", "get", "--json"]).json();
    assert_eq!(json["site.name"], "The Inn");
    desk.succeed(&["config", "unset", "site.name"]).prints("site.name is no longer set");
    assert_eq!(desk.succeed(&["config", "get", "site.name"]).out, "Vestibule\n");
    desk.succeed(&["config", "unset", "site.name"]).prints("was not set");
    desk.succeed(&["config", "check"]).prints("the configuration holds");
}

#[test]
fn what_does_not_hold_is_not_set() {
    let desk = Desk::new();
    desk.write("vestibule.toml", "[site]\nname = \"Hall\"\n");
    let before = fs::read(desk.path("vestibule.toml")).unwrap();
    let set = |key, value| desk.run(&["config", "set", key, value]).expect(2);
    set("session.cookie_age", "1 year").says("session.cookie_age").says("left unchanged");
    set("server.workers", "-1").says("server.workers");
    set("site.naem", "x").says("site.name");
    desk.run(&["config", "get", "site.naem"]).expect(2).says("site.name");
    assert_eq!(fs::read(desk.path("vestibule.toml")).unwrap(), before);
}

#[test]
fn flags_override_the_environment_which_overrides_the_file() {
    let desk = Desk::new();
    desk.write("vestibule.toml", "[site]\nname = \"File\"\n");
    let other = desk.write("other.toml", "[site]\nname = \"Other\"\n");
    let name = |variable: Option<(&str, &str)>, more: &[&str]| {
        let mut command = desk.command(&[&["config", "get", "site.name"][..], more].concat());
        Ran::of(command.envs(variable).output().unwrap()).expect(0).out
    };
    assert_eq!(name(None, &[]), "File\n");
    assert_eq!(name(Some(("VESTIBULE_SITE__NAME", "Variable")), &[]), "Variable\n");
    let other = other.to_str().unwrap();
    assert_eq!(name(None, &["--config", other]), "Other\n");
    assert_eq!(name(Some(("VESTIBULE_CONFIG", other)), &[]), "Other\n");
    assert_eq!(name(Some(("VESTIBULE_CONFIG", "missing")), &["--config", other]), "Other\n");
}
