//! Authentication backends: what a way to log in looks like to the core.

use async_trait::async_trait;

use super::{hasher::PasswordHasher, store::Store};
use crate::{cx::OpCx, id::UserId, ports::hasher::PasswordHash, secret::Secret, time::Timestamp};

/// What a visitor brought.
#[derive(Debug)]
#[non_exhaustive]
pub enum Attempt {
    /// A name and a password typed into a form or sent by a program.
    Password {
        /// Login name or mail address, as typed.
        username: String,
        /// The password, as typed.
        password: Secret,
    },
}

/// What the host lends to a backend while it answers.
pub struct BackendCx<'a> {
    /// Who asks, from where and when.
    pub op: &'a OpCx,
    /// For backends that keep their accounts here.
    pub store: &'a Store,
    /// For backends that keep their passwords here.
    pub hasher: &'a dyn PasswordHasher,
    /// The account here that the typed name belongs to, if any does.
    pub account: Option<UserId>,
}

/// What a backend found out. There is no `Result`: no `?` can turn an outage into a refusal.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// The visitor is who they say; the login goes on.
    Verified(Assertion),
    /// The visitor is not; the login ends unless another backend is asked.
    Rejected(Rejection),
    /// Not this backend's kind of credential or account; the next one is asked.
    NotMine,
    /// No answer could be had. Never counts as a wrong password and never reads as one.
    Fault(Fault),
}

/// Who the visitor is to the backend.
#[derive(Debug)]
pub struct Assertion {
    /// The stable name of the person at this backend; for `local` the account's id.
    pub subject: String,
    /// The stored hash that was verified and a better one to put in its place.
    pub rehash: Option<(PasswordHash, PasswordHash)>,
}

/// A refusal: why, for the audit log, and when it may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Why; outsiders are never told.
    pub reason: RejectReason,
    /// Before this instant no answer goes out, so that all refusals take the same time.
    pub not_before: Timestamp,
}

/// Why a visitor was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RejectReason {
    /// The password is wrong.
    WrongPassword,
    /// Nobody has this name.
    UnknownAccount,
    /// The account has no password that could match.
    NoPassword,
    /// The account is disabled or has expired.
    NotLive,
}

impl RejectReason {
    /// A stable word for the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongPassword => "wrong password",
            Self::UnknownAccount => "unknown account",
            Self::NoPassword => "no usable password",
            Self::NotLive => "account disabled or expired",
        }
    }
}

/// Why a backend could not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// What it relies on cannot be reached, or is too busy.
    #[error("{what}")]
    Unavailable {
        /// What, for the log.
        what: String,
        /// Seconds after which it is worth another try.
        retry_after: u32,
    },
    /// It answered something that cannot be, or failed within.
    #[error("{0}")]
    Bug(String),
}

/// One way to prove who one is.
///
/// A backend reports what it found; what follows from it (accounts, links, groups, sessions) is
/// the core's to decide.
#[async_trait]
pub trait Backend: Send + Sync {
    /// The name the operator gave it: `local`.
    fn name(&self) -> &str;

    /// Judges what the visitor brought.
    async fn authenticate(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict;
}
