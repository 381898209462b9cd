//! The port through which new passwords are judged.

use async_trait::async_trait;

use super::hasher::HashError;
use crate::{policy::passwords::PasswordProblem, secret::Secret};

/// Judges new passwords by a [`PasswordPolicy`](crate::policy::passwords::PasswordPolicy), away
/// from the threads that serve requests.
#[async_trait]
pub trait PasswordJudge: Send + Sync {
    /// Everything that is wrong with the password; nothing when it may be used. `context` holds
    /// words that people guess first.
    ///
    /// # Errors
    /// [`HashError::Busy`] when too many are judged at once.
    async fn judge(
        &self,
        password: &Secret,
        context: &[&str],
    ) -> Result<Vec<PasswordProblem>, HashError>;
}
