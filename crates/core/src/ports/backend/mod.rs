//! Authentication backends: what a way to log in looks like to the core.
//!
//! A backend reports what it found ([`Verdict`]). What follows from it is not the backend's to
//! decide: the operator's table says who is asked and what each answer means
//! ([`policy::chain`](crate::policy::chain)), and the core alone finds or makes the account, maps
//! groups and opens the session.
//!
//! ```
//! use async_trait::async_trait;
//! use vestibule_core::{
//!     Secret,
//!     domain::identity::{BackendName, Subject},
//!     ports::backend::{
//!         Assertion, Attempt, Backend, BackendCx, CredentialKind, Descriptor, NotMine,
//!         RejectReason, Verdict,
//!     },
//! };
//!
//! /// Lets in whoever knows the word of the day.
//! struct Speakeasy {
//!     descriptor: Descriptor,
//!     word: Secret,
//! }
//!
//! #[async_trait]
//! impl Backend for Speakeasy {
//!     fn descriptor(&self) -> &Descriptor {
//!         &self.descriptor
//!     }
//!
//!     async fn authenticate(&self, attempt: &Attempt, _: &BackendCx<'_>) -> Verdict {
//!         let Attempt::Password { username, password, .. } = attempt else {
//!             return Verdict::NotMine(NotMine::WrongKind);
//!         };
//!         match Subject::parse(username) {
//!             Ok(subject) if *password == self.word => {
//!                 Verdict::Verified(Box::new(Assertion::new(subject)))
//!             }
//!             _ => Verdict::rejected(RejectReason::BadOrUnknown),
//!         }
//!     }
//! }
//!
//! let name = BackendName::parse("speakeasy").unwrap();
//! let descriptor = Descriptor::new(name, "speakeasy", [CredentialKind::Password]);
//! let backend = Speakeasy { descriptor, word: Secret::new("swordfish") };
//! assert_eq!(backend.descriptor().name.as_str(), "speakeasy");
//! ```

mod assertion;
mod attempt;
mod challenge;
mod factory;
mod verdict;

use async_trait::async_trait;

pub use self::{
    assertion::{AssertedEmail, Assertion, Factor, Groups, Method},
    attempt::{Answer, Attempt, CredentialKind, ProxyHeaders},
    challenge::{Challenge, Step},
    factory::{BackendFactory, Section, SectionError},
    verdict::{Fault, NotMine, RejectReason, Rejection, Verdict},
};
use super::{hasher::PasswordHasher, store::Store};
use crate::{
    cx::OpCx,
    domain::identity::{BackendName, Subject},
    id::UserId,
    secret::Secret,
};

/// One way to prove who one is.
///
/// Whatever goes wrong on the way to an answer is a [`Fault`], and never a refusal.
#[async_trait]
pub trait Backend: Send + Sync {
    /// What there is to know about it before it is asked.
    fn descriptor(&self) -> &Descriptor;

    /// Judges what the visitor brought.
    async fn authenticate(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict;

    /// Whether people who proved who they are elsewhere may come in, for backends that know
    /// (PAM's account phase, a user office that keeps a list). Asked without any credential.
    fn entitlement(&self) -> Option<&dyn Entitlement> {
        None
    }

    /// Whether it tells when somebody's session there has ended.
    fn upstream_logout(&self) -> Option<&dyn UpstreamLogout> {
        None
    }

    /// Whether it could answer right now, for backends that can tell without a visitor.
    fn probe(&self) -> Option<&dyn Probe> {
        None
    }
}

/// Whether somebody may come in, apart from who they are.
#[async_trait]
pub trait Entitlement: Send + Sync {
    /// Judges the person of this login name: [`Verdict::Verified`] lets them in, with the groups
    /// they are in.
    async fn judge(&self, username: &str, cx: &BackendCx<'_>) -> Verdict;
}

/// Ends of sessions elsewhere, told by the service itself and not by the visitor.
#[async_trait]
pub trait UpstreamLogout: Send + Sync {
    /// Reads what the service sent. Whatever cannot be believed is a [`Fault::Protocol`]: anybody
    /// may have sent it.
    async fn ended(&self, token: &str, cx: &OpCx) -> Result<EndedSession, Fault>;

    /// Where somebody who has logged out here is led to log out there as well; `None` where that is
    /// not to be.
    async fn leave(&self, _leaving: &Leaving<'_>, _cx: &OpCx) -> Result<Option<String>, Fault> {
        Ok(None)
    }
}

/// Somebody who has logged out here.
#[derive(Clone, Copy, Debug)]
pub struct Leaving<'a> {
    /// What [`Assertion::farewell`] was, if it is still known.
    pub farewell: Option<&'a Secret>,
    /// The absolute address they come back to.
    pub come_back: &'a str,
    /// What they bring back unchanged.
    pub state: &'a str,
}

/// Whose session elsewhere has ended; at least one of them is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedSession {
    /// The person; all their sessions, where no single one is named.
    pub subject: Option<Subject>,
    /// The session, by what [`Assertion::session`] told.
    pub session: Option<String>,
}

/// A look at whether the backend could answer.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Looks, and says what it found in a few words.
    async fn look(&self) -> Result<String, Fault>;
}

/// What there is to know about a backend before it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Descriptor {
    /// The name that the operator gave it.
    pub name: BackendName,
    /// What it is an instance of: `local`, `pam`.
    pub kind: &'static str,
    /// What it can judge; it is given nothing else.
    pub takes: Vec<CredentialKind>,
    /// Where its accounts are kept.
    pub accounts: Accounts,
    /// The single sign-on that stands in front of us, where the operator said where it is.
    pub sign_on: SignOn,
}

/// Where a single sign-on in front of us lets people in and out: paths of this very host, in which
/// `{return}` stands for the address to come back to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignOn {
    /// Where people log in there who are not known there yet.
    pub login: Option<String>,
    /// Where they log out there, after they have logged out here.
    pub logout: Option<String>,
}

/// Where a backend's accounts are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accounts {
    /// Here: its subjects are ids of our accounts.
    Here,
    /// Elsewhere: its subjects are linked to accounts here.
    Elsewhere,
}

impl Descriptor {
    /// Of a backend whose accounts are kept elsewhere.
    pub fn new(
        name: BackendName,
        kind: &'static str,
        takes: impl IntoIterator<Item = CredentialKind>,
    ) -> Self {
        Self {
            name,
            kind,
            takes: takes.into_iter().collect(),
            accounts: Accounts::Elsewhere,
            sign_on: SignOn::default(),
        }
    }

    /// Of a backend whose accounts are ours. What it calls a subject is the id of an account: a
    /// backend that takes any part of it from the visitor lets everybody be anybody.
    #[must_use]
    pub fn with_accounts_here(mut self) -> Self {
        self.accounts = Accounts::Here;
        self
    }
}

/// What the host lends to a backend while it answers.
#[derive(Clone, Copy)]
pub struct BackendCx<'a> {
    /// Who asks, from where and when.
    pub op: &'a OpCx,
    /// For backends that keep their accounts here.
    pub store: &'a Store,
    /// For backends that keep their passwords here.
    pub hasher: &'a dyn PasswordHasher,
    /// The account here that the typed name belongs to, if any does.
    pub account: Option<UserId>,
    /// Who that account's owner is to this backend, if they came in by it before.
    pub known_as: Option<&'a Subject>,
}
