//! Lanes to the embedded database: one writer that commits many units at once, some readers, and
//! look-ups on the thread that asks.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use diesel::{QueryResult, connection::SimpleConnection};
use vestibule_core::{
    domain::change::Change,
    ports::store::{Mode, StoreError, StoreErrorKind, StoreResult, Work},
};

use super::{
    Observers, Threads,
    queue::{Job, Queue, Taken, Takes},
    same_kind,
    unit::{Attempt, Ran, attempt, run_work},
};
use crate::{
    conn::{Access, AnyConnection},
    dialect,
    error::{OpenError, store_error},
    store::Bounds,
    url::DatabaseUrl,
};

/// How many units one commit makes durable at most.
const BATCH: usize = 64;

/// The lanes to the embedded database.
pub(crate) struct EmbeddedLanes {
    writes: Arc<Queue>,
    reads: Arc<Queue>,
    lookups: Mutex<Vec<AnyConnection>>,
    writing: Threads,
    reading: Threads,
}

impl EmbeddedLanes {
    /// Starts the lanes; the writer has the connection that the database was opened with.
    pub(crate) fn start(
        url: &DatabaseUrl,
        writer: AnyConnection,
        bounds: Bounds,
        observers: &Arc<Observers>,
    ) -> Result<Self, OpenError> {
        // Made first, so that what was started ends with it when the rest cannot be.
        let mut lanes = Self {
            writes: Arc::new(Queue::new(bounds.queue, bounds.patience)),
            reads: Arc::new(Queue::new(bounds.queue, bounds.patience)),
            lookups: Mutex::default(),
            writing: Threads::default(),
            reading: Threads::default(),
        };
        for _ in 0..bounds.pool_size.max(1) {
            lanes.idle_lookups().push(read_only(url)?);
        }
        let mut readers = Vec::new();
        for _ in 0..bounds.pool_size.clamp(1, 4) {
            readers.push(read_only(url)?);
        }
        let mut writer = Writer::new(writer, observers)
            .map_err(|error| OpenError::from_database(url, &error))?;
        lanes
            .spawn(readers, move |queue| writer.work(queue))
            .map_err(|error| OpenError::Failed { url: url.clone(), reason: error.to_string() })?;
        Ok(lanes)
    }

    fn spawn(
        &mut self,
        readers: Vec<AnyConnection>,
        mut write: impl FnMut(&Queue) + Send + 'static,
    ) -> std::io::Result<()> {
        let queue = Arc::clone(&self.writes);
        self.writing.spawn("vst-write", move || write(&queue))?;
        let queue = Arc::clone(&self.writes);
        self.writing.spawn("vst-write-watch", move || queue.watch())?;
        let queue = Arc::clone(&self.reads);
        self.reading.spawn("vst-read-watch", move || queue.watch())?;
        for mut conn in readers {
            let queue = Arc::clone(&self.reads);
            let body = move || {
                while let Some(mut job) = queue.take(Takes::Anything) {
                    let result = read(&mut conn, job.mode, &mut job.work);
                    job.answer(result);
                }
            };
            self.reading.spawn("vst-read", body)?;
        }
        Ok(())
    }

    fn idle_lookups(&self) -> MutexGuard<'_, Vec<AnyConnection>> {
        self.lookups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn run(&self, mode: Mode, mut work: Work) -> StoreResult<()> {
        match mode {
            Mode::Write => self.writes.run(mode, work).await,
            Mode::Read => self.reads.run(mode, work).await,
            Mode::Lookup => match self.look_up(&mut work) {
                Some(result) => result,
                None => self.reads.run(mode, work).await,
            },
        }
    }

    /// Runs the work here and now, since handing it to another thread costs more than the work
    /// itself. `None` when all connections are in use or the file is locked for the moment: then
    /// a reader has to wait, not the caller's thread.
    fn look_up(&self, work: &mut Work) -> Option<StoreResult<()>> {
        let mut conn = self.idle_lookups().pop()?;
        let result = read(&mut conn, Mode::Lookup, work);
        self.idle_lookups().push(conn);
        match result {
            Err(error) if error.kind == StoreErrorKind::Contended => None,
            result => Some(result),
        }
    }
}

impl Drop for EmbeddedLanes {
    fn drop(&mut self) {
        // The writer goes last: the last to close a file writes the log back, and may only when it
        // may write at all.
        self.reads.close();
        self.reading.join();
        self.idle_lookups().clear();
        self.writes.close();
        self.writing.join();
    }
}

fn read_only(url: &DatabaseUrl) -> Result<AnyConnection, OpenError> {
    let mut conn = AnyConnection::connect(url, Access::ReadOnly)
        .map_err(|error| OpenError::unreachable(url, &error))?;
    dialect::prepare(&mut conn, Access::ReadOnly)
        .map_err(|error| OpenError::from_database(url, &error))?;
    Ok(conn)
}

fn read(conn: &mut AnyConnection, mode: Mode, work: &mut Work) -> StoreResult<()> {
    match attempt(conn, mode, work) {
        Attempt::Done(_) | Attempt::Undone => Ok(()),
        Attempt::Failed { error, .. } => Err(error),
    }
}

