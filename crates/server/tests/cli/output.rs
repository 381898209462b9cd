//! What is printed, for people, for programs and for nobody.

use std::{os::unix::fs::PermissionsExt, process::Stdio};

use crate::support::{Desk, Ran};

/// Runs a command whose output nobody reads.
fn unread(desk: &Desk, arguments: &[&str]) -> Ran {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child = desk.command(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    Ran::of(child.wait_with_output().unwrap())
}

#[test]
fn output_that_nobody_reads_is_no_failure_and_no_panic() {
    let desk = Desk::furnished();
    // More than what is kept back before it is written.
    let rows: Vec<_> = (0..300).map(|number| format!("somebody{number:0100}")).collect();
    desk.feed(&["user", "import", "-"], &format!("username\n{}\n", rows.join("\n"))).expect(0);
    for arguments in [
        &["user", "list"][..],
        &["user", "list", "--json"],
        &["user", "show", "anna"],
        &["user", "export", "-"],
        &["group", "list"],
        &["perm", "list"],
        &["perm", "list", "--user", "anna", "--json"],
        &["config", "get"],
        &["config", "get", "--json"],
        &["config", "check"],
        &["migrate", "--list"],
        &["migrate", "--check"],
        &["check", "--deploy"],
        &["verify"],
        &["openapi"],
        &["completions", "bash"],
        &["completions", "zsh"],
        &["--help"],
        &["--version"],
    ] {
        let ran = unread(&desk, arguments);
        assert_eq!((ran.status, &*ran.err), (0, ""), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn a_command_that_nobody_listens_to_has_done_its_work() {
    let desk = Desk::furnished();
    assert_eq!(unread(&desk, &["user", "add", "new", "--no-password"]).status, 0);
    assert_eq!(desk.names(), ["anna", "ben", "new", "root"]);
    let bare = Desk::bare();
    assert_eq!(unread(&bare, &["migrate"]).status, 0);
    bare.succeed(&["migrate", "--check"]);
}

#[test]
fn a_table_has_its_headings_and_the_names_below_each_other() {
    let desk = Desk::furnished();
    let ran = desk.succeed(&["user", "list"]);
    let lines: Vec<_> = ran.out.lines().collect();
    let at = lines[0].find("email").unwrap();
    assert!(lines[0].starts_with("username  email"), "{ran:?}");
    assert_eq!(&lines[1][at..][..16], "anna@example.org", "{ran:?}");
    assert_eq!(&lines[2][at..][..1], "-", "{ran:?}");
    assert_eq!(lines[4], "3 of 3");
}

#[test]
fn a_name_that_would_be_a_line_of_its_own_is_refused() {
    let desk = Desk::new();
    for name in ["new\nvestibule", "\u{1b}[31mred", "a\rb"] {
        let ran = desk.run(&["user", "add", name, "--no-password"]).expect(1);
        assert!(ran.err.starts_with("vestibule: username: "), "{ran:?}");
        assert!(!ran.err.contains(name), "{ran:?}");
    }
}

#[test]
fn check_tells_of_configuration_and_database_line_by_line() {
    let desk = Desk::new();
    let findings = desk.succeed(&["check", "--json"]).json();
    let ids: Vec<_> =
        findings.as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["vst.I001", "vst.I003", "vst.I002", "vst.I004"]);
    let ran = Desk::bare().run(&["check", "--json"]).expect(1);
    let json = ran.json();
    assert_eq!(json[2]["id"], "vst.E002");
    assert_eq!(json[2]["severity"], "error");
    assert!(json[2]["hint"].as_str().unwrap().contains("vestibule migrate"), "{json}");
}

#[test]
fn check_of_a_deployment_finds_each_weak_spot_and_none_in_a_sound_one() {
    let desk = Desk::new();
    let ids = |settings: &str| -> Vec<String> {
        desk.write("vestibule.toml", settings);
        let findings = desk.succeed(&["check", "--deploy", "--json"]).json();
        let warnings = findings.as_array().unwrap().iter().filter(|f| f["severity"] == "warning");
        warnings.map(|f| f["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(""), ["vst.W101", "vst.W104", "vst.W109"]);
    let weak = "[server]\nlisten = \"0.0.0.0:8080\"\nmetrics_listen = \"0.0.0.0:9090\"\n\
        [password]\nmin_length = 8\nscheme = \"bcrypt\"\n[limits]\nlogin_per_address = \"unlimited\"\n";
    let all = ["101", "102", "104", "105", "106", "107", "108", "109"].map(|n| format!("vst.W{n}"));
    assert_eq!(ids(weak), all);
    let https = "[site]\nbase_url = \"https://hall.example.org\"\n";
    assert_eq!(ids(https), ["vst.W103", "vst.W104", "vst.W109"]);
    let pepper = desk.write("pepper", "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8BI0VniQ==\n");
    std::fs::set_permissions(&pepper, std::fs::Permissions::from_mode(0o600)).unwrap();
    let sound = format!(
        "{https}[server]\ntrusted_proxies = [\"127.0.0.1\"]\n[password]\npepper_file = {pepper:?}\n\
         [mail]\ntransport = \"file\"\nfile_path = \"mails\"\n"
    );
    assert!(ids(&sound).is_empty(), "{:?}", ids(&sound));
}

#[test]
fn the_openapi_document_is_whole() {
    let document = Desk::bare().succeed(&["openapi"]).json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."), "{}", document["openapi"]);
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.keys().any(|path| path.ends_with("/users")), "{:?}", paths.keys());
    assert!(paths.len() > 10);
}

#[test]
fn completions_are_a_script_that_the_shell_takes_and_know_the_commands() {
    let desk = Desk::bare();
    let file = desk.write("completions", &desk.succeed(&["completions", "bash"]).out);
    let mut bash = std::process::Command::new("bash");
    let test = ". \"$1\"; complete -p vestibule; COMP_WORDS=(vestibule gr); COMP_CWORD=1; \
        _vestibule vestibule gr vestibule; echo \"${COMPREPLY[@]}\"";
    bash.args(["--norc", "-c", test, "bash"]).arg(&file);
    let ran = Ran::of(bash.output().unwrap()).expect(0);
    assert!(ran.out.ends_with("\ngroup\n"), "{ran:?}");
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        desk.succeed(&["completions", shell]).prints("clearsessions");
    }
}

#[test]
fn the_version_is_the_packages() {
    let ran = Desk::bare().succeed(&["--version"]);
    assert_eq!(ran.out, format!("vestibule {}\n", env!("CARGO_PKG_VERSION")));
}
