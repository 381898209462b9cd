//! What an operator tells about a single sign-on in front of us.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use vestibule_core::{
    Secret,
    ports::backend::{Section, SectionError},
};

use super::{
    form::HashForm,
    headers::{Names, bare},
    office::HashOffice,
};
use crate::{
    backends::timeout,
    http::{Address, HttpClient, HttpError},
};

/// A single sign-on as it is believed.
pub(super) struct Settings {
    pub(super) names: Names,
    pub(super) mail_is_verified: bool,
    pub(super) office: Option<HashOffice>,
    /// Where people log in there who come without being known.
    pub(super) login: Option<String>,
    pub(super) logout: Option<String>,
}

#[derive(Deserialize)]
struct Keys {
    #[serde(default = "eaa_hash")]
    hash_header: String,
    #[serde(default)]
    hash_form: HashForm,
    #[serde(default = "uid")]
    uid_header: String,
    #[serde(default)]
    mail_header: String,
    #[serde(default)]
    mail_is_verified: bool,
    #[serde(default)]
    first_name_header: String,
    #[serde(default)]
    last_name_header: String,
    #[serde(default)]
    groups_header: String,
    /// What stands before each of these names.
    #[serde(default)]
    header_prefix: String,
    #[serde(default = "secret_header")]
    secret_header: String,
    login_url: Option<String>,
    logout_url: Option<String>,
    hash_url: Option<String>,
    /// For `vestibule check` alone.
    sp_config: Option<PathBuf>,
    #[serde(default = "five")]
    timeout_seconds: f64,
    /// Certificates that are believed beside the system's, as PEM.
    certificates: Option<String>,
}

fn eaa_hash() -> String {
    "EAAHash".to_owned()
}

fn uid() -> String {
    "uid".to_owned()
}

fn secret_header() -> String {
    "X-Vestibule-Proxy-Secret".to_owned()
}

fn five() -> f64 {
    5.0
}

/// The fewest bytes of a proxy's secret: more than can be guessed.
const SHORTEST_SECRET: usize = 16;

impl Settings {
    pub(super) fn read(mut section: Section) -> Result<Self, SectionError> {
        let secret = section.take_secret("proxy_secret")?;
        let keys: Keys = section.read()?;
        let office = office(&keys)?;
        if keys.sp_config.as_deref().is_some_and(Path::is_relative) {
            return Err(SectionError::of_key("sp_config", "expected an absolute path"));
        }
        Ok(Self {
            mail_is_verified: keys.mail_is_verified,
            login: own_path("login_url", keys.login_url.as_deref())?,
            logout: own_path("logout_url", keys.logout_url.as_deref())?,
            names: names(keys, secret)?,
            office,
        })
    }
}

/// Where the service provider's own configuration is, of a section that holds.
pub(super) fn sp_config(section: &Section) -> Option<PathBuf> {
    let mut section = section.clone();
    section.take_secret("proxy_secret").ok()?;
    section.read::<Keys>().ok()?.sp_config
}

fn names(keys: Keys, secret: Option<Secret>) -> Result<Names, SectionError> {
    if secret.as_ref().is_some_and(|secret| secret.len() < SHORTEST_SECRET) {
        return Err(SectionError::of_key("proxy_secret", "has fewer than 16 bytes"));
    }
    let prefix = keys.header_prefix;
    let named = |key: &str, name: String| -> Result<Option<String>, SectionError> {
        if name.is_empty() {
            return Ok(None);
        }
        header_name(key, format!("{prefix}{name}")).map(Some)
    };
    let hash = named("hash_header", keys.hash_header)?;
    let names = Names {
        hash: hash.ok_or_else(|| SectionError::of_key("hash_header", "is empty"))?,
        form: keys.hash_form,
        uid: named("uid_header", keys.uid_header)?,
        mail: named("mail_header", keys.mail_header)?,
        first_name: named("first_name_header", keys.first_name_header)?,
        last_name: named("last_name_header", keys.last_name_header)?,
        groups: named("groups_header", keys.groups_header)?,
        secret: match secret {
            Some(secret) => Some((header_name("secret_header", keys.secret_header)?, secret)),
            None => None,
        },
    };
    let mut seen = Vec::new();
    for name in names.all() {
        if seen.contains(&bare(name)) {
            let reason = format!("{name} reads like the name of another of these headers");
            return Err(SectionError::of_all(reason));
        }
        seen.push(bare(name));
    }
    Ok(names)
}

