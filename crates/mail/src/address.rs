//! Mail addresses as they stand in headers and in the envelope.

use std::{fmt, str::FromStr};

use lettre::{Address, message::Mailbox as HeaderMailbox};
use vestibule_core::Email;

/// Why an address cannot be written to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AddressError(String);

/// An address with the name of who is behind it: `Hall <hall@example.org>`, or the address alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    name: Option<String>,
    email: Email,
}

impl Mailbox {
    /// An address with nobody's name.
    pub fn bare(email: Email) -> Self {
        Self { name: None, email }
    }

    /// An address with a name.
    pub fn named(name: &str, email: Email) -> Result<Self, AddressError> {
        let name = name.trim();
        if name.chars().any(|c| c.is_control() || "<>\"\\".contains(c)) || name.len() > 200 {
            let reason = "the name has controls, quotes or angle brackets, or is too long";
            return Err(AddressError(reason.to_owned()));
        }
        Ok(Self { name: (!name.is_empty()).then(|| name.to_owned()), email })
    }

    /// The address.
    pub fn email(&self) -> &Email {
        &self.email
    }

    /// Its domain in ASCII, if it has one.
    pub fn domain(&self) -> Result<String, AddressError> {
        Ok(on_the_wire(&self.email)?.domain().to_owned())
    }

    /// As it stands in a header.
    pub(crate) fn in_header(&self) -> Result<HeaderMailbox, AddressError> {
        Ok(HeaderMailbox::new(self.name.clone(), on_the_wire(&self.email)?))
    }
}

impl FromStr for Mailbox {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, address)) => (name, address),
            None => ("", text),
        };
        let email = Email::parse(address).map_err(|error| AddressError(error.message))?;
        Self::named(name, email)
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.email),
            None => write!(f, "{}", self.email),
        }
    }
}

/// The address as mail servers take it: its domain in ASCII (RFC 5890). A local part beyond ASCII
/// stays what it is; not every server takes those (RFC 6531).
pub(crate) fn on_the_wire(email: &Email) -> Result<Address, AddressError> {
    let (local, domain) = email
        .as_str()
        .split_once('@')
        .ok_or_else(|| AddressError("the address has no @".to_owned()))?;
    let Ok(url::Host::Domain(ascii)) = url::Host::parse(domain) else {
        return Err(AddressError("the address has no domain".to_owned()));
    };
    Address::new(local, ascii).map_err(|error| AddressError(error.to_string().to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::{Mailbox, on_the_wire};
    use vestibule_core::Email;

    #[test]
    fn a_mailbox_is_an_address_with_or_without_a_name() {
        for (text, shown) in [
            ("root@localhost", "root@localhost"),
            (" Hall <hall@example.org> ", "Hall <hall@example.org>"),
            ("<hall@example.org>", "hall@example.org"),
            ("Зал №1 <hall@example.org>", "Зал №1 <hall@example.org>"),
        ] {
            assert_eq!(text.parse::<Mailbox>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn atk_a053_a_mailbox_is_one_address_and_nothing_beside_it() {
        for text in [
            "",
            "Hall",
            "Hall <hall@example.org>, x@example.org",
            "Hall <a@example.org> <b@example.org>",
            "a@example.org, b@example.org",
            "\"Hall\" <hall@example.org>",
            "Hall\r\nBcc: x@example.org <hall@example.org>",
            "Hall <hall@example.org\r\nBcc: x@example.org>",
            "Hall <a@b@example.org>",
        ] {
            assert!(text.parse::<Mailbox>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_domain_goes_over_the_wire_in_ascii() {
        for (address, wire) in [
            ("root@localhost", "root@localhost"),
            ("Anna@Bücher.example", "Anna@xn--bcher-kva.example"),
            ("почта@пример.рф", "почта@xn--e1afmkfd.xn--p1ai"),
        ] {
            let email = Email::parse(address).unwrap();
            assert_eq!(on_the_wire(&email).unwrap().to_string(), wire);
        }
        assert!(on_the_wire(&Email::from_stored("nobody".to_owned())).is_err());
        assert!(on_the_wire(&Email::from_stored("a@127.0.0.1".to_owned())).is_err());
    }
}
