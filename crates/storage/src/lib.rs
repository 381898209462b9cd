//! Vestibule's storage: everything that the core wants kept, on `SQLite`, `PostgreSQL` or
//! MySQL/`MariaDB`, by one set of diesel queries.
//!
//! ```
//! use vestibule_core::ports::store::{Store, StoreError};
//! use vestibule_storage::{StoreOptions, migrate, open};
//!
//! # let folder = std::env::temp_dir().join(format!("vestibule-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! let url = format!("sqlite:{}/vestibule.db", folder.display());
//! migrate(&url, &mut |name| println!("running {name}"))?;
//! let store: Store = open(&url, &StoreOptions::default())?.into_store();
//!
//! # futures_executor::block_on(async {
//! // A unit of work: all of it is kept, or nothing.
//! let first = store.write(|tx| tx.set_instance_mark("greeting", "hello")).await?;
//! let greeting = store.lookup(|tx| tx.instance_mark("greeting")).await?;
//! assert!(first);
//! assert_eq!(greeting.as_deref(), Some("hello"));
//! # Ok::<(), StoreError>(())
//! # })?;
//! # drop(store);
//! # std::fs::remove_dir_all(folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What to know
//!
//! * **Addresses** are `sqlite:PATH`, `postgres://…` (feature `postgres`) and `mysql://…` or
//!   `mariadb://…` (feature `mysql`). They are never shown with their password.
//! * **No pool, no asynchronous driver.** Threads own the connections, and units of work queue for
//!   them: on `SQLite` one writer that commits up to 64 units at once, some readers, and look-ups on
//!   the thread that asks; on a server as many threads as connections, one of them kept for look-ups.
//!   A unit that finds no place within two seconds is answered with `Unavailable`.
//! * **A unit may run more than once.** After a deadlock it is run again, three times in all; a
//!   read is run again once when its connection was cut.
//! * **A commit that was answered is on the disk.** A commit whose answer was lost is
//!   `Unavailable`, like everything of which it is not known whether it took place.
//! * **A refused row leaves the transaction whole** (a name that is taken, an owner that is
//!   missing); after any other failure every further call fails and nothing is committed.
//! * Instants are microseconds in a 64-bit integer, ids 16 bytes, enums and JSON text, and text is
//!   compared byte by byte: the same everywhere.
//!
//! # Where to look
//!
//! `dialect/` is the only place that knows which database it is; `repos/` has one file for each
//! port, `rows/` what they read and write, `lanes/` the threads, `verify/` the walk over everything,
//! `migrations/` three folders with the same names. A new method of a port goes into `repos/`, a new
//! table into `schema.rs` and all three folders: tests compare these.

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
