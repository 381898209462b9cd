//! What goes over the wire, one file to a resource; never a domain type itself.

pub(crate) mod announcement;
pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod experiment;
pub(crate) mod grant;
pub(crate) mod group;
pub(crate) mod identity;
pub(crate) mod invitation;
pub(crate) mod list;
pub(crate) mod mailed;
pub(crate) mod object;
pub(crate) mod outbox;
pub(crate) mod permission;
pub(crate) mod registration;
pub(crate) mod session;
pub(crate) mod user;

use serde::{Deserialize, Deserializer};
use vestibule_core::Timestamp;

use crate::problem::Problem;

/// Tells a field that is `null` from one that is not there: `Some(None)` and `None`.
pub(crate) fn nullable<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Reads a time field.
pub(crate) fn time(field: &str, text: &str) -> Result<Timestamp, Problem> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| {
        Problem::malformed_field(field, "is not an RFC 3339 time such as 2026-01-31T12:00:00Z")
    })
}

/// Reads a time field that may be missing.
pub(crate) fn optional_time(
    field: &str,
    text: Option<&String>,
) -> Result<Option<Timestamp>, Problem> {
    text.map(|text| time(field, text)).transpose()
}

/// Reads an id in a path or a field.
pub(crate) fn id<T: std::str::FromStr>(field: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::malformed_field(field, "is not an id"))
}
