//! One-time links.

use super::email::Email;
use super::level::{UnknownWord, words};
use crate::{
    id::{InvitationId, RegistrationId, UserId},
    secret::TokenDigest,
    time::Timestamp,
};
use std::{fmt, str::FromStr};

/// What a one-time link is for; one made for one purpose is worth nothing for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Creates the first superuser.
    FirstSuperuser,
    /// Says that an address is its owner's, and opens the account.
    Activate,
    /// Sets another password.
    Reset,
    /// Says that an address is its owner's, and makes it the account's.
    EmailChange,
    /// Lets whoever was invited in.
    Invitation,
}

words!(
    Purpose: FirstSuperuser = "first-superuser", Activate = "activate", Reset = "reset",
        EmailChange = "email-change", Invitation = "invitation";
    "first-superuser, activate, reset, email-change or invitation"
);

/// What a link opens that is no account yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// What somebody registered.
    Registration(RegistrationId),
    /// What somebody was invited to.
    Invitation(InvitationId),
}

impl Subject {
    /// The one with this id that links for a purpose open, if they open any.
    pub const fn of(purpose: Purpose, id: [u8; 16]) -> Option<Self> {
        match purpose {
            Purpose::Activate => Some(Self::Registration(RegistrationId::from_bytes(id))),
            Purpose::Invitation => Some(Self::Invitation(InvitationId::from_bytes(id))),
            Purpose::FirstSuperuser | Purpose::Reset | Purpose::EmailChange => None,
        }
    }

    /// The bytes of its id.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        match self {
            Self::Registration(id) => id.as_bytes(),
            Self::Invitation(id) => id.as_bytes(),
        }
    }

    /// Which registration it is, if it is one.
    pub const fn registration(self) -> Option<RegistrationId> {
        match self {
            Self::Registration(id) => Some(id),
            Self::Invitation(_) => None,
        }
    }

    /// Which invitation it is, if it is one.
    pub const fn invitation(self) -> Option<InvitationId> {
        match self {
            Self::Invitation(id) => Some(id),
            Self::Registration(_) => None,
        }
    }
}

/// A one-time link, as it is stored: its token is known by its digest alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// What its token is recognised by.
    pub digest: TokenDigest,
    /// What it is for.
    pub purpose: Purpose,
    /// Whose it is, where that is known beforehand.
    pub user: Option<UserId>,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
    /// What it opens.
    pub subject: Option<Subject>,
    /// The address that it was sent to: who uses it has shown that they read mail there, and
    /// nowhere else.
    pub email: Option<Email>,
}
