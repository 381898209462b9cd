//! The server while what it stands on fails: its database, its disk, its log, its own process.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "../it/support/process.rs"]
mod process;
#[cfg(feature = "postgres")]
mod proxy;
#[path = "../it/support/visitor.rs"]
#[expect(dead_code, reason = "these tests use less of it than the others")]
mod visitor;

#[cfg(feature = "postgres")]
mod database;
mod disk;
mod signals;
