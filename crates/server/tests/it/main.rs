//! The server as its clients see it: over HTTP, on every database of the build.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

mod access;
mod accounts;
mod admin_news;
mod alike;
#[cfg(all(feature = "full", feature = "peers"))]
mod all_doors;
mod announcements;
mod answers;
mod approval;
mod contract;
mod converting;
mod cookies;
mod doors;
mod error_mails;
mod experiments;
mod fields;
mod from_elsewhere;
mod guessing;
mod import;
mod invitations;
mod inviting;
mod kit;
#[cfg(feature = "ldap")]
mod ldap;
mod leavers;
mod lifetimes;
mod linking;
mod notices;
mod oauth2;
mod objects;
#[cfg(all(feature = "full", feature = "peers"))]
mod oidc;
mod one_time;
mod outbox;
mod pages;
mod password_mail;
mod programs;
mod readdressing;
mod recovery;
mod registering;
mod registration;
mod remote;
mod rights;
mod sessions;
mod shibboleth;
mod steps;
#[cfg(feature = "peers")]
mod umbrella;
mod user_office;
mod ways_in;
