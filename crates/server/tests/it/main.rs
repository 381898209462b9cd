//! The server as its clients see it: over HTTP, on every database of the build.

mod support;

mod access;
mod contract;
mod guessing;
mod import;
mod one_time;
mod pages;
mod sessions;