/// When nothing has come for so long, there is time to write the log back.
const IDLE: Duration = Duration::from_millis(50);

/// After so long it is written back all the same, or it would grow without end. What is written
/// many times meanwhile, as a page of an index is, is written back once.
const WRITE_BACK_AFTER: Duration = Duration::from_secs(1);

/// What a unit came to within a batch.
enum Unit {
    Kept(Vec<Change>),
    Undone,
    Failed(StoreErrorKind),
}

struct Writer {
    conn: AnyConnection,
    observers: Arc<Observers>,
    /// Since when there are commits that are in the log alone.
    logged_since: Option<Instant>,
}

impl Writer {
    fn new(mut conn: AnyConnection, observers: &Arc<Observers>) -> QueryResult<Self> {
        // Otherwise a commit would now and then write the log back before it is answered.
        conn.batch_execute("PRAGMA wal_autocheckpoint = 0")?;
        Ok(Self { conn, observers: Arc::clone(observers), logged_since: None })
    }

    fn work(&mut self, queue: &Queue) {
        loop {
            let first = match self.logged_since {
                None => queue.take(Takes::Anything),
                Some(since) if since.elapsed() >= WRITE_BACK_AFTER => {
                    self.write_back();
                    continue;
                }
                Some(_) => match queue.take_within(IDLE) {
                    Taken::Job(job) => Some(*job),
                    Taken::Idle => {
                        self.write_back();
                        continue;
                    }
                    Taken::Closed => None,
                },
            };
            let Some(first) = first else { return };
            let mut batch = vec![first];
            batch.extend(queue.take_waiting(BATCH - 1));
            self.serve(batch);
            self.logged_since.get_or_insert_with(Instant::now);
        }
    }

    /// Writes what the log holds into the file itself. Nobody waits for it, and nothing is lost
    /// when it fails: the log is durable, and the next attempt does it.
    fn write_back(&mut self) {
        self.logged_since = None;
        if let Err(error) = self.conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)") {
            tracing::warn!(%error, "the log of the database could not be written back");
        }
    }

    /// Runs all units and commits once. Each is kept or undone by itself.
    fn serve(&mut self, mut jobs: Vec<Job>) {
        if let [_] = &jobs[..] {
            for job in jobs {
                self.serve_alone(job);
            }
            return;
        }
        if let Err(error) = dialect::begin(&mut self.conn, Mode::Write) {
            let error = store_error(error);
            for job in jobs {
                job.answer(Err(same_kind(&error)));
            }
            return;
        }
        let units: QueryResult<Vec<Unit>> =
            jobs.iter_mut().map(|job| self.run_one(&mut job.work)).collect();
        let committed = units.and_then(|units| {
            dialect::commit(&mut self.conn)?;
            Ok(units)
        });
        match committed {
            Ok(units) => self.answer(jobs, units),
            Err(error) => {
                // A full disk undoes the whole transaction, and with it those who were not to
                // blame. Nobody was answered yet: each is run again for itself.
                tracing::warn!(%error, units = jobs.len(), "a batch of writes was undone");
                let _ = dialect::rollback(&mut self.conn);
                for job in jobs {
                    self.serve_alone(job);
                }
            }
        }
    }

    fn answer(&self, jobs: Vec<Job>, units: Vec<Unit>) {
        let mut results: Vec<StoreResult<()>> = Vec::with_capacity(units.len());
        let mut changes: Vec<Change> = Vec::new();
        for unit in units {
            results.push(match unit {
                Unit::Kept(announced) => {
                    changes.extend(announced);
                    Ok(())
                }
                Unit::Undone => Ok(()),
                Unit::Failed(kind) => Err(StoreError::new(kind)),
            });
        }
        self.observers.tell(&changes);
        for (job, result) in jobs.into_iter().zip(results) {
            job.answer(result);
        }
    }

    /// One unit of a batch, in a savepoint. An error means that the whole transaction is gone.
    fn run_one(&mut self, work: &mut Work) -> QueryResult<Unit> {
        self.conn.batch_execute("SAVEPOINT vestibule_unit")?;
        let unit = match run_work(&mut self.conn, work) {
            Ran::Keep(changes) => Unit::Kept(changes),
            Ran::Undo => Unit::Undone,
            Ran::Failed(kind) => Unit::Failed(kind),
        };
        if !matches!(unit, Unit::Kept(_)) {
            self.conn.batch_execute("ROLLBACK TO SAVEPOINT vestibule_unit")?;
        }
        self.conn.batch_execute("RELEASE SAVEPOINT vestibule_unit")?;
        Ok(unit)
    }

    fn serve_alone(&mut self, mut job: Job) {
        let result = match attempt(&mut self.conn, Mode::Write, &mut job.work) {
            Attempt::Done(changes) => {
                self.observers.tell(&changes);
                Ok(())
            }
            Attempt::Undone => Ok(()),
            Attempt::Failed { error, .. } => Err(error),
        };
        job.answer(result);
    }
}
