//! Database addresses: `sqlite:path`, `postgres://…`, `mysql://…`.

use std::{
    fmt::{self, Write as _},
    path::{Path, PathBuf},
    str::FromStr,
};

use url::Url;

use crate::conn::Access;

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The embedded one.
    Sqlite,
    /// `PostgreSQL`, with the cargo feature `postgres`.
    Postgres,
    /// MySQL or `MariaDB`, with the cargo feature `mysql`.
    Mysql,
}

/// The address of a database that this build can talk to. Shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file.
    Sqlite(PathBuf),
    /// A database on a `PostgreSQL` server.
    #[cfg(feature = "postgres")]
    Postgres(ServerAddress),
    /// A database on a MySQL or `MariaDB` server.
    #[cfg(feature = "mysql")]
    Mysql(ServerAddress),
}

/// The address of a database on a server.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerAddress(Box<Url>);

/// Which database an address is for.
///
/// # Errors
/// When it is not one that this build can talk to.
pub fn kind(url: &str) -> Result<Kind, UrlError> {
    url.parse().map(|url: DatabaseUrl| url.kind())
}

/// Why text is not a database address. The text itself is never repeated: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// No database is known by this scheme.
    #[error("unknown database scheme {0:?}: expected sqlite:, postgres:// or mysql://")]
    UnknownScheme(String),
    /// The program was built without it.
    #[error("this program was built without {name}: build it with the cargo feature `{feature}`")]
    NotBuilt {
        /// The database.
        name: &'static str,
        /// The cargo feature that brings it.
        feature: &'static str,
    },
    /// Anything else that is wrong with it.
    #[error("the database address {0}")]
    Malformed(&'static str),
}

impl DatabaseUrl {
    /// Which database it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Sqlite(_) => Kind::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Kind::Postgres,
            #[cfg(feature = "mysql")]
            Self::Mysql(_) => Kind::Mysql,
        }
    }

    /// The file, when it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            #[cfg(any(feature = "postgres", feature = "mysql"))]
            _ => None,
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) =
            text.split_once(':').ok_or(UrlError::Malformed("has no scheme, such as sqlite:"))?;
        match scheme {
            "sqlite" => sqlite_path(rest).map(Self::Sqlite),
            "postgres" | "postgresql" => postgres(text),
            "mysql" | "mariadb" => mysql(text),
            // A path or a password may stand before the first colon, a scheme is only letters.
            word if word.len() <= 20 && word.chars().all(|c| c.is_ascii_alphabetic()) => {
                Err(UrlError::UnknownScheme(word.to_owned()))
            }
            _ => Err(UrlError::Malformed("has no scheme, such as sqlite:")),
        }
    }
}

fn sqlite_path(rest: &str) -> Result<PathBuf, UrlError> {
    let path = match rest.strip_prefix("//") {
        Some(path) if path.starts_with('/') => path,
        Some(_) => {
            return Err(UrlError::Malformed(
                "names a host after sqlite://: write sqlite:PATH or sqlite:///PATH",
            ));
        }
        None => rest,
    };
    match path {
        "" => Err(UrlError::Malformed("names no file after sqlite:")),
        ":memory:" => Err(UrlError::Malformed(
            "asks for a database in memory, which would be gone with the program: name a file",
        )),
        path if path.contains('\0') => Err(UrlError::Malformed("has a NUL byte")),
        path => Ok(PathBuf::from(path)),
    }
}

#[cfg(feature = "postgres")]
fn postgres(text: &str) -> Result<DatabaseUrl, UrlError> {
    server_address(text).map(DatabaseUrl::Postgres)
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &str) -> Result<DatabaseUrl, UrlError> {
    Err(UrlError::NotBuilt { name: "PostgreSQL", feature: "postgres" })
}

#[cfg(feature = "mysql")]
fn mysql(text: &str) -> Result<DatabaseUrl, UrlError> {
    server_address(text).map(DatabaseUrl::Mysql)
}

