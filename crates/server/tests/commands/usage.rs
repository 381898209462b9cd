//! Right and wrong use, and what scripts rely on.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
};

use crate::{Hall, process::PASSWORD};

/// Every command with its help, found by asking.
fn helps(hall: &Hall, path: &[&str], into: &mut Vec<(String, String)>) {
    let help = hall.says(&[path, &["--help"]].concat());
    let commands = help.split("\nCommands:\n").nth(1).map(str::to_owned).unwrap_or_default();
    into.push((path.join(" "), help));
    for line in commands.lines().take_while(|line| line.starts_with("  ")) {
        let name = line.split_whitespace().next().unwrap_or_default();
        // Longer descriptions go on in lines of their own, further in.
        if line.starts_with("   ") || name == "help" {
            continue;
        }
        helps(hall, &[path, &[name]].concat(), into);
    }
}

#[test]
fn atk_a241_no_option_takes_a_password_and_none_is_shown() {
    let hall = Hall::new();
    let mut all = Vec::new();
    helps(&hall, &[], &mut all);
    assert!(all.len() > 35, "{} commands", all.len());
    for (command, help) in &all {
        for line in help.lines().map(str::trim).filter(|line| line.starts_with('-')) {
            let option = line.split("  ").next().unwrap_or_default().to_lowercase();
            let secret = ["password", "secret", "token", "pepper"];
            let takes_a_value = option.contains('<') || option.contains('[');
            let names_one = secret.iter().any(|word| option.contains(word));
            assert!(!(takes_a_value && names_one), "{command}: {line}");
        }
    }
    let arguments = ["user", "add", "anna", "--password-stdin"];
    let said = hall.try_with(&arguments, PASSWORD);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(!format!("{said:?}").contains(PASSWORD));
}

#[test]
fn wrong_use_exits_2_and_says_how_it_is_right() {
    let hall = Hall::new();
    for arguments in [
        &["nonsense"][..],
        &["user"],
        &["user", "add"],
        &["user", "list", "--page-size", "0"],
        &["group", "add-member", "lab"],
        &["perm", "check", "anna"],
        &["session", "revoke"],
        &["migrate", "--check", "--list"],
        &["import", "django"],
        &["config", "set", "session.cookie_age"],
        &["completions", "tcl"],
        &["serve", "--listen", "nowhere"],
        &["createsuperuser", "--password", "x"],
    ] {
        let said = hall.tries(arguments);
        assert_eq!(said.code, Some(2), "{arguments:?}: {said:?}");
        assert!(!said.err.is_empty() && !said.err.contains("panicked"), "{said:?}");
    }
}

#[test]
fn flt_f85_a_configuration_that_does_not_hold_names_file_key_and_reason() {
    let hall = Hall::new();
    for (text, key) in [
        ("[session]\ncookie_ag = \"1h\"\n", "session.cookie_ag"),
        ("[session]\ncookie_age = \"tomorrow\"\n", "session.cookie_age"),
        ("[sessions]\ncookie_age = \"1h\"\n", "sessions"),
        ("[limits]\nlogin_per_address = 5\n", "limits.login_per_address"),
        ("[storage]\npool_size = 0\n", "storage.pool_size"),
        ("[site]\nbase_url = \"http://example.org\"\n", "site.base_url"),
        ("[server]\nlisten = \"8080\"\n", "server.listen"),
        ("[password]\npepper_file = \"missing\"\n", "password.pepper_file"),
        ("not = [toml\n", "vestibule.toml"),
    ] {
        fs::write(hall.file("vestibule.toml"), text).unwrap();
        for command in ["serve", "check"] {
            let said = hall.fails(&[command], 2, key);
            assert!(said.err.contains("vestibule.toml"), "{said:?}");
            assert!(!said.err.contains("listening"), "{said:?}");
        }
    }
}

#[test]
fn the_configuration_is_read_and_changed_from_here() {
    let hall = Hall::new();
    fs::write(hall.file("vestibule.toml"), "# ours\n[session]\ncookie_age = \"2h\"\n").unwrap();
    assert!(hall.says(&["config", "get", "session.cookie_age"]).contains("2h"));
    hall.says(&["config", "set", "session.cookie_age", "3h"]);
    let text = fs::read_to_string(hall.file("vestibule.toml")).unwrap();
    assert!(text.contains("# ours") && text.contains("3h"), "{text}");
    hall.fails(&["config", "set", "session.cookie_age", "soon"], 2, "session.cookie_age");
    hall.fails(&["config", "get", "session.cookie"], 2, "session.cookie: unknown key");
    hall.says(&["config", "unset", "session.cookie_age"]);
    assert!(hall.says(&["config", "get", "session.cookie_age"]).contains("24h"));
    hall.says(&["config", "check"]);
    let shown = hall.says(&["config", "get"]);
    assert!(shown.contains("storage.pool_size"), "{shown}");
}

#[test]
fn the_document_the_completions_and_the_version_are_printed() {
    let hall = Hall::empty();
    let document: serde_json::Value = serde_json::from_str(&hall.says(&["openapi"])).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    for shell in ["bash", "zsh", "fish"] {
        assert!(hall.says(&["completions", shell]).contains("vestibule"), "{shell}");
    }
    assert!(hall.says(&["--version"]).starts_with("vestibule "));
}

#[test]
fn who_has_read_enough_is_no_error() {
    let hall = Hall::new();
    for number in 0..30 {
        hall.says(&["user", "add", &format!("user{number}"), "--no-password"]);
    }
    for arguments in [&["user", "list"][..], &["user", "list", "--json"], &["openapi"]] {
        let mut child =
            hall.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn import_django_takes_its_address_from_the_standard_input() {
    let hall = Hall::new();
    let site = format!("sqlite:{}/../../tests/django/site.sqlite3", env!("CARGO_MANIFEST_DIR"));
    let said = hall.try_with(&["import", "django", "-", "--dry-run"], &format!("{site}\n"));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(hall.json(&["user", "list"]).as_array().unwrap().len(), 0);
    let said = hall.try_with(&["import", "django", "-", "--json"], &site);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(serde_json::from_str::<serde_json::Value>(&said.out).is_ok());
    assert!(hall.json(&["user", "list"]).as_array().unwrap().len() > 40);
    assert_eq!(hall.tries(&["import", "django", "-"]).code, Some(2));
    hall.fails(&["import", "django", "sqlite:/nowhere.db"], 1, "/nowhere.db");
}
