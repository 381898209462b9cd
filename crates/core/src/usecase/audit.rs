//! Reading the audit log.

use super::{authority::Authority, error::AdminResult};
use crate::{
    cx::OpCx,
    domain::{
        audit::StoredAuditEvent,
        page::{Page, PageRequest},
        rights,
    },
    id::AuditId,
    ports::{audit::AuditFilter, store::Store},
};

/// Reads the audit log.
pub struct Audit {
    store: Store,
}

impl Audit {
    /// Over the store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// A page of events, newest first.
    pub async fn list(
        &self,
        cx: &OpCx,
        filter: AuditFilter,
        request: PageRequest<()>,
    ) -> AdminResult<Page<StoredAuditEvent>> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                Authority::load(tx, &cx)?.require(rights::VIEW_AUDIT)?;
                Ok(tx.audit_page(&filter, &request)?)
            })
            .await
    }

    /// The next events of an export, oldest first, after the last one of the call before.
    pub async fn export(
        &self,
        cx: &OpCx,
        filter: AuditFilter,
        after: Option<AuditId>,
        limit: u32,
    ) -> AdminResult<Vec<StoredAuditEvent>> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                Authority::load(tx, &cx)?.require(rights::VIEW_AUDIT)?;
                Ok(tx.audit_after(&filter, after, limit)?)
            })
            .await
    }
}
