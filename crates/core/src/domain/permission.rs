//! Permissions: names for what can be allowed, registered by the service that checks them.

use std::{borrow::Borrow, fmt};

use super::{invalid::FieldError, level::Action, object::ObjectType};
use crate::time::Timestamp;

/// A permission's name, `app.codename`, as in Django. There are no wildcards: `app.view` says
/// nothing about `app.view_secret`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PermissionCode(Box<str>);

impl PermissionCode {
    /// The most bytes a code may have.
    pub const MAX_BYTES: usize = 191;

    /// Reads a code: two parts of letters, digits, `_` and `-` with one dot between them; the
    /// second part may have further dots (Django's code names do not, other systems' do).
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let is_word = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        };
        match text.split_once('.') {
            Some((app, codename))
                if is_word(app) && is_word(codename) && text.len() <= Self::MAX_BYTES =>
            {
                Ok(Self(text.into()))
            }
            _ => Err(FieldError::new(
                "permission",
                "invalid_permission",
                "is not of the form app.codename (letters, digits, _ and -; at most 191)",
            )),
        }
    }

    /// A code read back from storage.
    pub fn from_stored(text: String) -> Self {
        Self(text.into())
    }

    /// The whole code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first dot.
    pub fn app(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }
}

impl Borrow<str> for PermissionCode {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PermissionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PermissionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A registered permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Its name.
    pub code: PermissionCode,
    /// What it allows, for people.
    pub description: String,
    /// Which service registered it.
    pub service: String,
    /// Which kind of object, and what is done to it, when sharing levels speak about it:
    /// the owner and the members of the owning group then have it without a grant.
    pub on: Option<(ObjectType, Action)>,
    /// When it was first registered.
    pub registered_at: Timestamp,
}
