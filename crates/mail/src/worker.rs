//! Empties the outbox: takes on what is due, sends it, writes down what came of it.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, stream};
use tokio::{
    sync::{Mutex, Notify},
    time::{Instant, sleep, sleep_until},
};
use vestibule_core::{
    Clock, Entropy, OpCx,
    domain::change::Change,
    id::NoticeId,
    ports::{
        outbox::Settlement,
        store::{ChangeObserver, StoreError},
    },
    usecase::delivery::{Delivery, LEASE, Parcel},
};

use crate::{
    backoff::{self, MOST_ATTEMPTS, MOST_POISONED},
    classify::{Failure, Verdict},
    office::{Office, WHOLE},
};

/// How many mails are taken on at once.
const AT_ONCE: u32 = 32;
/// A mail is begun only if there is time for all of it.
const ENOUGH_TIME: Duration = Duration::from_secs(WHOLE.as_secs() + 15);

/// What taking it on may cost of that.
const MARGIN: Duration = Duration::from_secs(5);

/// How a worker works.
#[derive(Clone, Copy, Debug)]
pub struct WorkerOptions {
    /// How many mails are on their way at once.
    pub lines: usize,
    /// How long lies between the beginnings of two mails at least.
    pub pace: Duration,
    /// How often the outbox is looked into when nobody rings: for what other processes post.
    pub look_every: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self { lines: 4, pace: Duration::ZERO, look_every: Duration::from_secs(1) }
    }
}

/// Rings when mail was posted in this process.
#[derive(Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Rings.
    pub fn ring(&self) {
        self.0.notify_one();
    }
}

impl ChangeObserver for Bell {
    fn committed(&self, changes: &[Change]) {
        if changes.contains(&Change::Mail) {
            self.ring();
        }
    }
}

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// How many mails were taken on.
    pub taken: usize,
    /// Whether the mail server could not be asked.
    pub is_down: bool,
}

/// What came of one mail that was sent by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It was handed over; the answer.
    Sent(String),
    /// It was not, and will not be.
    Failed(String),
    /// Somebody else is sending it, or it waits no more.
    NotHere,
}

/// Empties the outbox. Any number of them may work on one outbox, in one process or in many.
pub struct Worker {
    delivery: Delivery,
    office: Office,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    options: WorkerOptions,
    bell: Bell,
    next_start: Mutex<Option<Instant>>,
}

/// What one attempt came to, before it is written down.
enum Attempt {
    Sent(String),
    Failed(Failure),
    /// It could not even be written.
    Poisoned(String),
}

impl Worker {
    /// Between an outbox and an office.
    pub fn new(
        delivery: Delivery,
        office: Office,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        options: WorkerOptions,
    ) -> Self {
        let bell = Bell::default();
        Self { delivery, office, clock, entropy, options, bell, next_start: Mutex::default() }
    }

