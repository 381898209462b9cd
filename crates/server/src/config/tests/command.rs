//! `vestibule config get`, `set`, `unset` and `check` on files.

use std::{fs, os::unix::fs::MetadataExt, os::unix::fs::PermissionsExt};

use clap::Parser;

use super::{PEPPER, Site, plain};
use crate::{
    cli::config::{self as command, ConfigCommand, ConfigCommandError},
    config::replace,
};

const FILE: &str = "\
# Our hall.

[site]
# on every page
name = \"Hall\" # as on the door

[session]
cookie_age = \"8h\"
";

#[derive(Parser)]
struct Line {
    /// Stands for the flag that every command takes.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: ConfigCommand,
}

fn try_run(site: &Site, line: &[&str]) -> Result<String, ConfigCommandError> {
    let typed = ["config"].into_iter().chain(line.iter().copied());
    let mut out = Vec::new();
    let line = Line::parse_from(typed);
    command::run(&line.command, &site.sources, line.json, &mut out)?;
    Ok(plain(&String::from_utf8(out).unwrap(), site.directory.path()))
}

fn run(site: &Site, line: &[&str]) -> String {
    try_run(site, line).unwrap()
}

/// The message and the exit status of a command that must fail.
fn fail(site: &Site, line: &[&str]) -> (String, u8) {
    let error = try_run(site, line).unwrap_err();
    (plain(&error.to_string(), site.directory.path()), error.exit_code())
}

#[test]
fn seed_om_1_get_prints_the_value_in_force() {
    let site = Site::with(FILE).variable("VESTIBULE_SERVER__WORKERS", "3");
    assert_eq!(run(&site, &["get", "site.name"]), "Hall\n");
    assert_eq!(run(&site, &["get", "server.workers"]), "3\n");
    assert_eq!(run(&site, &["get", "server.allowed_hosts"]), "[\"127.0.0.1\"]\n");
    assert_eq!(run(&site, &["get", "password.pepper"]), "\n");
    assert_eq!(
        run(&site, &["get", "--verbose", "site"]),
        "site.name = \"Hall\"  # vestibule.toml\n\
         site.base_url = \"http://127.0.0.1:8080\"  # built-in default\n\
         site.template_dirs = []  # built-in default\n\
         site.admins = []  # built-in default\n"
    );
    assert_eq!(
        run(&site, &["get", "--verbose", "server.workers"]),
        "server.workers = 3  # environment variable VESTIBULE_SERVER__WORKERS\n"
    );
}

#[test]
fn what_get_prints_is_a_file_that_means_the_same() {
    let site = Site::with(FILE);
    for line in [&["get"][..], &["get", "--verbose"]] {
        let again = Site::with(run(&site, line));
        assert_eq!(again.load().unwrap().settings, site.load().unwrap().settings);
    }
}

#[test]
fn get_prints_json_when_asked() {
    let site = Site::with(FILE);
    let all: serde_json::Value = serde_json::from_str(&run(&site, &["get", "--json"])).unwrap();
    assert_eq!(all["site.name"], "Hall");
    assert_eq!(all["storage.pool_size"], 8);
    assert_eq!(all["password.pepper"], serde_json::Value::Null);
    let one = run(&site, &["get", "--json", "--verbose", "site.name"]);
    let one: serde_json::Value = serde_json::from_str(&one).unwrap();
    assert_eq!(one["site.name"]["value"], "Hall");
    assert!(one["site.name"]["origin"].as_str().unwrap().ends_with("vestibule.toml"));
}

#[test]
fn seed_om_1_get_masks_secrets_wherever_they_came_from() {
    let site = Site::with("password.pepper_file = 'pepper'");
    site.write("pepper", PEPPER, 0o600);
    assert_eq!(run(&site, &["get", "password.pepper"]), "********\n");
    assert_eq!(
        run(&site, &["get", "--verbose", "password.pepper"]),
        "password.pepper = \"********\"  # vestibule.toml\n"
    );
    let site = Site::empty().variable("VESTIBULE_STORAGE__URL", "postgres://v:hunter2@db/v");
    assert_eq!(run(&site, &["get", "storage.url"]), "postgres://********@db/v\n");
}

