//! Judging new passwords on threads that serve no requests.

use std::sync::Arc;

use futures_util::{FutureExt, future::BoxFuture};
use tokio::sync::Semaphore;
use vestibule_core::{
    Secret,
    policy::passwords::{PasswordPolicy, PasswordProblem},
    ports::judge::PasswordJudge,
};

/// Runs a policy on the runtime's blocking threads, few at a time.
pub(crate) struct OffWorkers {
    policy: Arc<dyn PasswordPolicy>,
    places: Arc<Semaphore>,
}

impl OffWorkers {
    /// So many at a time; the others wait.
    pub(crate) fn new(policy: impl PasswordPolicy + 'static, at_once: usize) -> Self {
        Self { policy: Arc::new(policy), places: Arc::new(Semaphore::new(at_once.max(1))) }
    }
}

impl PasswordJudge for OffWorkers {
    fn judge(
        &self,
        password: Secret,
        context: Vec<String>,
    ) -> BoxFuture<'static, Vec<PasswordProblem>> {
        let (policy, places) = (Arc::clone(&self.policy), Arc::clone(&self.places));
        async move {
            let place = places.acquire_owned().await;
            let judged = tokio::task::spawn_blocking(move || {
                let context: Vec<&str> = context.iter().map(String::as_str).collect();
                let problems = policy.check(&password, &context);
                // Held by the work itself: a client that hangs up frees no place early.
                drop(place);
                problems
            });
            judged.await.unwrap_or_else(|_| {
                let help = "the password could not be judged; try another one";
                vec![PasswordProblem::new("unjudged", help)]
            })
        }
        .boxed()
    }
}
