//! Lanes to a database server: each thread has a connection of its own.

use std::{sync::Arc, thread, time::Duration};

use vestibule_core::ports::store::{Mode, StoreError, StoreErrorKind, StoreResult, Work};

use super::{
    Observers, Threads,
    queue::{Job, Queue, Takes},
    unit::{Attempt, Stage, attempt},
};
use crate::{
    conn::{Access, AnyConnection},
    dialect,
    store::Bounds,
    url::DatabaseUrl,
};

/// How often a unit of work is run when others are in its way.
const RUNS: u64 = 3;

/// The lanes to a database server.
pub(crate) struct ClientLanes {
    queue: Arc<Queue>,
    threads: Threads,
}

impl ClientLanes {
    /// Starts the lanes; the first has the connection that the database was opened with.
    pub(crate) fn start(
        url: &DatabaseUrl,
        first: AnyConnection,
        bounds: Bounds,
        observers: &Arc<Observers>,
    ) -> std::io::Result<Self> {
        // Made first, so that what was started ends with it when the rest cannot be.
        let queue = Arc::new(Queue::new(bounds.queue, bounds.patience));
        let mut lanes = Self { queue, threads: Threads::default() };
        let watched = Arc::clone(&lanes.queue);
        lanes.threads.spawn("vst-db-watch", move || watched.watch())?;
        let mut first = Some(first);
        for number in 0..bounds.pool_size.max(1) {
            // One lane is kept for what requests wait for, however busy the others are.
            let takes = if number == 1 { Takes::Lookups } else { Takes::Anything };
            let mut lane = Lane {
                number: u64::try_from(number).unwrap_or(0),
                url: url.clone(),
                conn: first.take(),
                is_suspect: false,
                observers: Arc::clone(observers),
            };
            let queue = Arc::clone(&lanes.queue);
            lanes.threads.spawn("vst-db", move || {
                while let Some(job) = queue.take(takes) {
                    lane.serve(job);
                }
            })?;
        }
        Ok(lanes)
    }

    pub(crate) async fn run(&self, mode: Mode, work: Work) -> StoreResult<()> {
        self.queue.run(mode, work).await
    }
}

impl Drop for ClientLanes {
    fn drop(&mut self) {
        self.queue.close();
        self.threads.join();
    }
}

struct Lane {
    number: u64,
    url: DatabaseUrl,
    conn: Option<AnyConnection>,
    /// Whether the server was last found to be gone.
    is_suspect: bool,
    observers: Arc<Observers>,
}

impl Lane {
    fn serve(&mut self, mut job: Job) {
        let result = self.run(job.mode, &mut job.work);
        job.answer(result);
    }

    fn run(&mut self, mode: Mode, work: &mut Work) -> StoreResult<()> {
        let mut run = 1;
        let mut reconnected = false;
        loop {
            let conn = self.connection()?;
            let (error, stage, broken) = match attempt(conn, mode, work) {
                Attempt::Done(changes) => {
                    self.observers.tell(&changes);
                    return Ok(());
                }
                Attempt::Undone => return Ok(()),
                Attempt::Failed { error, stage, broken } => (error, stage, broken),
            };
            if broken {
                self.conn = None;
                self.is_suspect = true;
            }
            let was_cut = broken && !reconnected && error.kind == StoreErrorKind::Unavailable;
            if was_cut && (stage == Stage::Begin || mode != Mode::Write) {
                // The connection had been cut while it was idle, or only something to be read is
                // lost: the caller need not hear of it.
                reconnected = true;
            } else if error.kind == StoreErrorKind::Contended && run < RUNS {
                self.step_aside(run);
                run += 1;
            } else if broken && stage == Stage::Commit {
                // The server may or may not have committed.
                return Err(StoreError { kind: StoreErrorKind::Unavailable, source: error.source });
            } else {
                return Err(error);
            }
        }
    }

    /// Waits a little, each lane for a time of its own, so that those who met do not meet again.
    fn step_aside(&self, run: u64) {
        let process = u64::from(std::process::id() % 7);
        thread::sleep(Duration::from_millis(run * (3 + 5 * self.number + process)));
    }

    fn connection(&mut self) -> StoreResult<&mut AnyConnection> {
        let conn = match self.conn.take() {
            Some(conn) => conn,
            None => self.connect()?,
        };
        Ok(self.conn.insert(conn))
    }

    fn connect(&mut self) -> StoreResult<AnyConnection> {
        // Asked only where there is cause: a server takes note of visitors who do not log in.
        if self.is_suspect
            && let Some(reason) = dialect::server_is_slow_to_answer(&self.url)
        {
            return Err(StoreError::because(StoreErrorKind::Unavailable, reason));
        }
        let conn = connect(&self.url);
        self.is_suspect = conn.is_err();
        conn
    }
}

fn connect(url: &DatabaseUrl) -> StoreResult<AnyConnection> {
    let mut conn = AnyConnection::connect(url, Access::ReadWrite)
        .map_err(|error| StoreError::because(StoreErrorKind::Unavailable, error))?;
    dialect::prepare(&mut conn, Access::ReadWrite)
        .map_err(|error| StoreError::because(StoreErrorKind::Unavailable, error))?;
    Ok(conn)
}
