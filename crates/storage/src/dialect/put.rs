//! Insert or update, without any of the three different words for it.

use super::savepoint;
use crate::{conn::AnyConnection, error::DbResult};

/// Updates the row, or inserts it when there is none, or updates it after all when another
/// transaction inserted it in between. Answers whether it was inserted here.
pub(crate) fn put(
    conn: &mut AnyConnection,
    mut update: impl FnMut(&mut AnyConnection) -> DbResult<usize>,
    insert: impl FnOnce(&mut AnyConnection) -> DbResult<usize>,
) -> DbResult<bool> {
    if update(conn)? > 0 {
        return Ok(false);
    }
    match savepoint(conn, insert) {
        Ok(_) => Ok(true),
        Err(error) if error.is_duplicate() => {
            if update(conn)? > 0 {
                Ok(false)
            } else {
                Err(error)
            }
        }
        Err(error) => Err(error),
    }
}
