//! A bounded queue of units of work that nobody waits in for longer than agreed.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use futures_channel::oneshot;
use vestibule_core::ports::store::{Mode, StoreResult, Work};

use super::unavailable;

/// A unit of work and who waits for it.
pub(crate) struct Job {
    pub(crate) mode: Mode,
    pub(crate) work: Work,
    reply: Arc<Reply>,
    give_up_at: Instant,
}

impl Job {
    /// Answers the caller, who may have gone.
    pub(super) fn answer(self, result: StoreResult<()>) {
        self.reply.send(result);
    }
}

/// Who waits for an answer; whoever answers first does.
struct Reply(Mutex<Option<oneshot::Sender<StoreResult<()>>>>);

impl Reply {
    fn send(&self, result: StoreResult<()>) {
        if let Some(sender) = self.lock().take() {
            let _ = sender.send(result);
        }
    }

    fn is_wanted(&self) -> bool {
        self.lock().as_ref().is_some_and(|sender| !sender.is_canceled())
    }

    fn lock(&self) -> MutexGuard<'_, Option<oneshot::Sender<StoreResult<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the database may take over what has begun before its caller is told that it does not
/// answer. A statement's own bound is shorter: this is for a server, or a network, that says
/// nothing at all. Whether what was to be written was written is then not known.
const SILENCE: Duration = Duration::from_secs(30);

/// Which jobs a lane takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Look-ups alone, so that these always find a place.
    Lookups,
    /// Whatever has waited longest.
    Anything,
}

/// What came within a time.
pub(super) enum Taken {
    /// A job.
    Job(Box<Job>),
    /// Nothing.
    Idle,
    /// Nothing, and nothing will.
    Closed,
}

#[derive(Default)]
struct State {
    lookups: VecDeque<Job>,
    others: VecDeque<Job>,
    /// Of those that were taken or wait to be: when their caller is answered at the latest.
    latest: [VecDeque<(Instant, Weak<Reply>)>; 2],
    closed: bool,
}

impl State {
    fn len(&self) -> usize {
        self.lookups.len() + self.others.len()
    }

    fn oldest(&mut self, takes: Takes) -> Option<Job> {
        let lookup = self.lookups.front().map(|job| job.give_up_at);
        let other = self.others.front().map(|job| job.give_up_at);
        let lookup_first = match (lookup, other) {
            (Some(lookup), Some(other)) => lookup <= other,
            (lookup, _) => lookup.is_some(),
        };
        if lookup_first || takes == Takes::Lookups {
            self.lookups.pop_front()
        } else {
            self.others.pop_front()
        }
    }

    fn next_to_give_up(&self) -> Option<Instant> {
        let fronts = [self.lookups.front(), self.others.front()];
        let latest = self.latest.iter().filter_map(VecDeque::front).map(|(at, _)| *at);
        fronts.into_iter().flatten().map(|job| job.give_up_at).chain(latest).min()
    }

    /// Those whom no lane has answered in time, whether or not one is at it.
    fn unanswered(&mut self, now: Instant) -> Vec<Arc<Reply>> {
        let mut unanswered = Vec::new();
        for latest in &mut self.latest {
            // Those who were answered long ago go along.
            while latest.front().is_some_and(|(at, reply)| *at <= now || reply.strong_count() == 0)
            {
                let reply = latest.pop_front().filter(|(at, _)| *at <= now);
                unanswered.extend(reply.and_then(|(_, reply)| reply.upgrade()));
            }
        }
        unanswered
    }

    fn overdue(&mut self, now: Instant) -> Vec<Job> {
        let mut overdue = Vec::new();
        for queue in [&mut self.lookups, &mut self.others] {
            while queue.front().is_some_and(|job| job.give_up_at <= now) {
                overdue.extend(queue.pop_front());
            }
        }
        overdue
    }
}

/// The queue in front of some lanes.
pub(crate) struct Queue {
    state: Mutex<State>,
    ready: Condvar,
    pending: Condvar,
    capacity: usize,
    patience: Duration,
}

impl Queue {
    /// At most `capacity` jobs wait, none for longer than `patience`.
    pub(super) fn new(capacity: usize, patience: Duration) -> Self {
        Self {
            state: Mutex::default(),
            ready: Condvar::new(),
            pending: Condvar::new(),
            capacity,
            patience,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the work when its turn comes, or answers that there is no place.
    pub(super) async fn run(&self, mode: Mode, work: Work) -> StoreResult<()> {
        let (reply, answer) = oneshot::channel();
        let reply = Arc::new(Reply(Mutex::new(Some(reply))));
        let job = Job { mode, work, reply, give_up_at: Instant::now() + self.patience };
        self.push(job)?;
        // A lane that is gone without an answer has kept nothing that it could tell of.
        answer.await.unwrap_or_else(|_| Err(unavailable()))
    }

    fn push(&self, job: Job) -> StoreResult<()> {
        let mut state = self.lock();
        if state.closed || state.len() >= self.capacity {
            return Err(unavailable());
        }
        let was_empty = state.len() == 0;
        // Who looks something up by its key waits no longer for the answer than for the turn.
        let (line, within) = match job.mode {
            Mode::Lookup => (0, self.patience),
            Mode::Read | Mode::Write => (1, SILENCE),
        };
        let latest = &mut state.latest[line];
        while latest.front().is_some_and(|(_, reply)| reply.strong_count() == 0) {
            latest.pop_front();
        }
        latest.push_back((Instant::now() + within, Arc::downgrade(&job.reply)));
        match job.mode {
            Mode::Lookup => state.lookups.push_back(job),
            Mode::Read | Mode::Write => state.others.push_back(job),
        }
        drop(state);
        // Lanes differ in what they take: one that cannot use this job must not swallow the call.
        self.ready.notify_all();
        if was_empty {
            self.pending.notify_one();
        }
        Ok(())
    }

    /// The next job, waiting for one; `None` when the queue is closed and empty.
    pub(super) fn take(&self, takes: Takes) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.oldest(takes) {
                if !job.reply.is_wanted() {
                    // Its caller went away before it began.
                    continue;
                }
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next job, or `Idle` when none comes for so long.
    pub(super) fn take_within(&self, time: Duration) -> Taken {
        let until = Instant::now() + time;
        let mut state = self.lock();
        loop {
            if let Some(job) = state.oldest(Takes::Anything) {
                if !job.reply.is_wanted() {
                    continue;
                }
                return Taken::Job(Box::new(job));
            }
            if state.closed {
                return Taken::Closed;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Taken::Idle;
            }
            let waited = self.ready.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Up to `limit` more jobs that are there already.
    pub(super) fn take_waiting(&self, limit: usize) -> Vec<Job> {
        let mut state = self.lock();
        let mut jobs = Vec::new();
        while jobs.len() < limit {
            match state.oldest(Takes::Anything) {
                Some(job) if !job.reply.is_wanted() => {}
                Some(job) => jobs.push(job),
                None => break,
            }
        }
        jobs
    }

    /// Sends those away who have waited too long, until the queue is closed. Needs a thread of its
    /// own: when it matters, all lanes are stuck.
    pub(super) fn watch(&self) {
        let mut state = self.lock();
        while !state.closed {
            let now = Instant::now();
            for job in state.overdue(now) {
                job.answer(Err(unavailable()));
            }
            for reply in state.unanswered(now) {
                reply.send(Err(unavailable()));
            }
            state = match state.next_to_give_up() {
                Some(at) => {
                    let left = at.saturating_duration_since(now);
                    let waited = self.pending.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.pending.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Lets the lanes finish what waits, and end.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
        self.pending.notify_all();
    }
}
