//! What the load tools and the benches share: processes pinned to a core, two generators of load,
//! the statistics over what they saw, and the sites that are measured.
//!
//! The commands and what they show are in `docs/performance.md`. Nothing in here asserts a time:
//! a figure from a machine that is busy with something else is worth nothing.

#![forbid(unsafe_code)]

pub mod child;
pub mod closed;
pub mod cpu;
pub mod django;
pub mod http;
pub mod memory;
pub mod open;
pub mod stats;
pub mod table;
pub mod world;

/// What goes wrong in a tool ends it, with a sentence for the person at the keyboard.
pub type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;
