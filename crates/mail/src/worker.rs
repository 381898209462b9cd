//! Empties the outbox: takes on what is due, sends it, writes down what came of it.

mod bell;
mod turns;

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future, stream};
use tokio::{sync::Semaphore, time::sleep};
use vestibule_core::{
    Clock, Entropy, OpCx,
    domain::notice::Lane,
    id::NoticeId,
    ports::{outbox::Settlement, store::StoreError},
    usecase::delivery::{Delivery, LEASE, Parcel},
};

pub use self::bell::Bell;
use self::turns::Turns;
use crate::{
    backoff::{self, MOST_ATTEMPTS, MOST_POISONED},
    classify::{Failure, Verdict},
    office::{Office, WHOLE},
};

/// How many mails are taken on at once: of those that one person each waits for, and of those
/// that many are told, which are sent one after the other.
const AT_ONCE: u32 = 32;
const AT_ONCE_OF_MANY: u32 = 8;
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
    /// The same of those that many are told at once.
    pub bulk_pace: Duration,
    /// How often the outbox is looked into when nobody rings: for what other processes post.
    pub look_every: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        let (pace, bulk_pace) = (Duration::ZERO, Duration::ZERO);
        Self { lines: 4, pace, bulk_pace, look_every: Duration::from_secs(1) }
    }
}

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// How many mails were taken on.
    pub taken: usize,
    /// How many of them were begun; the others were given back.
    pub begun: usize,
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
    /// How many mails may be on their way, whoever is to get them.
    lines: Semaphore,
    turns: Turns,
    bulk_turns: Turns,
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
        Self {
            delivery,
            office,
            clock,
            entropy,
            options,
            bell: Bell::default(),
            lines: Semaphore::new(options.lines),
            turns: Turns::new(options.pace),
            bulk_turns: Turns::new(options.bulk_pace),
        }
    }

    /// What wakes it. The store is to be observed with it.
    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Works until it is told to stop. What is on its way then is still finished; what was taken
    /// on and not begun is given back.
    ///
    /// What many are told is sent beside what one person each waits for and not before it: it has
    /// one line at most, and no turn of it keeps one of the others waiting.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let stop = stop.shared();
        let [personal, bulk] = Lane::ALL.map(|lane| self.serve(lane, stop.clone()));
        future::join(personal, bulk).await;
        self.office.transport().close().await;
    }

    async fn serve(&self, lane: Lane, stop: impl Future<Output = ()>) {
        let stopping = AtomicBool::new(false);
        let mut stop = std::pin::pin!(stop.fuse());
        let mut failures = 0;
        while !stopping.load(Ordering::Acquire) {
            let round = {
                let mut round = std::pin::pin!(self.whole_round(lane, &stopping).fuse());
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
                Some(Round { begun, .. }) => {
                    failures = 0;
                    (begun == 0).then_some(self.options.look_every)
                }
            };
            let Some(pause) = pause.filter(|_| !stopping.load(Ordering::Acquire)) else { continue };
            // While the mail server is down more mail is no reason to ask it sooner.
            let is_down = failures > 0;
            let rung = async {
                if is_down {
                    std::future::pending::<()>().await;
                }
                self.bell.rung(lane).await;
            };
            let (mut rung, mut over) =
                (std::pin::pin!(rung.fuse()), std::pin::pin!(sleep(pause).fuse()));
            futures_util::select! {
                () = rung => {}
                () = over => {}
                () = stop => stopping.store(true, Ordering::Release),
            }
        }
    }

    /// One round; `None` when it failed, be it by a panic: mail goes on after it.
    async fn whole_round(&self, lane: Lane, stopping: &AtomicBool) -> Option<Round> {
        match AssertUnwindSafe(self.round(lane, stopping)).catch_unwind().await {
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

    /// One round: takes on what is due in a lane, as far as it can be sent in time, and sends it.
    pub async fn round(&self, lane: Lane, stopping: &AtomicBool) -> Result<Round, StoreError> {
        if self.is_too_early(lane).await {
            return Ok(Round::default());
        }
        let due = self.delivery.next_due(lane).await?;
        if due.is_none_or(|due| due > self.clock.now()) {
            return Ok(Round::default());
        }
        let parcels = self.delivery.take(&self.cx(), lane, self.at_once(lane)).await?;
        let taken = parcels.len();
        let (is_down, begun) = (AtomicBool::new(false), AtomicUsize::new(0));
        let lines = if lane == Lane::Bulk { 1 } else { self.options.lines };
        let work = stream::iter(parcels).for_each_concurrent(lines, |parcel| {
            let (is_down, begun) = (&is_down, &begun);
            async move {
                if self.one(lane, parcel, is_down, stopping).await {
                    begun.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        work.await;
        Ok(Round { taken, begun: begun.into_inner(), is_down: is_down.into_inner() })
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
    fn at_once(&self, lane: Lane) -> u32 {
        let (pace, most) = match lane {
            Lane::Personal => (self.options.pace, AT_ONCE),
            Lane::Bulk => (self.options.pace.max(self.options.bulk_pace), AT_ONCE_OF_MANY),
        };
        let room = LEASE.saturating_sub(ENOUGH_TIME).as_millis() / pace.as_millis().max(1);
        u32::try_from(room).unwrap_or(u32::MAX).clamp(1, most)
    }

    /// Answers whether the mail was begun.
    async fn one(
        &self,
        lane: Lane,
        parcel: Parcel,
        is_down: &AtomicBool,
        stopping: &AtomicBool,
    ) -> bool {
        let goes_on = || !is_down.load(Ordering::Acquire) && !stopping.load(Ordering::Acquire);
        let ours = || parcel.until.since(self.clock.now());
        let begins = goes_on() && self.keep_pace(lane, ours, goes_on).await;
        // Only who may begin at once takes a line: waiting for one's turn keeps up nobody.
        let line = if begins { self.lines.acquire().await.ok() } else { None };
        if line.is_none() || ours() < ENOUGH_TIME || !goes_on() {
            self.give_back(&parcel, String::new()).await;
            return false;
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
        true
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
    async fn is_too_early(&self, lane: Lane) -> bool {
        let longest = LEASE.saturating_sub(ENOUGH_TIME + MARGIN);
        for turns in self.turns_of(lane) {
            if turns.wait().await > longest {
                return true;
            }
        }
        false
    }

    /// Whose turns a mail takes, one after the other. One of many takes a turn among all only when
    /// it is its turn among its like.
    fn turns_of(&self, lane: Lane) -> impl Iterator<Item = &Turns> {
        let of_lane = (lane == Lane::Bulk).then_some(&self.bulk_turns);
        of_lane.into_iter().chain([&self.turns])
    }

    /// Waits until the next mail may begin, if that is while this one is ours; else its turn is
    /// left to another.
    async fn keep_pace(
        &self,
        lane: Lane,
        ours: impl Fn() -> Duration,
        goes_on: impl Fn() -> bool,
    ) -> bool {
        for turns in self.turns_of(lane) {
            let Some(left) = ours().checked_sub(ENOUGH_TIME) else { return false };
            if !turns.take(left, &goes_on).await {
                return false;
            }
        }
        true
    }
}
