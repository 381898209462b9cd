//! Logging in: from what a visitor brought to the right to open a session.

use std::sync::Arc;

use serde_json::json;

use super::{
    record::{Target, record},
    throttle::{FailureKey, Full, Reserved, Throttle},
};
use crate::{
    cx::OpCx,
    domain::{email::Email, user::User, username::Username},
    id::UserId,
    ports::{
        backend::{
            Assertion, Attempt, Backend, BackendCx, Fault, RejectReason, Rejection, Verdict,
        },
        hasher::{HashError, PasswordHash, PasswordHasher},
        store::{Store, StoreError, Tx},
        throttle::FailureCount,
    },
    time::Timestamp,
};

/// The right to open one session: made only by a login that went through every step it needed.
///
/// Nothing else can make one, so nothing else can open a session. Its fields are private
/// (E0451):
///
/// ```compile_fail,E0451
/// use vestibule_core::{id::UserId, usecase::login::LoginGrant};
/// fn forge(user: UserId) -> LoginGrant {
///     LoginGrant { user, backend: String::new(), rehash: None, failures: None }
/// }
/// ```
///
/// and a grant opens one session, since it can be neither copied nor cloned (E0382):
///
/// ```compile_fail,E0382
/// use vestibule_core::usecase::login::LoginGrant;
/// fn twice(grant: LoginGrant) -> (LoginGrant, LoginGrant) {
///     (grant, grant)
/// }
/// ```
///
/// while handing it on is fine:
///
/// ```
/// use vestibule_core::{id::UserId, usecase::login::LoginGrant};
/// fn once(_user: UserId, grant: LoginGrant) -> LoginGrant {
///     grant
/// }
/// ```
#[derive(Debug)]
pub struct LoginGrant {
    pub(super) user: UserId,
    pub(super) backend: String,
    pub(super) rehash: Option<(PasswordHash, PasswordHash)>,
    pub(super) failures: Option<FailureKey>,
}

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Unknown, wrong, locked and disabled all look like this.
    #[error("the name or the password is wrong, or the account cannot be used")]
    Refused {
        /// Before this instant no answer goes out, so that all refusals take the same time.
        not_before: Timestamp,
    },
    /// The backend that would decide cannot be reached.
    #[error("logging in is not possible at the moment")]
    Unavailable {
        /// Seconds after which it is worth another try.
        retry_after: u32,
    },
    /// The backend that was asked for does not exist.
    #[error("there is no backend {0}")]
    UnknownBackend(String),
    /// The password has more bytes than any is given.
    #[error("the password has more than {max} bytes")]
    PasswordTooLong {
        /// The most bytes that are taken.
        max: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Logs people in.
pub struct Login {
    store: Store,
    hasher: Arc<dyn PasswordHasher>,
    backends: Vec<Arc<dyn Backend>>,
    throttle: Arc<Throttle>,
}

/// What is known here about the name that somebody typed.
struct Addressed {
    account: Option<User>,
    failures: Option<FailureCount>,
}

impl Login {
    /// With the backends in the operator's order.
    pub fn new(
        store: Store,
        hasher: Arc<dyn PasswordHasher>,
        backends: Vec<Arc<dyn Backend>>,
        throttle: Arc<Throttle>,
    ) -> Self {
        Self { store, hasher, backends, throttle }
    }

    /// The names of the backends, in their order.
    pub fn backends(&self) -> impl Iterator<Item = &str> {
        self.backends.iter().map(|backend| backend.name())
    }

    /// Judges what a visitor brought. `backend` names the one way in that is to be tried.
    pub async fn attempt(
        &self,
        cx: &OpCx,
        attempt: Attempt,
        backend: Option<&str>,
    ) -> Result<LoginGrant, LoginError> {
        if let Some(name) = backend
            && !self.backends.iter().any(|b| b.name() == name)
        {
            return Err(LoginError::UnknownBackend(name.to_owned()));
        }
        let Attempt::Password { username, password } = &attempt;
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(LoginError::PasswordTooLong { max: MAX_PASSWORD_BYTES });
        }
        let addressed = self.addressed(username).await?;
        let key = failure_key(&addressed, username);
        let place = match self.throttle.reserve(key, addressed.failures, cx.now()) {
            Ok(place) => place,
            // Whoever has the right password is not told that it is wrong.
            Err(Full::UnderWay) => return Err(LoginError::Unavailable { retry_after: 1 }),
            Err(Full::Failures) => {
                // As much work as a wrong password, whatever the password is.
                let done = self.hasher.verify(password, None).await.map_err(unavailable)?;
                self.record_refusal(cx, addressed.account, "too many failures").await?;
                return Err(LoginError::Refused { not_before: done.not_before });
            }
        };
        let account = addressed.account.as_ref().map(|user| user.id);
        let bcx = BackendCx { op: cx, store: &self.store, hasher: &*self.hasher, account };
        match self.ask(&attempt, &bcx, backend).await? {
            Judged::Verified(by, assertion) => {
                let user =
                    account_of(&assertion).ok_or(LoginError::Unavailable { retry_after: 5 })?;
                place.succeeded();
                let failures = addressed.failures.map(|_| key);
                Ok(LoginGrant { user, backend: by, rehash: assertion.rehash, failures })
            }
            Judged::Refused(rejection) => {
                self.count_failure(cx, key, addressed.account, rejection.reason, place).await?;
                Err(LoginError::Refused { not_before: rejection.not_before })
            }
        }
    }

    /// Writes down that failed logins come in a flood, all over the site.
    pub async fn report_flood(&self, cx: &OpCx) -> Result<(), StoreError> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                let target = Target::new("site", "", "login");
                record(tx, &cx, "login.flood", target, "login_failures_per_site", json!({}))
            })
            .await
    }

    async fn ask(
        &self,
        attempt: &Attempt,
        bcx: &BackendCx<'_>,
        only: Option<&str>,
    ) -> Result<Judged, LoginError> {
        for backend in self.backends.iter().filter(|b| only.is_none_or(|name| b.name() == name)) {
            match backend.authenticate(attempt, bcx).await {
                Verdict::Verified(assertion) => {
                    return Ok(Judged::Verified(backend.name().to_owned(), assertion));
                }
                Verdict::Rejected(rejection) => return Ok(Judged::Refused(rejection)),
                Verdict::NotMine => {}
                Verdict::Fault(Fault::Unavailable { retry_after, .. }) => {
                    return Err(LoginError::Unavailable { retry_after });
                }
                Verdict::Fault(Fault::Bug(_)) => {
                    return Err(LoginError::Unavailable { retry_after: 5 });
                }
            }
        }
        // Nobody knew the name: the same work as a wrong password.
        let Attempt::Password { password, .. } = attempt;
        let done = self.hasher.verify(password, None).await.map_err(unavailable)?;
        let reason = RejectReason::UnknownAccount;
        Ok(Judged::Refused(Rejection { reason, not_before: done.not_before }))
    }

    async fn addressed(&self, typed: &str) -> Result<Addressed, StoreError> {
        let typed = typed.to_owned();
        self.store
            .lookup(move |tx| {
                let account = account_named(tx, &typed)?;
                let mut addressed = Addressed { account, failures: None };
                let key = failure_key(&addressed, &typed);
                addressed.failures = tx.failures(key.as_bytes())?;
                Ok(addressed)
            })
            .await
    }

    async fn count_failure(
        &self,
        cx: &OpCx,
        key: FailureKey,
        account: Option<User>,
        reason: RejectReason,
        place: Reserved,
    ) -> Result<(), StoreError> {
        let (now, throttle, own) = (cx.now(), Arc::clone(&self.throttle), cx.clone());
        let start = throttle.window_start(now);
        let count = self
            .store
            .write::<_, StoreError>(move |tx| {
                let count = tx.add_failure(key.as_bytes(), now, start)?;
                refused(tx, &own, account.as_ref(), reason.as_str())?;
                if throttle.is_reached(count) {
                    let details = json!({ "failures": count });
                    let target = target(account.as_ref());
                    record(
                        tx,
                        &own,
                        "login.throttled",
                        target,
                        "login_failures_per_account",
                        details,
                    )?;
                }
                Ok(count)
            })
            .await?;
        place.failed(FailureCount { since: now, count });
        Ok(())
    }

    async fn record_refusal(
        &self,
        cx: &OpCx,
        account: Option<User>,
        reason: &'static str,
    ) -> Result<(), StoreError> {
        let cx = cx.clone();
        self.store.write(move |tx| refused(tx, &cx, account.as_ref(), reason)).await
    }
}

