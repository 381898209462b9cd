//! A password as it was typed, and its normal form.

use unicode_normalization::{UnicodeNormalization, is_nfc};
use vestibule_core::{Secret, ports::hasher::HashError};
use zeroize::Zeroizing;

/// The most bytes of a password that any scheme is given.
///
/// Far more than the 64 characters that must be possible, far less than what would make hashing
/// slow.
pub const MAX_PASSWORD_BYTES: usize = 4096;

/// A password that may be compared: not too long, with its NFC form at hand.
pub(super) struct Candidate<'a> {
    typed: &'a [u8],
    nfc: Option<Zeroizing<String>>,
}

impl<'a> Candidate<'a> {
    /// Checks the length before any other work is done.
    pub(super) fn new(password: &'a Secret) -> Result<Self, HashError> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(HashError::TooLong { max: MAX_PASSWORD_BYTES });
        }
        let nfc = password
            .expose_str()
            .filter(|text| !is_nfc(text))
            .map(|text| Zeroizing::new(text.nfc().collect::<String>()));
        Ok(Self { typed: password.expose(), nfc })
    }

    /// What was typed, byte by byte.
    pub(super) fn typed(&self) -> &[u8] {
        self.typed
    }

    /// The NFC form; what was typed when that is NFC already or no text at all.
    pub(super) fn nfc(&self) -> &[u8] {
        self.nfc.as_ref().map_or(self.typed, |text| text.as_bytes())
    }

    /// The NFC form when it differs from what was typed.
    pub(super) fn other_form(&self) -> Option<&[u8]> {
        self.nfc.as_ref().map(|text| text.as_bytes())
    }

    /// How many comparisons a hash from elsewhere takes: a property of the password alone.
    pub(super) fn forms(&self) -> u32 {
        1 + u32::from(self.nfc.is_some())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.typed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_password_that_is_not_nfc_has_another_form() {
        let composed = Secret::new("p\u{e4}ss");
        let candidate = Candidate::new(&composed).unwrap();
        assert_eq!((candidate.forms(), candidate.other_form()), (1, None));
        let decomposed = Secret::new("pa\u{308}ss");
        let candidate = Candidate::new(&decomposed).unwrap();
        assert_eq!(candidate.forms(), 2);
        assert_eq!(candidate.nfc(), "p\u{e4}ss".as_bytes());
        assert_eq!(candidate.typed(), "pa\u{308}ss".as_bytes());
    }

    #[test]
    fn bytes_that_are_no_text_stay_as_they_are() {
        let bytes = Secret::new(vec![0xff, 0xfe]);
        let candidate = Candidate::new(&bytes).unwrap();
        assert_eq!(candidate.nfc(), [0xff, 0xfe]);
    }
}
