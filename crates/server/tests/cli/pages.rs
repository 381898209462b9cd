//! What the documents say of commands.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{
    commands::all_commands,
    support::{Desk, PASSWORD},
};

/// What each command says of itself.
fn helps(desk: &Desk) -> BTreeMap<String, String> {
    let help = |command: &String| {
        let arguments: Vec<_> = command.split(' ').chain(["--help"]).collect();
        desk.succeed(&arguments).out
    };
    all_commands(desk).into_iter().map(|command| (command.clone(), help(&command))).collect()
}

/// The long options that a text names.
fn options(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter_map(|word| word.strip_prefix("--")).filter(|name| !name.is_empty())
}

const EVERYWHERE: [&str; 3] = ["config", "json", "help"];

#[test]
fn every_command_stands_on_its_page_with_all_it_takes() {
    let page = include_str!("../../../../docs/commands.md");
    for (command, help) in helps(&Desk::bare()) {
        let (whole, beginning) = (format!("`{command}`"), format!("`{command} "));
        let is_about_it = |row: &&str| {
            row.starts_with("| `") && (row.contains(&whole) || row.contains(&beginning))
        };
        let rows: Vec<_> = page.lines().filter(is_about_it).collect();
        assert!(!rows.is_empty(), "docs/commands.md has no row for {command}");
        let list = help.split("\nOptions:\n").nth(1).unwrap();
        let lines = list.lines().filter(|line| line.trim_start().starts_with('-'));
        for option in lines.filter_map(|line| options(line).next()) {
            let is_there = rows.iter().any(|row| options(row).any(|named| named == option));
            let is_common = EVERYWHERE.contains(&option);
            assert!(is_common || is_there, "docs/commands.md: {command} takes --{option}");
        }
    }
}

/// The commands that a document gives: lines of shell, and what stands between backticks.
fn given(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut is_code, mut is_shell) = (false, false);
    for line in text.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            is_code = !is_code;
            is_shell = is_code && language == "sh";
        } else if is_shell {
            let line = line.split(" #").next().unwrap();
            let first = line.split(['|', ';', '(']).map(str::trim_start);
            let starts = ["vestibule ", "cargo run --release -- "];
            found.extend(
                first.filter_map(|text| starts.iter().find_map(|it| text.strip_prefix(it))),
            );
        } else if !is_code {
            let quoted = line.split('`').skip(1).step_by(2);
            found.extend(quoted.filter_map(|text| text.strip_prefix("vestibule ")));
        }
    }
    found
}

#[test]
fn every_command_in_the_documents_exists_with_its_options() {
    let helps = helps(&Desk::bare());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = ["README.md", "CHANGELOG.md", "examples/remote-backend-python/README.md"]
        .map(|name| root.join(name))
        .to_vec();
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    files.extend(docs.filter(|path| path.extension().is_some_and(|it| it == "md")));
    let mut tried = 0;
    for path in files {
        let (file, text) = (path.display(), fs::read_to_string(&path).unwrap());
        for text in given(&text) {
            // `--config … user list`: what comes before the command is for all of them.
            let words = text
                .split_whitespace()
                .skip_while(|word| word.starts_with("--") || word.contains(['…', '/', '.']));
            let words: Vec<_> = words.collect();
            let mut named = (1..=words.len()).rev().map(|end| words[..end].join(" "));
            let Some(help) = named.find_map(|name| helps.get(&name)) else {
                let is_group = helps.keys().any(|command| command.starts_with(&words.join(" ")));
                let is_any = words.first().is_none_or(|word| *word == "COMMAND");
                assert!(is_group || is_any, "{file}: there is no `vestibule {text}`");
                continue;
            };
            for option in options(text) {
                assert!(help.contains(&format!("--{option}")), "{file}: `vestibule {text}`");
            }
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}

#[test]
fn what_goes_back_to_django_is_what_the_page_says() {
    let desk = Desk::new();
    for name in ["anna", "o'brien"] {
        desk.succeed(&["user", "add", name, "--no-password"]);
    }
    let arguments = ["user", "password", "o'brien", "--password-stdin"];
    desk.feed(&arguments, PASSWORD).expect(0);
    let page = include_str!("../../../../docs/django.md");
    let query = page.split("```sql\n").nth(1).unwrap().split(";\n```").next().unwrap();
    let said = desk.connection().texts(&query.replace("AS statement", "AS answer"));
    let [statement] = &said[..] else { panic!("{said:?}") };
    let expected = "UPDATE auth_user SET password = 'argon2$argon2id$v=19$";
    assert!(statement.starts_with(expected), "{statement}");
    assert!(statement.ends_with("' WHERE username = 'o''brien';"), "{statement}");
}
