//! The server as its clients see it: over HTTP, on every database of the build.

mod support;

mod access;
mod accounts;
mod admin;
mod audit_log;
mod contract;
mod guessing;
mod import;
mod one_time;
mod pages;
mod replicas;
mod sessions;
