//! The route table: one row to an operation, from which the server, the OpenAPI document and the
//! tests are made alike.

pub mod api;
pub(crate) mod backend;
pub mod ops;
pub mod table;

pub use table::{Endpoint, Guard, Input, Output};
