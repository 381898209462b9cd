//! Vestibule's storage.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod check;
mod columns;
mod conn;
mod dialect;
pub mod django;
mod error;
mod lanes;
mod migrate;
mod repos;
mod rows;
mod schema;
mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
mod tx;
mod url;
mod verify;

pub use crate::{
    error::{MigrateError, OpenError},
    migrate::{MigrationStatus, migrate, migrations},
    store::{SqlStore, StoreOptions, open},
    url::{DatabaseUrl, Kind, ServerAddress, UrlError, kind},
    verify::{Finding, VerifyError, verify},
};
