//! Audit events.

use diesel::{dsl::count_star, prelude::*};
use vestibule_core::{
    domain::{
        audit::{AuditEvent, StoredAuditEvent},
        page::{Page, PageRequest},
    },
    id::AuditId,
    ports::{
        audit::{AuditFilter, AuditRepo},
        store::StoreResult,
    },
};

use super::{limit, page};
use crate::{
    conn::MultiBackend,
    dialect,
    rows::{audit::AuditRow, values},
    schema::audit_events,
    tx::DieselTx,
};

fn filtered(filter: &AuditFilter) -> audit_events::BoxedQuery<'static, MultiBackend> {
    let mut query = audit_events::table.into_boxed();
    if let Some(actor) = filter.actor {
        query = query.filter(audit_events::actor_id.eq(actor.as_bytes().to_vec()));
    }
    if let Some(action) = &filter.action {
        // `login.` is all that begins so: up to `login/`, as `/` follows the dot.
        query = match action.strip_suffix('.') {
            Some(subject) => query
                .filter(audit_events::action.ge(action.clone()))
                .filter(audit_events::action.lt(format!("{subject}/"))),
            None => query.filter(audit_events::action.eq(action.clone())),
        };
    }
    if let Some(kind) = &filter.target_kind {
        query = query.filter(audit_events::target_kind.eq(kind.clone()));
    }
    if let Some(id) = &filter.target_id {
        query = query.filter(audit_events::target_id.eq(id.clone()));
    }
    if let Some(since) = filter.since {
        query = query.filter(audit_events::at.ge(since.as_micros()));
    }
    if let Some(until) = filter.until {
        query = query.filter(audit_events::at.lt(until.as_micros()));
    }
    query
}

impl AuditRepo for DieselTx<'_> {
    fn insert_audit(&mut self, event: &AuditEvent) -> StoreResult<()> {
        self.call("audit_events", |conn| {
            diesel::insert_into(audit_events::table).values(AuditRow::from(event)).execute(conn)?;
            Ok(())
        })
    }

    fn audit_page(
        &mut self,
        filter: &AuditFilter,
        request: &PageRequest<()>,
    ) -> StoreResult<Page<StoredAuditEvent>> {
        self.call("audit_events", |conn| {
            let count = filtered(filter).select(count_star()).get_result(conn)?;
            // Newest first; asked for in reverse, oldest first.
            let rows = filtered(filter)
                .select(AuditRow::as_select())
                .order(dialect::by("id DESC", "id", request.descending))
                .limit(limit(request))
                .offset(request.offset())
                .load(conn)?;
            page(count, rows)
        })
    }

    fn audit_after(
        &mut self,
        filter: &AuditFilter,
        after: Option<AuditId>,
        limit: u32,
    ) -> StoreResult<Vec<StoredAuditEvent>> {
        self.call("audit_events", |conn| {
            let mut query = filtered(filter);
            if let Some(after) = after {
                query = query.filter(audit_events::id.gt(after.as_bytes().to_vec()));
            }
            let rows = query
                .select(AuditRow::as_select())
                .order(audit_events::id)
                .limit(i64::from(limit))
                .load(conn)?;
            values(rows)
        })
    }
}
