//! The port through which new passwords are judged.

use futures_util::future::BoxFuture;

use crate::{policy::passwords::PasswordProblem, secret::Secret};

/// Judges new passwords by a [`PasswordPolicy`](crate::policy::passwords::PasswordPolicy), away
/// from the threads that serve requests: estimating strength takes milliseconds.
pub trait PasswordJudge: Send + Sync {
    /// Everything that is wrong with the password; nothing when it may be used. `context` holds
    /// words that people guess first.
    fn judge(
        &self,
        password: Secret,
        context: Vec<String>,
    ) -> BoxFuture<'static, Vec<PasswordProblem>>;
}
