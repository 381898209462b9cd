//! What a backend reports.

use std::borrow::Cow;

use super::{assertion::Assertion, challenge::Challenge};
use crate::{domain::identity::Subject, time::Timestamp};

/// What a backend found out. There is no `Result`: no `?` can turn an outage into a refusal.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// The visitor is who they say; the login goes on.
    Verified(Box<Assertion>),
    /// The visitor is not, or may not come in.
    Rejected(Rejection),
    /// Not this backend's to judge; the next one is asked.
    NotMine(NotMine),
    /// Nothing yet: the visitor has to do one thing more.
    Challenge(Challenge),
    /// No answer could be had. Never counts as a wrong password and never reads as one.
    Fault(Fault),
}

impl Verdict {
    /// Refuses, for this reason.
    pub fn rejected(reason: RejectReason) -> Self {
        Self::Rejected(Rejection::new(reason))
    }
}

/// Why a backend has nothing to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotMine {
    /// It does not judge credentials of this kind.
    WrongKind,
    /// The name is of a realm that is not its own.
    WrongRealm,
    /// It knows for certain that it knows nobody of this name.
    UnknownSubject,
}

impl NotMine {
    /// Stable words for the operator.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongKind => "another kind of credential",
            Self::WrongRealm => "another realm",
            Self::UnknownSubject => "nobody has this name there",
        }
    }
}

/// A refusal: why, for the audit log, and when it may be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Why; outsiders are never told.
    pub reason: RejectReason,
    /// More about it, for the audit log; never anything that the visitor typed.
    pub detail: Option<Cow<'static, str>>,
    /// Whose password was found wrong, where the backend knows: a directory may find one person by
    /// more spellings of a name than we know to be the same, and guesses at all of them count as
    /// one.
    pub subject: Option<Subject>,
    /// Before this instant no answer goes out, so that all refusals take the same time.
    pub not_before: Option<Timestamp>,
}

impl Rejection {
    /// For this reason.
    pub const fn new(reason: RejectReason) -> Self {
        Self { reason, detail: None, subject: None, not_before: None }
    }

    /// Says more, for the audit log.
    #[must_use]
    pub fn because(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says whose password was found wrong.
    #[must_use]
    pub fn of(mut self, subject: Subject) -> Self {
        self.subject = Some(subject);
        self
    }

    /// What stands in the audit log.
    pub fn for_audit(&self) -> &str {
        self.detail.as_deref().unwrap_or_else(|| self.reason.as_str())
    }
}

/// Why a visitor was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectReason {
    /// The backend knows the person, and the password is wrong.
    Bad,
    /// The name or the password is wrong; the backend does not tell which.
    BadOrUnknown,
    /// The account there takes no logins for a while.
    Locked,
    /// The account there was switched off.
    Disabled,
    /// The account there, or its password, has expired.
    Expired,
    /// The password has to be changed there first.
    MustChange,
    /// The person is known and may not use this site.
    NotEntitled,
    /// The person is known, and also that no account here is theirs.
    NotLinked,
    /// What was brought was used before.
    Replay,
    /// The visitor turned back before the end.
    Cancelled,
}

impl RejectReason {
    /// Stable words for the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bad => "wrong password",
            Self::BadOrUnknown => "wrong name or password",
            Self::Locked => "locked",
            Self::Disabled => "account disabled or expired",
            Self::Expired => "expired",
            Self::MustChange => "password must be changed",
            Self::NotEntitled => "not entitled",
            Self::NotLinked => "not linked to an account",
            Self::Replay => "used before",
            Self::Cancelled => "turned back there",
        }
    }
}

/// Why a backend could not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    /// What it relies on did not answer in time.
    #[error("no answer in time")]
    Timeout,
    /// It cannot work as it is set up: a refused service account, a missing file.
    #[error("{0}")]
    Misconfigured(String),
    /// What it relies on answered something that cannot be an answer.
    #[error("{0}")]
    Protocol(String),
    /// The visitor brought word of a fault, which may be made up: it lets nobody in, and says
    /// nothing about the backend.
    #[error("{0}")]
    Reported(String),
    /// It failed within.
    #[error("{0}")]
    Bug(String),
}

impl Fault {
    /// Cannot be reached; worth another try after five seconds.
    pub fn unavailable(what: impl Into<String>) -> Self {
        Self::Unavailable { what: what.into(), retry_after: 5 }
    }

    /// Answered what cannot be an answer.
    pub fn protocol(what: impl Into<String>) -> Self {
        Self::Protocol(what.into())
    }

    /// A stable word for logs and metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "unavailable",
            Self::Timeout => "timeout",
            Self::Misconfigured(_) => "misconfigured",
            Self::Protocol(_) => "protocol",
            Self::Reported(_) => "reported",
            Self::Bug(_) => "bug",
        }
    }

    /// Whether waiting may help: the operator's `on_unavailable` is about these.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Timeout | Self::Reported(_))
    }

    /// Seconds after which another try is worth it.
    pub const fn retry_after(&self) -> u32 {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => 5,
        }
    }
}
