//! What a backend asserts of somebody whom it has verified (the field's name for it, as in
//! SAML 2.0 and `OpenID` Connect): facts, from which the core alone draws consequences.

use std::collections::BTreeMap;

use crate::{
    domain::identity::Subject, ports::hasher::PasswordHash, secret::Secret, time::Timestamp,
};

/// Who the visitor is to the backend.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// By what the backend knows the person for good; for one that keeps its accounts here, the
    /// account's id.
    pub subject: Subject,
    /// The name the person goes by there. It is proposed for an account that is made, and never
    /// overwrites the name of one that is there.
    pub username: Option<String>,
    /// The person's given name, where it is known.
    pub first_name: String,
    /// The person's family name, where it is known.
    pub last_name: String,
    /// The person's mail addresses. No account is ever found by one.
    pub emails: Vec<AssertedEmail>,
    /// The groups the person is in there.
    pub groups: Groups,
    /// What else the backend tells, by name.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// The account here that is theirs, by its login name: said by backends alone that the
    /// operator has told where to find out, and never taken from the visitor.
    pub account: Option<String>,
    /// By what the session there is known, so that its end there can end ours.
    pub session: Option<String>,
    /// Until when the backend's word is good: a session that comes of it ends then at the latest.
    /// A moment that is near is put off to a minute from now.
    pub ends_at: Option<Timestamp>,
    /// When the person proved who they are, where that was not just now: what wants a fresh login
    /// goes by it.
    pub proved_at: Option<Timestamp>,
    /// What the backend wants to have back when the person logs out here. It is kept sealed with
    /// the session's token.
    pub farewell: Option<Secret>,
    /// How the person proved who they are.
    pub factors: Vec<Factor>,
    /// For hashes that are kept here: the one that was verified and a better one for its place.
    pub rehash: Option<(PasswordHash, PasswordHash)>,
}

impl Assertion {
    /// That this is the person, and nothing more.
    pub fn new(subject: Subject) -> Self {
        Self {
            subject,
            username: None,
            first_name: String::new(),
            last_name: String::new(),
            emails: Vec::new(),
            groups: Groups::Unknown,
            attributes: BTreeMap::new(),
            account: None,
            session: None,
            ends_at: None,
            proved_at: None,
            farewell: None,
            factors: Vec::new(),
            rehash: None,
        }
    }

    /// With the name the person goes by there.
    #[must_use]
    pub fn with_username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// With one more mail address.
    #[must_use]
    pub fn with_email(mut self, address: impl Into<String>, is_verified: bool) -> Self {
        self.emails.push(AssertedEmail { address: address.into(), is_verified });
        self
    }

    /// With all groups the person is in.
    #[must_use]
    pub fn with_groups(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.groups = Groups::Known(names.into_iter().map(Into::into).collect());
        self
    }

    /// With one more way in which the person proved who they are.
    #[must_use]
    pub fn with_factor(mut self, method: Method, at: Timestamp) -> Self {
        self.factors.push(Factor { method, at });
        self
    }
}

/// A mail address as a backend tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssertedEmail {
    /// The address, as it was told.
    pub address: String,
    /// Whether the backend itself made sure that it is the person's.
    pub is_verified: bool,
}

/// The groups a person is in at a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Groups {
    /// All of them: whoever is in no other is in no other any more.
    Known(Vec<String>),
    /// The same as the last time.
    Unchanged,
    /// The backend tells nothing of groups, or could not find out: what was known stays.
    Unknown,
}

/// One proof of identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor {
    /// What was used.
    pub method: Method,
    /// When.
    pub at: Timestamp,
}

/// What was used to prove an identity (RFC 8176, `amr`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// A password: `pwd`.
    Password,
    /// A one-time code: `otp`.
    OneTimeCode,
    /// Several of different kinds: `mfa`.
    Several,
    /// Something that the backend did not tell.
    Unknown,
}
