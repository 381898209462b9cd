//! Secrets: from where they come, which files may hold them, and that they never show.

use std::{fs, os::unix::fs::PermissionsExt};

use super::{PEPPER, Site, plain};
use crate::cli::config::{self as command, ConfigCommand};

const BY_FILE: &str = "[password]\npepper_file = 'pepper'";

fn pepper(site: &Site) -> Vec<u8> {
    site.load().unwrap().settings.password.pepper.unwrap().expose().to_vec()
}

#[test]
fn seed_cn_42_a_secret_comes_from_the_file_a_file_of_its_own_or_the_environment() {
    assert_eq!(pepper(&Site::with(format!("password.pepper = '{PEPPER}'"))), PEPPER.as_bytes());
    let own_file = Site::with(BY_FILE);
    own_file.write("pepper", format!("{PEPPER}\n"), 0o600);
    assert_eq!(pepper(&own_file), PEPPER.as_bytes());
    let variable = Site::empty().variable("VESTIBULE_PASSWORD__PEPPER", PEPPER);
    assert_eq!(pepper(&variable), PEPPER.as_bytes());
    let named = Site::empty().variable("VESTIBULE_PASSWORD__PEPPER_FILE", "pepper");
    named.write("pepper", PEPPER, 0o400);
    assert_eq!(pepper(&named), PEPPER.as_bytes());
}

#[test]
fn seed_cn_42_a_missing_secret_file_stops_the_start_with_the_name_of_the_key() {
    assert_eq!(
        Site::with(BY_FILE).only_problem(),
        "vestibule.toml: password.pepper_file: file \"pepper\" cannot be read: no such file"
    );
}

#[test]
fn the_databases_address_may_be_kept_in_a_file() {
    let site = Site::with("[storage]\nurl_file = 'url'");
    site.write("url", "postgres://v:hunter2@db/vestibule\r\n", 0o600);
    let url = site.load().unwrap().settings.storage.url;
    assert_eq!(url.expose(), "postgres://v:hunter2@db/vestibule");
    site.write("url", "hunter2", 0o600);
    let problem = site.only_problem();
    assert!(
        problem.contains("storage.url_file: file \"url\" expected \"sqlite:FILE\""),
        "{problem}"
    );
    assert!(!problem.contains("hunter2"));
}

#[test]
fn only_one_line_break_at_the_end_is_cut() {
    let site = Site::with(BY_FILE);
    for (written, kept) in [("\r\n", ""), ("\n\n", "\n"), (" \n", " "), ("\r", "\r")] {
        site.write("pepper", format!("{PEPPER}{written}"), 0o600);
        assert_eq!(pepper(&site), format!("{PEPPER}{kept}").as_bytes(), "{written:?}");
    }
}

#[test]
fn a_secret_and_its_file_exclude_each_other() {
    let both = format!("{BY_FILE}\npepper = '{PEPPER}'");
    let site = Site::with(both);
    site.write("pepper", PEPPER, 0o600);
    assert_eq!(
        site.only_problem(),
        "vestibule.toml: password.pepper_file: cannot be given together with password.pepper"
    );
    let site = Site::with(BY_FILE).variable("VESTIBULE_PASSWORD__PEPPER", PEPPER);
    site.write("pepper", PEPPER, 0o600);
    assert_eq!(
        site.only_problem(),
        "vestibule.toml: password.pepper_file: cannot be given together with password.pepper \
         (environment variable VESTIBULE_PASSWORD__PEPPER)"
    );
}

#[test]
fn flt_f87_a_lax_secret_file_stops_the_start() {
    let site = Site::with(BY_FILE);
    for mode in [0o604, 0o640, 0o644, 0o602, 0o610, 0o777] {
        site.write("pepper", PEPPER, mode);
        assert_eq!(
            site.only_problem(),
            format!(
                "vestibule.toml: password.pepper_file: file \"pepper\" is open to group or others \
                 (mode {mode:04o}); chmod 600 it"
            )
        );
    }
    site.write("pepper", PEPPER, 0o600);
    assert_eq!(pepper(&site), PEPPER.as_bytes());
}

#[test]
fn flt_f87_an_unreadable_secret_file_stops_the_start() {
    let directory = Site::with(BY_FILE);
    fs::create_dir(directory.path("pepper")).unwrap();
    let device = Site::with("[password]\npepper_file = '/dev/zero'");
    let dangling = Site::with(BY_FILE);
    std::os::unix::fs::symlink("gone", dangling.path("pepper")).unwrap();
    // A regular file that belongs to the reader and gives an error on read, to root as well.
    let failing = Site::with("[password]\npepper_file = '/proc/self/mem'");
    for (site, reason) in [
        (directory, "file \"pepper\" is not a regular file"),
        (device, "file \"/dev/zero\" is not a regular file"),
        (dangling, "file \"pepper\" cannot be read: no such file"),
        (failing, "file \"/proc/self/mem\" cannot be read: input/output error"),
    ] {
        let problem = site.only_problem();
        assert_eq!(problem, format!("vestibule.toml: password.pepper_file: {reason}"));
    }
}