/// Headers that browsers and proxies send of themselves: nobody is known by one of these.
const TAKEN: &[&str] = &[
    "accept",
    "authorization",
    "connection",
    "cookie",
    "forwarded",
    "from",
    "host",
    "origin",
    "proxy-authorization",
    "referer",
    "user-agent",
    "via",
    "x-csrf-token",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// A name as RFC 9110 section 5.1 has it.
fn header_name(key: &str, name: String) -> Result<String, SectionError> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.len() > 100 || !name.chars().all(is_token) || bare(&name).is_empty() {
        return Err(SectionError::of_key(key, "is not the name of a header"));
    }
    if TAKEN.iter().any(|taken| name.eq_ignore_ascii_case(taken)) {
        return Err(SectionError::of_key(key, "is a header that browsers send of themselves"));
    }
    Ok(name)
}

/// The handlers of a service provider are on the host that it protects, so a path says it all; and
/// nobody is sent anywhere else by a setting that was mistyped.
fn own_path(key: &str, path: Option<&str>) -> Result<Option<String>, SectionError> {
    let Some(path) = path else { return Ok(None) };
    let is_path = path.starts_with('/')
        && !path.starts_with("//")
        && path.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    if !is_path {
        let reason =
            "expected a path on this host such as \"/Shibboleth.sso/Login?target={return}\"";
        return Err(SectionError::of_key(key, reason));
    }
    Ok(Some(path.to_owned()))
}

fn office(keys: &Keys) -> Result<Option<HashOffice>, SectionError> {
    let Some(url) = &keys.hash_url else { return Ok(None) };
    let wrong = |error: HttpError| SectionError::of_key("hash_url", error.to_string());
    let url: Address = url.parse().map_err(wrong)?;
    let timeout = timeout("timeout", keys.timeout_seconds)?;
    let client = HttpClient::new(timeout, keys.certificates.as_deref().map(str::as_bytes))
        .map_err(|error| SectionError::of_key("certificates", error.to_string()))?;
    Ok(Some(HashOffice { client, url }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vestibule_core::{Secret, ports::backend::Section};

    use super::Settings;

    fn refused(keys: serde_json::Value) -> String {
        match Settings::read(Section::of(keys)) {
            Err(error) => error.to_string(),
            Ok(_) => "accepted".to_owned(),
        }
    }

    #[test]
    fn seed_cp_13_names_of_headers_are_configured_with_a_prefix_for_all() {
        let read = |keys| Settings::read(Section::of(keys)).unwrap();
        let plain = read(json!({}));
        assert_eq!(plain.names.all().collect::<Vec<_>>(), ["EAAHash", "uid"]);
        let prefixed = read(json!({ "header_prefix": "HTTP_", "mail_header": "mail" }));
        assert_eq!(
            prefixed.names.all().collect::<Vec<_>>(),
            ["HTTP_EAAHash", "HTTP_uid", "HTTP_mail"]
        );
        let other = read(json!({ "hash_header": "X-Person", "uid_header": "" }));
        assert_eq!(other.names.all().collect::<Vec<_>>(), ["X-Person"]);
    }

    #[test]
    fn what_does_not_hold_is_named_by_its_key() {
        let path = "expected a path on this host such as \"/Shibboleth.sso/Login?target={return}\"";
        for (keys, said) in [
            (json!({ "hash_header": "" }), "hash_header: is empty"),
            (json!({ "hash_header": "EAA Hash" }), "hash_header: is not the name of a header"),
            (
                json!({ "uid_header": "Cookie" }),
                "uid_header: is a header that browsers send of themselves",
            ),
            (
                json!({ "uid_header": "X_EAA-Hash" }),
                "X_EAA-Hash reads like the name of another of these headers",
            ),
            (json!({ "hash_form": "md5" }), "hash_form: expected one of `uuid`, `hex`, `token`"),
            (
                json!({ "hash_url": "http://office.example/hash" }),
                "hash_url: is http, so that others could read along; https it has to be, except on this machine",
            ),
            (json!({ "login_url": "//evil.example/Login" }), &*format!("login_url: {path}")),
            (
                json!({ "logout_url": "https://evil.example/Logout" }),
                &*format!("logout_url: {path}"),
            ),
            (json!({ "hash": "x" }), "hash: unknown key"),
            (json!({ "sp_config": "sp.xml" }), "sp_config: expected an absolute path"),
        ] {
            assert_eq!(refused(keys), said);
        }
        let short = Section::of(json!({})).with_secret("proxy_secret", Secret::new("short"));
        let error = Settings::read(short).err().unwrap();
        assert_eq!(error.to_string(), "proxy_secret: has fewer than 16 bytes");
    }
}
