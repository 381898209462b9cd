//! What the documents say, held to the code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fmt::Write, fs, path::Path};

use vestibule_server::{
    config::{Settings, Sources},
    routes::{Guard, api::ENDPOINTS},
};

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    fs::read_to_string(path).unwrap()
}

fn defaults() -> Settings {
    Settings::load(&Sources::new(None, [])).unwrap()
}

#[test]
fn asvs_v7_1_1_the_documented_session_limits_are_the_defaults() {
    let (text, session) = (read("sessions.md"), defaults().session);
    assert_eq!(session.cookie_age.as_secs(), 24 * 3600);
    assert!(text.contains("| absolute, from the login | 24h | `session.cookie_age` |"));
    assert_eq!(session.idle_timeout, None);
    assert!(text.contains("| idle, from the last request | off | `session.idle_timeout` |"));
    assert!(text.contains("SP 800-63B-4"));
}

#[test]
fn the_documented_number_of_sessions_is_the_default() {
    let row = format!("ends the oldest | {} |", defaults().session.max_per_user);
    assert!(read("sessions.md").contains(&row), "{row}");
}

#[test]
fn asvs_v8_1_1_the_documented_rights_are_those_of_the_routes() {
    let mut table = String::from("| operation | who may |\n|---|---|\n");
    for endpoint in ENDPOINTS {
        let who = match endpoint.guard {
            Guard::Open => "anybody".to_owned(),
            Guard::LoggedIn => "whoever is logged in".to_owned(),
            Guard::Permission(code) => format!("`{code}`"),
            Guard::Related(code) => format!("whoever it is about, or `{code}`"),
        };
        let path = endpoint.path.replace(":.+", "");
        writeln!(table, "| `{} {path}` | {who} |", endpoint.method).unwrap();
    }
    let text = read("access.md");
    assert!(text.contains(&table), "docs/access.md should hold this table:\n{table}");
}
