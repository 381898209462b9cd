//! What ARCHITECTURE.md says, held to the code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// What each of our crates depends on when it is not being tested.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let normal = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        all.filter(|dependency| dependency["kind"] == Value::Null).map(name).collect()
    };
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().map(|package| (name(package), normal(package))).collect()
}

fn ours(dependencies: &BTreeSet<String>) -> Vec<&str> {
    let names = dependencies.iter().map(String::as_str);
    names.filter(|name| name.starts_with("vestibule-")).collect()
}

#[test]
fn the_crates_depend_one_way() {
    let all = dependencies();
    assert!(ours(&all["vestibule-core"]).is_empty());
    assert_eq!(ours(&all["vestibule-auth"]), ["vestibule-core"]);
    assert_eq!(ours(&all["vestibule-storage"]), ["vestibule-core"]);
    assert_eq!(ours(&all["vestibule-mail"]), ["vestibule-core"]);
    assert_eq!(
        ours(&all["vestibule-server"]),
        ["vestibule-auth", "vestibule-core", "vestibule-mail", "vestibule-storage"]
    );
}

#[test]
fn each_kind_of_outside_has_one_crate() {
    let all = dependencies();
    let only = |dependency: &str, allowed: &[&str]| {
        for (name, dependencies) in &all {
            // What only measures us measures what it is compared with as well.
            let is_beside = name.starts_with("example-") || name == "vestibule-benches";
            let may = is_beside || allowed.contains(&name.as_str());
            assert!(may || !dependencies.contains(dependency), "{name} depends on {dependency}");
        }
    };
    only("diesel", &["vestibule-storage"]);
    only("libsqlite3-sys", &["vestibule-storage"]);
    only("actix-web", &["vestibule-server"]);
    only("lettre", &["vestibule-mail"]);
    only("tokio", &["vestibule-auth", "vestibule-mail", "vestibule-server"]);
    only("argon2", &["vestibule-auth"]);
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Files that are tables, and may be as long as what they list.
const TABLES: &[&str] = &["crates/server/src/config/keys.rs", "crates/server/tests/it/access.rs"];

#[test]
fn files_stay_small_enough_to_be_one_thing() {
    let mut found = Vec::new();
    for folder in ["crates", "examples", "benches"] {
        sources(&root().join(folder), &mut found);
    }
    for path in found {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 400 || TABLES.contains(&&*name), "{name} has {lines} lines");
    }
}

#[test]
fn libraries_document_all_that_is_public_and_forbid_unsafe_code() {
    for name in ["core", "auth", "storage", "mail", "server"] {
        let text = fs::read_to_string(root().join(format!("crates/{name}/src/lib.rs"))).unwrap();
        assert!(text.contains("#![deny(missing_docs)]"), "{name}");
        assert!(text.contains("#![forbid(unsafe_code)]"), "{name}");
    }
}

#[test]
fn the_map_names_only_places_that_exist() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut named = 0;
    let folders = ["crates/", "docs/", "examples/", "benches/", "tests/", "scripts/"];
    let is_place = |text: &&str| folders.iter().any(|folder| text.starts_with(folder));
    for place in map.split('`').skip(1).step_by(2).filter(is_place) {
        assert!(root().join(place).exists(), "{place}");
        named += 1;
    }
    assert!(named > 10, "{named}");
}

#[test]
fn each_dependency_has_its_reason_and_each_reason_a_dependency() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let all = packages.flat_map(|package| package["dependencies"].as_array().unwrap());
    let names = all.map(|dependency| dependency["name"].as_str().unwrap());
    let used: BTreeSet<_> = names.filter(|name| !name.starts_with("vestibule-")).collect();
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let table = map.split("## Dependencies").nth(1).unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.filter_map(|row| row.split_once(" | ")).skip(1);
    let mut told = BTreeSet::new();
    for (names, reason) in rows {
        assert!(!reason.is_empty(), "{names}");
        told.extend(names.split(", "));
    }
    assert_eq!(used, told);
}
