//! Programs that bring a name and a password with every request (HTTP Basic, RFC 7617), and have no
//! session.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hmac::{Hmac, Mac};
use serde_json::json;
use sha2::Sha256;

use super::{
    login::{LoginGrant, MAX_PASSWORD_BYTES},
    principal::{Authenticated, Principal, Principals},
    record::{Target, record},
    session_token::keyed,
    sessions::OpenError,
};
use crate::{
    cx::OpCx,
    domain::{email::Email, username::Username},
    entropy::Entropy,
    ports::store::{Store, StoreError, Tx},
    secret::Secret,
    time::Timestamp,
};

/// For how long a pair that was verified is good without being verified again: what a change
/// elsewhere, as of a password in a directory, takes to be noticed here.
pub const REMEMBERED_FOR: Duration = Duration::from_mins(1);

/// How many pairs are remembered at most.
const MOST: usize = 1000;

/// A name and a password, as a program brought them.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The name, as it was sent.
    pub username: String,
    /// The password, as it was sent.
    pub password: Secret,
}

/// By what a pair is remembered: under a key that only this process has.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PairDigest([u8; 32]);

impl PairDigest {
    /// One of so many places, which nobody outside can choose.
    pub fn place(&self, places: usize) -> usize {
        usize::from(u16::from_be_bytes([self.0[0], self.0[1]])) % places.max(1)
    }
}

/// What was known before a password was looked at: of the account, where the name is one that is
/// known here, and how many changes there had been.
#[derive(Debug)]
pub struct Before {
    account: Option<Arc<Principal>>,
    changes: u64,
}

/// Recognises programs. What it remembers is forgotten with the first change of the account:
/// another password, the end of its use, other rights.
pub struct Programs {
    store: Store,
    principals: Arc<Principals>,
    key: Hmac<Sha256>,
    remembered: Mutex<HashMap<PairDigest, Remembered>>,
}

struct Remembered {
    principal: Arc<Principal>,
    at: Timestamp,
}

impl Programs {
    /// With nothing remembered, under a fresh key.
    pub fn new(store: Store, principals: Arc<Principals>, entropy: &dyn Entropy) -> Self {
        let mut key = [0; 32];
        entropy.fill(&mut key);
        Self { store, principals, key: keyed(&key), remembered: Mutex::default() }
    }

    /// By what this pair is remembered; `None` for one that is longer than any.
    pub fn digest(&self, pair: &Pair) -> Option<PairDigest> {
        let (name, password) = (pair.username.as_bytes(), pair.password.expose());
        if name.len().max(password.len()) > MAX_PASSWORD_BYTES {
            return None;
        }
        let mut mac = self.key.clone();
        // With its length, so that no other name and password come to the same bytes.
        mac.update(&u64::try_from(name.len()).ok()?.to_be_bytes());
        mac.update(name);
        mac.update(password);
        Some(PairDigest(mac.finalize().into_bytes().into()))
    }

    /// Whose pair it is, if it was verified a moment ago and nothing has changed since.
    pub fn recall(&self, digest: &PairDigest, now: Timestamp) -> Option<Authenticated> {
        let remembered = self.lock();
        let Remembered { principal, at } = remembered.get(digest)?;
        let is_good = now.since(*at) < REMEMBERED_FOR && self.principals.is_current(principal, now);
        is_good.then(|| authenticated(principal, *at))
    }

    /// What is known of the account that the pair is for, to be asked before it is verified.
    pub async fn before(&self, pair: &Pair, now: Timestamp) -> Result<Before, StoreError> {
        let (name, changes) = (pair.username.trim().to_owned(), self.principals.changes());
        let user = self
            .store
            .lookup::<_, StoreError>(move |tx| {
                match tx.user_by_username_key(&Username::key_of(&name))? {
                    None => tx.user_by_email_key(&Email::key_of(&name)),
                    found => Ok(found),
                }
            })
            .await?;
        let account = match user {
            Some(user) => self.principals.of_user(user.id, now).await?,
            None => None,
        };
        Ok(Before { account, changes })
    }

    /// Admits a program whose pair was verified. No session is opened.
    pub async fn admit(
        &self,
        cx: &OpCx,
        grant: LoginGrant,
        digest: PairDigest,
        before: Before,
    ) -> Result<Authenticated, OpenError> {
        let (user, now, own) = (grant.user, cx.now(), cx.clone());
        let Before { account, changes } = before;
        self.store.write(move |tx| enter(tx, &own, &grant)).await?;
        let principal = self.principals.of_user(user, now).await?.ok_or(OpenError::NotLive)?;
        let admitted = authenticated(&principal, now);
        // A password that was changed while it was looked at is good for this request at most. Of a
        // name that a backend alone knows it is known afterwards only whose it is: such a pair is
        // remembered when nothing at all has changed meanwhile.
        let is_the_same = account
            .is_some_and(|before| before.user == user && self.principals.is_current(&before, now));
        if is_the_same || self.principals.changes() == changes {
            self.remember(digest, principal, now);
        }
        Ok(admitted)
    }

    fn remember(&self, digest: PairDigest, principal: Arc<Principal>, now: Timestamp) {
        let mut remembered = self.lock();
        if remembered.len() >= MOST {
            remembered.retain(|_, pair| now.since(pair.at) < REMEMBERED_FOR);
        }
        if remembered.len() >= MOST
            && let Some(oldest) = remembered.iter().min_by_key(|(_, pair)| pair.at)
        {
            let oldest = *oldest.0;
            remembered.remove(&oldest);
        }
        remembered.insert(digest, Remembered { principal, at: now });
    }

    /// Forgets what is not good any more.
    pub fn tidy(&self, now: Timestamp) {
        self.lock().retain(|_, pair| {
            now.since(pair.at) < REMEMBERED_FOR && self.principals.is_current(&pair.principal, now)
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PairDigest, Remembered>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn authenticated(principal: &Arc<Principal>, at: Timestamp) -> Authenticated {
    Authenticated {
        principal: Arc::clone(principal),
        session: None,
        authenticated_at: at,
        expires_at: at.plus(REMEMBERED_FOR),
    }
}

/// What a login leaves behind, but for a session.
fn enter(tx: &mut dyn Tx, cx: &OpCx, grant: &LoginGrant) -> Result<(), OpenError> {
    let now = cx.now();
    let user = tx.user_by_id(grant.user)?.filter(|user| user.is_live(now));
    let user = user.ok_or(OpenError::NotLive)?;
    if let Some((old, new)) = &grant.rehash {
        tx.upgrade_user_password(user.id, old, new)?;
    }
    for key in &grant.failures {
        tx.forget_count(key.as_bytes())?;
    }
    tx.update_user_last_login(user.id, now)?;
    let details = json!({ "backend": grant.backend });
    record(tx, cx, "login.program", Target::user(&user), &grant.backend, details)?;
    Ok(())
}
