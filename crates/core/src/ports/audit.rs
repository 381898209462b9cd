//! Where audit events are kept.

use super::store::StoreResult;
use crate::{
    domain::{
        audit::{AuditEvent, StoredAuditEvent},
        page::{Page, PageRequest},
    },
    id::{AuditId, UserId},
    time::Timestamp,
};

/// Which events a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Done by this account.
    pub actor: Option<UserId>,
    /// With exactly this name, or with a name that begins so when it ends with a dot.
    pub action: Option<String>,
    /// Done to something of this kind.
    pub target_kind: Option<String>,
    /// Done to the thing with this id.
    pub target_id: Option<String>,
    /// Not before this instant.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}

/// Where audit events are kept. They are written in the transaction of what they tell of, and
/// never changed.
pub trait AuditRepo {
    /// Adds an event.
    fn insert_audit(&mut self, event: &AuditEvent) -> StoreResult<()>;

    /// A page of events, newest first.
    fn audit_page(
        &mut self,
        filter: &AuditFilter,
        request: &PageRequest<()>,
    ) -> StoreResult<Page<StoredAuditEvent>>;

    /// Up to `limit` events after this one (from the first when there is none), oldest first: an
    /// export walks with it.
    fn audit_after(
        &mut self,
        filter: &AuditFilter,
        after: Option<AuditId>,
        limit: u32,
    ) -> StoreResult<Vec<StoredAuditEvent>>;
}
