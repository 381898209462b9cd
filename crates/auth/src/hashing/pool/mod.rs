//! A few threads of low priority, a bounded queue, and answers that tell nothing by their time.

mod builder;
mod queue;
mod task;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_channel::oneshot;
use vestibule_core::{
    Clock, Secret,
    policy::passwords::{PasswordPolicy, PasswordProblem},
    ports::{
        hasher::{HashError, PasswordHash, PasswordHasher, Verification},
        judge::PasswordJudge,
    },
};

pub use self::builder::{HashPoolBuilder, PoolError};
use self::{
    queue::Queue,
    task::{Reply, Task},
};
use super::{
    candidate::MAX_PASSWORD_BYTES,
    engine::{Engine, readable},
    floor::Floor,
    scheme::Verifier,
};

/// How many kinds of hash [`HashPool::calibrate`] measures at most.
const MAX_CLASSES: usize = 64;

/// Hashes and compares passwords on threads of its own.
///
/// The threads run at a low priority, so that a storm of logins is not felt by anybody else; the
/// queue before them is bounded, and when it is full the answer is [`HashError::Busy`] at once.
/// A caller who goes away frees nothing: its place in the queue stays taken until its turn, and
/// work that was begun is finished.
///
/// The time of a refusal tells nothing. An unknown account, one without a usable password and
/// one with an old cheap hash cost at least one comparison of the current scheme, and
/// [`Verification::not_before`] holds every refusal back until the slowest hash known to be in
/// the store could have been compared with.
///
/// Dropping the pool finishes what was begun and waits for it.
pub struct HashPool {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    thread_count: usize,
}

/// What the threads and the handle share.
struct Shared {
    engine: Engine,
    clock: Arc<dyn Clock>,
    floor: Floor,
    queue: Queue<Task>,
    busy: AtomicUsize,
}

impl HashPool {
    /// Begins with the defaults: Argon2id, as many threads as cores, a queue of 256.
    pub fn builder() -> HashPoolBuilder {
        HashPoolBuilder::default()
    }

    /// How many wait in the queue.
    pub fn depth(&self) -> usize {
        self.shared.queue.len()
    }

    /// How many threads are at work.
    pub fn busy_threads(&self) -> usize {
        self.shared.busy.load(Ordering::Relaxed)
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.thread_count
    }

    /// The time below which no refusal is given at present, for a password in NFC. Twice that
    /// for another, which is tried in two forms.
    pub fn floor(&self) -> Duration {
        self.shared.floor.current()
    }

    /// Sets the least of that time; what is measured may raise it. Capped at two seconds.
    pub fn set_floor(&self, floor: Duration) {
        self.shared.floor.set(floor);
    }

    /// Raises the floor to the slowest hash among the samples, by comparing once with one of
    /// each scheme and cost, the slowest first. Runs in the pool, beside the logins. Returns
    /// the floor.
    ///
    /// # Errors
    /// [`HashError::Busy`] when logins fill the queue: they teach the pool as well.
    pub async fn calibrate(&self, samples: &[PasswordHash]) -> Result<Duration, HashError> {
        let mut classes: Vec<(Verifier, &PasswordHash)> =
            samples.iter().filter_map(|sample| Some((readable(sample)?, sample))).collect();
        classes.sort_by_key(|(verifier, _)| (std::cmp::Reverse(verifier.work()), verifier.class()));
        classes.dedup_by_key(|(verifier, _)| verifier.class());
        for (_, sample) in classes.into_iter().take(MAX_CLASSES) {
            let sample = sample.clone();
            let took = self.submit(|reply| Task::Measure { sample, reply }).await?;
            self.shared.floor.raise(took);
        }
        Ok(self.floor())
    }

