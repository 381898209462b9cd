//! Accounts and passwords that are kept here.

use std::sync::Arc;

use async_trait::async_trait;
use vestibule_core::{
    domain::{
        identity::{BackendName, Subject},
        user::User,
    },
    id::UserId,
    ports::{
        backend::{
            Assertion, Attempt, Backend, BackendCx, BackendFactory, CredentialKind, Descriptor,
            Fault, Method, NotMine, RejectReason, Rejection, Section, SectionError, Verdict,
        },
        hasher::{HashError, PasswordHash, Verification},
        store::StoreError,
    },
    secret::Secret,
};

/// Verifies passwords against the hashes in the store.
///
/// Disabled and password-less accounts cost as much as a wrong password, and are told apart in
/// the audit log alone. A name that nobody has here is somebody else's to judge; when it is
/// nobody's, the host does the same work for it.
#[derive(Clone, Debug)]
pub struct LocalBackend {
    descriptor: Descriptor,
}

impl LocalBackend {
    /// Under a name of the operator's choice.
    pub fn named(name: BackendName) -> Self {
        let descriptor = Descriptor::new(name, Self::KIND, [CredentialKind::Password]);
        Self { descriptor: descriptor.with_accounts_here() }
    }

    /// What the configuration calls it.
    pub const KIND: &'static str = "local";
}

impl Default for LocalBackend {
    /// Under the name `local`.
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "a constant that is a name")]
        Self::named(BackendName::parse(Self::KIND).expect("a name"))
    }
}

/// Makes [`LocalBackend`]s; their section has no keys.
#[derive(Clone, Copy, Debug)]
pub struct LocalFactory;

impl BackendFactory for LocalFactory {
    fn kind(&self) -> &'static str {
        LocalBackend::KIND
    }

    fn build(&self, name: BackendName, section: Section) -> Result<Arc<dyn Backend>, SectionError> {
        #[derive(serde::Deserialize)]
        struct NoKeys {}
        section.read::<NoKeys>()?;
        Ok(Arc::new(LocalBackend::named(name)))
    }
}

#[async_trait]
impl Backend for LocalBackend {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn authenticate(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict {
        let Attempt::Password { password, .. } = attempt else {
            return Verdict::NotMine(NotMine::WrongKind);
        };
        match judge(password, cx).await {
            Ok(verdict) => verdict,
            Err(fault) => Verdict::Fault(fault),
        }
    }
}

async fn judge(password: &Secret, cx: &BackendCx<'_>) -> Result<Verdict, Fault> {
    // For nobody's name as much is read as for somebody's: over a network that would take longer.
    let id = cx.account.unwrap_or(UserId::NOBODY);
    let found = cx
        .store
        .lookup::<_, StoreError>(move |tx| Ok(tx.user_by_id(id)?.zip(tx.user_password(id)?)))
        .await
        .map_err(|error| Fault::unavailable(error.to_string()))?;
    let Some((user, hash)) = found else {
        return Ok(Verdict::NotMine(NotMine::UnknownSubject));
    };
    let is_live = user.is_live(cx.op.now());
    // The hash of an account that may not be used is not even tried, but costs the same.
    let stored = is_live.then_some(&hash);
    let verification = cx.hasher.verify(password, stored).await.map_err(fault)?;
    if verification.matches && is_live {
        return accept(&user, hash, verification, password, cx).await;
    }
    let mut rejection = if !is_live {
        Rejection::new(RejectReason::Disabled)
    } else if !hash.is_usable() {
        Rejection::new(RejectReason::Bad).because("no usable password")
    } else {
        Rejection::new(RejectReason::Bad)
    };
    rejection.not_before = Some(verification.not_before);
    Ok(Verdict::Rejected(rejection))
}

/// Lets the person in, with a better hash where the stored one has fallen behind.
async fn accept(
    user: &User,
    hash: PasswordHash,
    verification: Verification,
    password: &Secret,
    cx: &BackendCx<'_>,
) -> Result<Verdict, Fault> {
    let subject = Subject::parse(&user.id.to_string());
    let subject = subject.map_err(|error| Fault::Bug(error.message))?;
    let mut assertion = Assertion::new(subject).with_factor(Method::Password, cx.op.now());
    if verification.outdated {
        // A queue that is full is no reason to turn somebody away: the next login upgrades.
        assertion.rehash = cx.hasher.hash(password).await.ok().map(|better| (hash, better));
    }
    Ok(Verdict::Verified(Box::new(assertion)))
}

fn fault(error: HashError) -> Fault {
    match error {
        HashError::Busy { retry_after } => {
            Fault::Unavailable { what: "the hashing queue is full".to_owned(), retry_after }
        }
        error => Fault::Bug(error.to_string()),
    }
}
