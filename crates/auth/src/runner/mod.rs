//! What stands around every backend whose answers come from elsewhere: a deadline, a limit of
//! questions at once, a breaker, and a net below it for panics.
//!
//! ```
//! use std::sync::Arc;
//! use vestibule_auth::runner::{Guarded, Limits};
//! use vestibule_core::ports::backend::Backend;
//!
//! fn guard(backend: impl Backend + 'static) -> Arc<dyn Backend> {
//!     Arc::new(Guarded::new(Arc::new(backend), Limits::default()))
//! }
//! # let _ = guard(vestibule_auth::backends::LocalBackend::default());
//! ```

mod breaker;
mod guard;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use vestibule_core::OpCx;
use vestibule_core::ports::backend::{
    Attempt, Backend, BackendCx, Descriptor, EndedSession, Entitlement, Fault, Leaving, Probe,
    UpstreamLogout, Verdict,
};

pub use self::guard::Guard;

/// How long and how often a backend is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long one answer may take, waiting for a place included.
    pub deadline: Duration,
    /// How many questions may be under way at once.
    pub at_once: usize,
    /// After how many faults in a row it is left alone.
    pub faults: u32,
    /// For how long. Then one question at a time finds out whether it answers again.
    pub rest: Duration,
}

impl Default for Limits {
    /// Ten seconds, 32 at once, five faults, ten seconds of rest.
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            at_once: 32,
            faults: 5,
            rest: Duration::from_secs(10),
        }
    }
}

/// A backend that answers in time, or says that it cannot.
pub struct Guarded {
    inner: Arc<dyn Backend>,
    guard: Guard,
}

impl Guarded {
    /// Around a backend.
    pub fn new(inner: Arc<dyn Backend>, limits: Limits) -> Self {
        let guard = Guard::new(inner.descriptor().name.as_str(), limits);
        Self { inner, guard }
    }

    /// Asks, within the limits.
    async fn ask<T>(
        &self,
        question: impl Future<Output = T> + Send,
        fault_of: impl Fn(&T) -> Option<&Fault> + Send,
    ) -> Result<T, Fault> {
        self.guard.ask(question, fault_of).await
    }
}

fn fault_in(verdict: &Verdict) -> Option<&Fault> {
    match verdict {
        // What visitors say must not close the door to others.
        Verdict::Fault(Fault::Reported(_)) => None,
        Verdict::Fault(fault) => Some(fault),
        _ => None,
    }
}

#[async_trait]
impl Backend for Guarded {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn authenticate(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict {
        let answer = self.ask(self.inner.authenticate(attempt, cx), fault_in).await;
        answer.unwrap_or_else(Verdict::Fault)
    }

    fn entitlement(&self) -> Option<&dyn Entitlement> {
        self.inner.entitlement().map(|_| self as &dyn Entitlement)
    }

    fn probe(&self) -> Option<&dyn Probe> {
        self.inner.probe().map(|_| self as &dyn Probe)
    }

    fn upstream_logout(&self) -> Option<&dyn UpstreamLogout> {
        self.inner.upstream_logout().map(|_| self as &dyn UpstreamLogout)
    }
}

#[async_trait]
impl Entitlement for Guarded {
    async fn judge(&self, username: &str, cx: &BackendCx<'_>) -> Verdict {
        let Some(inner) = self.inner.entitlement() else {
            return Verdict::Fault(Fault::Bug("it judges nobody's entitlement".to_owned()));
        };
        let answer = self.ask(inner.judge(username, cx), fault_in).await;
        answer.unwrap_or_else(Verdict::Fault)
    }
}

#[async_trait]
impl UpstreamLogout for Guarded {
    async fn ended(&self, token: &str, cx: &OpCx) -> Result<EndedSession, Fault> {
        let Some(inner) = self.inner.upstream_logout() else {
            return Err(Fault::Bug("it tells of no ends".to_owned()));
        };
        // Strangers may send anything: what they send must not make the breaker close the door.
        self.guard.within_limits(inner.ended(token, cx)).await?
    }

    async fn leave(&self, leaving: &Leaving<'_>, cx: &OpCx) -> Result<Option<String>, Fault> {
        let Some(inner) = self.inner.upstream_logout() else { return Ok(None) };
        self.guard.within_limits(inner.leave(leaving, cx)).await?
    }
}

#[async_trait]
impl Probe for Guarded {
    async fn look(&self) -> Result<String, Fault> {
        let Some(inner) = self.inner.probe() else {
            return Err(Fault::Bug("it cannot be looked at".to_owned()));
        };
        // A look is what finds out whether it answers again: the breaker has no say.
        self.guard.within_limits(inner.look()).await?
    }
}

#[cfg(test)]
mod tests;
