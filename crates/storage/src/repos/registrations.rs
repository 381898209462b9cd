//! Accounts that wait for their owner.

use diesel::{dsl::count_star, prelude::*};
use vestibule_core::{
    Timestamp,
    domain::{
        page::{Page, PageRequest},
        registration::{Consent, Registration},
    },
    id::{RegistrationId, UserId},
    ports::{registrations::RegistrationRepo, store::StoreResult},
};

use super::{limit, no_text_holds, page};
use crate::{
    columns::count,
    dialect,
    rows::{
        registrations::{ConsentRow, RegistrationRow},
        value, values,
    },
    schema::{consents, registrations},
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
        if no_text_holds(email_key) {
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

    fn registration_page(
        &mut self,
        now: Timestamp,
        request: &PageRequest<()>,
    ) -> StoreResult<Page<Registration>> {
        self.call("registrations", |conn| {
            let waiting = registrations::table
                .filter(registrations::confirmed_at.is_not_null())
                .filter(registrations::expires_at.gt(now.as_micros()));
            let order =
                dialect::by("registrations.id", "registrations.id DESC", request.descending);
            let count = waiting.select(count_star()).get_result(conn)?;
            let rows: Vec<RegistrationRow> = waiting
                .select(RegistrationRow::as_select())
                .order(order)
                .limit(limit(request))
                .offset(request.offset())
                .load(conn)?;
            page(count, rows)
        })
    }

    fn confirm_registration(
        &mut self,
        id: RegistrationId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> StoreResult<bool> {
        self.call("registrations", |conn| {
            let row = registrations::table.filter(registrations::id.eq(&id.as_bytes()[..]));
            let changed = diesel::update(row)
                .set((
                    registrations::confirmed_at.eq(Some(now.as_micros())),
                    registrations::expires_at.eq(expires_at.as_micros()),
                ))
                .execute(conn)?;
            Ok(changed == 1)
        })
    }

    fn prolong_registration(
        &mut self,
        id: RegistrationId,
        expires_at: Timestamp,
    ) -> StoreResult<bool> {
        self.call("registrations", |conn| {
            let row = registrations::table.filter(registrations::id.eq(&id.as_bytes()[..]));
            let end = registrations::expires_at.eq(expires_at.as_micros());
            Ok(diesel::update(row).set(end).execute(conn)? == 1)
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

    fn insert_consent(&mut self, user: UserId, consent: &Consent) -> StoreResult<()> {
        let inserted = self.guarded("consents", |conn| {
            let row = ConsentRow::of(user, consent);
            diesel::insert_into(consents::table).values(row).execute(conn)?;
            Ok(())
        });
        match inserted {
            Err(error) if error.is_duplicate() => Ok(()),
            other => other,
        }
    }

    fn consents_of(&mut self, user: UserId) -> StoreResult<Vec<Consent>> {
        self.call("consents", |conn| {
            let rows = consents::table
                .filter(consents::user_id.eq(&user.as_bytes()[..]))
                .select(ConsentRow::as_select())
                .load(conn)?;
            let mut found: Vec<Consent> = values(rows)?;
            found.sort_by_key(|consent| consent.at);
            Ok(found)
        })
    }
}
