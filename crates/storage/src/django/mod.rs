//! The import of a Django site's accounts, groups and rights.
//!
//! Django's database is read and never written to; see [`import`]. What is taken over:
//!
//! | there | here |
//! |---|---|
//! | `auth_user`, or the site's own table with the columns of `AbstractUser` | accounts, password hashes as they stand |
//! | `auth_group`, `auth_user_groups` | groups and memberships |
//! | `auth_permission` with `django_content_type` | permissions `app_label.codename` of the service `django` |
//! | `auth_user_user_permissions`, `auth_group_permissions` | grants of a permission as a whole |
//! | `guardian_userobjectpermission`, `guardian_groupobjectpermission` | grants on the object `app_label.model:object_pk` |
//!
//! **Running it again.** Each row that is taken over leaves a link with a fingerprint of the row,
//! part by part. A later run takes over what changed in Django since, and only that: what was
//! changed here stays, and so does a password that was set here. A run that finds no change
//! writes nothing. What is gone from Django is reported and kept.
//!
//! **Being cut short.** Rows are written in transactions of some thousand rows, each with its
//! links. After a crash everything of such a transaction is there or nothing of it, and the next
//! run goes on from there. Permissions, groups and users are written before what refers to them:
//! at no moment has anybody more rights here than in Django. A site of fewer rows than that is
//! imported in one transaction. One audit event (`import.django`) tells of a run, in its last
//! transaction; what a cut-off run had changed is told by the event of the next.

mod apply;
mod batch;
mod error;
mod fingerprint;
mod ids;
mod known;
mod merge;
mod plan;
mod reader;
mod report;
mod run;
mod source;

use futures_util::StreamExt as _;
use vestibule_core::{
    OpCx,
    ports::store::{Store, StoreError},
};

pub use self::{
    error::ImportError,
    report::{Action, Count, Counts, Entry, Kind, Reason, Report},
};
use self::{known::Known, plan::Said, reader::Job, run::Run, source::Address};

/// How many rows are written in one transaction when nothing else is said: a page that many rows
/// change is written once for all of them.
const BATCH_ROWS: usize = 16_000;

/// How an import is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Write nothing; the report is the one that the import would give.
    pub dry_run: bool,
    /// The table with the accounts, where it is not plain which one it is.
    pub user_table: Option<String>,
    /// What this site is remembered by; without it, its address without credentials. To be given
    /// when the database has moved since the last import.
    pub source: Option<String>,
    /// How many rows are written in one transaction.
    pub batch_rows: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { dry_run: false, user_table: None, source: None, batch_rows: BATCH_ROWS }
    }
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being imported.
    pub kind: Kind,
    /// How many rows of the kind have been looked at.
    pub done: u64,
    /// How many there are.
    pub total: u64,
}

/// Imports a Django site's accounts, groups and rights.
///
/// `source_url` is `sqlite:path`, `postgres://…`, `mysql://…` or the bare path of a SQLite file.
/// The database is opened for reading only and read as it was at one moment. `progress` is called
/// now and then. Rows that cannot be taken over are in the report; an error means that the import
/// ended early.
pub async fn import(
    source_url: &str,
    store: &Store,
    cx: &OpCx,
    options: Options,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, ImportError> {
    let address = Address::parse(source_url)?;
    let source_name = options.source.unwrap_or_else(|| address.name());
    let link_source = fingerprint::fitted(format!("django:{source_name}"));
    let known = {
        let source = link_source.clone();
        store.read::<_, StoreError>(move |tx| Known::read(tx, &source)).await?
    };
    let mut run = Run::new(store.clone(), cx.clone(), &link_source, &known, options.dry_run);
    let mut said = reader::start(Job {
        address,
        user_table: options.user_table,
        known,
        batch_rows: options.batch_rows,
        cx: cx.clone(),
    })?;
    run.report.source = source_name;
    while let Some(said) = said.next().await {
        match said {
            Said::Found(table) => run.report.user_table = table,
            Said::Batch(batch) => run.batch(*batch).await?,
            Said::Progress(at) => progress(at),
            Said::Failed(error) => return Err(error),
            Said::Done(summary) => return run.finish(*summary).await,
        }
    }
    Err(ImportError::Reading {
        what: "the tables".to_owned(),
        reason: "the reading thread ended early".to_owned(),
    })
}
