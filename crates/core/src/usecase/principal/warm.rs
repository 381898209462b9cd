//! What is remembered of accounts and sessions.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use crate::{
    cx::Actor,
    domain::session::Session,
    id::{SessionId, UserId},
    policy::{bits::Bits, catalogue::Catalogue, facts::Facts},
    time::Timestamp,
};

/// An account as the warm path knows it.
#[derive(Debug)]
pub struct Principal {
    /// The account.
    pub user: UserId,
    /// Its login name.
    pub username: Arc<str>,
    /// Whether it holds every permission.
    pub is_superuser: bool,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) whole: Bits,
    pub(super) valid_until: Timestamp,
    pub(super) epoch: u64,
    pub(super) is_stale: AtomicBool,
    pub(super) facts: OnceLock<Arc<Facts>>,
}

impl Principal {
    /// Whether the account holds this permission as a whole: the remembered answer of
    /// [`decide`](crate::policy::decide::decide).
    pub fn has(&self, permission: &str) -> bool {
        self.catalogue.bit(permission).is_some_and(|bit| self.whole.contains(bit))
    }

    /// What decisions about this account are made against.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// The codes of all permissions held as a whole, in order.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        let all = self.catalogue.permissions();
        self.whole.iter().filter_map(|bit| all.get(bit as usize)).map(|p| p.code.as_str())
    }

    pub(super) fn new(facts: &Facts, catalogue: Arc<Catalogue>, whole: Bits, epoch: u64) -> Self {
        Self {
            user: facts.user().id,
            username: facts.user().username.as_str().into(),
            is_superuser: facts.user().is_superuser,
            whole,
            catalogue,
            valid_until: facts.valid_until(),
            epoch,
            is_stale: AtomicBool::new(false),
            facts: OnceLock::new(),
        }
    }
}

/// A session that was recognised.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// Whose it is.
    pub principal: Arc<Principal>,
    /// Which session; none for programs that bring a name and a password each time.
    pub session: Option<SessionId>,
    /// When its owner last proved who they are.
    pub authenticated_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
}

impl Authenticated {
    /// The actor that this session makes of its owner.
    pub fn actor(&self) -> Actor {
        Actor::User {
            id: self.principal.user,
            username: Arc::clone(&self.principal.username),
            session: self.session,
            authenticated_at: self.authenticated_at,
        }
    }
}

#[derive(Debug)]
pub(super) struct Warm {
    pub(super) principal: Arc<Principal>,
    pub(super) id: SessionId,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) seen: AtomicI64,
    pub(super) written: AtomicI64,
}

impl Warm {
    pub(super) fn new(
        session: &Session,
        principal: Arc<Principal>,
        seen: Timestamp,
        written: Timestamp,
    ) -> Self {
        Self {
            principal,
            id: session.id,
            created_at: session.created_at,
            expires_at: session.expires_at,
            seen: AtomicI64::new(seen.as_micros()),
            written: AtomicI64::new(written.as_micros()),
        }
    }

    /// A stored session with when it was last seen and last written down, as far as either the
    /// store or what was remembered before knows.
    pub(super) fn times(session: Session, known: Option<&Self>) -> (Session, Timestamp, Timestamp) {
        let stored = session.last_seen_at;
        let later =
            |time: &AtomicI64| stored.max(Timestamp::from_micros(time.load(Ordering::Relaxed)));
        let (seen, written) =
            known.map_or((stored, stored), |warm| (later(&warm.seen), later(&warm.written)));
        (session, seen, written)
    }

    pub(super) fn authenticated(&self) -> Authenticated {
        Authenticated {
            principal: Arc::clone(&self.principal),
            session: Some(self.id),
            authenticated_at: self.created_at,
            expires_at: self.expires_at,
        }
    }
}

/// Whether anybody holds an account beside the list of all. One that nobody does is let go, and not
/// believed again: somebody may have taken it up since, who would not hear of its next change.
pub(super) fn is_held(principal: &Arc<Principal>) -> bool {
    let is_held = Arc::strong_count(principal) > 1;
    if !is_held {
        principal.is_stale.store(true, Ordering::Release);
    }
    is_held
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    };

    use super::{Principal, is_held};
    use crate::{id::UserId, time::Timestamp};

    #[test]
    fn what_is_let_go_is_not_believed_by_whoever_took_it_up_meanwhile() {
        let listed = Arc::new(Principal {
            user: UserId::from_bytes([1; 16]),
            username: "anna".into(),
            is_superuser: false,
            catalogue: Arc::default(),
            whole: <_>::default(),
            valid_until: Timestamp::MAX,
            epoch: 0,
            is_stale: AtomicBool::new(false),
            facts: OnceLock::new(),
        });
        let session = Arc::clone(&listed);
        assert!(is_held(&listed));
        assert!(!session.is_stale.load(Ordering::Acquire));
        drop(session);
        assert!(!is_held(&listed));
        // Taken up between the count and the removal.
        let session = Arc::clone(&listed);
        assert!(session.is_stale.load(Ordering::Acquire));
    }
}
