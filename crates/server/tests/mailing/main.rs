//! Mail under load and through deaths, in a program of its own: what these tests count and kill
//! would be in the way of others.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "../it/support/process.rs"]
#[expect(dead_code, reason = "these tests use less of it than the others")]
mod process;
#[path = "../it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "these tests use less of it than the others"
)]
mod support;

mod backlog;
mod kills;
mod logs;
mod sink;