#[test]
fn a_secret_file_without_a_fit_secret_is_refused() {
    let site = Site::with(BY_FILE);
    let large = PEPPER.repeat(2000);
    for (text, reason) in [
        ("", "is empty"),
        ("\n", "is empty"),
        ("q9fK2vXz7LmT4bRw8YcN1hJd6GsE3pU\n", "must be at least 32 bytes long"),
        (&large, "is larger than 64KiB"),
    ] {
        site.write("pepper", text, 0o600);
        let problem = site.only_problem();
        assert!(problem.ends_with(&format!("file \"pepper\" {reason}")), "{problem}");
    }
}

#[test]
fn atk_a242_a_secret_in_a_file_that_others_can_read_stops_the_start() {
    for (text, key) in [
        (format!("password.pepper = '{PEPPER}'"), "password.pepper"),
        ("storage.url = 'postgres://v:hunter2@db/v'".to_owned(), "storage.url"),
        ("storage.url = 'mysql://db/v?password=hunter2'".to_owned(), "storage.url"),
    ] {
        let site = Site::with(text);
        assert!(site.load().is_ok());
        fs::set_permissions(site.path("vestibule.toml"), fs::Permissions::from_mode(0o644))
            .unwrap();
        assert_eq!(
            site.only_problem(),
            format!(
                "vestibule.toml: {key}: holds a secret, but the file is open to group or others \
                 (mode 0644); chmod 600 it, or give {key}_file"
            )
        );
    }
    let open = Site::empty();
    open.write("vestibule.toml", "storage.url = 'postgres://db/v'\nsite.name = 'x'", 0o644);
    assert!(open.load().is_ok());
}

#[test]
fn atk_a242_an_example_secret_stops_the_start() {
    for example in [
        "change-me-change-me-change-me-change-me",
        "please CHANGE this to something long 123",
        "django-insecure-q9fK2vXz7LmT4bRw8YcN1hJd6GsE3",
        "this is an example of what stands here",
        "00000000000000000000000000000000",
        "abcabcabcabcabcabcabcabcabcabcabcabc",
    ] {
        let site = Site::with(format!("password.pepper = '{example}'"));
        let problem = site.only_problem();
        assert!(problem.contains("password.pepper: looks like an example; make one"), "{problem}");
        assert!(!problem.contains(example), "{problem}");
    }
}

#[test]
fn no_secret_shows_in_a_message() {
    for text in [
        "[password]\npepper = 'hunter2'",
        "[password]\npepper = ['hunter2']",
        "[password]\npeper = 'hunter2'",
        "[password]\npepper = 'hunter2",
        "[password]\npepper = hunter2",
        "[storage]\nurl = 'hunter2'",
        "[storage]\nurl = 'postgres://v:hunter2@db'",
        "[site]\nbase_url = 'https://v:hunter2@hall.example'",
        "[site]\nbase_url = 'https://v:hunter2/@hall.example'",
    ] {
        let error = Site::with(text).load().unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2"), "{text}: {shown}");
    }
    for (name, value) in [
        ("VESTIBULE_PASSWORD__PEPPER", "hunter2"),
        ("VESTIBULE_STORAGE__URL", "hunter2"),
        ("VESTIBULE_PASSWORD__PEPER", "hunter2"),
    ] {
        let problem = Site::empty().variable(name, value).only_problem();
        assert!(!problem.contains("hunter2"), "{problem}");
    }
}

#[test]
fn no_secret_shows_in_debug_or_in_what_get_prints() {
    let site = Site::with(format!(
        "password.pepper = '{PEPPER}'\nstorage.url = 'postgres://v:hunter2@db/hall'"
    ));
    let loaded = site.load().unwrap();
    let mut shown = format!("{loaded:?} {:?}", loaded.settings);
    for (verbose, json) in [(false, false), (true, false), (false, true), (true, true)] {
        for key in [None, Some("password.pepper".to_owned()), Some("storage".to_owned())] {
            let mut out = Vec::new();
            let get = ConfigCommand::Get { key, verbose };
            command::run(&get, &site.sources, json, &mut out).unwrap();
            let text = plain(&String::from_utf8(out).unwrap(), site.directory.path());
            assert!(text.contains("********"), "{text}");
            shown.push_str(&text);
        }
    }
    assert!(shown.contains("postgres://********@db/hall"), "{shown}");
    assert!(!shown.contains(PEPPER) && !shown.contains("hunter2"), "{shown}");
}
