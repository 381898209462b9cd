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
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
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

#[cfg(test)]
mod tests {
    use super::PermissionCode;

    #[test]
    fn codes_are_an_app_a_dot_and_a_name() {
        for (code, app) in [
            ("app.view", "app"),
            ("vestibule.view_user", "vestibule"),
            ("auth.add-user", "auth"),
            ("a.b", "a"),
            ("omero.image.view", "omero"),
            ("3d.view_2", "3d"),
            ("App.View", "App"),
        ] {
            let parsed = PermissionCode::parse(code).unwrap();
            assert_eq!((parsed.as_str(), parsed.app()), (code, app));
        }
    }

    #[test]
    fn atk_a217_wildcards_and_other_characters_are_refused() {
        for code in [
            "",
            ".",
            "app",
            "app.",
            ".view",
            "*",
            "*.*",
            "app.*",
            "*.view",
            "app.view*",
            "app.view?",
            "app.view%",
            "app.view,app.edit",
            "app.view app.edit",
            "app.view ",
            " app.view",
            "app.view\n",
            "app/view",
            "app:view",
            "app.vi\u{200B}ew",
            "аpp.view",
        ] {
            let error = PermissionCode::parse(code).unwrap_err();
            assert_eq!((error.field, error.code), ("permission", "invalid_permission"));
        }
    }

    #[test]
    fn codes_have_at_most_191_bytes() {
        let longest = format!("app.{}", "x".repeat(PermissionCode::MAX_BYTES - 4));
        assert!(PermissionCode::parse(&longest).is_ok());
        assert!(PermissionCode::parse(&format!("{longest}x")).is_err());
    }

    #[test]
    fn atk_a217_codes_that_begin_alike_or_differ_in_case_are_different() {
        let code = |text| PermissionCode::parse(text).unwrap();
        assert_ne!(code("app.view"), code("app.view_secret"));
        assert_ne!(code("app.view"), code("app.View"));
        assert_ne!(code("app.view"), code("app.view.all"));
    }
}
