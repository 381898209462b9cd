//! Which source wins, and how the environment and flags are read.

use std::{ffi::OsString, os::unix::ffi::OsStringExt};

use super::Site;
use crate::config::{Origin, RateLimit};

#[test]
fn without_any_source_everything_has_its_default() {
    let loaded = Site::empty().load().unwrap();
    assert_eq!(loaded.file, None);
    assert_eq!(loaded.settings.server.allowed_hosts, ["127.0.0.1"]);
    assert_eq!(loaded.settings.storage.url.expose(), "sqlite:vestibule.db");
    assert_eq!(loaded.settings.password.argon2_memory_kib, 19 * 1024);
    assert_eq!(loaded.settings.limits.requests_per_address, RateLimit::Unlimited);
    assert_eq!(loaded.settings.session.idle_timeout, None);
}

#[test]
fn flags_override_the_environment_which_overrides_the_file() {
    let mut site = Site::with("[server]\nlisten = '127.0.0.1:1'\nworkers = 1\nprefix = '/file'")
        .variable("VESTIBULE_SERVER__LISTEN", "127.0.0.1:2")
        .variable("VESTIBULE_SERVER__WORKERS", "2");
    site.sources = site.sources.with_flag("--listen", "server.listen", "127.0.0.1:3".to_owned());
    let loaded = site.load().unwrap();
    let server = &loaded.settings.server;
    assert_eq!(server.listen.port(), 3);
    assert_eq!(server.workers, 2);
    assert_eq!(server.prefix, "/file");
    assert_eq!(loaded.origin("server.listen"), Origin::Flag("--listen"));
    assert_eq!(
        loaded.origin("server.workers"),
        Origin::Environment("VESTIBULE_SERVER__WORKERS".to_owned())
    );
    assert_eq!(loaded.origin("server.prefix"), Origin::File(site.path("vestibule.toml")));
    assert_eq!(loaded.origin("log.format"), Origin::BuiltIn);
}

#[test]
fn the_file_is_the_one_of_the_flag_then_of_the_variable_then_the_default() {
    let name = |site: &Site| site.load().unwrap().settings.site.name;
    let mut site = Site::with("site.name = 'default'");
    site.write("variable.toml", "site.name = 'variable'", 0o600);
    site.write("flag.toml", "site.name = 'flag'", 0o600);
    assert_eq!(name(&site), "default");
    site = site.variable("VESTIBULE_CONFIG", "variable.toml");
    assert_eq!(name(&site), "variable");
    site.sources.file = Some("flag.toml".into());
    assert_eq!(name(&site), "flag");
}

#[test]
fn every_form_of_value_comes_from_the_environment() {
    let site = Site::empty()
        .variable("VESTIBULE_SITE__NAME", "42")
        .variable("VESTIBULE_SITE__BASE_URL", "https://hall.example")
        .variable("VESTIBULE_SERVER__ALLOWED_HOSTS", "[\"hall.example\", 'other.example']")
        .variable("VESTIBULE_SERVER__METRICS_LISTEN", "127.0.0.1:9")
        .variable("VESTIBULE_SESSION__IDLE_TIMEOUT", "2m")
        .variable("VESTIBULE_SESSION__EXPIRE_AT_BROWSER_CLOSE", "false")
        .variable("VESTIBULE_LIMITS__BODY_SIZE", "65536")
        .variable("VESTIBULE_LIMITS__REQUESTS_PER_ADDRESS", "9/1s");
    let settings = site.load().unwrap().settings;
    assert_eq!(settings.site.name, "42");
    assert_eq!(settings.server.allowed_hosts, ["hall.example", "other.example"]);
    assert_eq!(settings.server.metrics_listen.unwrap().port(), 9);
    assert_eq!(settings.session.idle_timeout.unwrap().as_secs(), 120);
    assert!(!settings.session.expire_at_browser_close);
    assert_eq!(settings.limits.body_size, 65_536);
    assert_eq!(settings.limits.requests_per_address, RateLimit::per(9, 1));
}

#[test]
fn a_bad_variable_is_named() {
    for (name, value, expected) in [
        (
            "VESTIBULE_SERVER__WORKERS",
            "many",
            "server.workers: expected a whole number from 1 to 256, got \"many\"",
        ),
        ("VESTIBULE_SERVER__WORKERS", "0", "server.workers: must be from 1 to 256, got 0"),
        ("VESTIBULE_SITE__NMAE", "x", "site.nmae: unknown key; did you mean VESTIBULE_SITE__NAME?"),
        ("VESTIBULE_site__name", "x", "site.name: unknown key; did you mean VESTIBULE_SITE__NAME?"),
        ("VESTIBULE_SITE_NAME", "x", "unknown variable; did you mean VESTIBULE_SITE__NAME?"),
        (
            "VESTIBULE_SESSION__EXPIRE_AT_BROWSER_CLOSE",
            "1",
            "session.expire_at_browser_close: expected true or false, got \"1\"",
        ),
        (
            "VESTIBULE_SERVER__ALLOWED_HOSTS",
            "a, b",
            "server.allowed_hosts: expected a list of hosts without ports such as [\"a\", \"b\"], got \"a, b\"",
        ),
        (
            "VESTIBULE_SERVER__ALLOWED_HOSTS",
            "['a']\nx = 1",
            "server.allowed_hosts: expected a list of hosts without ports such as [\"a\", \"b\"], got \"['a']\\u{a}x = 1\"",
        ),
    ] {
        let problem = Site::empty().variable(name, value).only_problem();
        assert_eq!(problem, format!("environment variable {name}: {expected}"));
    }
    let not_text = OsString::from_vec(vec![b'x', 0xff]);
    let problem = Site::empty().variable("VESTIBULE_SITE__NAME", not_text).only_problem();
    assert_eq!(problem, "environment variable VESTIBULE_SITE__NAME: site.name: is not UTF-8");
}

#[test]
fn a_bad_flag_is_named() {
    let mut site = Site::empty();
    site.sources = site.sources.with_flag("--listen", "server.listen", "8080".to_owned());
    let expected = "flag --listen: server.listen: expected an IP address with a port";
    assert!(site.only_problem().starts_with(expected));
}

#[test]
fn variables_of_container_platforms_are_passed_over() {
    let site = Site::empty()
        .variable("VESTIBULE_PORT", "tcp://10.0.0.1:8080")
        .variable("VESTIBULE_SERVICE_HOST", "10.0.0.1")
        .variable("VESTIBULE_TEST_POSTGRES", "postgres://x")
        .variable("PATH", "/bin")
        .variable("VESTIBULE_CONFIG", "");
    assert!(site.load().is_ok());
}

#[test]
fn a_bad_value_in_the_file_is_found_though_it_is_overridden() {
    let site = Site::with("[server]\nworkers = 0").variable("VESTIBULE_SERVER__WORKERS", "2");
    assert_eq!(site.only_problem(), "vestibule.toml: server.workers: must be from 1 to 256, got 0");
}

#[test]
fn the_hosts_follow_the_base_url() {
    let site = Site::with("[site]\nbase_url = 'https://Hall.example:8443'");
    assert_eq!(site.load().unwrap().settings.server.allowed_hosts, ["hall.example"]);
}
