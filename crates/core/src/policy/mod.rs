//! Decisions, as functions of values: no input or output, all property-tested.

pub mod bits;
pub mod catalogue;
pub mod chain;
pub mod decide;
pub mod facts;
pub mod holds;
pub mod passwords;
pub mod visible;
