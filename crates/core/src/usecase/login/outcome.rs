//! What a login comes to.

use crate::{
    domain::identity::BackendName,
    id::UserId,
    ports::{backend::Assertion, hasher::PasswordHash, store::StoreError},
    secret::Secret,
    time::Timestamp,
    usecase::{error::AdminError, throttle::CountKey},
};

use super::further::CodeWanted;

/// The right to open one session: made only by a login that went through every step it needed.
///
/// Nothing else can make one, so nothing else can open a session. Its fields are private
/// (E0451):
///
/// ```compile_fail,E0451
/// use vestibule_core::{id::UserId, usecase::login::LoginGrant};
/// fn forge(user: UserId) -> LoginGrant {
///     LoginGrant {
///         user,
///         backend: String::new(),
///         rehash: None,
///         failures: Vec::new(),
///         there: todo!(),
///         password_of: None,
///     }
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
    pub(in crate::usecase) user: UserId,
    pub(in crate::usecase) backend: String,
    pub(in crate::usecase) rehash: Option<(PasswordHash, PasswordHash)>,
    /// Where wrong passwords were counted that this right one forgives.
    pub(in crate::usecase) failures: Vec<CountKey>,
    pub(in crate::usecase) there: There,
    /// From when the password here is that opens it, where one does: whoever has changed it since
    /// has ended what the old one opens.
    pub(in crate::usecase) password_of: Option<Timestamp>,
}

/// What the backend told of the session there.
#[derive(Debug, Default)]
pub(in crate::usecase) struct There {
    /// By what it knows it.
    pub(in crate::usecase) session: Option<String>,
    pub(in crate::usecase) ends_at: Option<Timestamp>,
    pub(in crate::usecase) proved_at: Option<Timestamp>,
    pub(in crate::usecase) farewell: Option<Secret>,
}

impl There {
    pub(super) fn of(assertion: &Assertion) -> Self {
        Self {
            session: assertion.session.clone().filter(|id| is_storable(id)),
            ends_at: assertion.ends_at,
            proved_at: assertion.proved_at,
            farewell: assertion.farewell.clone(),
        }
    }
}

/// Whether a session there can be written down. One that cannot ends when ours does.
fn is_storable(id: &str) -> bool {
    !id.is_empty() && id.len() <= 255 && !id.contains('\0')
}

impl LoginGrant {
    /// Whose session it opens.
    pub const fn user(&self) -> UserId {
        self.user
    }
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
    /// The backend vouches for the person, who has no account here and is made none.
    #[error("{backend} knows you, but you have no account here")]
    NoAccount {
        /// By which door they came.
        backend: BackendName,
    },
    /// The backend vouches for the person, and an account that is not known to be theirs has
    /// the name that theirs would have.
    #[error(
        "there is an account of the name {name} already: if it is yours, log in to it first and \
         link {backend} there"
    )]
    LinkNeeded {
        /// By which door they came.
        backend: BackendName,
        /// The name.
        name: String,
    },
    /// The name and the password are right as far as they go, and a code is wanted besides.
    #[error("a one-time code is wanted as well")]
    CodeWanted(CodeWanted),
    /// A link takes a code besides the name and the password: all three are brought together.
    #[error("a one-time code is wanted as well: bring it as `otp`")]
    CodeMissing,
    /// The single sign-on in front of us does not know the visitor yet.
    #[error("log in at the single sign-on first")]
    SignOnFirst {
        /// Where: a path of this very host, in which `{return}` stands for the address to come
        /// back to.
        path: String,
    },
    /// What the visitor brought back belongs to no login that waits: it was used before, has
    /// expired, or was begun in another browser.
    #[error("this login has expired or was begun in another browser: begin again")]
    StepLost,
    /// The visitor is not there any more who was to come straight back.
    #[error("the login there has ended, or is another person's: log in again")]
    NotAgain {
        /// Where they wanted to go.
        next: String,
    },
    /// A link could not be made.
    #[error(transparent)]
    Link(#[from] AdminError),
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
