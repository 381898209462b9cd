//! Providers of OAuth 2.0 (RFC 6749).

pub(crate) mod came_back;
pub(crate) mod client;
