#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod backends;
pub mod hashing;
pub mod http;
pub mod json;
pub mod passwords;
mod reach;
pub mod runner;
#[cfg(feature = "testkit")]
pub mod testkit;
