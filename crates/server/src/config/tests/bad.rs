//! Files that do not hold: each is refused with its name, the key and the reason.

use super::{Site, bad_rows::BAD};
use crate::{
    cli::config::{self as command, ConfigCommand},
    config::Origin,
};

#[test]
fn flt_f85_every_bad_file_is_refused_with_file_key_and_reason() {
    assert!(BAD.len() >= 60, "{}", BAD.len());
    for (text, key, reason) in BAD {
        let site = Site::with(text);
        let error = site.load().unwrap_err();
        assert_eq!(error.problems.len(), 1, "{text}: {error}");
        let problem = &error.problems[0];
        assert_eq!(problem.origin, Origin::File(site.path("vestibule.toml")), "{text}");
        assert_eq!(problem.key.as_deref(), Some(*key), "{text}: {error}");
        assert!(problem.reason.contains(reason), "{text}: {}", problem.reason);
        let line = error.to_string();
        assert_eq!(line.lines().count(), 1, "{text}: {line}");
        assert!(line.contains("vestibule.toml: "), "{line}");
    }
}

#[test]
fn flt_f85_a_bad_file_ends_the_command_with_status_2() {
    for (text, ..) in BAD {
        let site = Site::with(text);
        let mut out = Vec::new();
        let error =
            command::run(&ConfigCommand::Check, &site.sources, false, &mut out).unwrap_err();
        assert_eq!((error.exit_code(), out.len()), (2, 0), "{text}");
    }
}

#[test]
fn flt_f85_a_file_that_is_no_text_is_refused_as_a_whole() {
    let large = format!("# {}", "x".repeat(1024 * 1024));
    let bad: [(&[u8], &str); 5] = [
        (b"[site\nname = 'x'", "vestibule.toml: line 1, column 6: not TOML: "),
        (b"[site]\nname = 'x", "vestibule.toml: line 2, column 10: not TOML: "),
        (b"[site]\nname = 'x'\nname = 'y'", "vestibule.toml: line 3, column 1: not TOML: "),
        (b"[site]\nname = '\xff'", "vestibule.toml: is not UTF-8 (byte 16)"),
        (large.as_bytes(), "vestibule.toml: is larger than 1MiB"),
    ];
    for (bytes, expected) in bad {
        let problem = Site::with(bytes).only_problem();
        assert!(problem.starts_with(expected), "{problem}");
    }
}

#[test]
fn flt_f85_a_missing_file_that_was_named_is_refused() {
    let mut by_flag = Site::empty();
    by_flag.sources.file = Some("gone.toml".into());
    assert_eq!(by_flag.only_problem(), "gone.toml: cannot be read: no such file");
    let by_variable = Site::empty().variable("VESTIBULE_CONFIG", "gone.toml");
    assert_eq!(by_variable.only_problem(), "gone.toml: cannot be read: no such file");
}

#[test]
fn flt_f85_a_directory_in_the_files_place_is_refused() {
    let site = Site::empty();
    std::fs::create_dir(site.path("vestibule.toml")).unwrap();
    assert_eq!(site.only_problem(), "vestibule.toml: is not a regular file");
}

#[test]
fn all_problems_of_a_file_are_listed() {
    let site = Site::with(
        "[site]\nnmae = 'x'\nbase_url = 'x'\n[log]\nformat = 'xml'\n[session]\nidle_timeout = '24h'",
    );
    let keys: Vec<String> =
        site.load().unwrap_err().problems.into_iter().filter_map(|problem| problem.key).collect();
    assert_eq!(keys, ["log.format", "site.base_url", "site.nmae", "session.idle_timeout"]);
}

#[test]
fn seed_oq_24_an_unknown_value_stops_the_start_with_file_key_and_reason() {
    let site = Site::with("[password]\nscheme = 'plain'");
    assert_eq!(
        site.only_problem(),
        "vestibule.toml: password.scheme: expected \"argon2id\" or \"bcrypt\", got \"plain\""
    );
}

#[test]
fn seed_oq_33_the_start_is_refused_when_mail_is_needed_and_its_settings_are_missing() {
    let open = "[site]\nbase_url = 'https://hall.example'\n[registration]\nmode = 'open'\n";
    let named = "vestibule.toml: registration.mode: needs mail: set";
    let problem = Site::with(open).only_problem();
    assert_eq!(problem, format!("{named} mail.transport (\"smtp\", say) and mail.from"));
    let problem = Site::with(format!("{open}[mail]\ntransport = 'smtp'")).only_problem();
    assert_eq!(problem, format!("{named} mail.from"));
    for (section, reason) in [
        ("transport = 'file'", "mail.transport: needs mail.file_path for \"file\""),
        ("transport = 'smtp'\nuser = 'hall'", "mail.user: needs mail.password"),
    ] {
        let problem = Site::with(format!("[mail]\n{section}")).only_problem();
        assert_eq!(problem, format!("vestibule.toml: {reason}"), "{section}");
    }
    // On one's own machine mails are printed; where nobody is promised any, none is needed.
    let own = open.replace("https://hall.example", "http://127.0.0.1:8080");
    let closed = open.replace("'open'", "'closed'");
    let whole = format!("{open}[mail]\ntransport = 'console'\nfrom = 'hall@hall.example'");
    for text in [own, closed, whole] {
        assert!(Site::with(&text).load().is_ok(), "{text}");
    }
}

#[test]
fn asvs_v6_2_1_config_below_eight_is_refused() {
    assert_eq!(
        Site::with("[password]\nmin_length = 8").load().unwrap().settings.password.min_length,
        8
    );
    let problem = Site::with("[password]\nmin_length = 7").only_problem();
    assert_eq!(problem, "vestibule.toml: password.min_length: must be from 8 to 64, got 7");
}

#[test]
fn atk_a242_an_unknown_key_stops_the_start() {
    let problem = Site::with("[session]\nidle_timout = '10m'").only_problem();
    let expected = "session.idle_timout: unknown key; did you mean session.idle_timeout?";
    assert_eq!(problem, format!("vestibule.toml: {expected}"));
}
