//! The command line as an operator uses it: arguments, standard input, exit status and what is
//! printed.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod mail;
mod support;
#[path = "../it/support/visitor.rs"]
#[expect(dead_code, reason = "these tests use less of it than the others")]
mod visitor;

mod accounts;
mod backends;
mod commands;
mod configuration;
mod csv;
mod curl;
mod databases;
mod output;
mod pages;
mod permissions;
mod secrets;
