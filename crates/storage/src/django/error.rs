//! Why an import could not be done at all. Rows that cannot be taken are no errors: they are in
//! the [`Report`](super::Report).

use vestibule_core::ports::store::StoreError;

/// Why an import stopped. What was committed before stays; running it again goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The address names no kind of database that can be read.
    #[error("the address of the Django database is not understood: {0}")]
    Address(String),
    /// This program was built without that kind of database.
    #[error("this program was built without {database}: build it with the feature `{feature}`")]
    NotBuiltIn {
        /// The database, as people call it.
        database: &'static str,
        /// The cargo feature that brings it.
        feature: &'static str,
    },
    /// Nobody answers there, or lets nobody in.
    #[error("the Django database {source_name} cannot be opened: {reason}")]
    Unreachable {
        /// The address without password.
        source_name: String,
        /// What the database's own library said, without password.
        reason: String,
    },
    /// It is a database, but not that of a Django site.
    #[error("{source_name} is not the database of a Django site: it has no {missing}")]
    NotDjango {
        /// The address without password.
        source_name: String,
        /// The tables that every such site has and this one has not.
        missing: String,
    },
    /// There is no user table that can be read.
    #[error("{source_name} has no user table that can be imported: {reason}")]
    UserTable {
        /// The address without password.
        source_name: String,
        /// What is missing, by table.
        reason: String,
    },
    /// The database broke off, or a table of it cannot be read at all.
    #[error("reading {what} from the Django database failed: {reason}")]
    Reading {
        /// The table, or what was being read.
        what: String,
        /// What the database's own library said.
        reason: String,
    },
    /// Accounts, groups or grants of the same names were written here at the same moment.
    #[error(
        "others wrote the same names while the import ran; what was imported is kept, run it again"
    )]
    Overtaken,
    /// The own database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
