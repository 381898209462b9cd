#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod backends;
pub mod hashing;
pub mod passwords;
pub mod runner;
