//! What a login that waits for the visitor goes on with: sealed with the token that the visitor
//! brings back (RFC 8439), which is stored nowhere. Whoever reads the database learns nothing.

use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce, aead::Aead};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::secret::{Secret, TokenDigest};

/// A login that waits.
#[derive(Deserialize, Serialize)]
pub(super) struct Waiting {
    /// What the backend wanted kept.
    pub(super) kept: Vec<u8>,
    pub(super) what_for: WhatFor,
}

#[derive(Deserialize, Serialize)]
pub(super) enum WhatFor {
    /// For the visitor to come back from elsewhere.
    Return {
        callback: String,
        /// Where to go afterwards.
        next: String,
        /// Whose account the person is to be linked to, instead of being logged in.
        link_to: Option<String>,
        /// Whose session it is that has run out; nobody else comes in.
        #[serde(default)]
        again: Option<String>,
    },
    /// For a code to be typed.
    Code { username: String, password: Zeroizing<Vec<u8>>, button: Option<String> },
}

impl Waiting {
    /// Seals it with a token that is used for nothing else.
    pub(super) fn seal(&self, token: &Secret) -> Option<Vec<u8>> {
        let plain = Zeroizing::new(serde_json::to_vec(self).ok()?);
        // Each token seals once, so that no nonce can come twice.
        cipher(token, WAITS).encrypt(&Nonce::default(), plain.as_slice()).ok()
    }

    /// Opens what was sealed with this token.
    pub(super) fn open(sealed: &[u8], token: &Secret) -> Option<Self> {
        let plain = cipher(token, WAITS).decrypt(&Nonce::default(), sealed).ok()?;
        serde_json::from_slice(&Zeroizing::new(plain)).ok()
    }
}

/// What a backend wants to have back when its person logs out here, sealed with the session's token
/// alone.
pub(in crate::usecase) struct Farewell;

/// More than any backend wants to have back: it has to fit into an address.
const LONGEST: usize = 4096;

impl Farewell {
    /// What the row is found by; another digest than that of the session.
    pub(in crate::usecase) fn digest(token: &Secret) -> TokenDigest {
        TokenDigest::of(&derived(token, b"vestibule: where a farewell is"))
    }

    pub(in crate::usecase) fn seal(farewell: &Secret, token: &Secret) -> Option<Vec<u8>> {
        let plain = Some(farewell.expose()).filter(|plain| plain.len() <= LONGEST)?;
        // A session has one farewell, so that no nonce can come twice.
        cipher(token, FAREWELL).encrypt(&Nonce::default(), plain).ok()
    }

    pub(in crate::usecase) fn open(sealed: &[u8], token: &Secret) -> Option<Secret> {
        let plain = cipher(token, FAREWELL).decrypt(&Nonce::default(), sealed).ok()?;
        Some(Secret::new(plain))
    }
}

const WAITS: &[u8] = b"vestibule: a login that waits";
const FAREWELL: &[u8] = b"vestibule: a farewell";

fn cipher(token: &Secret, purpose: &[u8]) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&derived(token, purpose).into())
}

fn derived(token: &Secret, purpose: &[u8]) -> [u8; 32] {
    // The token's plain digest is in the database: the key is another one (RFC 2104 as a PRF).
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(token.expose()).expect("any length");
    mac.update(purpose);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::{Farewell, Waiting, WhatFor};
    use crate::secret::Secret;

    fn waiting() -> Waiting {
        let password = b"correct horse".to_vec().into();
        let what_for = WhatFor::Code { username: "ann".to_owned(), password, button: None };
        Waiting { kept: b"a state".to_vec(), what_for }
    }

    #[test]
    fn only_its_own_token_opens_it_and_only_unchanged() {
        let (token, other) = (Secret::new("one token"), Secret::new("another"));
        let mut sealed = waiting().seal(&token).unwrap();
        let opened = Waiting::open(&sealed, &token).unwrap();
        assert_eq!(opened.kept, b"a state");
        assert!(matches!(opened.what_for, WhatFor::Code { username, .. } if username == "ann"));
        assert!(Waiting::open(&sealed, &other).is_none());
        sealed[3] ^= 1;
        assert!(Waiting::open(&sealed, &token).is_none());
    }

    #[test]
    fn atk_a027_a_farewell_is_opened_by_its_session_alone() {
        let (token, other) = (Secret::new("one token"), Secret::new("another"));
        let sealed = Farewell::seal(&Secret::new("an.id.token"), &token).unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("token"));
        assert_eq!(Farewell::open(&sealed, &token).unwrap().expose(), b"an.id.token");
        assert!(Farewell::open(&sealed, &other).is_none());
        assert!(Waiting::open(&sealed, &token).is_none());
        assert_ne!(Farewell::digest(&token), crate::secret::TokenDigest::of(token.expose()));
        assert!(Farewell::seal(&Secret::new(vec![b'x'; 4097]), &token).is_none());
    }

    #[test]
    fn nothing_of_it_can_be_read() {
        let sealed = waiting().seal(&Secret::new("one token")).unwrap();
        let text = String::from_utf8_lossy(&sealed);
        assert!(!text.contains("correct") && !text.contains("ann") && !text.contains("state"));
    }
}
