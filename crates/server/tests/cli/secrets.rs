//! No secret goes in by an argument, and none comes out.

use crate::{
    commands::all_commands,
    support::{Desk, PASSWORD, Ran, bare_command},
};

const HUNTER: &str = "hunter22 and a long tail of words";

/// The options of a command that take a value, as its help writes them: `--email <EMAIL>`.
fn options_with_a_value(help: &str) -> Vec<&str> {
    help.lines()
        .map(str::trim_start)
        .filter(|line| line.starts_with('-') && line.contains('<'))
        .map(|line| line.split_once('>').map_or(line, |(option, _)| option))
        .collect()
}

#[test]
fn atk_a241_no_command_has_an_option_or_argument_for_a_secret() {
    let desk = Desk::bare();
    let mut seen = 0;
    for command in all_commands(&desk) {
        let arguments: Vec<_> = command.split(' ').chain(["--help"]).collect();
        let help = desk.succeed(&arguments).out;
        let usage = help.lines().find(|line| line.starts_with("Usage: ")).unwrap();
        for taken in options_with_a_value(&help).into_iter().chain([usage]) {
            seen += 1;
            let taken = taken.to_lowercase();
            for secret in ["pass", "secret", "token", "pepper", "hash", "credential"] {
                // What takes no value tells only where a password comes from, or that none does.
                let bare = taken.replace("--password-stdin", "").replace("user password", "");
                assert!(!bare.contains(secret), "{command}: {taken}");
            }
        }
    }
    assert!(seen > 60, "only {seen} options were seen");
}

#[test]
fn atk_a241_a_password_as_an_argument_is_refused_and_not_repeated() {
    let desk = Desk::furnished();
    for arguments in [
        vec!["createsuperuser", "--username", "x", "--password", HUNTER],
        vec!["user", "add", "x", "--password", HUNTER],
        vec!["user", "add", "x", "--password=hunter22"],
        vec!["user", "password", "anna", "--password=hunter22"],
        vec!["user", "password", "anna", "--password-stdin=hunter22"],
        vec!["user", "password", "anna", HUNTER],
        vec!["config", "set", "password.pepper", HUNTER],
    ] {
        let ran = desk.run(&arguments).expect(2);
        assert!(ran.out.is_empty(), "{ran:?}");
        assert!(!ran.err.contains("hunter22"), "{ran:?}");
    }
    assert!(!desk.path("vestibule.toml").exists());
    assert_eq!(desk.names(), ["anna", "ben", "root"]);
}

#[test]
fn atk_a241_a_password_never_shows_in_what_is_printed() {
    let desk = Desk::new();
    let make = |name| ["createsuperuser", "--username", name, "--password-stdin"];
    let mut all: Vec<Ran> = vec![
        desk.feed(&make("root"), PASSWORD).expect(0),
        desk.feed(&make("root"), PASSWORD).expect(1),
        desk.feed(&["user", "add", "anna", "--password-stdin", "--json"], PASSWORD).expect(0),
        desk.feed(&["user", "add", "an na\u{7}", "--password-stdin"], PASSWORD).expect(1),
        desk.feed(&["user", "password", "anna", "--password-stdin"], PASSWORD).expect(0),
        desk.feed(&["user", "password", "nobody", "--password-stdin"], PASSWORD).expect(1),
    ];
    for arguments in [
        &["user", "list", "--json"][..],
        &["user", "show", "anna", "--json"],
        &["user", "export", "-"],
        &["perm", "list", "--user", "anna", "--json"],
        &["verify"],
    ] {
        all.push(desk.succeed(arguments));
    }
    for ran in all {
        assert!(!ran.all().contains(PASSWORD) && !ran.all().contains("argon2"), "{ran:?}");
    }
    let events = desk.connection().texts("select details as answer from audit_events");
    assert!(!events.is_empty() && !events.concat().contains(PASSWORD), "{events:?}");
}

#[test]
fn atk_a241_a_password_that_is_refused_is_not_repeated() {
    let desk = Desk::new();
    for refused in ["hunter22", "annaannaannaanna", "hunter22\u{7}"] {
        let ran = desk.feed(&["user", "add", "anna", "--password-stdin"], refused).expect(1);
        assert!(!ran.all().contains(refused), "{ran:?}");
    }
    assert_eq!(desk.count("users"), 0);
}

#[test]
fn atk_a241_settings_show_no_secret() {
    let desk = Desk::new();
    let pepper = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8BI0VniQ==";
    for arguments in [
        &["config", "get"][..],
        &["config", "get", "password.pepper"],
        &["config", "get", "--json", "--verbose"],
        &["config", "check"],
        &["check", "--deploy"],
    ] {
        let mut command = desk.command(arguments);
        let ran = Ran::of(command.env("VESTIBULE_PASSWORD__PEPPER", pepper).output().unwrap());
        assert!(ran.status == 0 && !ran.all().contains("q83vASNF"), "{ran:?}");
    }
}

#[test]
fn atk_a241_a_secret_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    let file = desk.write("pepper", "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8BI0VniQ==");
    let run = |mode| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let mut command = bare_command(file.parent().unwrap(), &["config", "check"]);
        Ran::of(command.env("VESTIBULE_PASSWORD__PEPPER_FILE", "pepper").output().unwrap())
    };
    run(0o600).expect(0);
    let ran = run(0o644).expect(2).says("password.pepper_file");
    assert!(!ran.err.contains("q83vASNF"), "{ran:?}");
}
