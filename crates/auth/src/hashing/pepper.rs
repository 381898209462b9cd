//! The pepper: a key kept apart from the database, without which no stored hash can be attacked.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use vestibule_core::Secret;

use super::text::to_b64;

/// A key that enters every hash we make (NIST SP 800-63B-4 section 3.1.1.2), with the short name
/// that the hashes carry.
///
/// The name is derived from the key by a one-way function. With it a hash that was made under
/// another key is told apart from a wrong password.
#[derive(Clone, Debug)]
pub struct Pepper {
    key: Secret,
    id: String,
}

impl Pepper {
    /// The fewest bytes a pepper may have: less could be guessed from one stolen hash.
    pub const MIN_BYTES: usize = 32;

    /// Takes the key; `None` when it has fewer than [`Pepper::MIN_BYTES`] bytes.
    pub fn new(key: Secret) -> Option<Self> {
        if key.len() < Self::MIN_BYTES {
            return None;
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).ok()?;
        mac.update(b"vestibule password pepper: key id");
        // Six bytes, because Argon2's PHC string has room for eight characters of key id.
        let id = to_b64(&mac.finalize().into_bytes()[..6]);
        Some(Self { key, id })
    }

    /// What hashes made with this pepper call it.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn key(&self) -> &[u8] {
        self.key.expose()
    }
}

/// The key to use for a hash that carries the given key id; `Err` when it is not at hand.
pub(super) fn key_for<'a>(
    pepper: Option<&'a Pepper>,
    key_id: Option<&str>,
) -> Result<&'a [u8], WrongPepper> {
    match (key_id, pepper) {
        (None, _) => Ok(&[]),
        (Some(id), Some(pepper)) if pepper.id == id => Ok(pepper.key()),
        (Some(_), _) => Err(WrongPepper),
    }
}

/// The hash was made with a pepper that is missing or another now: nobody's password is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WrongPepper;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_pepper_is_refused() {
        assert!(Pepper::new(Secret::new(vec![7; 31])).is_none());
        assert!(Pepper::new(Secret::new(vec![7; 32])).is_some());
    }

    #[test]
    fn the_id_names_the_key_and_hides_it() {
        let one = Pepper::new(Secret::new(vec![1; 32])).unwrap();
        let two = Pepper::new(Secret::new(vec![2; 32])).unwrap();
        assert_eq!(one.id().len(), 8);
        assert_ne!(one.id(), two.id());
        assert!(!format!("{one:?}").contains("[1, 1"));
        assert!(key_for(Some(&one), Some(one.id())).is_ok());
        assert_eq!(key_for(Some(&two), Some(one.id())), Err(WrongPepper));
        assert_eq!(key_for(None, Some(one.id())), Err(WrongPepper));
        assert_eq!(key_for(Some(&one), None), Ok(&[][..]));
    }
}
