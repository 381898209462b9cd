//! Who a request comes from: from the cookie's token to a person and what they may, without
//! input or output while the answer is warm.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use papaya::HashMap;

use super::session_token::TokenSeal;
use crate::{
    domain::{change::Change, session::SessionLimits},
    id::{SessionId, UserId},
    policy::{catalogue::Catalogue, decide::whole_permissions, facts::Facts},
    ports::store::{ChangeObserver, Store, StoreError, Tx},
    secret::TokenDigest,
    time::{Clock, Timestamp},
};

mod cookie;
mod digest_map;
mod shared;
mod warm;

pub use self::{
    cookie::sole_cookie,
    warm::{Authenticated, Principal},
};
use self::{
    digest_map::BuildDigestHasher,
    shared::SharedSets,
    warm::{Warm, is_held},
};

/// For how long what is remembered is believed after the database was last asked for changes.
pub const TRUST: Duration = Duration::from_secs(1);

/// How often a session's last use is written down.
const SEEN_EVERY: Duration = Duration::from_mins(1);

/// Recognises sessions. What it remembers is believed only while the database is asked for
/// changes at least once a second (see [`Self::sync`]).
pub struct Principals {
    store: Store,
    seal: TokenSeal,
    limits: SessionLimits,
    /// Each in the map's own memory: a look-up waits for every place that it has to go to.
    sessions: HashMap<TokenDigest, Warm, BuildDigestHasher>,
    accounts: HashMap<UserId, Arc<Principal>>,
    sets: SharedSets,
    catalogue: Mutex<Option<(u64, Arc<Catalogue>)>>,
    /// Raised by every change before what it concerns is marked stale.
    changes: AtomicU64,
    /// Raised by changes that concern everybody.
    epoch: AtomicU64,
    last_number: AtomicI64,
    trusted_until: AtomicI64,
    seen: Mutex<VecDeque<(SessionId, Timestamp)>>,
}

impl Principals {
    /// Begins with nothing remembered. Has the store tell of changes made through it; changes
    /// made elsewhere come in through [`Self::sync`].
    pub fn new(store: &Store, seal: TokenSeal, limits: SessionLimits) -> Arc<Self> {
        let principals = Arc::new(Self {
            store: store.clone(),
            seal,
            limits,
            sessions: HashMap::default(),
            accounts: HashMap::default(),
            sets: SharedSets::default(),
            catalogue: Mutex::default(),
            changes: AtomicU64::new(0),
            epoch: AtomicU64::new(0),
            last_number: AtomicI64::new(0),
            trusted_until: AtomicI64::new(i64::MIN),
            seen: Mutex::default(),
        });
        // Not held by the store, which it holds itself: both could never go.
        store.observe(Arc::new(Listener(Arc::downgrade(&principals))));
        principals
    }

    /// How long sessions last.
    pub fn limits(&self) -> SessionLimits {
        self.limits
    }

    /// The seal under which session tokens are made.
    pub fn seal(&self) -> &TokenSeal {
        &self.seal
    }

    /// How many sessions are remembered.
    pub fn remembered(&self) -> usize {
        self.sessions.len()
    }

    /// Recognises a session by the token in its cookie: without input or output when it is
    /// remembered, else with one look-up. `None` for a token that opens nothing.
    pub async fn recognise(
        &self,
        token: &[u8],
        clock: &dyn Clock,
    ) -> Result<Option<Authenticated>, StoreError> {
        let now = clock.now();
        let digest = TokenDigest::of(token);
        if let Some(found) = self.recall(&digest, now) {
            return Ok(Some(found));
        }
        if !self.seal.is_genuine(token) {
            return Ok(None);
        }
        self.look_up(digest, now).await
    }

    /// The warm half of [`Self::recognise`].
    pub fn recall(&self, digest: &TokenDigest, now: Timestamp) -> Option<Authenticated> {
        let sessions = self.sessions.pin();
        let warm = sessions.get(digest)?;
        let seen = Timestamp::from_micros(warm.seen.load(Ordering::Relaxed));
        if !self.is_current(&warm.principal, now) || !self.limits.hold(warm.expires_at, seen, now) {
            // Whether it has ended, or was used elsewhere since, only the database can tell.
            return None;
        }
        self.note_use(warm, now);
        Some(warm.authenticated())
    }

