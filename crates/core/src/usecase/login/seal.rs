//! What a login that waits for the visitor goes on with: sealed with the token that the visitor
//! brings back (RFC 8439), which is stored nowhere. Whoever reads the database learns nothing.

use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce, aead::Aead};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::secret::Secret;

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
    },
    /// For a code to be typed.
    Code { username: String, password: Zeroizing<Vec<u8>>, button: Option<String> },
}

impl Waiting {
    /// Seals it with a token that is used for nothing else.
    pub(super) fn seal(&self, token: &Secret) -> Option<Vec<u8>> {
        let plain = Zeroizing::new(serde_json::to_vec(self).ok()?);
        // Each token seals once, so that no nonce can come twice.
        cipher(token).encrypt(&Nonce::default(), plain.as_slice()).ok()
    }

    /// Opens what was sealed with this token.
    pub(super) fn open(sealed: &[u8], token: &Secret) -> Option<Self> {
        let plain = cipher(token).decrypt(&Nonce::default(), sealed).ok()?;
        serde_json::from_slice(&Zeroizing::new(plain)).ok()
    }
}

fn cipher(token: &Secret) -> ChaCha20Poly1305 {
    // The token's plain digest is in the database: the key is another one (RFC 2104 as a PRF).
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(token.expose()).expect("any length");
    mac.update(b"vestibule: a login that waits");
    ChaCha20Poly1305::new(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::{Waiting, WhatFor};
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
    fn nothing_of_it_can_be_read() {
        let sealed = waiting().seal(&Secret::new("one token")).unwrap();
        let text = String::from_utf8_lossy(&sealed);
        assert!(!text.contains("correct") && !text.contains("ann") && !text.contains("state"));
    }
}
