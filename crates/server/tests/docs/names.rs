//! Names that the documents use are those that the code has.

use std::{collections::BTreeSet, fs, path::Path};

use vestibule_core::domain::audit::ACTIONS;
use vestibule_server::config::reference::KEYS;

use crate::{
    links::{documents, root},
    read,
};

/// What stands between backticks.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b"_0123456789".contains(&b))
}

/// The sources below a folder, in one text.
fn sources(folder: &str) -> String {
    fn add(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(&path, text);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut text = String::new();
    add(&root().join(folder), &mut text);
    text
}

/// The literals in a text that begin so.
fn literals<'a>(text: &'a str, beginning: &str) -> BTreeSet<&'a str> {
    let odd = text.split('"').filter(|part| part.starts_with(beginning));
    odd.filter(|part| !part.contains(['\n', ' '])).collect()
}

/// What is no setting though it reads like one: what templates of mails are given.
const OF_TEMPLATES: &[&str] = &["site.url"];

#[test]
fn settings_that_are_named_exist() {
    let keys: BTreeSet<_> = KEYS.iter().map(|key| key.name).collect();
    let sections: BTreeSet<_> = keys.iter().filter_map(|key| key.split('.').next()).collect();
    let mut named = 0;
    for (document, text) in documents() {
        if document.starts_with("tests") {
            continue;
        }
        for name in names(&text) {
            let name = name.split(" = ").next().unwrap();
            let Some((section, key)) = name.split_once('.') else { continue };
            let is_file = ["rs", "toml", "sqlite3"].contains(&key);
            if !sections.contains(section) || !is_word(key) || is_file {
                continue;
            }
            let is_event = ACTIONS.iter().any(|(action, _)| *action == name);
            let is_there = keys.contains(name) || is_event || OF_TEMPLATES.contains(&name);
            assert!(is_there, "{}: there is no {name}", document.display());
            named += 1;
        }
    }
    assert!(named > 200, "{named}");
}

#[test]
fn variables_that_are_named_set_something() {
    let known: BTreeSet<_> = KEYS
        .iter()
        .map(|key| format!("VESTIBULE_{}", key.name.replace('.', "__").to_uppercase()))
        .collect();
    for (document, text) in documents() {
        for rest in text.split("VESTIBULE_").skip(1) {
            let end = rest.find(|c: char| !c.is_ascii_uppercase() && c != '_' && !c.is_numeric());
            let variable = format!("VESTIBULE_{}", &rest[..end.unwrap_or(rest.len())]);
            let is_of_tests = ["VESTIBULE_TEST_", "VESTIBULE_PEERS_"];
            let is_other = variable == "VESTIBULE_CONFIG"
                || is_of_tests.iter().any(|beginning| variable.starts_with(beginning));
            let from = document.display();
            assert!(is_other || known.contains(&variable), "{from}: {variable} sets nothing");
        }
    }
}

#[test]
fn the_metrics_are_those_of_the_code() {
    let (server, mail) = (sources("crates/server/src"), sources("crates/mail/src"));
    let counted: BTreeSet<_> = [&server, &mail]
        .into_iter()
        .flat_map(|text| text.split("metrics::").skip(1))
        .filter_map(|rest| rest.split('"').nth(1).filter(|name| name.starts_with("vestibule_")))
        .collect();
    let page = read("operators.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `vestibule_"));
    let rows: Vec<_> =
        rows.map(|row| format!("vestibule_{}", row.split('`').next().unwrap())).collect();
    let told: BTreeSet<_> = rows.iter().map(String::as_str).collect();
    assert_eq!(told, counted);
}

#[test]
fn the_findings_of_check_are_those_of_the_code() {
    let code = sources("crates/server/src/cli");
    let page = read("operators.md");
    let told: BTreeSet<_> = names(&page).filter(|name| name.starts_with("vst.")).collect();
    assert_eq!(told, literals(&code, "vst."));
}