/// The most bytes a password may have, before anything is done with it.
pub const MAX_PASSWORD_BYTES: usize = 4096;

enum Judged {
    Verified(String, Assertion),
    Refused(Rejection),
}

/// The account that is addressed by a name or a mail address, in any case.
pub(crate) fn account_named(tx: &mut dyn Tx, typed: &str) -> Result<Option<User>, StoreError> {
    let typed = typed.trim();
    if let Some(user) = tx.user_by_username_key(&Username::key_of(typed))? {
        return Ok(Some(user));
    }
    if typed.contains('@') { tx.user_by_email_key(&Email::key_of(typed)) } else { Ok(None) }
}

fn account_of(assertion: &Assertion) -> Option<UserId> {
    assertion.subject.parse().ok()
}

fn failure_key(addressed: &Addressed, typed: &str) -> FailureKey {
    match &addressed.account {
        Some(user) => FailureKey::of_account(user.id),
        None => FailureKey::of_name(typed),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn unavailable(error: HashError) -> LoginError {
    match error {
        HashError::Busy { retry_after } => LoginError::Unavailable { retry_after },
        HashError::TooLong { max } => LoginError::PasswordTooLong { max },
        HashError::Failed(_) => LoginError::Unavailable { retry_after: 5 },
    }
}

fn refused(
    tx: &mut dyn Tx,
    cx: &OpCx,
    account: Option<&User>,
    reason: &str,
) -> Result<(), StoreError> {
    record(tx, cx, "login.failed", target(account), reason, json!({}))
}

/// Whom a login was for. What was typed for a name nobody has is not kept: it may be a password.
fn target(account: Option<&User>) -> Target {
    account.map_or_else(|| Target::new("user", "", "unknown"), Target::user)
}
