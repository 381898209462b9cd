//! One connection type over all databases of this build, and how each is opened.

#![expect(
    unreachable_pub,
    reason = "the derive makes types that are public to this module's parent alone"
)]

use diesel::{Connection, ConnectionResult, MultiConnection};

use crate::url::DatabaseUrl;

/// A connection to any database of this build. Its query language is what all have in common: a
/// query that only one understands does not compile. `dialect/` alone looks at the variant.
#[derive(MultiConnection)]
pub enum AnyConnection {
    Sqlite(diesel::SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(diesel::PgConnection),
    #[cfg(feature = "mysql")]
    Mysql(diesel::MysqlConnection),
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading alone; writes are refused.
    ReadOnly,
    /// Reading and writing.
    ReadWrite,
    /// Reading and writing, and making the (`SQLite`) file when there is none.
    Create,
}

impl AnyConnection {
    /// Connects, without any session settings yet.
    pub fn connect(url: &DatabaseUrl, access: Access) -> ConnectionResult<Self> {
        match url {
            DatabaseUrl::Sqlite(path) => {
                let uri = crate::url::sqlite_uri(path, access);
                diesel::SqliteConnection::establish(&uri).map(Self::Sqlite)
            }
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(address) => {
                diesel::PgConnection::establish(&address.for_driver()).map(Self::Postgres)
            }
            #[cfg(feature = "mysql")]
            DatabaseUrl::Mysql(address) => {
                diesel::MysqlConnection::establish(&address.for_driver()).map(Self::Mysql)
            }
        }
    }
}
