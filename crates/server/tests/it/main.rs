//! The server as its clients see it: over HTTP, on every database of the build.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

mod access;
mod accounts;
mod contract;
mod cookies;
mod guessing;
mod import;
mod one_time;
mod pages;
mod sessions;
