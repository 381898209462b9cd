//! For the tests of backends: a host that lends what the real one lends, and a service over HTTP
//! that answers what a test tells it to, or fails in all the ways in which services fail.

pub mod conformance;
mod host;
pub mod log;
mod service;

pub use self::{
    host::Host,
    service::{Asked, Reply, Service},
};
