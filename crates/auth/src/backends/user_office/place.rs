//! An address in which `$USERNAME` stands for a person.

use std::{fmt::Write as _, str::FromStr};

use reqwest::Url;

use crate::http::{Address, HttpError};

/// Where the name goes.
const MARK: &str = "$USERNAME";

/// An address with a place for a name: a segment of its path, or a value in its query. Whatever
/// name is put there stays there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    before: String,
    after: String,
    is_in_path: bool,
}

/// Why an address has no such place.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// It cannot be asked.
    #[error(transparent)]
    Address(#[from] HttpError),
    /// It does not say where the name goes.
    #[error(
        "expected $USERNAME in it, once: as a segment of the path (/users/$USERNAME/experiments) \
         or as a value of the query (?login=$USERNAME)"
    )]
    NoPlace,
}

/// Whether an address can be asked and says where the name goes.
pub fn holds_a_name(text: &str) -> Result<(), PlaceError> {
    text.parse::<Place>().map(drop)
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        // Also without the mark, for a message about what is wrong with the rest.
        text.replace(MARK, "u").parse::<Address>()?;
        let (before, after) = text.split_once(MARK).ok_or(PlaceError::NoPlace)?;
        let url = Url::parse(text).map_err(|_| HttpError::NotAUrl)?;
        let is_in_path = url.path_segments().is_some_and(|mut all| all.any(|part| part == MARK));
        let is_in_query = url.query_pairs().any(|(_, value)| value == MARK);
        if after.contains(MARK) || url.fragment().is_some() || is_in_path == is_in_query {
            return Err(PlaceError::NoPlace);
        }
        Ok(Self { before: before.to_owned(), after: after.to_owned(), is_in_path })
    }
}

impl Place {
    /// The address for this name; `None` for a name that no address can have in a path (`.` and
    /// `..` are steps there however they are written, as the URL Standard has it).
    pub(super) fn of(&self, name: &str) -> Option<Address> {
        if name.is_empty() || (self.is_in_path && matches!(name, "." | "..")) {
            return None;
        }
        let address = format!("{}{}{}", self.before, encoded(name), self.after);
        address.parse().ok()
    }
}

/// Everything but what never means anything else (RFC 3986 section 2.3) is written in percent.
fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len() * 3);
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Place;

    fn place(text: &str) -> Place {
        text.parse().unwrap()
    }

    #[test]
    fn atk_a203_a_name_stays_in_its_place_whatever_it_is() {
        let in_path = place("https://office.example/api/$USERNAME/experiments?all=1");
        for (name, segment) in [
            ("anna", "anna"),
            ("../admin?x=", "..%2Fadmin%3Fx%3D"),
            ("%2f", "%252f"),
            ("a/b\\c", "a%2Fb%5Cc"),
            ("...", "..."),
            ("x#y", "x%23y"),
            ("a b+c", "a%20b%2Bc"),
            ("jürgen", "j%C3%BCrgen"),
            ("a@evil.example:80", "a%40evil.example%3A80"),
            ("$USERNAME", "%24USERNAME"),
        ] {
            let address = in_path.of(name).unwrap();
            let expected = format!("https://office.example/api/{segment}/experiments?all=1");
            assert_eq!(address.as_str(), expected);
        }
        for none in [".", "..", ""] {
            assert_eq!(in_path.of(none), None);
        }
        let in_query = place("https://office.example/experiments?login=$USERNAME&all=1");
        let address = in_query.of("x&login=root#").unwrap();
        let expected = "https://office.example/experiments?login=x%26login%3Droot%23&all=1";
        assert_eq!(address.as_str(), expected);
    }

    #[test]
    fn seed_cp_23_an_address_has_one_place_for_a_name_and_not_in_its_host() {
        for bad in [
            "https://office.example/experiments",
            "https://$USERNAME.example/experiments",
            "https://office.example/u-$USERNAME",
            "https://office.example/$USERNAME/$USERNAME",
            "https://office.example/$USERNAME?login=$USERNAME",
            "https://office.example/$USERNAME#all",
            "http://office.example/$USERNAME",
            "https://$USERNAME@office.example/",
            "office.example/$USERNAME",
        ] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