#[test]
fn seed_om_1_set_keeps_comments() {
    let site = Site::with(FILE);
    assert_eq!(run(&site, &["set", "site.name", "Foyer"]), "vestibule.toml: site.name is set\n");
    assert_eq!(site.text(), FILE.replace("\"Hall\"", "\"Foyer\""));
    run(&site, &["set", "session.max_per_user", "7"]);
    run(&site, &["set", "log.format", "json"]);
    let expected = FILE.replace("\"Hall\"", "\"Foyer\"");
    assert_eq!(site.text(), format!("{expected}max_per_user = 7\n\n[log]\nformat = \"json\"\n"));
    assert_eq!(site.names(), ["vestibule.toml"]);
}

#[test]
fn seed_om_1_unset_keeps_comments() {
    let site = Site::with(FILE);
    run(&site, &["unset", "site.name"]);
    assert_eq!(site.text(), FILE.replace("name = \"Hall\" # as on the door\n", ""));
    assert_eq!(run(&site, &["unset", "site.name"]), "site.name was not set in vestibule.toml\n");
    let (message, status) = fail(&site, &["unset", "site.nmae"]);
    assert_eq!((&*message, status), ("site.nmae: unknown key; did you mean site.name?", 2));
}

#[test]
fn an_unknown_key_can_be_unset() {
    let site = Site::with(format!("{FILE}ping_interval = \"60s\"\n"));
    assert!(site.load().is_err());
    run(&site, &["unset", "session.ping_interval"]);
    assert_eq!(site.text(), FILE);
}

#[test]
fn seed_om_2_what_does_not_hold_is_refused_and_the_file_unchanged() {
    let site = Site::with(FILE);
    let inode = fs::metadata(site.path("vestibule.toml")).unwrap().ino();
    for (key, value, reason) in [
        ("site.nmae", "x", "site.nmae: unknown key; did you mean site.name?"),
        ("server.workers", "many", "server.workers: expected a whole number from 1 to 256"),
        ("server.workers", "-1", "server.workers: must be from 1 to 256, got -1"),
        ("session.idle_timeout", "8h", "session.idle_timeout: must be less than"),
        ("site.base_url", "http://hall.example", "site.base_url: http is allowed with a loopback"),
        ("password.pepper_file", "gone", "password.pepper_file: file \"gone\" cannot be read"),
    ] {
        let (message, status) = fail(&site, &["set", key, value]);
        assert!(message.starts_with(&format!("vestibule.toml: {reason}")), "{message}");
        assert!(message.ends_with("\nvestibule.toml was left unchanged"), "{message}");
        assert_eq!(status, 2, "{message}");
        assert_eq!(site.text(), FILE);
    }
    let (_, status) = fail(&Site::with("[log\n"), &["set", "log.format", "json"]);
    assert_eq!(status, 2);
    assert_eq!(fs::metadata(site.path("vestibule.toml")).unwrap().ino(), inode);
    assert_eq!(site.names(), ["vestibule.toml"]);
}

#[test]
fn seed_om_2_an_unset_that_would_not_hold_is_refused() {
    let file = "[session]\ncookie_age = '48h'\nidle_timeout = '30h'\n";
    let site = Site::with(file);
    let (message, status) = fail(&site, &["unset", "session.cookie_age"]);
    assert!(message.contains("session.idle_timeout: must be less than session.cookie_age (1d)"));
    assert_eq!((site.text().as_str(), status), (file, 2));
}

#[test]
fn a_bad_value_is_refused_though_the_environment_overrides_it() {
    let site = Site::with(FILE).variable("VESTIBULE_SITE__BASE_URL", "https://hall.example");
    let (message, _) = fail(&site, &["set", "site.base_url", "http://hall.example"]);
    assert!(message.contains("site.base_url: http is allowed"), "{message}");
    let said = run(&site, &["set", "site.base_url", "https://other.example"]);
    assert!(
        said.ends_with("note: the environment variable VESTIBULE_SITE__BASE_URL overrides it\n"),
        "{said}"
    );
}

