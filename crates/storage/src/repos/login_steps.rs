//! Logins that wait for the visitor.

use diesel::prelude::*;
use vestibule_core::{
    Timestamp, TokenDigest,
    domain::login_step::LoginStep,
    ports::{login_steps::LoginStepRepo, store::StoreResult},
};

use crate::{
    columns::count,
    rows::{misc::LoginStepRow, value},
    schema::login_steps,
    tx::DieselTx,
};

impl LoginStepRepo for DieselTx<'_> {
    fn insert_login_step(&mut self, step: &LoginStep) -> StoreResult<()> {
        self.guarded("login_steps", |conn| {
            diesel::insert_into(login_steps::table)
                .values(LoginStepRow::from(step))
                .execute(conn)?;
            Ok(())
        })
    }

    fn take_login_step(
        &mut self,
        digest: &TokenDigest,
        now: Timestamp,
    ) -> StoreResult<Option<LoginStep>> {
        self.call("login_steps", |conn| {
            let row = login_steps::table
                .filter(login_steps::digest.eq(&digest.as_bytes()[..]))
                .filter(login_steps::expires_at.gt(now.as_micros()));
            let found: Option<LoginStep> =
                value(row.select(LoginStepRow::as_select()).get_result(conn).optional()?)?;
            // Whoever removes the row has it; all others find that they removed nothing.
            let removed = if found.is_some() { diesel::delete(row).execute(conn)? } else { 0 };
            Ok(found.filter(|_| removed == 1))
        })
    }

    fn purge_login_steps(&mut self, now: Timestamp) -> StoreResult<u64> {
        self.call("login_steps", |conn| {
            let rows = login_steps::table.filter(login_steps::expires_at.le(now.as_micros()));
            Ok(count(diesel::delete(rows).execute(conn)?))
        })
    }
}
