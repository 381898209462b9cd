//! The server as its clients see it: over HTTP, on every database of the build.

mod support;

mod contract;
mod import;
mod sessions;
