//! What the tables hold, as structs of primitives, and how these become values of the domain.

pub(crate) mod announcements;
pub(crate) mod audit;
pub(crate) mod grants;
pub(crate) mod groups;
pub(crate) mod identities;
pub(crate) mod invitations;
pub(crate) mod misc;
pub(crate) mod objects;
pub(crate) mod outbox;
pub(crate) mod permissions;
pub(crate) mod registrations;
pub(crate) mod sessions;
pub(crate) mod users;

use crate::error::{DbError, DbResult};

/// Turns rows into values; the first unreadable one ends it.
pub(crate) fn values<R, T>(rows: Vec<R>) -> DbResult<Vec<T>>
where
    T: TryFrom<R, Error = DbError>,
{
    rows.into_iter().map(T::try_from).collect()
}

/// The same of a row that may be missing.
pub(crate) fn value<R, T>(row: Option<R>) -> DbResult<Option<T>>
where
    T: TryFrom<R, Error = DbError>,
{
    row.map(T::try_from).transpose()
}
