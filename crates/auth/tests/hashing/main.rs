//! The schemes: what others stored is read exactly, what we make keeps its promises.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile;
mod imported;
mod own;
mod support;
