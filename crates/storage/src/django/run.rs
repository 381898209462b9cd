//! One run of an import, on the side of the own database.

use std::sync::Arc;

use futures_util::future;
use serde_json::json;
use vestibule_core::{
    OpCx,
    domain::audit::AuditEvent,
    id::AuditId,
    ports::{
        imports::{ImportLink, LinksOf},
        store::{Store, StoreError, StoreErrorKind, StoreResult, Tx},
    },
};

use super::{
    apply::{Applied, How, apply},
    batch::Batch,
    error::ImportError,
    known::{Known, kind},
    plan::Summary,
    report::{Counts, Report},
};

/// One run.
pub(super) struct Run {
    store: Store,
    cx: OpCx,
    dry: bool,
    untold: Untold,
    /// Kept back until it is known whether it is the last one.
    held: Option<Batch>,
    /// What is written already.
    spent: Option<Arc<Batch>>,
    pub(super) report: Report,
}

/// What was committed and no audit event tells of yet: kept in a link of its own kind, so that it
/// outlives a crash.
#[derive(Clone, Debug)]
struct Untold {
    source: Arc<str>,
    /// The id that the event will have.
    event: AuditId,
    /// How many rows, of this run and of ones that were cut off.
    rows: u64,
    /// How many of ones that were cut off alone.
    earlier: u64,
}

impl Run {
    pub(super) fn new(store: Store, cx: OpCx, source: &str, known: &Known, dry: bool) -> Self {
        let event = AuditId::generate(cx.now(), cx.entropy());
        let untold = Untold::read(source, event, known.run.as_ref());
        Self { store, cx, dry, untold, held: None, spent: None, report: Report::default() }
    }

    /// Takes a batch; the one before it was not the last, and is written.
    pub(super) async fn batch(&mut self, batch: Batch) -> Result<(), ImportError> {
        match self.held.replace(batch) {
            Some(previous) => self.write(Some(previous), false).await,
            None => Ok(()),
        }
    }

    /// Writes the last batch, with the audit event when anything changed.
    pub(super) async fn finish(mut self, summary: Summary) -> Result<Report, ImportError> {
        self.report.counts.add(&summary.counts);
        self.report.entries.extend(summary.entries);
        let last = self.held.take();
        self.write(last, true).await?;
        sort(&mut self.report);
        Ok(self.report)
    }

    async fn write(&mut self, batch: Option<Batch>, is_last: bool) -> Result<(), ImportError> {
        let mut batch = batch.map(Arc::new);
        let (now, dry) = (self.cx.now(), self.dry);
        if let Some(planned) = batch.clone()
            && (self.dry || !planned.surely_writes())
        {
            // Whether anything has to be written is found out without writing: an import that
            // changes nothing must not even be seen.
            let source = Arc::clone(&self.untold.source);
            let applied = self
                .store
                .read::<_, StoreError>(move |tx| {
                    apply(tx, &planned, How { source: &source, now, dry: true })
                })
                .await?;
            if self.dry || !applied.writes {
                self.add(applied);
                batch = None;
            }
        }
        if self.dry || (batch.is_none() && !(is_last && self.untold.rows > 0)) {
            return Ok(());
        }
        let (cx, untold) = (self.cx.clone(), self.untold.clone());
        let last = is_last.then(|| self.report.clone());
        let spent = std::mem::replace(&mut self.spent, batch.clone());
        let writing = self.store.write::<_, StoreError>(move |tx| {
            let applied = match &batch {
                Some(batch) => apply(tx, batch, How { source: &untold.source, now, dry })?,
                None => Applied::default(),
            };
            let mut untold = untold.clone();
            untold.add(batch.as_deref(), &applied);
            untold.tell(tx, &cx, last.as_ref(), &applied.counts)?;
            Ok((applied, untold))
        });
        // The memory of what was written before is given back here, not on the thread that
        // writes.
        let (written, ()) = future::join(writing, async move { drop(spent) }).await;
        let (applied, untold) = written.map_err(|error| match error.kind {
            StoreErrorKind::Conflict(_) => ImportError::Overtaken,
            _ => error.into(),
        })?;
        self.untold = untold;
        self.add(applied);
        Ok(())
    }

    fn add(&mut self, applied: Applied) {
        self.report.counts.add(&applied.counts);
        self.report.entries.extend(applied.entries);
    }
}

impl Untold {
    fn read(source: &str, fresh: AuditId, link: Option<&ImportLink>) -> Self {
        let rows = link
            .and_then(|link| link.fingerprint.first_chunk::<8>())
            .map_or(0, |bytes| u64::from_be_bytes(*bytes));
        Self { source: source.into(), event: fresh, rows, earlier: rows }
    }

    fn add(&mut self, batch: Option<&Batch>, applied: &Applied) {
        self.rows += batch.map_or(0, Batch::planned_rows);
        for (_, count) in applied.counts.all() {
            self.rows += count.new + count.changed;
        }
    }

    /// Writes the audit event, or what it will have to tell.
    fn tell(
        &mut self,
        tx: &mut dyn Tx,
        cx: &OpCx,
        last: Option<&Report>,
        applied: &Counts,
    ) -> StoreResult<()> {
        if self.rows == 0 {
            return Ok(());
        }
        if let Some(report) = last {
            let mut counts = report.counts;
            counts.add(applied);
            tx.insert_audit(&self.audit_event(cx, report, &counts))?;
            (self.rows, self.earlier) = (0, 0);
            // Nothing to take back when there was one transaction alone.
            if tx.import_links(self.links())?.is_empty() {
                return Ok(());
            }
        }
        tx.put_import_links(self.links(), &[self.link()])
    }

    fn links(&self) -> LinksOf<'_> {
        LinksOf { source: &self.source, kind: kind::RUN }
    }

    fn link(&self) -> ImportLink {
        let mut fingerprint = [0; 32];
        fingerprint[..8].copy_from_slice(&self.rows.to_be_bytes());
        ImportLink {
            foreign_key: "untold".to_owned(),
            local_id: *self.event.as_bytes(),
            fingerprint,
        }
    }

    fn audit_event(&self, cx: &OpCx, report: &Report, counts: &Counts) -> AuditEvent {
        let mut details = json!({
            "user_table": report.user_table,
            "counts": counts,
            "reported": report.entries.len(),
        });
        if self.earlier > 0 {
            details["rows_of_cut_off_runs"] = json!(self.earlier);
        }
        AuditEvent {
            id: self.event,
            at: cx.now(),
            actor_id: cx.actor.user_id(),
            actor: cx.actor.name().to_owned(),
            address: cx.client.address.clone(),
            user_agent: cx.client.user_agent.chars().take(300).collect(),
            request: cx.request,
            action: "import.django",
            target_kind: "site",
            target_id: String::new(),
            target: report.source.chars().take(300).collect(),
            right: cx.actor.name().to_owned(),
            details,
        }
    }
}

/// By table in the order of the import, then by key, numbers as numbers.
fn sort(report: &mut Report) {
    let users = report.user_table.clone();
    let rank = |table: &str| {
        let order = ["auth_permission", "auth_group", &users];
        order.iter().position(|known| *known == table).unwrap_or(order.len())
    };
    report.entries.sort_by(|a, b| {
        let number = |key: &str| key.parse::<u64>().unwrap_or(u64::MAX);
        (rank(&a.table), &a.table)
            .cmp(&(rank(&b.table), &b.table))
            .then_with(|| number(&a.key).cmp(&number(&b.key)))
            .then_with(|| a.key.cmp(&b.key))
            .then_with(|| a.reason.cmp(&b.reason))
            .then_with(|| a.message.cmp(&b.message))
    });
}
