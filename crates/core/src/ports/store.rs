//! The store: units of work over the repositories, all or nothing.

use std::{
    error::Error as StdError,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::BoxFuture;

use super::{
    announcements::AnnouncementRepo, audit::AuditRepo, changes::ChangeRepo, checks::CheckRepo,
    grants::GrantRepo, groups::GroupRepo, identities::IdentityRepo, imports::ImportRepo,
    invitations::InvitationRepo, login_steps::LoginStepRepo, objects::ObjectRepo,
    outbox::OutboxRepo, permissions::PermissionRepo, registrations::RegistrationRepo,
    sessions::SessionRepo, throttle::ThrottleRepo, tickets::TicketRepo, users::UserRepo,
};
use crate::domain::change::Change;

/// What the database could not do. The cause is kept for the log (by `source()`), never shown.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct StoreError {
    /// What it means to the caller.
    pub kind: StoreErrorKind,
    /// What the database said.
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kinds of [`StoreError`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreErrorKind {
    /// A row like it exists already, or one it refers to does not.
    #[error("a row conflicts with one that exists: {0}")]
    Conflict(Constraint),
    /// Others were in the way each time it was tried.
    #[error("the database was too busy")]
    Contended,
    /// The database cannot be reached, or not in time.
    #[error("the database cannot be reached")]
    Unavailable,
    /// It can be reached but takes no writes: a standby, a read-only file, a full disk.
    #[error("the database takes no writes: {0}")]
    ReadOnly(String),
    /// Its schema is not the one this program works with.
    #[error("{0}")]
    Schema(String),
    /// A stored row that cannot be read.
    #[error("table {table} holds a row that cannot be read: {column}")]
    Corrupt {
        /// Where it is.
        table: &'static str,
        /// What is wrong, without the value.
        column: String,
    },
    /// Anything else.
    #[error("the database failed")]
    Other,
}

/// Which rule of the schema a write ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Constraint {
    /// Something that may exist only once: see the failing call for what.
    #[error("already there")]
    Unique,
    /// Something that is referred to and does not exist.
    #[error("refers to something that does not exist")]
    Reference,
}

impl StoreError {
    /// An error of this kind without a cause.
    pub fn new(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// An error of this kind and what the database said.
    pub fn because(
        kind: StoreErrorKind,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { kind, source: Some(source.into()) }
    }

    /// Whether a write failed because a like row was there already.
    pub fn is_duplicate(&self) -> bool {
        self.kind == StoreErrorKind::Conflict(Constraint::Unique)
    }
}

/// What a repository method answers.
pub type StoreResult<T> = Result<T, StoreError>;

/// All repositories within one transaction.
pub trait Tx:
    UserRepo
    + GroupRepo
    + PermissionRepo
    + GrantRepo
    + ObjectRepo
    + SessionRepo
    + AuditRepo
    + ChangeRepo
    + TicketRepo
    + ThrottleRepo
    + ImportRepo
    + IdentityRepo
    + LoginStepRepo
    + CheckRepo
    + OutboxRepo
    + RegistrationRepo
    + InvitationRepo
    + AnnouncementRepo
{
}

impl<T> Tx for T where
    T: UserRepo
        + GroupRepo
        + PermissionRepo
        + GrantRepo
        + ObjectRepo
        + SessionRepo
        + AuditRepo
        + ChangeRepo
        + TicketRepo
        + ThrottleRepo
        + ImportRepo
        + IdentityRepo
        + LoginStepRepo
        + CheckRepo
        + OutboxRepo
        + RegistrationRepo
        + InvitationRepo
        + InvitationRepo
        + AnnouncementRepo
{
}

/// How a unit of work is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A look-up or two by key, asked for while a request waits. An embedded database may answer
    /// on the calling thread, since handing it over costs more than the work itself.
    Lookup,
    /// Reading of any length, on a thread of the database's own.
    Read,
    /// Writing: one transaction, committed when the work says so.
    Write,
}

/// Whether the unit's writes are to stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Make them permanent.
    Commit,
    /// Undo them.
    RollBack,
}

/// A unit of work. It may be called again from the start when the database asks for that
/// (deadlock, serialization failure), so it must leave nothing behind outside the transaction.
pub type Work = Box<dyn FnMut(&mut dyn Tx) -> Outcome + Send>;

/// Told of every change right after the transaction that made it was committed here, before
/// its caller hears of the success.
pub trait ChangeObserver: Send + Sync {
    /// These were committed.
    fn committed(&self, changes: &[Change]);
}

/// What a database adapter offers.
pub trait StorePort: Send + Sync {
    /// Runs the work in one transaction. An error means that nothing of it was kept, except that
    /// a commit whose answer was lost is `Unavailable` too.
    fn run(&self, mode: Mode, work: Work) -> BoxFuture<'static, StoreResult<()>>;

    /// From now on, tell this observer.
    fn observe(&self, observer: Arc<dyn ChangeObserver>);
}

/// A handle on the store, cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<dyn StorePort>);

impl Store {
    /// Wraps an adapter.
    pub fn new(port: Arc<dyn StorePort>) -> Self {
        Self(port)
    }

    /// A look-up by key that a request waits for; see [`Mode::Lookup`].
    pub async fn lookup<T, E>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Mode::Lookup, work).await
    }

    /// Reads, on a thread of the database's own.
    pub async fn read<T, E>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Mode::Read, work).await
    }

    /// Writes: commits on `Ok`, undoes everything on `Err`. The work may run more than once; only
    /// the last run counts.
    pub async fn write<T, E>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Mode::Write, work).await
    }

    /// From now on, tell this observer of every change that is committed here.
    pub fn observe(&self, observer: Arc<dyn ChangeObserver>) {
        self.0.observe(observer);
    }

    async fn run<T, E>(
        &self,
        mode: Mode,
        mut work: impl FnMut(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let slot = Arc::new(Mutex::new(None));
        let answer = Arc::clone(&slot);
        let job: Work = Box::new(move |tx| {
            let result = work(tx);
            let outcome = if result.is_ok() { Outcome::Commit } else { Outcome::RollBack };
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            outcome
        });
        let ran = self.0.run(mode, job).await;
        let result = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (ran, result) {
            // What the work itself found wrong says more than that it was rolled back.
            (_, Some(Err(error))) => Err(error),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(StoreError::new(StoreErrorKind::Other).into()),
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}
