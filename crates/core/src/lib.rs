//! x
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod cx;
pub mod domain;
pub mod entropy;
pub mod id;
pub mod policy;
pub mod ports;
pub mod secret;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod time;
pub mod usecase;

pub use crate::{
    cx::{Actor, Client, OpCx},
    domain::{email::Email, username::Username},
    entropy::{Entropy, SystemEntropy},
    secret::{Secret, TokenDigest},
    time::{Clock, SystemClock, Timestamp},
};
