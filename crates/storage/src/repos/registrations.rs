//! Accounts that wait for their owner.

use diesel::prelude::*;
use vestibule_core::{
    Timestamp,
    domain::registration::Registration,
    id::RegistrationId,
    ports::{registrations::RegistrationRepo, store::StoreResult},
};

use crate::{
    columns::count,
    rows::{registrations::RegistrationRow, value, values},
    schema::registrations,
    tx::DieselTx,
};

impl RegistrationRepo for DieselTx<'_> {
    fn insert_registration(&mut self, waiting: &Registration) -> StoreResult<()> {
        self.guarded("registrations", |conn| {
            let row = RegistrationRow::from(waiting);
            diesel::insert_into(registrations::table).values(row).execute(conn)?;
            Ok(())
        })
    }

    fn registration(
        &mut self,
        id: RegistrationId,
        now: Timestamp,
    ) -> StoreResult<Option<Registration>> {
        self.call("registrations", |conn| {
            let row = registrations::table
                .filter(registrations::id.eq(&id.as_bytes()[..]))
                .filter(registrations::expires_at.gt(now.as_micros()))
                .select(RegistrationRow::as_select())
                .get_result(conn)
                .optional()?;
            value(row)
        })
    }

    fn registrations_at(&mut self, email_key: &str) -> StoreResult<Vec<Registration>> {
        if super::no_text_holds(email_key) {
            return Ok(Vec::new());
        }
        self.call("registrations", |conn| {
            let rows = registrations::table
                .filter(registrations::email_key.eq(email_key))
                .order(registrations::id.desc())
                .select(RegistrationRow::as_select())
                .load(conn)?;
            values(rows)
        })
    }

    fn delete_registration(&mut self, id: RegistrationId) -> StoreResult<bool> {
        self.call("registrations", |conn| {
            let row = registrations::table.filter(registrations::id.eq(&id.as_bytes()[..]));
            Ok(diesel::delete(row).execute(conn)? == 1)
        })
    }

    fn purge_registrations(&mut self, now: Timestamp) -> StoreResult<u64> {
        self.call("registrations", |conn| {
            let rows = registrations::table.filter(registrations::expires_at.le(now.as_micros()));
            Ok(count(diesel::delete(rows).execute(conn)?))
        })
    }
}
