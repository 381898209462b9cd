//! Whose turn it is.

use diesel::{dsl::sql, prelude::*, sql_types::Bool};
use vestibule_core::{domain::notice::Lane, ports::outbox::Claim};

use super::WAITING;
use crate::{conn::AnyConnection, error::DbResult, schema::outbox};

/// That no other notice to the same recipient waits before this one and holds it up.
///
/// One that is worth nothing after a time is held up by what is being sent, and by what would be
/// sent now: neither by one that was refused for now and waits for another attempt, nor by those
/// that wait behind such a one.
const IS_FIRST: &str = "NOT EXISTS (SELECT 1 FROM outbox AS earlier \
    WHERE earlier.recipient_key = outbox.recipient_key AND earlier.lane = outbox.lane \
    AND earlier.state = 'waiting' AND (earlier.place < outbox.place \
    OR (earlier.place = outbox.place AND earlier.id < outbox.id)) \
    AND (outbox.expires_at IS NULL OR earlier.lease IS NOT NULL \
    OR (earlier.attempts = 0 AND (earlier.expires_at IS NOT NULL \
    OR NOT EXISTS (SELECT 1 FROM outbox AS refused \
    WHERE refused.recipient_key = earlier.recipient_key AND refused.lane = earlier.lane \
    AND refused.state = 'waiting' AND refused.place < earlier.place \
    AND refused.attempts > 0 AND refused.lease IS NULL)))))";

/// The ids of those that may be taken on, in their order.
pub(super) fn candidates(conn: &mut AnyConnection, claim: &Claim) -> DbResult<Vec<Vec<u8>>> {
    if let Some(id) = claim.only {
        return Ok(vec![id.as_bytes().to_vec()]);
    }
    let mut found: Vec<Vec<u8>> = Vec::new();
    for lane in Lane::ALL.into_iter().filter(|own| claim.lane.is_none_or(|lane| lane == *own)) {
        let room = i64::from(claim.limit) - i64::try_from(found.len()).unwrap_or(i64::MAX);
        if room > 0 {
            let more: Vec<Vec<u8>> = outbox::table
                .filter(outbox::state.eq(WAITING))
                .filter(outbox::lane.eq(lane.as_str()))
                .filter(outbox::due_at.le(claim.now.as_micros()))
                .filter(sql::<Bool>(IS_FIRST))
                .select(outbox::id)
                .order((outbox::due_at, outbox::place))
                .limit(room)
                .load(conn)?;
            found.extend(more);
        }
    }
    Ok(found)
}
