//! One-time links.

use super::email::Email;
use super::level::{UnknownWord, words};
use crate::{
    id::{RegistrationId, UserId},
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
}

words!(
    Purpose: FirstSuperuser = "first-superuser", Activate = "activate", Reset = "reset",
        EmailChange = "email-change";
    "first-superuser, activate, reset or email-change"
);

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
    /// Which registration it opens.
    pub subject: Option<RegistrationId>,
    /// The address that it was sent to: who uses it has shown that they read mail there, and
    /// nowhere else.
    pub email: Option<Email>,
}
