//! From what a database says to what it means.

use diesel::{
    ConnectionError,
    result::{DatabaseErrorKind, DeserializeFieldError, Error as DieselError},
};
use vestibule_core::ports::store::{Constraint, StoreError, StoreErrorKind};

use crate::url::{DatabaseUrl, UrlError};

/// Why a store cannot be opened or brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The address is no good.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// There is no such file.
    #[error("there is no database at {0}: `vestibule migrate` makes one")]
    Missing(DatabaseUrl),
    /// It cannot be reached.
    #[error("the database {url} cannot be reached: {reason}")]
    Unreachable {
        /// Its address.
        url: DatabaseUrl,
        /// What the driver said.
        reason: String,
    },
    /// Its schema is older than this program.
    #[error(
        "the database {url} is behind: {pending} migration{} pending: run `vestibule migrate`",
        if *pending == 1 { "" } else { "s" }
    )]
    Behind {
        /// Its address.
        url: DatabaseUrl,
        /// How many.
        pending: usize,
    },
    /// Its schema is newer than this program.
    #[error(
        "the database {url} was made by a newer release; this one does not know its migrations {}",
        unknown.join(", ")
    )]
    Ahead {
        /// Its address.
        url: DatabaseUrl,
        /// The migrations that are not known here.
        unknown: Vec<String>,
    },
    /// It takes no writes.
    #[error("the database {url} is read-only: {reason}")]
    ReadOnly {
        /// Its address.
        url: DatabaseUrl,
        /// What the database said.
        reason: String,
    },
    /// It is damaged.
    #[error(
        "the database {url} is damaged ({reason}): do not use it further, restore it from a backup"
    )]
    Damaged {
        /// Its address.
        url: DatabaseUrl,
        /// What was found.
        reason: String,
    },
    /// Anything else.
    #[error("the database {url} failed: {reason}")]
    Failed {
        /// Its address.
        url: DatabaseUrl,
        /// What the database said.
        reason: String,
    },
}

/// Why a schema cannot be brought up to date, or looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The database cannot be worked on.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A migration failed. Those before it stay, and it can be run again.
    #[error("migration {name} failed on {url}: {reason}")]
    Failed {
        /// The database's address.
        url: DatabaseUrl,
        /// Which migration.
        name: String,
        /// What the database said.
        reason: String,
    },
}

impl From<UrlError> for MigrateError {
    fn from(error: UrlError) -> Self {
        Self::Open(error.into())
    }
}

impl OpenError {
    pub(crate) fn unreachable(url: &DatabaseUrl, error: &ConnectionError) -> Self {
        Self::Unreachable { url: url.clone(), reason: one_line(&error.to_string()) }
    }

    pub(crate) fn from_database(url: &DatabaseUrl, error: &DieselError) -> Self {
        let url = url.clone();
        let reason = one_line(&error.to_string());
        match kind_of(error) {
            StoreErrorKind::Unavailable => Self::Unreachable { url, reason },
            StoreErrorKind::ReadOnly(_) => Self::ReadOnly { url, reason },
            _ if is_damage(&reason) => Self::Damaged { url, reason },
            _ => Self::Failed { url, reason },
        }
    }
}

/// What went wrong in a repository, before it is known in which table.
#[derive(Debug)]
pub(crate) enum DbError {
    /// The database said so.
    Database(DieselError),
    /// A row cannot be read.
    Corrupt { table: &'static str, column: &'static str },
}

/// What repositories answer among themselves.
pub(crate) type DbResult<T> = Result<T, DbError>;

impl From<DieselError> for DbError {
    fn from(error: DieselError) -> Self {
        Self::Database(error)
    }
}

impl DbError {
    pub(crate) fn corrupt(table: &'static str, column: &'static str) -> Self {
        Self::Corrupt { table, column }
    }

    pub(crate) fn is_duplicate(&self) -> bool {
        matches!(
            self,
            Self::Database(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _))
        )
    }

    /// Whether a rule of the schema refused the write, which is an answer and not a failure.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Database(error) if matches!(kind_of(error), StoreErrorKind::Conflict(_)))
    }

    /// As the callers of this crate see it; `table` is the one that was worked on.
    pub(crate) fn into_store(self, table: &'static str) -> StoreError {
        match self {
            Self::Corrupt { table, column } => {
                StoreError::new(StoreErrorKind::Corrupt { table, column: column.to_owned() })
            }
            Self::Database(DieselError::DeserializationError(error)) => {
                let column = unreadable_column(&*error);
                StoreError::because(StoreErrorKind::Corrupt { table, column }, error)
            }
            Self::Database(error) => store_error(error),
        }
    }
}