#[test]
fn the_reasons_of_the_import_are_those_of_the_code() {
    let code = fs::read_to_string(root().join("crates/storage/src/django/report.rs")).unwrap();
    let list = code.split("pub enum Reason {").nth(1).unwrap().split("\n}").next().unwrap();
    let page = read("django.md");
    let told: BTreeSet<_> = names(&page).collect();
    let mut reasons = 0;
    for variant in list.lines().filter_map(|line| line.trim().strip_suffix(',')) {
        let mut name = String::new();
        for letter in variant.chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        assert!(told.contains(name.as_str()), "docs/django.md does not tell of {name}");
        reasons += 1;
    }
    assert!(reasons > 15, "{reasons}");
}

#[test]
fn the_keys_of_backends_are_on_their_pages() {
    let pages: String = ["backends.md", "remote-backend.md", "shibboleth.md"].map(read).concat();
    let told: BTreeSet<_> = names(&pages).map(|name| name.split(" = ").next().unwrap()).collect();
    let mut keys = 0;
    for kind in fs::read_dir(root().join("crates/auth/src/backends")).unwrap() {
        let file = kind.unwrap().path().join("settings.rs");
        let Ok(code) = fs::read_to_string(&file) else { continue };
        let list = code.split("\nstruct Keys {\n").nth(1).unwrap().split("\n}").next().unwrap();
        let fields = list.lines().filter_map(|line| line.trim().split_once(": "));
        let fields = fields.map(|(name, _)| name).filter(|name| is_word(name));
        let secrets =
            code.split("take_secret(\"").skip(1).filter_map(|rest| rest.split('"').next());
        for key in fields.chain(secrets) {
            assert!(told.contains(key), "no page tells of {key} of {}", file.display());
            keys += 1;
        }
    }
    assert!(keys > 60, "{keys}");
}

#[test]
fn the_guide_s_files_are_those_of_the_example_that_runs() {
    let page = read("writing-a-backend.md");
    let block = |beginning: &str| {
        let block = page.split(beginning).nth(1).unwrap().split("```").next().unwrap();
        let block = block.replace("use cryolab::", "use example_plugin_backend::");
        block.replace("async fn it_does", "async fn seed_kt_26_it_does")
    };
    for (file, beginning) in [
        ("src/lib.rs", "`src/lib.rs`:\n\n```rust,no_run\n"),
        ("tests/conformance.rs", "`tests/conformance.rs`:\n\n```rust,ignore\n"),
    ] {
        let there = root().join("examples/plugin-backend").join(file);
        assert!(fs::read_to_string(there).unwrap().ends_with(&block(beginning)), "{file}");
    }
}

/// The codes that the code answers with, where it says so in one of its usual ways.
fn codes(code: &str) -> BTreeSet<&str> {
    let calls = ["conflict(", "Problem::later(", "busy(", "forbidden("];
    let behind = calls.iter().flat_map(|call| code.split(call).skip(1));
    let statuses = code.split("StatusCode::").skip(1).filter_map(|rest| rest.split_once(','));
    let is_status = |name: &str| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let statuses = statuses.filter(|(name, _)| is_status(name)).map(|(_, rest)| rest);
    let first = behind
        .chain(statuses)
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    first.filter(|code| is_word(code)).collect()
}

#[test]
fn the_codes_of_errors_are_those_of_the_code() {
    let code = sources("crates/core/src") + &sources("crates/server/src");
    let page = read("api.md");
    let is_status =
        |row: &&str| row.split(' ').nth(1).is_some_and(|cell| cell.parse::<u16>().is_ok());
    let rows = page.lines().filter(|row| row.starts_with("| ")).filter(is_status);
    let told: BTreeSet<_> = rows.flat_map(|row| names(row.split(" | ").nth(1).unwrap())).collect();
    for name in &told {
        assert!(code.contains(&format!("\"{name}\"")), "no answer has the code {name}");
    }
    let untold: Vec<_> = codes(&code).difference(&told).copied().collect();
    assert!(untold.is_empty(), "docs/api.md does not tell of {untold:?}");
    assert!(told.len() > 40 && codes(&code).len() > 30, "{} {}", told.len(), codes(&code).len());
}

#[test]
fn the_kinds_of_mail_are_those_that_have_templates() {
    let folder = root().join("crates/mail/templates/mail");
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let kinds: BTreeSet<_> = folders
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let page = read("mail.md");
    let list = page.split("The kinds are ").nth(1).unwrap().split(';').next().unwrap();
    let told: BTreeSet<_> = names(list).map(str::to_owned).collect();
    assert_eq!(told, kinds);
}