    /// What wakes it. The store is to be observed with it.
    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Works until it is told to stop. What is on its way then is still finished; what was taken
    /// on and not begun is given back.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let stopping = AtomicBool::new(false);
        let mut stop = std::pin::pin!(stop.fuse());
        let mut failures = 0;
        while !stopping.load(Ordering::Acquire) {
            let round = {
                let mut round = std::pin::pin!(self.whole_round(&stopping).fuse());
                futures_util::select! {
                    round = round => round,
                    () = stop => {
                        stopping.store(true, Ordering::Release);
                        round.await
                    }
                }
            };
            let pause = match round {
                None | Some(Round { is_down: true, .. }) => {
                    failures += 1;
                    Some(backoff::pause(failures, &*self.entropy))
                }
                Some(Round { taken, .. }) => {
                    failures = 0;
                    (taken == 0).then_some(self.options.look_every)
                }
            };
            let Some(pause) = pause.filter(|_| !stopping.load(Ordering::Acquire)) else { continue };
            // While the mail server is down more mail is no reason to ask it sooner.
            let is_down = failures > 0;
            let rung = async {
                if is_down {
                    std::future::pending::<()>().await;
                }
                self.bell.0.notified().await;
            };
            let (mut rung, mut over) =
                (std::pin::pin!(rung.fuse()), std::pin::pin!(sleep(pause).fuse()));
            futures_util::select! {
                () = rung => {}
                () = over => {}
                () = stop => stopping.store(true, Ordering::Release),
            }
        }
        self.office.transport().close().await;
    }

    /// One round; `None` when it failed, be it by a panic: mail goes on after it.
    async fn whole_round(&self, stopping: &AtomicBool) -> Option<Round> {
        match AssertUnwindSafe(self.round(stopping)).catch_unwind().await {
            Ok(Ok(round)) => Some(round),
            Ok(Err(error)) => {
                tracing::warn!(%error, cause = ?error.source, "the outbox cannot be looked into");
                None
            }
            Err(_) => {
                tracing::error!("a round of sending mail ended in a panic");
                None
            }
        }
    }

    /// One round: takes on what is due, as far as it can be sent in time, and sends it.
    pub async fn round(&self, stopping: &AtomicBool) -> Result<Round, StoreError> {
        if self.is_too_early().await {
            return Ok(Round::default());
        }
        let due = self.delivery.next_due().await?;
        if due.is_none_or(|due| due > self.clock.now()) {
            return Ok(Round::default());
        }
        let parcels = self.delivery.take(&self.cx(), self.at_once()).await?;
        let taken = parcels.len();
        let is_down = AtomicBool::new(false);
        let work = stream::iter(parcels).for_each_concurrent(self.options.lines, |parcel| {
            let (is_down, stopping) = (&is_down, stopping);
            async move { self.one(parcel, is_down, stopping).await }
        });
        work.await;
        Ok(Round { taken, is_down: is_down.into_inner() })
    }

    /// Sends one notice now, and settles it whatever comes of it.
    pub async fn send_now(&self, id: NoticeId) -> Result<Delivered, StoreError> {
        let Some(parcel) = self.delivery.take_one(&self.cx(), id).await? else {
            return Ok(Delivered::NotHere);
        };
        let (settlement, delivered) = match self.attempt(&parcel).await {
            Attempt::Sent(answer) => (Settlement::Sent(answer.clone()), Delivered::Sent(answer)),
            Attempt::Failed(Failure { reason, .. }) | Attempt::Poisoned(reason) => {
                (Settlement::Dead(reason.clone()), Delivered::Failed(reason))
            }
        };
        self.delivery.settle(&self.cx(), &parcel, settlement).await?;
        self.office.transport().close().await;
        Ok(delivered)
    }

    fn cx(&self) -> OpCx {
        OpCx::for_job("mail", Arc::clone(&self.clock), Arc::clone(&self.entropy))
    }

    /// No more than can be begun while they are ours.
    fn at_once(&self) -> u32 {
        let pace = self.options.pace.as_millis().max(1);
        let room = LEASE.saturating_sub(ENOUGH_TIME).as_millis() / pace;
        u32::try_from(room).unwrap_or(u32::MAX).clamp(1, AT_ONCE)
    }

    async fn one(&self, parcel: Parcel, is_down: &AtomicBool, stopping: &AtomicBool) {
        let mut begins = !is_down.load(Ordering::Acquire) && !stopping.load(Ordering::Acquire);
        if begins {
            begins = self.keep_pace(parcel.until.since(self.clock.now())).await;
        }
        let has_time = parcel.until.since(self.clock.now()) >= ENOUGH_TIME;
        if !begins || !has_time || is_down.load(Ordering::Acquire) {
            return self.give_back(&parcel, String::new()).await;
        }
        match self.attempt(&parcel).await {
            Attempt::Sent(answer) => {
                self.settle(&parcel, Settlement::Sent(answer), "sent").await;
            }
            Attempt::Failed(failure) => {
                if failure.verdict == Verdict::ServerDown && !is_down.swap(true, Ordering::AcqRel) {
                    tracing::warn!(
                        reason = failure.reason,
                        "no mail can be sent at the moment; it is tried again"
                    );
                }
                self.failed(&parcel, failure).await;
            }
            Attempt::Poisoned(reason) if parcel.attempts >= MOST_POISONED => {
                tracing::error!(notice = %parcel.id, reason, "a mail cannot be written; given up");
                self.settle(&parcel, Settlement::Dead(reason), "dead").await;
            }
            Attempt::Poisoned(reason) => {
                tracing::error!(notice = %parcel.id, reason, "a mail cannot be written");
                self.settle(&parcel, self.later(&parcel, reason), "later").await;
            }
        }
    }

    async fn attempt(&self, parcel: &Parcel) -> Attempt {
        let work = async {
            match self.office.letter(parcel, self.clock.now()) {
                Ok(letter) => match self.office.hand_over(&letter).await {
                    Ok(answer) => Attempt::Sent(answer),
                    Err(failure) => Attempt::Failed(failure),
                },
                Err(error) => Attempt::Poisoned(error.to_string()),
            }
        };
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(attempt) => attempt,
            Err(_) => Attempt::Poisoned("its sending ended in a panic".to_owned()),
        }
    }

    async fn failed(&self, parcel: &Parcel, failure: Failure) {
        let Failure { verdict, reason } = failure;
        match verdict {
            Verdict::ServerDown => self.give_back(parcel, reason).await,
            Verdict::ForGood => {
                tracing::warn!(notice = %parcel.id, reason, "a mail was refused; given up");
                self.settle(parcel, Settlement::Dead(reason), "dead").await;
            }
            Verdict::Later if parcel.attempts >= MOST_ATTEMPTS => {
                tracing::warn!(notice = %parcel.id, reason, "a mail did not get through; given up");
                let reason = format!("{reason} (tried {MOST_ATTEMPTS} times)");
                self.settle(parcel, Settlement::Dead(reason), "dead").await;
            }
            Verdict::Later => {
                tracing::info!(notice = %parcel.id, reason, "a mail did not get through yet");
                self.settle(parcel, self.later(parcel, reason), "later").await;
            }
        }
    }

    fn later(&self, parcel: &Parcel, reason: String) -> Settlement {
        let wait = backoff::wait(parcel.attempts, &*self.entropy);
        Settlement::Retry(self.clock.now().plus(wait), reason)
    }

    /// Leaves the mail to the next round, at the place in the line that it had.
    async fn give_back(&self, parcel: &Parcel, reason: String) {
        self.settle(parcel, Settlement::Back(parcel.posted_at, reason), "back").await;
    }

    /// Writes down what came of it. When the database does not take that, the lease runs out and
    /// the mail is tried again: what was sent already then goes out once more, under the same
    /// Message-ID.
    async fn settle(&self, parcel: &Parcel, settlement: Settlement, outcome: &'static str) {
        metrics::counter!("vestibule_mails_total", "outcome" => outcome).increment(1);
        let cx = self.cx();
        let settled = self.delivery.settle(&cx, parcel, settlement).await;
        if let Err(error) = settled {
            let cause = error.source.as_ref().map(ToString::to_string);
            tracing::error!(notice = %parcel.id, outcome, %error, cause, "what came of a mail cannot be written down");
        }
    }

    /// Whether the next mail may begin only after whoever took it on had to give it back.
    async fn is_too_early(&self) -> bool {
        let longest = LEASE.saturating_sub(ENOUGH_TIME + MARGIN);
        let next = *self.next_start.lock().await;
        next.is_some_and(|next| next.saturating_duration_since(Instant::now()) > longest)
    }

    /// Waits until the next mail may begin, if that is while this one is ours; else its turn is
    /// left to another.
    async fn keep_pace(&self, ours: Duration) -> bool {
        if self.options.pace.is_zero() {
            return true;
        }
        let start = {
            let mut next = self.next_start.lock().await;
            let start = next.map_or_else(Instant::now, |next| next.max(Instant::now()));
            if start.saturating_duration_since(Instant::now()) + ENOUGH_TIME > ours {
                return false;
            }
            *next = Some(start + self.options.pace);
            start
        };
        sleep_until(start).await;
        true
    }
}
