//! The order in which rights changed.

use diesel::{dsl::min, prelude::*};
use vestibule_core::{
    Timestamp,
    domain::change::{Change, NumberedChange},
    ports::{changes::ChangeRepo, store::StoreResult},
};

use crate::{
    columns::count,
    conn::AnyConnection,
    error::{DbError, DbResult},
    rows::{misc::ChangeRow, values},
    schema::{change_counter, changes},
    tx::DieselTx,
};

fn last(conn: &mut AnyConnection) -> DbResult<i64> {
    let value = change_counter::table.select(change_counter::value).get_result(conn).optional()?;
    value.ok_or_else(|| DbError::corrupt("change_counter", "the row is missing"))
}

impl ChangeRepo for DieselTx<'_> {
    fn announce(&mut self, change: Change, now: Timestamp) -> StoreResult<()> {
        if self.has_announced(change) {
            return Ok(());
        }
        if change == Change::Mail {
            self.note(change);
            return Ok(());
        }
        self.call("changes", |conn| {
            // First of all the lock on the counter, which holds until the transaction ends.
            diesel::update(change_counter::table)
                .set(change_counter::value.eq(change_counter::value + 1))
                .execute(conn)?;
            let row = ChangeRow {
                number: last(conn)?,
                user_id: match change {
                    Change::User(id) => Some(id.as_bytes().to_vec()),
                    Change::Everyone | Change::Mail => None,
                },
                at: now.as_micros(),
            };
            diesel::insert_into(changes::table).values(row).execute(conn)?;
            Ok(())
        })?;
        self.note(change);
        Ok(())
    }

    fn last_change(&mut self) -> StoreResult<i64> {
        self.call("change_counter", last)
    }

    fn changes_after(&mut self, number: i64, limit: u32) -> StoreResult<Vec<NumberedChange>> {
        self.call("changes", |conn| {
            let rows = changes::table
                .filter(changes::number.gt(number))
                .select(ChangeRow::as_select())
                .order(changes::number)
                .limit(i64::from(limit))
                .load(conn)?;
            values(rows)
        })
    }

    fn oldest_change(&mut self) -> StoreResult<Option<i64>> {
        self.call("changes", |conn| {
            Ok(changes::table.select(min(changes::number)).get_result(conn)?)
        })
    }

    fn purge_changes(&mut self, before: Timestamp) -> StoreResult<u64> {
        self.call("changes", |conn| {
            let old = changes::table.filter(changes::at.lt(before.as_micros()));
            Ok(count(diesel::delete(old).execute(conn)?))
        })
    }
}
