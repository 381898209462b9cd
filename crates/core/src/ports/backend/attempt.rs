//! What a visitor brings to the door.

use std::{fmt, time::Duration};

use crate::secret::Secret;

/// What a visitor brought.
#[non_exhaustive]
pub enum Attempt {
    /// A name and a password typed into a form or sent by a program.
    Password {
        /// Login name or mail address, as typed.
        username: String,
        /// The password, as typed.
        password: Secret,
        /// What was answered to a [`Challenge`](super::Challenge), or brought along without being
        /// asked.
        answer: Option<Answer>,
    },
    /// Nothing yet: the visitor pressed the backend's button, and wants to be sent to wherever they
    /// prove who they are.
    Visit {
        /// The absolute address they come back to.
        callback: String,
        /// What they have to bring back unchanged (the `state` of RFC 6749 section 4.1.1).
        token: String,
        /// Nobody pressed anything: the visitor is to come straight back, as who they are there if
        /// they proved it within this time, and else as nobody.
        again: Option<Duration>,
    },
    /// What the visitor came back with.
    Return {
        /// The absolute address they came back to.
        callback: String,
        /// The query's parameters, decoded, in their order.
        parameters: Vec<(String, String)>,
        /// What the backend wanted kept when it sent them.
        state: Secret,
    },
    /// What a proxy that the operator trusts says in the headers of the request.
    Headers(ProxyHeaders),
}

impl Attempt {
    /// With a name and a password, and nothing else.
    pub fn password(username: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self::Password { username: username.into(), password: password.into(), answer: None }
    }
}

/// Only its kind: what was brought lets people in.
impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Attempt").field(&self.kind()).finish_non_exhaustive()
    }
}

/// What a visitor answered to a challenge.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What they typed: a one-time code.
    pub code: Secret,
    /// What the backend wanted kept when it asked; `None` where the code was brought along
    /// unasked.
    pub state: Option<Secret>,
}

/// The headers of a request that came through a trusted proxy, all of them, as they came: nothing
/// is joined, folded or decoded.
#[derive(Clone, Default)]
pub struct ProxyHeaders(Vec<(String, Vec<u8>)>);

impl ProxyHeaders {
    /// Of these names and values.
    pub fn new(headers: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        Self(headers.into_iter().collect())
    }

    /// All names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The values of all headers of this name, in any case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// Only the names: the values say who somebody is.
impl fmt::Debug for ProxyHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

/// The kinds of [`Attempt`], by which a backend says what it can judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CredentialKind {
    /// [`Attempt::Password`]
    Password,
    /// [`Attempt::Visit`], and [`Attempt::Return`] after it
    Redirect,
    /// [`Attempt::Headers`]
    Headers,
}

impl Attempt {
    /// Its kind.
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::Password { .. } => CredentialKind::Password,
            Self::Visit { .. } | Self::Return { .. } => CredentialKind::Redirect,
            Self::Headers(_) => CredentialKind::Headers,
        }
    }
}
