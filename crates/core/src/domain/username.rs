//! Login names.

use std::fmt;

use unicode_security::MixedScript;

use super::{invalid::FieldError, text};

/// A login name: kept as it was spelt (in NFC), found by its [key](Username::key), which ignores
/// case and compatibility forms.
///
/// ```
/// use vestibule_core::Username;
/// let name = Username::parse("Chloé Dubois").unwrap();
/// assert_eq!(name.key(), Username::parse("chloé DUBOIS").unwrap().key());
/// assert!(Username::parse("adm\u{200B}in").is_err());
/// assert!(Username::parse("аdmin").is_err(), "a Cyrillic letter among Latin ones");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Username {
    name: String,
    key: String,
}

impl Username {
    /// The most characters a name may have.
    pub const MAX_CHARS: usize = 150;

    /// A new name. Refused: empty, blanks at the ends, over 150 characters; control,
    /// bidirectional, zero-width and unassigned characters; letters of scripts that are not
    /// written together (Unicode Technical Standard 39), as lookalikes are made of them.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let username = Self::from_elsewhere(text)?;
        if !username.name.as_str().is_single_script() {
            return Err(FieldError::new(
                "username",
                "mixed_scripts",
                "mixes letters of scripts that look alike (such as Latin and Cyrillic)",
            ));
        }
        Ok(username)
    }

    /// A name that another system gave its user: mixed scripts are let through, since the person
    /// has been known by it; what cannot be seen never is.
    pub fn from_elsewhere(text: &str) -> Result<Self, FieldError> {
        let name = text::name("username", text, Self::MAX_CHARS)?;
        let key = Self::key_of(&name);
        Ok(Self { name, key })
    }

    /// A name read back from storage.
    pub fn from_stored(name: String, key: String) -> Self {
        Self { name, key }
    }

    /// The name as its owner spells it.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// What it is found by.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The key of whatever somebody typed into a login form.
    pub fn key_of(typed: &str) -> String {
        text::key(typed)
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Username({:?})", self.name)
    }
}
