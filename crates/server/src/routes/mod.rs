//! The route table: one row to an operation, from which the server, the OpenAPI document and the
//! tests are made alike.

pub mod api;
pub(crate) mod backend;
pub mod ops;
pub mod table;

use actix_web::{Route, guard, web};

pub use table::{Endpoint, Guard, Input, Output};

/// A route of what is only looked at: by GET or, without the body of the answer, by HEAD, as those
/// do who watch whether a server is well (RFC 9110 section 9.1).
pub(crate) fn look() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}
