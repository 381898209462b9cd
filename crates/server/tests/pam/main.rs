//! Unix accounts by PAM: the backend with its helper, against real accounts, modules that misbehave
//! (tests/peers/pam), and a server that runs as nobody special.
//!
//! They want root, and the peer: `eval "$(tests/peers/pam/peer start DIR)"`. Without it a test fails:
//! one that was left out would look like one that passed.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "../it/support/visitor.rs"]
#[expect(dead_code, reason = "these tests use less of it than the others")]
mod visitor;
mod world;

mod answers;
mod codes;
mod faults;
mod helper;
mod kit;
mod limits;
mod site;
mod socket;
