//! Counts within windows of time. The table has the name of what was counted first.

use diesel::prelude::*;
use vestibule_core::{
    Timestamp,
    ports::{
        store::StoreResult,
        throttle::{ThrottleRepo, WindowCount},
    },
};

use crate::{
    columns::{count, instant},
    conn::AnyConnection,
    dialect,
    error::DbResult,
    schema::login_failures,
    tx::DieselTx,
};

fn find(conn: &mut AnyConnection, key: &[u8; 32]) -> DbResult<Option<WindowCount>> {
    let row: Option<(i64, i32)> = login_failures::table
        .filter(login_failures::key_digest.eq(&key[..]))
        .select((login_failures::since, login_failures::failures))
        .get_result(conn)
        .optional()?;
    Ok(row.map(|(since, failures)| WindowCount {
        since: instant(since),
        count: u32::try_from(failures).unwrap_or(0),
    }))
}

impl ThrottleRepo for DieselTx<'_> {
    fn window_count(&mut self, key: &[u8; 32]) -> StoreResult<Option<WindowCount>> {
        self.call("login_failures", |conn| find(conn, key))
    }

    fn count_one(
        &mut self,
        key: &[u8; 32],
        now: Timestamp,
        window_start: Timestamp,
    ) -> StoreResult<u32> {
        self.put("login_failures", |conn| {
            let row = login_failures::table.filter(login_failures::key_digest.eq(&key[..]));
            let one_more = |conn: &mut AnyConnection| -> DbResult<usize> {
                // The statement itself counts, so that two at once make two.
                let counted = diesel::update(
                    row.filter(login_failures::since.ge(window_start.as_micros()))
                        .filter(login_failures::failures.lt(i32::MAX)),
                )
                .set(login_failures::failures.eq(login_failures::failures + 1))
                .execute(conn)?;
                if counted > 0 {
                    return Ok(counted);
                }
                let restarted =
                    diesel::update(row.filter(login_failures::since.lt(window_start.as_micros())))
                        .set((
                            login_failures::since.eq(now.as_micros()),
                            login_failures::failures.eq(1),
                        ))
                        .execute(conn)?;
                Ok(restarted)
            };
            dialect::put(conn, one_more, |conn| {
                Ok(diesel::insert_into(login_failures::table)
                    .values((
                        login_failures::key_digest.eq(&key[..]),
                        login_failures::since.eq(now.as_micros()),
                        login_failures::failures.eq(1),
                    ))
                    .execute(conn)?)
            })?;
            Ok(find(conn, key)?.map_or(1, |failures| failures.count))
        })
    }

    fn forget_count(&mut self, key: &[u8; 32]) -> StoreResult<bool> {
        self.call("login_failures", |conn| {
            let row = login_failures::table.filter(login_failures::key_digest.eq(&key[..]));
            Ok(diesel::delete(row).execute(conn)? > 0)
        })
    }

    fn purge_counts(&mut self, before: Timestamp) -> StoreResult<u64> {
        self.call("login_failures", |conn| {
            let old = login_failures::table.filter(login_failures::since.lt(before.as_micros()));
            Ok(count(diesel::delete(old).execute(conn)?))
        })
    }
}
