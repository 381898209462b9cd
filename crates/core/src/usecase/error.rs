//! Why an operation was refused.

use crate::{
    domain::invalid::Invalid, policy::passwords::PasswordProblem, ports::store::StoreError,
};

/// Why somebody may not do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Nobody makes their own account here.
    #[error("{0}")]
    RegistrationClosed(&'static str),
    /// Nobody is logged in.
    #[error("log in first")]
    NotAuthenticated,
    /// A permission is missing.
    #[error("this needs the permission {0}")]
    Permission(String),
    /// It would give somebody more than the actor holds.
    #[error("nobody can grant more than they hold, or for longer: {0} is missing")]
    MoreThanHeld(String),
    /// It concerns an account with more rights than the actor's.
    #[error("the account has rights that you do not have")]
    Outranked,
    /// Only superusers may.
    #[error("only superusers may do this")]
    SuperuserOnly,
    /// The actor has to prove again who they are.
    #[error("log in again to do this: the last login was more than {minutes} minutes ago")]
    NotFresh {
        /// How recent the login has to be.
        minutes: u64,
    },
}

impl Forbidden {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RegistrationClosed(_) => "registration_closed",
            Self::NotAuthenticated => "not_authenticated",
            Self::Permission(_) => "permission_denied",
            Self::MoreThanHeld(_) => "more_than_held",
            Self::Outranked => "outranked",
            Self::SuperuserOnly => "superuser_only",
            Self::NotFresh { .. } => "reauthentication_required",
        }
    }
}

/// Why an administrative operation was refused.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no such thing, or the actor may not know of it.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Some fields do not hold.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// A new password does not hold.
    #[error("the password is not acceptable: {}", crate::policy::passwords::summary(.0))]
    Password(Vec<PasswordProblem>),
    /// A one-time link was used already, has died, or is for something else.
    #[error("the link was used already, or is too old")]
    DeadLink,
    /// It does not fit with what is there.
    #[error("{message}")]
    Conflict {
        /// A stable word for programs.
        code: &'static str,
        /// The reason for people.
        message: String,
    },
    /// It was done too often of late.
    #[error("this was done too often of late")]
    TooOften {
        /// Seconds after which it may be done again.
        retry_after: u64,
    },
    /// Too much is going on at once.
    #[error("too much is going on at once")]
    Busy {
        /// Seconds after which it is worth another try.
        retry_after: u32,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Password hashing failed.
    #[error("password hashing failed")]
    Hashing(#[source] crate::ports::hasher::HashError),
}

impl AdminError {
    /// A conflict with its stable word and reason.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::Conflict { code, message: message.into() }
    }

    /// One field that does not hold.
    pub fn field(field: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(Invalid::one(field, code, message))
    }
}

impl From<crate::domain::invalid::FieldError> for AdminError {
    fn from(error: crate::domain::invalid::FieldError) -> Self {
        Self::Invalid(error.into())
    }
}

impl From<crate::ports::hasher::HashError> for AdminError {
    fn from(error: crate::ports::hasher::HashError) -> Self {
        use crate::ports::hasher::HashError;
        match error {
            HashError::Busy { retry_after } => Self::Busy { retry_after },
            HashError::TooLong { max } => {
                Self::field("password", "too_long", format!("has more than {max} bytes"))
            }
            other => Self::Hashing(other),
        }
    }
}

/// What an administrative operation answers.
pub type AdminResult<T> = Result<T, AdminError>;
