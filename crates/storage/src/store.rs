//! The store itself: opening, running units of work, telling of changes.

use std::{fmt, sync::Arc, time::Duration};

use diesel::connection::SimpleConnection;
use futures_util::future::BoxFuture;
use vestibule_core::ports::store::{ChangeObserver, Mode, Store, StorePort, StoreResult, Work};

use crate::{
    check,
    conn::{Access, AnyConnection},
    dialect,
    error::OpenError,
    lanes::{ClientLanes, EmbeddedLanes, Observers},
    migrate,
    url::{DatabaseUrl, Kind},
};

/// How a store is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// How many connections it may have to a database server; for the embedded database, how many
    /// look-ups may run at once (and at most four long reads).
    pub pool_size: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { pool_size: 8 }
    }
}

/// What keeps a slow database from piling up work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How many units of work run at once, where that is not one.
    pub(crate) pool_size: usize,
    /// How many units of work may wait at once; more are turned away.
    pub(crate) queue: usize,
    /// How long one of them waits for its turn before it is turned away.
    pub(crate) patience: Duration,
    /// What a test tells the connection that the database is opened with.
    pub(crate) first_words: &'static str,
}

impl From<&StoreOptions> for Bounds {
    fn from(options: &StoreOptions) -> Self {
        Self {
            pool_size: options.pool_size,
            queue: 1024,
            patience: Duration::from_secs(2),
            first_words: "",
        }
    }
}

/// A database that is open, with a schema of this release.
#[derive(Clone)]
pub struct SqlStore(Arc<Inner>);

struct Inner {
    url: DatabaseUrl,
    lanes: Lanes,
    observers: Arc<Observers>,
}

enum Lanes {
    Embedded(EmbeddedLanes),
    Client(ClientLanes),
}

/// Opens a database: connects, looks at its schema and whether it takes writes, and starts the
/// threads that work on it. Blocks for up to a few seconds.
///
/// # Errors
/// See [`OpenError`]; nothing is changed in the database.
pub fn open(url: &str, options: &StoreOptions) -> Result<SqlStore, OpenError> {
    open_bounded(url, Bounds::from(options))
}

/// As [`open`].
pub(crate) fn open_bounded(url: &str, bounds: Bounds) -> Result<SqlStore, OpenError> {
    let url: DatabaseUrl = url.parse()?;
    let mut conn = connect(&url, Access::ReadWrite)?;
    check::integrity(&url, &mut conn)?;
    migrate::require_current(&url, &mut conn)?;
    let refusal = dialect::refusal_to_write(&mut conn)
        .map_err(|error| OpenError::from_database(&url, &error))?;
    if let Some(reason) = refusal {
        return Err(OpenError::ReadOnly { url, reason });
    }
    if !bounds.first_words.is_empty() {
        conn.batch_execute(bounds.first_words)
            .map_err(|error| OpenError::from_database(&url, &error))?;
    }
    let observers = Arc::new(Observers::default());
    let lanes = match url.kind() {
        Kind::Sqlite => {
            EmbeddedLanes::start(&url, conn, bounds, &observers).map(Lanes::Embedded)?
        }
        Kind::Postgres | Kind::Mysql => ClientLanes::start(&url, conn, bounds, &observers)
            .map(Lanes::Client)
            .map_err(|error| OpenError::Failed { url: url.clone(), reason: error.to_string() })?,
    };
    Ok(SqlStore(Arc::new(Inner { url, lanes, observers })))
}

/// Connects and sets the connection up.
pub(crate) fn connect(url: &DatabaseUrl, access: Access) -> Result<AnyConnection, OpenError> {
    if let Some(path) = url.path()
        && access != Access::Create
        && !path.exists()
    {
        return Err(OpenError::Missing(url.clone()));
    }
    if let Some(reason) = dialect::server_is_slow_to_answer(url) {
        return Err(OpenError::Unreachable { url: url.clone(), reason });
    }
    let mut conn =
        AnyConnection::connect(url, access).map_err(|error| OpenError::unreachable(url, &error))?;
    dialect::prepare(&mut conn, access).map_err(|error| OpenError::from_database(url, &error))?;
    Ok(conn)
}

impl SqlStore {
    /// Its address.
    pub fn url(&self) -> &DatabaseUrl {
        &self.0.url
    }

    /// Which database it is on.
    pub fn kind(&self) -> Kind {
        self.0.url.kind()
    }

    /// As the core takes it.
    pub fn into_store(self) -> Store {
        Store::new(Arc::new(self))
    }
}

impl StorePort for SqlStore {
    fn run(&self, mode: Mode, work: Work) -> BoxFuture<'static, StoreResult<()>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            match &inner.lanes {
                Lanes::Embedded(lanes) => lanes.run(mode, work).await,
                Lanes::Client(lanes) => lanes.run(mode, work).await,
            }
        })
    }

    fn observe(&self, observer: Arc<dyn ChangeObserver>) {
        self.0.observers.add(observer);
    }
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlStore({})", self.0.url)
    }
}
