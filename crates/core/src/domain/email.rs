//! Mail addresses.

use std::fmt;

use super::{invalid::FieldError, text};

/// A mail address: kept as it was typed, found by its [key](Email::key), which ignores case.
///
/// Accepted is what RFC 5321 calls `Dot-string@Domain`; quoted local parts, comments, address
/// literals and lists are refused, as every one of them has been used to have a mail go elsewhere.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email {
    address: String,
    key: String,
}

impl Email {
    /// The most bytes an address may have (RFC 5321 section 4.5.3.1).
    pub const MAX_BYTES: usize = 254;

    /// Reads one address.
    pub fn parse(input: &str) -> Result<Self, FieldError> {
        let invalid = |reason: &str| FieldError::new("email", "invalid_email", reason);
        let address = text::name("email", input, Self::MAX_BYTES)?;
        if address.len() > Self::MAX_BYTES {
            return Err(invalid("has more than 254 bytes"));
        }
        let (local, domain) = address
            .split_once('@')
            .ok_or_else(|| invalid("has no @ between name and domain"))?;
        let is_local_char = |c: char| {
            c.is_alphanumeric()
                || (c.is_ascii_graphic() && !"()<>[]:;@\\,\".".contains(c))
                || c == '.'
        };
        if local.is_empty() || local.len() > 64 || !local.chars().all(is_local_char) {
            return Err(invalid("the part before the @ is not a plain name"));
        }
        if local.starts_with(['.', '-']) || local.ends_with('.') || local.contains("..") {
            return Err(invalid("the part before the @ begins or ends wrongly"));
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if !domain.split('.').all(is_label) {
            return Err(invalid("the part after the @ is not a domain"));
        }
        let key = Self::key_of(&address);
        Ok(Self { address, key })
    }

    /// An address read back from storage.
    pub fn from_stored(address: String) -> Self {
        let key = Self::key_of(&address);
        Self { address, key }
    }

    /// The address as it was typed.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// What it is found by: the whole of it without regard to case.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The key of whatever somebody typed into a form.
    pub fn key_of(typed: &str) -> String {
        // No NFKC here: two mailboxes whose names merely look alike stay two (CVE-2019-19844).
        typed.to_lowercase()
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let domain = self.address.rsplit('@').next().unwrap_or_default();
        write!(f, "Email(…@{domain})")
    }
}
