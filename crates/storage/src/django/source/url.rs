//! Where a Django database is, read from what the operator wrote.

use std::{
    fmt::Write as _,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use url::Url;

use super::super::error::ImportError;

/// How far a server may be before it counts as not reachable.
const CONNECT_SECONDS: &str = "10";

/// A Django database's address.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::django) enum Address {
    /// A file.
    Sqlite(PathBuf),
    /// A server, by the address as its client library takes it, credentials included.
    Postgres(Url),
    /// As above.
    Mysql(Url),
}

impl Address {
    /// Reads `sqlite:path`, `postgres://…`, `postgresql://…`, `mysql://…`, `mariadb://…`, or the
    /// bare path of a file.
    pub(in crate::django) fn parse(text: &str) -> Result<Self, ImportError> {
        let scheme = text.split_once(':').map(|(scheme, _)| scheme);
        match scheme {
            Some("sqlite") => {
                let path = text.trim_start_matches("sqlite:");
                sqlite(path.strip_prefix("//").unwrap_or(path))
            }
            Some("postgres" | "postgresql") => Ok(Self::Postgres(server(text, "postgres")?)),
            Some("mysql" | "mariadb") => Ok(Self::Mysql(server(text, "mysql")?)),
            // Anything before `://` may be a whole address pasted wrongly: never echoed.
            Some(_) if text.contains("://") => Err(ImportError::Address(
                "begin it with sqlite:, postgres:// or mysql://".to_owned(),
            )),
            _ => sqlite(text),
        }
    }

    /// The address without credentials and options: what links remember the source by, so that
    /// a new password does not make it another.
    pub(in crate::django) fn name(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) => server_name("postgres", url, 5432),
            Self::Mysql(url) => server_name("mysql", url, 3306),
        }
    }

    /// What a library said, with the password blotted out should it be in there.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(in crate::django) fn without_password(&self, message: &str) -> String {
        let (Self::Postgres(url) | Self::Mysql(url)) = self else {
            return message.to_owned();
        };
        let mut message = message.trim().replace(url.as_str(), &self.name());
        let encoded = url.password().unwrap_or_default();
        let decoded = percent_decoded(encoded);
        for secret in [encoded, &decoded] {
            if !secret.is_empty() {
                message = message.replace(secret, "…");
            }
        }
        message
    }
}

fn sqlite(path: &str) -> Result<Address, ImportError> {
    if path.is_empty() {
        return Err(ImportError::Address("it names no file".to_owned()));
    }
    let path = Path::new(path);
    // One file has one name, from whichever folder the import is run.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    Ok(Address::Sqlite(path))
}

fn server(text: &str, scheme: &str) -> Result<Url, ImportError> {
    let rest = text.split_once(':').map_or("", |(_, rest)| rest);
    let mut url = Url::parse(&format!("{scheme}:{rest}"))
        .map_err(|error| ImportError::Address(error.to_string()))?;
    if url.path().trim_matches('/').is_empty() {
        return Err(ImportError::Address("it names no database after the host".to_owned()));
    }
    if scheme == "postgres" && !url.query_pairs().any(|(key, _)| key == "connect_timeout") {
        url.query_pairs_mut().append_pair("connect_timeout", CONNECT_SECONDS);
    }
    Ok(url)
}

fn server_name(scheme: &str, url: &Url, port: u16) -> String {
    let option = |name: &str| {
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let host = url
        .host_str()
        .filter(|host| !host.is_empty())
        .map(str::to_lowercase)
        .or_else(|| option("host").or_else(|| option("unix_socket")))
        .unwrap_or_else(|| "localhost".to_owned());
    let port = url.port().unwrap_or(port);
    format!("{scheme}://{host}:{port}/{}", url.path().trim_matches('/'))
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
fn percent_decoded(text: &str) -> String {
    // The url crate decodes nothing but forms; a password as a form value is close enough once
    // its plus signs are kept.
    let form = format!("p={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(form.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// How SQLite is told to open the file: for reading only, and so that it makes no file beside it.
///
/// A database in WAL mode cannot be read without its `-shm` file, unless nobody else has it open
/// (then there is no `-wal` file): it is opened as immutable then. Errors say what is wrong with
/// the file.
pub(in crate::django) fn sqlite_uri(path: &Path) -> Result<SqliteUri, String> {
    let mut header = [0; 100];
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    if file.metadata().is_ok_and(|about| about.is_dir()) {
        return Err("it is a folder, not a file".to_owned());
    }
    if file.read_exact(&mut header).is_err() || !header.starts_with(b"SQLite format 3\0") {
        return Err("it is not a SQLite database".to_owned());
    }
    // Bytes 18 and 19 of the header: 2 means write-ahead log; byte 59: text encoding, 1 is UTF-8
    // (SQLite file format, section 1.3).
    if header[59] > 1 {
        return Err("its texts are in UTF-16; Django writes UTF-8".to_owned());
    }
    let is_wal = header[18] == 2 || header[19] == 2;
    let wal = PathBuf::from(format!("{}-wal", path.display()));
    let immutable = is_wal && !has_content(&wal);
    let mut uri = "file:".to_owned();
    for character in path.to_string_lossy().chars() {
        if matches!(character, '%' | '?' | '#') {
            let _ = write!(uri, "%{:02X}", u32::from(character));
        } else {
            uri.push(character);
        }
    }
    uri.push_str(if immutable { "?mode=ro&immutable=1" } else { "?mode=ro" });
    Ok(SqliteUri { uri, watched: immutable.then_some(wal) })
}

/// An address for SQLite itself.
#[derive(Debug)]
pub(in crate::django) struct SqliteUri {
    /// With its options.
    pub(in crate::django) uri: String,
    watched: Option<PathBuf>,
}

impl SqliteUri {
    /// Whether somebody began to write while it was read as if nobody could: what was read then
    /// may be of two moments.
    pub(in crate::django) fn was_disturbed(&self) -> bool {
        self.watched.as_deref().is_some_and(has_content)
    }
}

fn has_content(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| about.len() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> String {
        Address::parse(text).unwrap().name()
    }

    #[test]
    fn credentials_and_options_are_no_part_of_the_name() {
        assert_eq!(
            name("postgresql://ann:s3cret@DB.example.org/site?sslmode=require"),
            "postgres://db.example.org:5432/site"
        );
        assert_eq!(name("mariadb://ann:s3cret@127.0.0.1:3307/site"), "mysql://127.0.0.1:3307/site");
        assert_eq!(
            name("postgres:///site?host=/run/postgresql"),
            "postgres:///run/postgresql:5432/site"
        );
    }

    #[test]
    fn a_bare_path_is_a_sqlite_file() {
        assert_eq!(name("/nowhere/site.sqlite3"), "sqlite:/nowhere/site.sqlite3");
        assert_eq!(name("sqlite:///nowhere/site.sqlite3"), name("sqlite:/nowhere/site.sqlite3"));
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for text in ["oracle://ann:s3cret@host/db", "postgres://ann:s3cret@host", "sqlite:"] {
            let Err(error) = Address::parse(text) else {
                panic!("{text} was taken");
            };
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn passwords_are_blotted_out_of_messages() {
        let address = Address::parse("postgres://ann:p%40ss@host/db").unwrap();
        let said = address.without_password("no p@ss, no p%40ss");
        assert_eq!(said, "no …, no …");
    }
}
