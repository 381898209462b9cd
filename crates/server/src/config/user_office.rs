//! `[user_office]`: a facility's user office, which a `[[backend]]` of that kind asks, and of the
//! kind `shibboleth` about hashes.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::json;
use vestibule_auth::{backends::user_office, http::Address};
use vestibule_core::{Secret, ports::backend::Section};

use super::{check::Check, duration::HumanDuration, report::BadValue, secret_files};

/// The validated section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserOfficeSettings {
    /// What a backend of the kind `user_office` is made from, and what is asked for people who
    /// have logged in.
    pub section: Section,
    /// What a backend of the kind `shibboleth` has to know of it: where it takes hashes.
    pub hashes: Section,
    /// Whether it names the accounts that hashes are for.
    pub names_accounts: bool,
    /// How many experiments are on a page where nothing else is asked for.
    pub page_size: u32,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawUserOffice {
    login_url: Option<String>,
    hash_url: Option<String>,
    authorized_url: Option<String>,
    experiments_url: Option<String>,
    page_size: u32,
    username: Option<String>,
    password: Option<String>,
    password_file: Option<PathBuf>,
    timeout: HumanDuration,
    default_authorization: bool,
    ca_file: Option<PathBuf>,
}

impl Default for RawUserOffice {
    fn default() -> Self {
        Self {
            login_url: None,
            hash_url: None,
            authorized_url: None,
            experiments_url: None,
            page_size: 7,
            username: None,
            password: None,
            password_file: None,
            timeout: HumanDuration::seconds(5),
            default_authorization: false,
            ca_file: None,
        }
    }
}

impl RawUserOffice {
    pub(super) fn validate(check: &mut Check<'_>) -> Option<UserOfficeSettings> {
        let raw: Self = check.section("user_office")?;
        let inline = raw.password.map(Secret::from);
        let password = check
            .secret("user_office.password", inline, raw.password_file, |secret| Ok(secret.clone()));
        let mut keys = serde_json::Map::new();
        let texts = [
            ("login_url", raw.login_url),
            ("authorized_url", raw.authorized_url),
            ("experiments_url", raw.experiments_url),
            ("username", raw.username),
        ];
        for (key, value) in texts {
            keys.extend(value.map(|value| (key.to_owned(), json!(value))));
        }
        if let Some(file) = raw.ca_file {
            let path = check.readable("user_office.ca_file", &file)?;
            match std::fs::read_to_string(&path) {
                Ok(pem) => keys.extend([("certificates".to_owned(), json!(pem))]),
                Err(error) => {
                    let reason = format!("cannot be read: {}", secret_files::cause(&error));
                    check.refuse("user_office.ca_file", reason);
                }
            }
        }
        let timeout = json!(raw.timeout.0.as_secs_f64());
        let mut hashes = serde_json::Map::new();
        let names_accounts = raw.hash_url.is_some();
        if let Some(url) = raw.hash_url {
            let certificates = keys.get("certificates").cloned();
            hashes.extend(certificates.map(|pem| ("certificates".to_owned(), pem)));
            hashes.extend([
                ("hash_url".to_owned(), json!(url)),
                ("timeout_seconds".to_owned(), timeout.clone()),
            ]);
        }
        keys.extend([
            ("timeout_seconds".to_owned(), timeout),
            ("default_authorization".to_owned(), json!(raw.default_authorization)),
        ]);
        let section = Section::of(serde_json::Value::Object(keys));
        let section = match password {
            Some(password) => section.with_secret("password", password),
            None => section,
        };
        let hashes = Section::of(serde_json::Value::Object(hashes));
        let page_size = raw.page_size;
        Some(UserOfficeSettings { section, hashes, names_accounts, page_size })
    }
}

/// Whether a service may be asked there about somebody whose name goes into the address.
pub(super) fn experiments_hold(text: &str) -> Result<(), BadValue> {
    user_office::holds_a_name(text).map_err(|error| BadValue::new(error.to_string()))
}

/// Whether a service may be asked there.
pub(super) fn address_holds(text: &str) -> Result<(), BadValue> {
    text.parse::<Address>().map(drop).map_err(|error| BadValue::new(error.to_string()))
}
