//! What ends with the state of an account that one-time links were sent for.

use crate::{
    id::UserId,
    ports::store::{StoreResult, Tx},
    time::Timestamp,
};

/// Takes back every link of an account, those of mails that still wait as well: its password or its
/// address is another one now, or it may not be used any more.
pub fn cut(tx: &mut dyn Tx, user: UserId, now: Timestamp) -> StoreResult<()> {
    // The mails first: somebody who is about to send one holds its row, and has put a link beside it
    // that is only seen once they let go of the row.
    tx.expire_notices_about(user, &["reset", "welcome", "email_change"], now)?;
    tx.delete_tickets_of(user, None)?;
    Ok(())
}
