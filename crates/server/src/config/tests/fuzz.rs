//! Whatever stands in a file, the environment or a flag: settings or an error, never a panic.

use std::ffi::OsString;

use proptest::prelude::*;

use crate::config::{
    Sources, document,
    load::{FileText, assemble},
    reference::KEYS,
};

fn file(text: String) -> FileText {
    FileText { path: "vestibule.toml".into(), text, lax: None }
}

fn key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(KEYS.iter().map(|key| key.name).collect::<Vec<_>>())
}

/// Pieces that values are made of, mixed with anything.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9]{0,22}(s|m|h|d|KiB|MiB|/1m)?",
        "(https?|sqlite|postgres|mysql)?:?/{0,3}[a-z0-9@:.\\[\\]?#/%-]{0,30}",
        "[a-z_]{0,8}(=[a-z{}\\[\\]()*+]{0,9}){0,3}",
        "[0-9a-f:./]{0,24}",
        "\\[(['\"a-z0-9., é]{0,12},?){0,4}\\]",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fuzz_z19_config_loader_never_panics(
        text in any::<String>(),
        lines in prop::collection::vec((key(), value(), any::<bool>()), 0..6),
        variables in prop::collection::vec((key(), value()), 0..3),
    ) {
        let mut environment: Vec<(OsString, OsString)> = Vec::new();
        for (key, value) in &variables {
            let name = format!("VESTIBULE_{}", key.replace('.', "__").to_uppercase());
            environment.push((name.into(), value.into()));
        }
        // Neither a pipe nor a device is named by chance: no file is read but this text.
        let sources = Sources { directory: "/nonexistent".into(), ..Sources::new(None, environment) };
        let mut written = String::new();
        for (key, value, quoted) in &lines {
            let value = if *quoted { format!("{value:?}") } else { value.clone() };
            written.extend([key, " = ", &value, "\n"]);
        }
        for text in [text.clone(), written.clone(), format!("{written}{text}")] {
            let outcome = assemble(Some(&file(text.clone())), &sources);
            match &outcome {
                Ok(loaded) => prop_assert_eq!(loaded.view().len(), KEYS.len()),
                Err(error) => {
                    prop_assert!(!error.problems.is_empty());
                    let lines = error.to_string().lines().count();
                    prop_assert_eq!(lines, error.problems.len(), "{}", error);
                }
            }
            for (key, ..) in &lines {
                let after = document::unset(&text, key);
                prop_assert!(after.is_none_or(|after| after.parse::<toml::Table>().is_ok()));
                let after = document::set(&text, key, &toml::Value::Boolean(true));
                prop_assert!(after.is_none_or(|after| after.parse::<toml::Table>().is_ok()));
            }
        }
    }
}
