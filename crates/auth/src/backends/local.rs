//! Accounts and passwords that are kept here.

use async_trait::async_trait;
use vestibule_core::{
    domain::user::User,
    ports::{
        backend::{
            Assertion, Attempt, Backend, BackendCx, Fault, RejectReason, Rejection, Verdict,
        },
        hasher::{HashError, PasswordHash, Verification},
        store::StoreError,
    },
    secret::Secret,
};

/// Verifies passwords against the hashes in the store.
///
/// Unknown, disabled and password-less accounts cost as much as a wrong password, and are told
/// apart in the audit log alone.
#[derive(Clone, Debug)]
pub struct LocalBackend {
    name: String,
}

impl Default for LocalBackend {
    /// Under the name `local`.
    fn default() -> Self {
        Self { name: "local".to_owned() }
    }
}

#[async_trait]
impl Backend for LocalBackend {
    fn name(&self) -> &str {
        &self.name
    }

    async fn authenticate(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict {
        let Attempt::Password { password, .. } = attempt else { return Verdict::NotMine };
        match judge(password, cx).await {
            Ok(verdict) => verdict,
            Err(fault) => Verdict::Fault(fault),
        }
    }
}

async fn judge(password: &Secret, cx: &BackendCx<'_>) -> Result<Verdict, Fault> {
    let account = match cx.account {
        Some(id) => cx
            .store
            .lookup::<_, StoreError>(move |tx| Ok(tx.user_by_id(id)?.zip(tx.user_password(id)?)))
            .await
            .map_err(|error| unavailable(error.to_string()))?,
        None => None,
    };
    let now = cx.op.now();
    // The hash of an account that may not be used is not even tried, but costs the same.
    let stored = account.as_ref().filter(|(user, _)| user.is_live(now)).map(|(_, hash)| hash);
    let verification = cx.hasher.verify(password, stored).await.map_err(fault)?;
    match account {
        Some((user, hash)) if verification.matches && user.is_live(now) => {
            accept(&user, hash, verification, password, cx).await
        }
        account => Ok(Verdict::Rejected(Rejection {
            reason: reason(account.as_ref(), cx),
            not_before: verification.not_before,
        })),
    }
}

/// Lets the person in, with a better hash where the stored one has fallen behind.
async fn accept(
    user: &User,
    hash: PasswordHash,
    verification: Verification,
    password: &Secret,
    cx: &BackendCx<'_>,
) -> Result<Verdict, Fault> {
    let rehash = if verification.outdated {
        // A queue that is full is no reason to turn somebody away: the next login upgrades.
        cx.hasher.hash(password).await.ok().map(|better| (hash, better))
    } else {
        None
    };
    Ok(Verdict::Verified(Assertion { subject: user.id.to_string(), rehash }))
}

fn reason(account: Option<&(User, PasswordHash)>, cx: &BackendCx<'_>) -> RejectReason {
    match account {
        None => RejectReason::UnknownAccount,
        Some((user, _)) if !user.is_live(cx.op.now()) => RejectReason::NotLive,
        Some((_, hash)) if is_unusable(hash) => RejectReason::NoPassword,
        Some(_) => RejectReason::WrongPassword,
    }
}

fn is_unusable(hash: &PasswordHash) -> bool {
    let text = hash.expose();
    text.is_empty() || text.starts_with(['!', '*'])
}

fn fault(error: HashError) -> Fault {
    match error {
        HashError::Busy { retry_after } => {
            Fault::Unavailable { what: "the hashing queue is full".to_owned(), retry_after }
        }
        error => Fault::Bug(error.to_string()),
    }
}

fn unavailable(what: String) -> Fault {
    Fault::Unavailable { what, retry_after: 5 }
}
