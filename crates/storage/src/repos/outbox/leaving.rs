//! What leaves the outbox.

use diesel::prelude::*;

use crate::{
    conn::AnyConnection,
    dialect,
    error::DbResult,
    repos::{IDS_AT_ONCE, announcements::keep_count},
    schema::outbox,
};

/// Removes the mails that are found, and has announcements count theirs. Answers how many.
///
/// Several may remove the same at once, and one that was given up may be tried anew meanwhile: what
/// is removed is what is still found once nobody else can touch it.
pub(super) fn remove(
    conn: &mut AnyConnection,
    find: impl Fn(&mut AnyConnection) -> DbResult<Vec<Vec<u8>>>,
) -> DbResult<usize> {
    let mut found = find(conn)?;
    loop {
        hold(conn, &found)?;
        let still = find(conn)?;
        if still == found {
            break;
        }
        found = still;
    }
    keep_count(conn, &found)?;
    let mut gone = 0;
    for some in found.chunks(IDS_AT_ONCE) {
        gone += diesel::delete(outbox::table.filter(outbox::id.eq_any(some))).execute(conn)?;
    }
    Ok(gone)
}

/// The announcements first, as whoever takes one back does: nobody then waits for somebody who
/// waits for them.
fn hold(conn: &mut AnyConnection, mails: &[Vec<u8>]) -> DbResult<()> {
    for some in mails.chunks(IDS_AT_ONCE) {
        let announcements: Vec<Option<Vec<u8>>> = outbox::table
            .filter(outbox::id.eq_any(some))
            .filter(outbox::announcement_id.is_not_null())
            .select(outbox::announcement_id)
            .distinct()
            .load(conn)?;
        let announcements: Vec<Vec<u8>> = announcements.into_iter().flatten().collect();
        dialect::hold_announcements(conn, &announcements)?;
        dialect::hold_mails(conn, some)?;
    }
    Ok(())
}
