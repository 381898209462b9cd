//! `[storage]`: which database, and how many connections to it.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use serde::Deserialize;
use url::Url;

use super::{
    check::Check,
    duration::HumanDuration,
    report::{BadValue, without_password},
};

/// The validated section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageSettings {
    /// The database.
    pub url: StorageUrl,
    /// How many connections are held at most, from 1 to 64.
    pub pool_size: u32,
    /// How long a starting server waits for a database that cannot be reached.
    pub start_timeout: Duration,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawStorage {
    url: StorageUrl,
    url_file: Option<PathBuf>,
    pool_size: u32,
    start_timeout: HumanDuration,
}

impl Default for RawStorage {
    fn default() -> Self {
        Self {
            url: StorageUrl("sqlite:vestibule.db".to_owned()),
            url_file: None,
            pool_size: 8,
            start_timeout: HumanDuration::seconds(60),
        }
    }
}

impl RawStorage {
    pub(super) fn validate(check: &mut Check<'_>) -> Option<StorageSettings> {
        let raw: Self = check.section("storage")?;
        let given = check.given("storage.url").then_some(raw.url.clone());
        let url = check.secret("storage.url", given, raw.url_file, |secret| {
            secret.expose_str().unwrap_or_default().parse()
        });
        Some(StorageSettings {
            url: url.unwrap_or(raw.url),
            pool_size: raw.pool_size,
            start_timeout: raw.start_timeout.0,
        })
    }
}

/// The address of a database; its password shows neither in `Debug` nor in `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct StorageUrl(String);

impl StorageUrl {
    /// The whole address, with the password: for the driver alone.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it holds a password.
    ///
    /// Looked for in the text as well: a password that was not escaped may have been taken for a
    /// port and a path.
    pub(super) fn has_password(text: &str) -> bool {
        let user = text.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
        user.is_some_and(|(user, _)| user.contains(':'))
            || Url::parse(text).is_ok_and(|url| {
                // libpq and the MySQL drivers take one from the query too.
                url.query_pairs().any(|(name, _)| name.contains("password"))
            })
    }
}

impl FromStr for StorageUrl {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let form = || {
            BadValue::new(
                "expected \"sqlite:FILE\", \"postgres://USER@HOST/DATABASE\" or \
                 \"mysql://USER@HOST/DATABASE\"",
            )
        };
        if text.chars().any(char::is_control) {
            return Err(form());
        }
        let (scheme, rest) = text.split_once(':').ok_or_else(form)?;
        match scheme {
            // A database in memory would be gone with the program.
            "sqlite" if rest == ":memory:" => return Err(BadValue::new("must name a file")),
            "sqlite" if rest.starts_with("//") && !rest.starts_with("///") => {
                return Err(BadValue::new("must not name a host; write sqlite:FILE"));
            }
            "sqlite" if !rest.is_empty() => {}
            "postgres" | "postgresql" | "mysql" | "mariadb" => {
                let url = Url::parse(text).map_err(|_| form())?;
                if !rest.starts_with("//") || url.path().trim_matches('/').is_empty() {
                    return Err(BadValue::new("must name the database: SCHEME://HOST/DATABASE"));
                }
            }
            _ => return Err(form()),
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for StorageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&masked(&self.0))
    }
}

impl fmt::Debug for StorageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StorageUrl({self})")
    }
}

/// The address with its user, password and query hidden when there is a password among them.
pub(super) fn masked(text: &str) -> String {
    if !StorageUrl::has_password(text) {
        return text.to_owned();
    }
    let text = without_password(text);
    match text.split_once('?') {
        Some((address, _)) => format!("{address}?{}", super::report::MASK),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_shows() {
        for text in [
            "postgres://v:hunter2@db/vestibule",
            "postgres://v:hunter2@db/vestibule?sslmode=require",
            "mysql://db/vestibule?user=v&password=hunter2",
            "postgres://v:hunt@er2@db/vestibule",
            "postgres://v:12/hunter2@db/vestibule",
            "postgres://db/vestibule?sslpassword=hunter2",
        ] {
            let url: StorageUrl = text.parse().unwrap();
            assert_eq!(url.expose(), text);
            let shown = format!("{url} {url:?}");
            assert!(!shown.contains("hunt") && !shown.contains("er2"), "{shown}");
            assert!(shown.contains("vestibule"), "{shown}");
        }
    }

    #[test]
    fn an_address_without_password_shows_whole() {
        for text in ["sqlite:vestibule.db", "postgres://db/v?sslmode=require", "mysql://u@db/v"] {
            assert_eq!(text.parse::<StorageUrl>().unwrap().to_string(), text);
        }
    }
}
