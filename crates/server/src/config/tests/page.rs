//! The table of keys, the structs' defaults, the loader and `docs/settings.md` say the same.

use std::{collections::BTreeSet, fs, path::Path};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::{PEPPER, Site};
use crate::config::{
    limits::RawLimits,
    log::RawLog,
    mail::RawMail,
    password::RawPassword,
    reference::{KEYS, Preset, markdown},
    registration::RawRegistration,
    server::RawServer,
    session::RawSession,
    site::RawSite,
    storage::RawStorage,
    user_office::RawUserOffice,
};

/// The fields of a raw struct, as it names them itself when it is given one that it lacks.
fn fields<R: DeserializeOwned>() -> BTreeSet<String> {
    let table = Table::from_iter([("no such field".to_owned(), Value::Integer(1))]);
    let error = table.try_into::<R>().err().unwrap().to_string();
    let (_, expected) = error.split_once("expected").unwrap();
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_table_has_exactly_the_keys_of_the_sections() {
    let sections = [
        ("site", fields::<RawSite>()),
        ("server", fields::<RawServer>()),
        ("storage", fields::<RawStorage>()),
        ("session", fields::<RawSession>()),
        ("password", fields::<RawPassword>()),
        ("registration", fields::<RawRegistration>()),
        ("limits", fields::<RawLimits>()),
        ("mail", fields::<RawMail>()),
        ("user_office", fields::<RawUserOffice>()),
        ("log", fields::<RawLog>()),
    ];
    let of_sections: BTreeSet<String> = sections
        .iter()
        .flat_map(|(section, fields)| fields.iter().map(move |name| format!("{section}.{name}")))
        .collect();
    let of_table: BTreeSet<String> = KEYS.iter().map(|key| key.name.to_owned()).collect();
    assert_eq!(of_table, of_sections);
    assert_eq!(KEYS.len(), of_table.len(), "a key stands in the table twice");
}

#[test]
fn a_default_of_the_table_is_the_default_of_the_settings() {
    let plain = Site::empty().load().unwrap();
    let mut written = 0;
    for key in KEYS {
        let Some(value) = plain.effective(key) else {
            assert!(matches!(key.default, Preset::Unset), "{}", key.name);
            continue;
        };
        let text = crate::config::document::literal(&value).unwrap().to_string();
        let loaded = Site::with(format!("{} = {text}", key.name)).load().unwrap();
        assert_eq!(loaded.settings, plain.settings, "{}", key.name);
        written += 1;
    }
    assert!(written >= 30, "{written}");
}

/// For each key a value other than its default; the settings must be others with it, or nothing
/// would read the key.
#[test]
fn every_key_has_an_effect() {
    for key in KEYS {
        // What nobody is told is refused.
        let besides = match key.name {
            "mail.admin_notices" | "mail.watched_accounts" => {
                "site.admins = [{ name = '', email = 'ann@example.org' }]\n"
            }
            _ => "",
        };
        let plain = Site::with(besides).load().unwrap().settings;
        let site = Site::empty();
        site.write("secret", PEPPER, 0o600);
        site.write("url", "sqlite:other.db", 0o600);
        site.write("logo.png", b"\x89PNG", 0o600);
        let value = match key.name {
            "site.name" => "'Hall'",
            "site.template_dirs" => "['.']",
            "site.admins" => "[{ name = 'Ann', email = 'ann@example.org' }]",
            "mail.transport" => "'smtp'",
            "mail.file_path" => "'mails'",
            "mail.tls" => "'starttls'",
            "mail.host" => "'mail.example.org'",
            "mail.logo" => "'logo.png'",
            "mail.from" | "mail.admin_from" | "mail.reply_to" => "'Hall <hall@example.org>'",
            "mail.subject_prefix" => "''",
            "mail.admin_notices" => "['new_account']",
            "mail.watched_accounts" => "['root']",
            "mail.language" => "'de-CH'",
            "site.base_url" => "'https://hall.example'",
            "server.listen" | "server.metrics_listen" => "'127.0.0.1:9000'",
            "server.prefix" => "'/auth'",
            "server.workers" | "password.hash_threads" => "200",
            "server.trusted_proxies" => "['10.0.0.1']",
            "server.allowed_hosts" => "['hall.example']",
            "server.shutdown_timeout"
            | "limits.body_timeout"
            | "storage.start_timeout"
            | "mail.timeout" => "'11s'",
            "user_office.timeout" => "'7s'",
            "storage.url" => "'sqlite:other.db'",
            "storage.url_file" | "user_office.ca_file" | "mail.ca_file" | "mail.client_cert" => {
                "'url'"
            }
            "password.pepper_file"
            | "password.blocklist_file"
            | "user_office.password_file"
            | "mail.password_file"
            | "mail.client_key_file" => "'secret'",
            "user_office.login_url" | "user_office.hash_url" | "user_office.authorized_url" => {
                "'https://office.example/'"
            }
            "user_office.experiments_url" => "'https://office.example/$USERNAME'",
            "user_office.page_size" => "9",
            "user_office.username" | "user_office.password" | "mail.user" | "mail.password" => {
                "'hall'"
            }
            "user_office.default_authorization" | "registration.approval" | "server.http_basic" => {
                "true"
            }
            "session.cookie_age" | "session.idle_timeout" | "mail.error_reports" => "'2h'",
            "session.expire_at_browser_close"
            | "session.tell_new_browsers"
            | "password.upgrade_hashes" => "false",
            "password.scheme" => "'bcrypt'",
            "password.pepper" => &format!("'{PEPPER}'"),
            "password.argon2_memory" | "limits.body_size" => "'20MiB'",
            "storage.pool_size"
            | "session.max_per_user"
            | "password.min_length"
            | "password.argon2_passes"
            | "password.bcrypt_cost"
            | "password.hash_queue"
            | "mail.port"
            | "registration.activation_days"
            | "registration.invitation_days"
            | "mail.connections"
            | "limits.page_size" => "11",
            "limits.login_per_address"
            | "limits.login_failures_per_account"
            | "limits.login_failures_per_site"
            | "limits.mail_per_address"
            | "limits.mail_per_site"
            | "mail.rate"
            | "mail.announcement_rate"
            | "limits.register_per_address"
            | "limits.requests_per_address" => "'7/1h'",
            "registration.mode" => "'open'",
            "registration.policy_version" => "'2026-01'",
            "registration.policy_url" => "'https://a.example/policy'",
            "registration.domains" | "registration.refused_domains" => "['a.example']",
            "log.format" => "'json'",
            "log.filter" => "'debug'",
            other => panic!("no value to try for {other}"),
        };
        site.write("vestibule.toml", format!("{besides}{} = {value}", key.name), 0o600);
        assert_ne!(site.load().unwrap().settings, plain, "{}", key.name);
    }
}

#[test]
fn settings_page_is_the_table_in_print() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, markdown()).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), markdown(), "run it with UPDATE_DOCS=1");
}