#[cfg(not(feature = "mysql"))]
fn mysql(_: &str) -> Result<DatabaseUrl, UrlError> {
    Err(UrlError::NotBuilt { name: "MySQL and MariaDB", feature: "mysql" })
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
fn server_address(text: &str) -> Result<ServerAddress, UrlError> {
    let url = Url::parse(text).map_err(|_| UrlError::Malformed("is not a URL"))?;
    if url.path().trim_matches('/').is_empty() {
        return Err(UrlError::Malformed("names no database after the host"));
    }
    Ok(ServerAddress(Box::new(url)))
}

impl ServerAddress {
    /// The address as libpq takes it, with bounds on connecting and on silent connections unless
    /// the operator has set them.
    #[cfg(feature = "postgres")]
    fn for_postgres(&self) -> String {
        let mut url = self.0.clone();
        let defaults = [
            ("connect_timeout", "2"),
            ("keepalives_idle", "30"),
            ("keepalives_interval", "5"),
            ("keepalives_count", "3"),
            ("tcp_user_timeout", "12000"),
            ("application_name", "vestibule"),
        ];
        for (key, value) in defaults {
            if !url.query_pairs().any(|(set, _)| set == key) {
                url.query_pairs_mut().append_pair(key, value);
            }
        }
        String::from(*url)
    }

    /// The address as the driver takes it.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(crate) fn for_driver(&self) -> String {
        #[cfg(feature = "postgres")]
        if self.0.scheme().starts_with("postgres") {
            return self.for_postgres();
        }
        self.0.as_str().replacen("mariadb://", "mysql://", 1)
    }

    /// Host and port, for a first try with a time limit that the MySQL driver does not offer.
    #[cfg(feature = "mysql")]
    pub(crate) fn host_and_port(&self, default: u16) -> Option<(String, u16)> {
        let over_socket = self.0.query_pairs().any(|(key, _)| key == "unix_socket");
        let host = self.0.host_str().filter(|host| !host.is_empty())?;
        (!over_socket).then(|| (host.to_owned(), self.0.port().unwrap_or(default)))
    }
}

/// The file as a URI, since only a URI can say that nothing may be written or made.
pub(crate) fn sqlite_uri(path: &Path, access: Access) -> String {
    let mode = match access {
        Access::ReadOnly => "ro",
        Access::ReadWrite => "rw",
        Access::Create => "rwc",
    };
    let text = path.to_string_lossy();
    let mut uri = String::from("file:");
    // Two leading slashes would begin a host.
    let text = if text.starts_with('/') {
        uri.push('/');
        text.trim_start_matches('/')
    } else {
        &text
    };
    for character in text.chars() {
        match character {
            '%' | '?' | '#' => {
                let _ = write!(uri, "%{:02X}", u32::from(character));
            }
            other => uri.push(other),
        }
    }
    let _ = write!(uri, "?mode={mode}");
    uri
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            #[cfg(feature = "postgres")]
            Self::Postgres(address) => address.fmt(f),
            #[cfg(feature = "mysql")]
            Self::Mysql(address) => address.fmt(f),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // libpq takes a password as a parameter as well, so no parameter is shown at all.
        write!(f, "{}://", self.0.scheme())?;
        if !self.0.username().is_empty() {
            write!(f, "{}@", self.0.username())?;
        }
        f.write_str(self.0.host_str().unwrap_or_default())?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path())
    }
}

impl fmt::Debug for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_addresses_name_files() {
        for (text, path) in [
            ("sqlite:vestibule.db", "vestibule.db"),
            ("sqlite:/var/lib/v.db", "/var/lib/v.db"),
            ("sqlite:///var/lib/v.db", "/var/lib/v.db"),
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(url, DatabaseUrl::Sqlite(PathBuf::from(path)), "{text}");
        }
        for text in ["sqlite:", "sqlite::memory:", "sqlite://relative/path", "v.db", "/v.db"] {
            let error = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(matches!(error, UrlError::Malformed(_)), "{text}: {error}");
        }
    }

    #[test]
    fn an_unknown_scheme_is_named() {
        let error = "oracle://scott:tiger@db/x".parse::<DatabaseUrl>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown database scheme \"oracle\": expected sqlite:, postgres:// or mysql://"
        );
    }

    #[test]
    fn odd_file_names_survive_the_uri() {
        let uri = sqlite_uri(Path::new("/a b/50%?#.db"), Access::ReadOnly);
        assert_eq!(uri, "file:/a b/50%25%3F%23.db?mode=ro");
    }

    #[cfg(not(feature = "postgres"))]
    #[test]
    fn a_missing_database_names_the_feature() {
        let error = "postgres://localhost/x".parse::<DatabaseUrl>().unwrap_err();
        assert!(error.to_string().contains("cargo feature `postgres`"), "{error}");
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn passwords_are_never_shown() {
        let text = "postgresql://anna:s3cret@db.example:5433/vest?password=s3cret";
        let url: DatabaseUrl = text.parse().unwrap();
        assert_eq!(url.to_string(), "postgresql://anna@db.example:5433/vest");
        assert!(!format!("{url:?}").contains("s3cret"));
    }

    #[cfg(feature = "mysql")]
    #[test]
    fn mariadb_is_mysql_to_the_driver() {
        let DatabaseUrl::Mysql(address) = "mariadb://a:b@db/vest".parse().unwrap() else {
            panic!("not MySQL");
        };
        assert_eq!(address.for_driver(), "mysql://a:b@db/vest");
        assert_eq!(address.host_and_port(3306), Some(("db".to_owned(), 3306)));
    }
}
