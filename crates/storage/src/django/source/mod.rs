//! Django's database, open for reading only and seen as it was at one moment.
//!
//! Everything is read as text, cell by cell, so that a row with a wrong value spoils no other,
//! and so that one reader serves three databases. SQLite has no types to keep to: a cell may hold
//! anything there.

mod row;
mod tables;
mod url;

use diesel::{
    Connection as _, RunQueryDsl, connection::SimpleConnection, sql_query, sqlite::SqliteConnection,
};

pub(super) use self::{
    row::{NoText, RawRow},
    tables::{Found, USER_COLUMNS, find},
    url::Address,
};
use super::error::ImportError;

/// An open source.
pub(super) struct Source {
    connection: Connection,
    name: String,
    file: Option<url::SqliteUri>,
}

enum Connection {
    Sqlite(SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(diesel::PgConnection),
    #[cfg(feature = "mysql")]
    Mysql(diesel::MysqlConnection),
}

/// The same code over whichever connection it is.
macro_rules! with {
    ($source:expr, $connection:ident => $body:expr) => {
        match &mut $source.connection {
            Connection::Sqlite($connection) => $body,
            #[cfg(feature = "postgres")]
            Connection::Postgres($connection) => $body,
            #[cfg(feature = "mysql")]
            Connection::Mysql($connection) => $body,
        }
    };
}

impl Source {
    /// Opens the database for reading and begins the transaction in which all is read.
    pub(super) fn open(address: &Address) -> Result<Self, ImportError> {
        let unreachable =
            |reason: String| ImportError::Unreachable { source_name: address.name(), reason };
        let (connection, setup, file) = match address {
            Address::Sqlite(path) => {
                let uri = url::sqlite_uri(path).map_err(unreachable)?;
                let connection = SqliteConnection::establish(&uri.uri)
                    .map_err(|error| unreachable(error.to_string()))?;
                // The first read begins the snapshot; query_only is a second lock on the door.
                let setup = "PRAGMA busy_timeout = 5000; PRAGMA query_only = 1; BEGIN";
                (Connection::Sqlite(connection), setup, Some(uri))
            }
            #[cfg(feature = "postgres")]
            Address::Postgres(url) => {
                let connection = diesel::PgConnection::establish(url.as_str())
                    .map_err(|error| unreachable(address.without_password(&error.to_string())))?;
                let setup = "SET default_transaction_read_only = on; SET TimeZone = 'UTC'; \
                     SET DateStyle = 'ISO'; SET statement_timeout = 0; \
                     BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                (Connection::Postgres(connection), setup, None)
            }
            #[cfg(feature = "mysql")]
            Address::Mysql(url) => {
                let connection = diesel::MysqlConnection::establish(url.as_str())
                    .map_err(|error| unreachable(address.without_password(&error.to_string())))?;
                let setup = "SET NAMES utf8mb4; SET time_zone = '+00:00'; \
                     SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
                     SET SESSION TRANSACTION READ ONLY; \
                     START TRANSACTION WITH CONSISTENT SNAPSHOT";
                (Connection::Mysql(connection), setup, None)
            }
            #[cfg(not(feature = "postgres"))]
            Address::Postgres(_) => {
                return Err(ImportError::NotBuiltIn {
                    database: "PostgreSQL",
                    feature: "postgres",
                });
            }
            #[cfg(not(feature = "mysql"))]
            Address::Mysql(_) => {
                return Err(ImportError::NotBuiltIn {
                    database: "MySQL and MariaDB",
                    feature: "mysql",
                });
            }
        };
        let mut source = Self { connection, name: address.name(), file };
        with!(source, c => c.batch_execute(setup))
            .map_err(|error| unreachable(error.to_string()))?;
        Ok(source)
    }

    /// The address without credentials.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Calls `each` with every row of the table, in the order of the first column.
    pub(super) fn rows<E: From<ImportError>>(
        &mut self,
        table: &str,
        columns: &[&str],
        each: impl FnMut(RawRow) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_row(table, columns, "", each)
    }

    /// As [`rows`](Self::rows), but only those whose second column has an `@` in it.
    pub(super) fn rows_with_at<E: From<ImportError>>(
        &mut self,
        table: &str,
        columns: &[&str; 2],
        each: impl FnMut(RawRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let filter = format!(" WHERE {} LIKE '%@%'", self.text_of(columns[1]));
        self.each_row(table, columns, &filter, each)
    }

    fn each_row<E: From<ImportError>>(
        &mut self,
        table: &str,
        columns: &[&str],
        filter: &str,
        mut each: impl FnMut(RawRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let selected: Vec<_> = columns.iter().map(|column| self.text_of(column)).collect();
        let query = format!(
            "SELECT {} FROM {}{filter} ORDER BY {}",
            selected.join(", "),
            self.quoted(table),
            self.quoted(columns.first().copied().unwrap_or("id"))
        );
        let failed = |error: diesel::result::Error| reading(table, &error);
        with!(self, c => {
            let rows = sql_query(query)
                .load_iter::<RawRow, diesel::connection::DefaultLoadingMode>(c)
                .map_err(failed)?;
            for row in rows {
                each(row.map_err(failed)?)?;
            }
        });
        Ok(())
    }

    /// How many rows the table has.
    pub(super) fn count(&mut self, table: &str) -> Result<u64, ImportError> {
        let number = self.text_of_expression("count(*)");
        let query = format!("SELECT {number} FROM {}", self.quoted(table));
        let rows = self.query(table, query)?;
        let count = rows.first().and_then(|row| row.text(0).ok()?.parse().ok());
        Ok(count.unwrap_or(0))
    }

    /// Fails when the file was written to while it was read as if nobody could.
    pub(super) fn close(self) -> Result<(), ImportError> {
        match self.file {
            Some(file) if file.was_disturbed() => Err(ImportError::Reading {
                what: self.name,
                reason: "the site wrote to it meanwhile; run the import again".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    fn query(&mut self, what: &str, query: String) -> Result<Vec<RawRow>, ImportError> {
        with!(self, c => sql_query(query).load::<RawRow>(c)).map_err(|error| reading(what, &error))
    }

    fn quoted(&self, name: &str) -> String {
        match self.connection {
            #[cfg(feature = "mysql")]
            Connection::Mysql(_) => format!("`{}`", name.replace('`', "``")),
            _ => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    fn text_of(&self, column: &str) -> String {
        self.text_of_expression(&self.quoted(column))
    }

    fn text_of_expression(&self, expression: &str) -> String {
        match self.connection {
            // SQLite gives its values as they are: what is no text shall be seen as such.
            Connection::Sqlite(_) => expression.to_owned(),
            #[cfg(feature = "postgres")]
            Connection::Postgres(_) => format!("CAST({expression} AS text)"),
            #[cfg(feature = "mysql")]
            Connection::Mysql(_) => format!("CAST({expression} AS char)"),
        }
    }
}

fn reading(what: &str, error: &diesel::result::Error) -> ImportError {
    ImportError::Reading { what: what.to_owned(), reason: error.to_string() }
}