    /// What an account may, remembered as for its sessions; `None` for one that may not be used.
    pub(super) async fn of_user(
        &self,
        user: UserId,
        now: Timestamp,
    ) -> Result<Option<Arc<Principal>>, StoreError> {
        let known = self.accounts.pin().get(&user).cloned();
        match known.filter(|principal| self.is_current(principal, now)) {
            Some(principal) => Ok(Some(principal)),
            None => self.load_principal(user, self.changes(), now).await,
        }
    }

    /// How many changes were heard of so far.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Whether what is remembered of an account still holds.
    pub(super) fn is_current(&self, principal: &Principal, now: Timestamp) -> bool {
        !principal.is_stale.load(Ordering::Acquire)
            && principal.epoch == self.epoch.load(Ordering::Acquire)
            && now < principal.valid_until
            && now.as_micros() < self.trusted_until.load(Ordering::Acquire)
    }

    fn note_use(&self, warm: &Warm, now: Timestamp) {
        warm.seen.fetch_max(now.as_micros(), Ordering::Relaxed);
        let written = warm.written.load(Ordering::Relaxed);
        if now.since(Timestamp::from_micros(written)) < SEEN_EVERY {
            return;
        }
        let taken = warm.written.compare_exchange(
            written,
            now.as_micros(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        if taken.is_ok() {
            lock(&self.seen).push_back((warm.id, now));
        }
    }

    async fn look_up(
        &self,
        digest: TokenDigest,
        now: Timestamp,
    ) -> Result<Option<Authenticated>, StoreError> {
        let before = self.changes();
        let known = |user: UserId| {
            let principal = self.accounts.pin().get(&user).cloned();
            principal.filter(|principal| self.is_current(principal, now))
        };
        let found =
            self.store.lookup::<_, StoreError>(move |tx| tx.session_by_digest(&digest)).await?;
        // What this process knows of its last use may not be written down yet.
        let found = found.map(|session| Warm::times(session, self.sessions.pin().get(&digest)));
        let found =
            found.filter(|(session, seen, _)| self.limits.hold(session.expires_at, *seen, now));
        let Some((session, seen, written)) = found else {
            self.sessions.pin().remove(&digest);
            return Ok(None);
        };
        let principal = match known(session.user) {
            Some(principal) => principal,
            None => match self.load_principal(session.user, before, now).await? {
                Some(principal) => principal,
                None => return Ok(None),
            },
        };
        let warm = Warm::new(&session, principal, seen, written);
        self.note_use(&warm, now);
        let found = warm.authenticated();
        self.sessions.pin().insert(digest, warm);
        if self.changes() != before {
            // The session itself may have ended between the look-up and now: good for this
            // request, asked about again at the next. What is known of its use is kept.
            found.principal.is_stale.store(true, Ordering::Release);
        }
        Ok(Some(found))
    }

    /// Loads what an account may; `None` when there is none or it is not live. `before` is the
    /// count of changes from before anything was read.
    async fn load_principal(
        &self,
        user: UserId,
        before: u64,
        now: Timestamp,
    ) -> Result<Option<Arc<Principal>>, StoreError> {
        let epoch = self.epoch.load(Ordering::Acquire);
        let catalogue = self.catalogue(epoch).await?;
        let shared = Arc::clone(&catalogue);
        let facts = self
            .store
            .lookup::<_, StoreError>(move |tx| Facts::load(tx, &shared, user, now))
            .await?;
        let Some(facts) = facts.filter(|facts| facts.user().is_live(now)) else {
            return Ok(None);
        };
        let whole = self.sets.share(whole_permissions(&facts, &catalogue, now));
        let principal = Arc::new(Principal::new(&facts, catalogue, whole, epoch));
        if let Some(replaced) = self.accounts.pin().insert(user, Arc::clone(&principal)) {
            // Sessions that still hold it would not hear of the next change.
            replaced.is_stale.store(true, Ordering::Release);
        }
        if self.changes() != before {
            // Something changed while it was read: good for this request, not for the next.
            principal.is_stale.store(true, Ordering::Release);
        }
        Ok(Some(principal))
    }

    /// What decisions are made against, read again only after a change that concerns everybody.
    async fn catalogue(&self, epoch: u64) -> Result<Arc<Catalogue>, StoreError> {
        if let Some((at, catalogue)) = &*lock(&self.catalogue)
            && *at == epoch
        {
            return Ok(Arc::clone(catalogue));
        }
        let load = |tx: &mut dyn Tx| Catalogue::load(tx);
        let catalogue = Arc::new(self.store.lookup::<_, StoreError>(load).await?);
        *lock(&self.catalogue) = Some((epoch, Arc::clone(&catalogue)));
        Ok(catalogue)
    }

    /// Everything that decisions about this account's objects rest on; remembered with it.
    pub async fn facts(
        &self,
        principal: &Principal,
        now: Timestamp,
    ) -> Result<Option<Arc<Facts>>, StoreError> {
        if let Some(facts) = principal.facts.get() {
            return Ok(Some(Arc::clone(facts)));
        }
        let (user, catalogue) = (principal.user, Arc::clone(&principal.catalogue));
        let facts = self
            .store
            .lookup::<_, StoreError>(move |tx| Facts::load(tx, &catalogue, user, now))
            .await?;
        Ok(facts.map(|facts| Arc::clone(principal.facts.get_or_init(|| Arc::new(facts)))))
    }

    /// Asks the database what changed elsewhere. Called several times a second by a thread of its
    /// own; while it fails, nothing remembered is believed for longer than [`TRUST`].
    pub async fn sync(&self, clock: &dyn Clock) -> Result<(), StoreError> {
        const AT_ONCE: u32 = 500;
        let asked_at = clock.now();
        let after = self.last_number.load(Ordering::Acquire);
        let (changes, last) = self
            .store
            .lookup::<_, StoreError>(move |tx| {
                let last = tx.last_change()?;
                if last == after {
                    return Ok((Vec::new(), last));
                }
                Ok((tx.changes_after(after, AT_ONCE)?, last))
            })
            .await?;
        let in_sequence = (after + 1..).zip(&changes).all(|(n, change)| change.number == n);
        if in_sequence && changes.last().map_or(after, |change| change.number) == last {
            self.forget(&changes.iter().map(|change| change.change).collect::<Vec<_>>());
        } else {
            // Too many to follow, or forgotten since we last asked: start afresh.
            self.forget(&[Change::Everyone]);
        }
        self.last_number.store(last, Ordering::Release);
        self.trusted_until.store(asked_at.plus(TRUST).as_micros(), Ordering::Release);
        Ok(())
    }

    /// The uses of sessions that are due to be written down.
    pub fn take_seen(&self) -> Vec<(SessionId, Timestamp)> {
        lock(&self.seen).drain(..).collect()
    }

    /// Gives back uses that could not be written down, for a later try.
    pub fn put_seen_back(&self, seen: Vec<(SessionId, Timestamp)>) {
        lock(&self.seen).extend(seen);
    }

    /// Forgets sessions that have ended or were not used for a while, and accounts without any.
    pub fn tidy(&self, now: Timestamp, unused_for: Duration) {
        let sessions = self.sessions.pin();
        sessions.retain(|_, warm| {
            let seen = Timestamp::from_micros(warm.seen.load(Ordering::Relaxed));
            now < warm.expires_at && now.since(seen) < unused_for
        });
        self.accounts.pin().retain(|_, principal| is_held(principal));
        self.sets.tidy();
    }
}

/// Passes the store's news on for as long as there is somebody to tell.
struct Listener(Weak<Principals>);

impl ChangeObserver for Listener {
    fn committed(&self, changes: &[Change]) {
        if let Some(principals) = self.0.upgrade() {
            principals.forget(changes);
        }
    }
}

impl Principals {
    /// Marks stale what the changes concern.
    fn forget(&self, changes: &[Change]) {
        for change in changes.iter().filter(|change| **change != Change::Mail) {
            self.changes.fetch_add(1, Ordering::AcqRel);
            match change {
                Change::Mail => {}
                Change::Everyone => {
                    self.epoch.fetch_add(1, Ordering::AcqRel);
                }
                Change::User(user) => {
                    if let Some(principal) = self.accounts.pin().remove(user) {
                        principal.is_stale.store(true, Ordering::Release);
                    }
                }
            }
        }
    }
}

impl std::fmt::Debug for Principals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Principals({} sessions)", self.sessions.len())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
