//! One-time links and the instance's own marks.

use diesel::prelude::*;
use vestibule_core::{
    Timestamp, TokenDigest,
    domain::ticket::{Purpose, Subject, Ticket},
    id::UserId,
    ports::{store::StoreResult, tickets::TicketRepo},
};

use crate::{
    columns::count,
    conn::AnyConnection,
    error::DbResult,
    rows::{misc::TicketRow, value},
    schema::{instance_marks, tickets},
    tx::DieselTx,
};

fn live(
    conn: &mut AnyConnection,
    digest: &TokenDigest,
    purpose: Purpose,
    now: Timestamp,
) -> DbResult<Option<Ticket>> {
    let row = tickets::table
        .filter(tickets::digest.eq(&digest.as_bytes()[..]))
        .filter(tickets::purpose.eq(purpose.as_str()))
        .filter(tickets::expires_at.gt(now.as_micros()))
        .select(TicketRow::as_select())
        .get_result(conn)
        .optional()?;
    value(row)
}

impl TicketRepo for DieselTx<'_> {
    fn insert_ticket(&mut self, ticket: &Ticket) -> StoreResult<()> {
        self.guarded("tickets", |conn| {
            diesel::insert_into(tickets::table).values(TicketRow::from(ticket)).execute(conn)?;
            Ok(())
        })
    }

    fn ticket(
        &mut self,
        digest: &TokenDigest,
        purpose: Purpose,
        now: Timestamp,
    ) -> StoreResult<Option<Ticket>> {
        self.call("tickets", |conn| live(conn, digest, purpose, now))
    }

    fn spent_ticket(
        &mut self,
        digest: &TokenDigest,
        purpose: Purpose,
    ) -> StoreResult<Option<Ticket>> {
        self.call("tickets", |conn| {
            let row = tickets::table
                .filter(tickets::digest.eq(&digest.as_bytes()[..]))
                .filter(tickets::purpose.eq(purpose.as_str()))
                .select(TicketRow::as_select())
                .get_result(conn)
                .optional()?;
            value(row)
        })
    }

    fn redeem_ticket(
        &mut self,
        digest: &TokenDigest,
        purpose: Purpose,
        now: Timestamp,
    ) -> StoreResult<Option<Ticket>> {
        self.call("tickets", |conn| {
            let Some(ticket) = live(conn, digest, purpose, now)? else {
                return Ok(None);
            };
            // Whoever removes the row has it; all others find that they removed nothing.
            let row = tickets::table
                .filter(tickets::digest.eq(&digest.as_bytes()[..]))
                .filter(tickets::purpose.eq(purpose.as_str()))
                .filter(tickets::expires_at.gt(now.as_micros()));
            let removed = diesel::delete(row).execute(conn)?;
            Ok((removed == 1).then_some(ticket))
        })
    }

    fn delete_tickets(&mut self, purpose: Purpose) -> StoreResult<u64> {
        self.call("tickets", |conn| {
            let rows = tickets::table.filter(tickets::purpose.eq(purpose.as_str()));
            Ok(count(diesel::delete(rows).execute(conn)?))
        })
    }

    fn delete_tickets_of(&mut self, user: UserId, purpose: Option<Purpose>) -> StoreResult<u64> {
        self.call("tickets", |conn| {
            let rows = tickets::table.filter(tickets::user_id.eq(&user.as_bytes()[..]));
            let removed = match purpose {
                Some(purpose) => {
                    diesel::delete(rows.filter(tickets::purpose.eq(purpose.as_str()))).execute(conn)
                }
                None => diesel::delete(rows).execute(conn),
            };
            Ok(count(removed?))
        })
    }

    fn delete_tickets_beside(&mut self, newest: &Ticket, spares_twins: bool) -> StoreResult<u64> {
        // No link ends then.
        let spared = if spares_twins { newest.expires_at.as_micros() } else { i64::MIN };
        self.call("tickets", |conn| {
            let others = tickets::table
                .filter(tickets::purpose.eq(newest.purpose.as_str()))
                .filter(tickets::digest.ne(&newest.digest.as_bytes()[..]))
                .filter(tickets::expires_at.ne(spared));
            let mut removed = 0;
            if let Some(user) = newest.user {
                let of_user = others.filter(tickets::user_id.eq(user.as_bytes().to_vec()));
                removed += diesel::delete(of_user).execute(conn)?;
            }
            if let Some(subject) = newest.subject {
                let about = others.filter(tickets::subject.eq(subject.as_bytes().to_vec()));
                removed += diesel::delete(about).execute(conn)?;
            }
            Ok(count(removed))
        })
    }

    fn delete_tickets_about(&mut self, subject: Subject) -> StoreResult<u64> {
        self.call("tickets", |conn| {
            let rows = tickets::table.filter(tickets::subject.eq(&subject.as_bytes()[..]));
            Ok(count(diesel::delete(rows).execute(conn)?))
        })
    }

    fn purge_tickets(&mut self, now: Timestamp) -> StoreResult<u64> {
        self.call("tickets", |conn| {
            let rows = tickets::table.filter(tickets::expires_at.le(now.as_micros()));
            Ok(count(diesel::delete(rows).execute(conn)?))
        })
    }

    fn instance_mark(&mut self, name: &str) -> StoreResult<Option<String>> {
        self.call("instance_marks", |conn| {
            Ok(instance_marks::table
                .filter(instance_marks::name.eq(name))
                .select(instance_marks::value)
                .get_result(conn)
                .optional()?)
        })
    }

    fn set_instance_mark(&mut self, name: &str, value: &str) -> StoreResult<bool> {
        let set = self.guarded("instance_marks", |conn| {
            diesel::insert_into(instance_marks::table)
                .values((instance_marks::name.eq(name), instance_marks::value.eq(value)))
                .execute(conn)?;
            Ok(())
        });
        match set {
            Ok(()) => Ok(true),
            Err(error) if error.is_duplicate() => Ok(false),
            Err(error) => Err(error),
        }
    }
}