    /// Whether all these hashes can be compared with under the configured pepper.
    ///
    /// # Errors
    /// [`PoolError::OtherPepper`] when one was made with a pepper that is not the configured one:
    /// the server must not start, or it would take everybody's password for wrong.
    pub fn check_pepper<'a>(
        &self,
        stored: impl IntoIterator<Item = &'a PasswordHash>,
    ) -> Result<(), PoolError> {
        if stored.into_iter().any(|hash| self.shared.engine.lacks_pepper(hash)) {
            return Err(PoolError::OtherPepper);
        }
        Ok(())
    }

    /// Takes nothing new, drops what waits, finishes what was begun and joins the threads.
    /// Those who wait are told [`HashError::Busy`]. Blocks for as long as one comparison takes.
    pub fn shutdown(&self) {
        self.shared.queue.close();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A thread catches panics, so there is nothing to learn from its result.
            let _ = thread.join();
        }
    }

    async fn submit<T>(&self, task: impl FnOnce(Reply<T>) -> Task) -> Result<T, HashError> {
        let (reply, answer) = oneshot::channel();
        if self.shared.queue.push(task(reply)).is_err() {
            return Err(self.busy());
        }
        // The reply is dropped unanswered only when the pool shuts down.
        answer.await.unwrap_or_else(|_| Err(self.busy()))
    }

    /// How long the queue takes to empty, by estimate.
    fn busy(&self) -> HashError {
        let each = Duration::from_nanos(self.shared.engine.scheme.work());
        let waiting = u32::try_from(self.depth()).unwrap_or(u32::MAX);
        let threads = u32::try_from(self.thread_count).unwrap_or(1).max(1);
        let seconds = each.saturating_mul(waiting).as_secs() / u64::from(threads) + 1;
        HashError::Busy { retry_after: u32::try_from(seconds.min(60)).unwrap_or(60) }
    }
}

fn check_length(password: &Secret) -> Result<(), HashError> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(HashError::TooLong { max: MAX_PASSWORD_BYTES });
    }
    Ok(())
}

#[async_trait]
impl PasswordHasher for HashPool {
    async fn hash(&self, password: &Secret) -> Result<PasswordHash, HashError> {
        check_length(password)?;
        let password = password.clone();
        self.submit(|reply| Task::Hash { password, reply }).await
    }

    async fn verify(
        &self,
        password: &Secret,
        stored: Option<&PasswordHash>,
    ) -> Result<Verification, HashError> {
        check_length(password)?;
        let (password, stored) = (password.clone(), stored.cloned());
        self.submit(|reply| Task::Verify { password, stored, reply }).await
    }
}

/// Judges new passwords by a policy on the threads of a [`HashPool`]: estimating strength takes
/// milliseconds, which the threads that serve requests do not have.
pub struct PooledJudge {
    pool: Arc<HashPool>,
    policy: Arc<dyn PasswordPolicy>,
}

impl PooledJudge {
    /// By this policy, on that pool's threads.
    pub fn new(pool: Arc<HashPool>, policy: impl PasswordPolicy + 'static) -> Self {
        Self { pool, policy: Arc::new(policy) }
    }
}

#[async_trait]
impl PasswordJudge for PooledJudge {
    async fn judge(
        &self,
        password: &Secret,
        context: &[&str],
    ) -> Result<Vec<PasswordProblem>, HashError> {
        let (password, policy) = (password.clone(), Arc::clone(&self.policy));
        let context = context.iter().map(ToString::to_string).collect();
        self.pool.submit(|reply| Task::Judge { password, context, policy, reply }).await
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl std::fmt::Debug for HashPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HashPool")
            .field("scheme", &self.shared.engine.scheme)
            .field("threads", &self.thread_count)
            .field("depth", &self.depth())
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Works until the queue is closed.
    fn work(&self) {
        while let Some(task) = self.queue.pop() {
            // Nobody waits for the answer, and the work has not begun: it need not be done.
            if task.is_abandoned() {
                continue;
            }
            self.busy.fetch_add(1, Ordering::Relaxed);
            task.run(self);
        }
    }

    /// Called when the work of a task is done, before its answer is given.
    fn done(&self) {
        self.busy.fetch_sub(1, Ordering::Relaxed);
    }

    fn verify(
        &self,
        password: &Secret,
        stored: Option<&PasswordHash>,
    ) -> Result<Verification, HashError> {
        let start = self.clock.now();
        // A span of time, not a time of day: a clock that tests set would have nothing to say.
        let begun = Instant::now();
        let compared = self.engine.verify(password, stored)?;
        let forms = super::candidate::Candidate::new(password)?.forms();
        self.floor.learn(begun.elapsed() / forms);
        let hold = self.floor.current() * forms;
        Ok(Verification {
            matches: compared.matches,
            outdated: compared.outdated,
            not_before: start.plus(hold.min(super::floor::CAP)),
        })
    }

    fn measure(&self, sample: &PasswordHash) -> Result<Duration, HashError> {
        let begun = Instant::now();
        self.engine.verify(&Secret::new("measures the hash"), Some(sample))?;
        Ok(begun.elapsed())
    }
}