/// The column that could not be read, as diesel tells it.
pub(crate) fn unreadable_column(error: &(dyn std::error::Error + 'static)) -> String {
    error
        .downcast_ref::<DeserializeFieldError>()
        .and_then(|field| field.field_name.clone())
        .unwrap_or_else(|| "a column of another type than expected".to_owned())
}

/// What the database said, as the callers of this crate see it.
pub(crate) fn store_error(error: DieselError) -> StoreError {
    StoreError::because(kind_of(&error), error)
}

/// What a database error means. Where the driver has no code for it, its text tells: databases
/// word these alike in every release.
pub(crate) fn kind_of(error: &DieselError) -> StoreErrorKind {
    let DieselError::DatabaseError(kind, info) = error else {
        return match error {
            DieselError::BrokenTransactionManager => StoreErrorKind::Unavailable,
            _ => StoreErrorKind::Other,
        };
    };
    match kind {
        DatabaseErrorKind::UniqueViolation => StoreErrorKind::Conflict(Constraint::Unique),
        DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => {
            StoreErrorKind::Conflict(Constraint::Reference)
        }
        DatabaseErrorKind::SerializationFailure => StoreErrorKind::Contended,
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
            StoreErrorKind::Unavailable
        }
        DatabaseErrorKind::ReadOnlyTransaction => {
            StoreErrorKind::ReadOnly("it is a standby or set to read-only".to_owned())
        }
        _ => kind_by_text(info.message()),
    }
}

fn kind_by_text(message: &str) -> StoreErrorKind {
    let text = message.to_ascii_lowercase();
    let says = |any: &[&str]| any.iter().any(|words| text.contains(words));
    if says(&["foreign key constraint failed"]) {
        // SQLite enforces RESTRICT by a trigger of its own, which has another code.
        StoreErrorKind::Conflict(Constraint::Reference)
    } else if says(&[
        "deadlock",
        "lock wait timeout",
        "database is locked",
        "database table is locked",
        "lock timeout",
        "could not serialize",
        "record has changed since last read",
    ]) {
        StoreErrorKind::Contended
    } else if says(&["disk is full", "disk full", "no space left", " is full"]) {
        StoreErrorKind::ReadOnly("the disk is full".to_owned())
    } else if says(&["readonly database", "read-only", "read only"]) {
        StoreErrorKind::ReadOnly("it is read-only".to_owned())
    } else if says(&[
        "lost connection",
        "gone away",
        "server closed the connection",
        "connection was killed",
        "connection was closed",
        "terminating connection",
        "shutting down",
        "shutdown in progress",
        "starting up",
        "can't connect",
        "could not connect",
        "could not receive data",
        "could not send data",
        "no connection to the server",
        "too many connections",
        "ssl syscall error",
        "ssl connection has been closed",
        "unable to open database file",
        "statement timeout",
        "max_statement_time",
        "maximum statement execution time",
    ]) {
        StoreErrorKind::Unavailable
    } else if says(&["no such table", "no such column", "does not exist", "doesn't exist"]) {
        StoreErrorKind::Schema(
            "the database's schema is not this release's: run `vestibule migrate`".to_owned(),
        )
    } else {
        StoreErrorKind::Other
    }
}

/// Whether `SQLite` says that the file is broken.
pub(crate) fn is_damage(message: &str) -> bool {
    let text = message.to_ascii_lowercase();
    ["malformed", "not a database", "disk i/o error"].iter().any(|words| text.contains(words))
}

pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flt_f10_every_wording_of_contention_is_known() {
        for text in [
            "deadlock detected",
            "Deadlock found when trying to get lock; try restarting transaction",
            "Lock wait timeout exceeded; try restarting transaction",
            "database is locked",
            "could not serialize access due to concurrent update",
        ] {
            assert_eq!(kind_by_text(text), StoreErrorKind::Contended, "{text}");
        }
    }

    #[test]
    fn flt_f06_and_f08_every_wording_of_no_writes_is_known() {
        for text in [
            "database or disk is full",
            "could not extend file \"base/1\": No space left on device",
            "The table 'users' is full",
            "attempt to write a readonly database",
            "The MariaDB server is running with the --read-only option so it cannot execute this",
        ] {
            assert!(matches!(kind_by_text(text), StoreErrorKind::ReadOnly(_)), "{text}");
        }
    }

    #[test]
    fn flt_f18_every_wording_of_a_lost_connection_is_known() {
        for text in [
            "Lost connection to server during query",
            "Server has gone away",
            "terminating connection due to administrator command",
            "SSL SYSCALL error: EOF detected",
        ] {
            assert_eq!(kind_by_text(text), StoreErrorKind::Unavailable, "{text}");
        }
    }

    #[test]
    fn an_error_is_shown_without_what_the_database_said() {
        let error = DieselError::DatabaseError(
            DatabaseErrorKind::UniqueViolation,
            Box::new("Key (username_key)=(anna) already exists".to_owned()),
        );
        let error = store_error(error);
        assert!(error.is_duplicate());
        assert!(!error.to_string().contains("anna"));
    }
}
