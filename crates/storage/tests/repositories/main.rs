//! What every database must do alike: each test runs on each database of the build.
//!
//! `cargo test -p vestibule-storage --features postgres,mysql,testkit --test repositories`

#![expect(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod support;

mod announcements;
mod audit;
mod changes;
mod grants;
mod groups;
mod identities;
mod imports;
mod invitations;
mod objects;
mod outbox;
mod permissions;
mod sessions;
mod throttle;
mod tickets;
mod users;
