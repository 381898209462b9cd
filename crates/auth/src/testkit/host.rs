//! What the host lends to a backend.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use vestibule_core::{
    OpCx, Secret, Timestamp,
    domain::identity::Subject,
    ports::{
        backend::{Attempt, Backend, BackendCx, Fault, ProxyHeaders, Verdict},
        hasher::{HashError, PasswordHash, PasswordHasher, Verification},
        store::{
            ChangeObserver, Mode, Store, StoreError, StoreErrorKind, StorePort, StoreResult, Work,
        },
    },
    testkit::{ManualClock, request_cx},
};

/// A host for backends whose accounts are elsewhere: its store and its hasher answer nothing,
/// since no such backend has any business with them.
pub struct Host {
    cx: OpCx,
    clock: Arc<ManualClock>,
    store: Store,
    hasher: Nothing,
}

impl Default for Host {
    fn default() -> Self {
        Self::with(Arc::default())
    }
}

impl Host {
    /// At this instant, for services that have clocks of their own.
    pub fn at(now: Timestamp) -> Self {
        let host = Self::default();
        host.clock.set(now);
        host
    }

    fn with(clock: Arc<ManualClock>) -> Self {
        Self {
            cx: request_cx(&clock, 7, "192.0.2.7"),
            clock,
            store: Store::new(Arc::new(Nothing)),
            hasher: Nothing,
        }
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// What a backend is given along with a question.
    pub fn cx(&self) -> BackendCx<'_> {
        BackendCx {
            op: &self.cx,
            store: &self.store,
            hasher: &self.hasher,
            account: None,
            known_as: None,
        }
    }

    /// Asks about somebody who types a name and a password.
    pub async fn log_in(&self, backend: &dyn Backend, username: &str, password: &str) -> Verdict {
        backend.authenticate(&attempt(username, password), &self.cx()).await
    }

    /// Asks about somebody who came in before, as this subject.
    pub async fn log_in_again(
        &self,
        backend: &dyn Backend,
        (username, password): (&str, &str),
        known_as: &Subject,
    ) -> Verdict {
        let cx = BackendCx { known_as: Some(known_as), ..self.cx() };
        backend.authenticate(&attempt(username, password), &cx).await
    }

    /// Asks about somebody of whom a trusted proxy says this.
    pub async fn vouch(&self, backend: &dyn Backend, headers: &[(&str, &[u8])]) -> Verdict {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec()));
        let attempt = Attempt::Headers(ProxyHeaders::new(headers));
        backend.authenticate(&attempt, &self.cx()).await
    }

    /// Asks whether somebody may come in.
    pub async fn entitle(&self, backend: &dyn Backend, username: &str) -> Verdict {
        match backend.entitlement() {
            Some(entitlement) => entitlement.judge(username, &self.cx()).await,
            None => Verdict::Fault(Fault::Bug("it judges nobody's entitlement".to_owned())),
        }
    }
}

fn attempt(username: &str, password: &str) -> Attempt {
    Attempt::password(username, password)
}

struct Nothing;

impl StorePort for Nothing {
    fn run(&self, _: Mode, _: Work) -> BoxFuture<'static, StoreResult<()>> {
        Box::pin(async { Err(StoreError::new(StoreErrorKind::Unavailable)) })
    }

    fn observe(&self, _: Arc<dyn ChangeObserver>) {}
}

#[async_trait]
impl PasswordHasher for Nothing {
    async fn hash(&self, _: &Secret) -> Result<PasswordHash, HashError> {
        Err(HashError::Failed("this host hashes nothing"))
    }

    async fn verify(
        &self,
        _: &Secret,
        _: Option<&PasswordHash>,
    ) -> Result<Verification, HashError> {
        Err(HashError::Failed("this host verifies nothing"))
    }
}
