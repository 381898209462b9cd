//! How a pool is put together, and why it may not be.

use std::{
    num::NonZero,
    sync::{Arc, Mutex, atomic::AtomicUsize},
    thread,
    time::Duration,
};

use vestibule_core::{
    Clock, Entropy, Secret, SystemClock, SystemEntropy, ports::hasher::PasswordHash,
};

use super::{HashPool, Shared, queue::Queue};
use crate::hashing::{Pepper, Scheme, engine::Engine, floor::Floor};

/// Ten steps nicer than normal: a tenth of a contended core, so that logins neither disturb the
/// rest of the server nor starve beside it. Measured: nice 19 gets 1.5 % and does starve.
const DEFAULT_NICE: i32 = 10;

/// Why a pool cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// The numbers of the scheme are too weak or out of range.
    #[error("password.scheme: {0}")]
    Scheme(&'static str),
    /// The pepper is too short.
    #[error("password.pepper: at least {} bytes are needed", Pepper::MIN_BYTES)]
    ShortPepper,
    /// Hashes in the store were made with another pepper.
    #[error(
        "password.pepper: stored hashes were made with a pepper that is missing or another now; \
         put the old one back"
    )]
    OtherPepper,
    /// The number of threads is out of range.
    #[error("password.hash_threads: must be 1 to 1024")]
    Threads,
    /// The length of the queue is out of range.
    #[error("password.hash_queue: must be 1 to 100000")]
    Queue,
    /// The operating system gave no thread.
    #[error("a hashing thread could not be started")]
    Spawn(#[source] std::io::Error),
}

/// Settings of a [`HashPool`].
pub struct HashPoolBuilder {
    scheme: Scheme,
    threads: Option<usize>,
    queue: usize,
    nice: i32,
    pepper: Option<Secret>,
    upgrade: bool,
    stored: Vec<PasswordHash>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Default for HashPoolBuilder {
    fn default() -> Self {
        Self {
            scheme: Scheme::default(),
            threads: None,
            queue: 256,
            nice: DEFAULT_NICE,
            pepper: None,
            upgrade: true,
            stored: Vec::new(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        }
    }
}

impl HashPoolBuilder {
    /// How new hashes are made. Default: Argon2id with 19 MiB and two passes.
    #[must_use]
    pub fn scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// How many threads. Default: as many as cores.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// How many may wait. Default: 256.
    #[must_use]
    pub fn queue(mut self, queue: usize) -> Self {
        self.queue = queue;
        self
    }

    /// How much the threads yield to others, 0 to 19 (Linux alone). Default: 10.
    #[must_use]
    pub fn nice(mut self, nice: i32) -> Self {
        self.nice = nice.clamp(0, 19);
        self
    }

    /// A key kept apart from the database that enters every new hash. Default: none.
    #[must_use]
    pub fn pepper(mut self, pepper: Option<Secret>) -> Self {
        self.pepper = pepper;
        self
    }

    /// Whether hashes that fall short of the current scheme are reported as outdated. Off while
    /// another program that knows only the old ones shares the table. Default: on.
    #[must_use]
    pub fn upgrade(mut self, upgrade: bool) -> Self {
        self.upgrade = upgrade;
        self
    }

    /// Hashes from the store: building fails when they need another pepper.
    #[must_use]
    pub fn check_against(mut self, stored: Vec<PasswordHash>) -> Self {
        self.stored = stored;
        self
    }

    /// Where the time comes from. Default: the machine's clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where salts come from. Default: the operating system.
    #[must_use]
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Checks the settings and starts the threads.
    ///
    /// # Errors
    /// [`PoolError`], naming the configuration key at fault.
    pub fn build(self) -> Result<HashPool, PoolError> {
        self.scheme.check().map_err(PoolError::Scheme)?;
        let threads =
            self.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get));
        if !(1..=1024).contains(&threads) {
            return Err(PoolError::Threads);
        }
        if !(1..=100_000).contains(&self.queue) {
            return Err(PoolError::Queue);
        }
        let pepper = match self.pepper {
            Some(key) => Some(Pepper::new(key).ok_or(PoolError::ShortPepper)?),
            None => None,
        };
        let engine = Engine::new(self.scheme, pepper, self.upgrade, self.entropy);
        let floor = Floor::default();
        // Until something was measured, what the current scheme is known to take.
        floor.learn(Duration::from_nanos(self.scheme.work()));
        let pool = HashPool {
            shared: Arc::new(Shared {
                engine,
                clock: self.clock,
                floor,
                queue: Queue::new(self.queue),
                busy: AtomicUsize::new(0),
            }),
            threads: Mutex::default(),
            thread_count: threads,
        };
        pool.check_pepper(&self.stored)?;
        pool.start(threads, self.nice)?;
        Ok(pool)
    }
}

impl HashPool {
    fn start(&self, count: usize, nice: i32) -> Result<(), PoolError> {
        for number in 0..count {
            let shared = Arc::clone(&self.shared);
            let thread = thread::Builder::new()
                .name(format!("vestibule-hash-{number}"))
                .spawn(move || {
                    lower_priority(nice);
                    shared.work();
                })
                .map_err(PoolError::Spawn)?;
            self.threads.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(thread);
        }
        Ok(())
    }
}

/// On Linux a priority belongs to the thread; elsewhere it would be the whole process's.
#[cfg(target_os = "linux")]
fn lower_priority(nice: i32) {
    if let Err(error) = rustix::process::setpriority_process(None, nice) {
        tracing::debug!(%error, "a hashing thread keeps its priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn lower_priority(_nice: i32) {}
