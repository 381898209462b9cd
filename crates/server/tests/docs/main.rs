//! What the documents say, held to the code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod links;
mod names;

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
fn asvs_v7_1_3_what_becomes_of_sessions_elsewhere_is_written_down_for_each_kind() {
    let text = read("sessions.md");
    let table = text.split("## Sessions here and where people log in").nth(1).unwrap();
    for factory in vestibule_auth::backends::factories() {
        let row = table.lines().find(|row| row.starts_with(&format!("| `{}` |", factory.kind())));
        let row = row.unwrap_or_else(|| panic!("{} is not in the table", factory.kind()));
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, there, ends, logout] = cells[..] else { panic!("{row}") };
        assert!(!there.is_empty() && !logout.is_empty(), "{row}");
        assert!(!ends.is_empty() || there.starts_with("none"), "{row}");
    }
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

#[test]
fn asvs_v8_1_3_the_documented_circumstances_are_those_of_the_code() {
    let (text, defaults) = (read("access.md"), defaults());
    let minutes = vestibule_core::usecase::FRESH.as_secs() / 60;
    assert!(text.contains(&format!("| {minutes} minutes | 403 `reauthentication_required` |")));
    let trust = vestibule_core::usecase::principal::TRUST.as_secs();
    assert!(text.contains(&format!("confirmed by the database | {trust} second ago |")));
    let limits = &defaults.limits;
    for (key, rate) in [
        ("login_per_address", limits.login_per_address),
        ("requests_per_address", limits.requests_per_address),
        ("login_failures_per_account", limits.login_failures_per_account),
        ("login_failures_per_site", limits.login_failures_per_site),
        ("mail_per_address", limits.mail_per_address),
        ("mail_per_site", limits.mail_per_site),
        ("register_per_address", limits.register_per_address),
    ] {
        let row = format!("| `limits.{key}`: {rate} |");
        assert!(text.contains(&row), "docs/access.md should hold {row}");
    }
    assert_eq!(defaults.session.cookie_age.as_secs(), 24 * 3600);
    assert!(text.contains("| `session.cookie_age`: 24h | 401 |"));
    assert_eq!(defaults.session.idle_timeout, None);
    assert!(text.contains("| `session.idle_timeout`: off | 401 |"));
}

#[test]
fn asvs_v8_1_4_each_circumstance_has_a_threshold_and_what_follows() {
    let text = read("access.md");
    let section = text.split("## The circumstances").nth(1).unwrap();
    let rows: Vec<Vec<&str>> = section
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| circumstance"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() >= 12, "{} rows", rows.len());
    for row in rows {
        assert!(row.len() == 3 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
}

#[test]
fn std_s28_the_documented_events_are_those_that_there_are() {
    let mut table = String::from("| action | what happened |\n|---|---|\n");
    for (action, meaning) in vestibule_core::domain::audit::ACTIONS {
        writeln!(table, "| `{action}` | {meaning} |").unwrap();
    }
    assert!(read("audit.md").ends_with(&table), "docs/audit.md should end with:\n{table}");
}

#[test]
fn std_s16_the_default_lifetimes_are_within_those_of_a_password_alone() {
    // SP 800-63B-4, 2.1.3: a login with one factor is repeated within 30 days.
    let session = defaults().session;
    assert!(session.cookie_age.as_secs() <= 30 * 24 * 3600);
    assert!(session.expire_at_browser_close);
}

/// The blocks that a name opens, each with its contents; braces stand at the ends of lines.
fn blocks<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let is_opening = |line: &&str| line.trim_start().starts_with(name) && line.ends_with('{');
    let openings = text.lines().filter(is_opening);
    openings.map(|line| text.split(line).nth(1).unwrap().split('}').next().unwrap()).collect()
}

/// The names that a list of directives takes away.
fn removed(list: &str, directive: &str, end: &str) -> Vec<String> {
    let lines = list.lines().filter_map(|line| line.strip_prefix(directive)?.strip_suffix(end));
    lines.map(|name| name.trim().to_lowercase()).collect()
}

#[test]
fn atk_a137_every_location_of_the_samples_takes_the_identity_away() {
    let nginx = read("shibboleth/nginx.conf");
    let locations = blocks(&nginx, "location");
    assert_eq!(locations.len(), 3);
    assert_eq!(nginx.matches("proxy_pass ").count(), locations.len(), "none outside of them");
    for location in locations {
        let lines: Vec<&str> =
            location.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
        assert_eq!(lines[0], "include /etc/nginx/no-identity.conf;", "{location}");
        // What it sets itself would come after what was taken away.
        assert!(!location.contains("proxy_set_header"), "{location}");
    }
    assert!(
        nginx.contains("underscores_in_headers off;")
            && nginx.contains("ignore_invalid_headers on;")
    );

    let apache = read("shibboleth/apache.conf");
    let at = |text: &str| apache.find(text).unwrap_or_else(|| panic!("{text} is missing"));
    // Once, for the host as a whole, before anything is set; `early` goes before all else anyway.
    assert!(at("Include /etc/apache2/no-identity.conf") < at("<Location"));
    assert_eq!(apache.matches("<VirtualHost").count(), 1);
    let set = apache.lines().filter_map(|line| line.trim().strip_prefix("RequestHeader set "));
    let set: Vec<&str> = set.filter_map(|rest| rest.split(' ').next()).collect();
    assert_eq!(set, ["EAAHash", "uid", "X-Forwarded-Proto"]);
    assert!(apache.contains("ShibUseHeaders Off"));

    let by_apache = removed(&read("shibboleth/no-identity.conf"), "RequestHeader unset ", " early");
    let by_nginx =
        removed(&read("shibboleth/no-identity-nginx.conf"), "proxy_set_header ", " \"\";");
    let secret = "x-vestibule-proxy-secret";
    for name in ["eaahash", "eaa-hash", "x-eaahash", "x-eaa-hash", "uid", "x-uid", secret] {
        assert!(by_apache.contains(&name.to_owned()), "apache leaves {name}");
        assert!(by_nginx.contains(&name.to_owned()), "nginx leaves {name}");
    }
    // nginx drops these by itself.
    for name in ["eaa_hash", "http_eaahash", "http_eaa_hash", "http_uid"] {
        assert!(by_apache.contains(&name.to_owned()), "apache leaves {name}");
    }
}

#[test]
fn atk_a139_what_to_look_at_in_the_service_provider_is_written_down() {
    let text = read("shibboleth.md");
    for words in
        ["3.5.1", "CVE-2025-9943", "ShibUseHeaders Off", "checkSpoofing", "redirectLimit=\"exact\""]
    {
        assert!(text.contains(words), "{words}");
    }
}
