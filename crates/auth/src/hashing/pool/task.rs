//! What waits in the queue.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use futures_channel::oneshot;
use vestibule_core::{
    Secret,
    policy::passwords::{PasswordPolicy, PasswordProblem},
    ports::hasher::{HashError, PasswordHash, Verification},
};

use super::Shared;

/// Where the answer goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, HashError>>;

/// One piece of work and who waits for it.
pub(super) enum Task {
    Hash {
        password: Secret,
        reply: Reply<PasswordHash>,
    },
    Verify {
        password: Secret,
        stored: Option<PasswordHash>,
        reply: Reply<Verification>,
    },
    Measure {
        sample: PasswordHash,
        reply: Reply<Duration>,
    },
    Judge {
        password: Secret,
        context: Vec<String>,
        policy: Arc<dyn PasswordPolicy>,
        reply: Reply<Vec<PasswordProblem>>,
    },
}

impl Task {
    /// Whether the one who asked has gone away.
    pub(super) fn is_abandoned(&self) -> bool {
        match self {
            Self::Hash { reply, .. } => reply.is_canceled(),
            Self::Verify { reply, .. } => reply.is_canceled(),
            Self::Measure { reply, .. } => reply.is_canceled(),
            Self::Judge { reply, .. } => reply.is_canceled(),
        }
    }

    /// Does the work and answers. That nobody may be left to answer is no error.
    pub(super) fn run(self, shared: &Shared) {
        match self {
            Self::Hash { password, reply } => {
                let _ = reply.send(guard(shared, || shared.engine.hash(&password)));
            }
            Self::Verify { password, stored, reply } => {
                let work = || shared.verify(&password, stored.as_ref());
                let _ = reply.send(guard(shared, work));
            }
            Self::Measure { sample, reply } => {
                let _ = reply.send(guard(shared, || shared.measure(&sample)));
            }
            Self::Judge { password, context, policy, reply } => {
                let context: Vec<&str> = context.iter().map(String::as_str).collect();
                let work = || Ok(policy.check(&password, &context));
                let _ = reply.send(guard(shared, work));
            }
        }
    }
}

/// A panic becomes an error: the thread lives on, else the pool would shrink with each.
fn guard<T>(shared: &Shared, work: impl FnOnce() -> Result<T, HashError>) -> Result<T, HashError> {
    let result = catch_unwind(AssertUnwindSafe(work));
    shared.done();
    result.unwrap_or(Err(HashError::Failed("the hasher panicked")))
}
