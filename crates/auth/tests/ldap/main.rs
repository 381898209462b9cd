//! A directory as a backend, against a real `OpenLDAP` server and a proxy before it that fails on
//! demand. Both are those of `tests/peers/ldap`; without them these tests fail.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bridge;
mod changes;
mod encryption;
mod failing;
mod groups;
mod kit;
mod people;
mod support;
mod written;