#[test]
fn seed_om_3_lists_are_set_in_the_quoting_of_either_shell() {
    let site = Site::with(FILE);
    for typed in [
        r#"["a.example", "b.example"]"#,
        r#"["a.example","b.example"]"#,
        "['a.example', 'b.example']",
        "['a.example','b.example',]",
        r#" ["a.example" , 'b.example'] "#,
        r#"["a\u002eexample", "b.example"]"#,
    ] {
        run(&site, &["set", "server.allowed_hosts", typed]);
        let hosts = site.load().unwrap().settings.server.allowed_hosts;
        assert_eq!(hosts, ["a.example", "b.example"], "{typed}");
    }
    assert!(site.text().ends_with("allowed_hosts = [\"a.example\", \"b.example\"]\n"));
    for typed in ["a.example", "a.example,b.example", "[a.example]", r#"["a.example""#, ""] {
        let (message, status) = fail(&site, &["set", "server.allowed_hosts", typed]);
        let expected = "expected a list of hosts without ports such as [\"a\", \"b\"]";
        assert!(message.contains(expected), "{message}");
        assert_eq!(status, 2);
    }
}

#[test]
fn atk_a241_a_secret_is_not_taken_as_an_argument() {
    let site = Site::with(FILE);
    for (key, value) in [("password.pepper", PEPPER), ("storage.url", "mysql://v:hunter2@db/v")] {
        let (message, status) = fail(&site, &["set", key, value]);
        assert!(message.starts_with(&format!("{key}: a secret is not taken as an argument")));
        assert!(!message.contains(value), "{message}");
        assert_eq!((site.text().as_str(), status), (FILE, 2));
    }
    run(&site, &["set", "storage.url", "mysql://v@db/v"]);
}

#[test]
fn the_file_keeps_its_mode_and_a_link_its_target() {
    let site = Site::empty();
    site.write("real.toml", FILE, 0o640);
    std::os::unix::fs::symlink("real.toml", site.path("vestibule.toml")).unwrap();
    run(&site, &["set", "site.name", "Foyer"]);
    assert!(fs::symlink_metadata(site.path("vestibule.toml")).unwrap().is_symlink());
    let about = fs::metadata(site.path("real.toml")).unwrap();
    assert_eq!(about.permissions().mode() & 0o7777, 0o640);
    assert_eq!(site.text(), FILE.replace("\"Hall\"", "\"Foyer\""));
}

#[test]
fn a_new_file_is_for_its_owner_alone() {
    let site = Site::empty();
    run(&site, &["set", "site.name", "Foyer"]);
    assert_eq!(site.text(), "[site]\nname = \"Foyer\"\n");
    let about = fs::metadata(site.path("vestibule.toml")).unwrap();
    assert_eq!(about.permissions().mode() & 0o7777, 0o600);
}

#[test]
fn what_a_process_that_died_left_is_cleared_away() {
    let site = Site::with(FILE);
    site.write(".vestibule.toml.new", "half a fi", 0o600);
    run(&site, &["set", "site.name", "Foyer"]);
    assert_eq!(site.names(), ["vestibule.toml"]);
    assert_eq!(site.text(), FILE.replace("\"Hall\"", "\"Foyer\""));
}

#[test]
fn a_replacement_that_fails_leaves_the_file() {
    let site = Site::with(FILE);
    fs::create_dir(site.path(".vestibule.toml.new")).unwrap();
    let (message, status) = fail(&site, &["set", "site.name", "Foyer"]);
    assert!(message.starts_with("vestibule.toml: cannot be written: "), "{message}");
    assert_eq!((site.text().as_str(), status), (FILE, 1));
    assert!(replace::replace(&site.path("gone/x.toml"), "x").is_err());
}

#[test]
fn of_many_edits_at_once_none_is_lost() {
    let site = Site::with(FILE);
    let edits = [
        ("server.workers", "2"),
        ("storage.pool_size", "3"),
        ("session.max_per_user", "4"),
        ("password.min_length", "12"),
        ("limits.page_size", "50"),
        ("log.format", "json"),
    ];
    std::thread::scope(|threads| {
        for (key, value) in edits {
            let site = &site;
            threads.spawn(move || run(site, &["set", key, value]));
        }
    });
    for (key, value) in edits {
        assert_eq!(run(&site, &["get", key]).trim(), value, "{key}");
    }
}

#[test]
fn check_says_what_it_checked_or_all_that_is_wrong() {
    assert_eq!(run(&Site::with(FILE), &["check"]), "vestibule.toml: the configuration holds\n");
    assert_eq!(run(&Site::empty(), &["check"]), "built-in defaults: the configuration holds\n");
    let (message, status) = fail(&Site::with("[site]\na = 1\nb = 2\n"), &["check"]);
    assert_eq!(message, "vestibule.toml: site.a: unknown key\nvestibule.toml: site.b: unknown key");
    assert_eq!(status, 2);
}
