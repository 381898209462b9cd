//! Where logins are kept that wait for the visitor.

use super::store::StoreResult;
use crate::{domain::login_step::LoginStep, secret::TokenDigest, time::Timestamp};

/// Where logins are kept that wait for the visitor to do one thing more.
pub trait LoginStepRepo {
    /// Adds one.
    fn insert_login_step(&mut self, step: &LoginStep) -> StoreResult<()>;

    /// Takes one out, if it is live. Of any number of parallel callers exactly one gets it.
    fn take_login_step(
        &mut self,
        digest: &TokenDigest,
        now: Timestamp,
    ) -> StoreResult<Option<LoginStep>>;

    /// Removes those that expired before this instant. Answers how many.
    fn purge_login_steps(&mut self, now: Timestamp) -> StoreResult<u64>;
}
