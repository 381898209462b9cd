//! The token in the session cookie.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::{
    cx::OpCx,
    ports::{store::StoreResult, tickets::TicketRepo},
    secret::{Secret, TokenDigest, base64url, from_base64url},
};

const RANDOM: usize = 32;
const SEAL: usize = 16;
const MARK: &str = "session_seal";

/// Makes session tokens and tells made-up ones from real ones without asking the database.
///
/// A token is 256 random bits followed by a seal over them (HMAC-SHA-256 cut to 128 bits) under a
/// key that all replicas share. The seal proves nothing about a login; it keeps a flood of
/// made-up cookies from reaching the database.
pub struct TokenSeal(Secret);

impl TokenSeal {
    /// Reads the key, or makes it when this is the first start.
    pub fn load(tx: &mut (impl TicketRepo + ?Sized), cx: &OpCx) -> StoreResult<Self> {
        if let Some(key) = tx.instance_mark(MARK)? {
            return Ok(Self(Secret::new(key)));
        }
        let fresh = cx.new_token();
        let text = fresh.expose_str().unwrap_or_default();
        if tx.set_instance_mark(MARK, text)? {
            return Ok(Self(fresh));
        }
        // Another replica started at the same moment and was first.
        Ok(tx
            .instance_mark(MARK)?
            .map_or(Self(fresh), |key| Self(Secret::new(key))))
    }

    /// A fresh token, as it goes into the cookie.
    pub fn issue(&self, cx: &OpCx) -> Secret {
        let mut bytes = vec![0; RANDOM];
        cx.entropy().fill(&mut bytes);
        let seal = self.seal(&bytes);
        bytes.extend_from_slice(&seal);
        Secret::new(base64url(&bytes))
    }

    /// Whether this could be a token of ours.
    pub fn is_genuine(&self, token: &[u8]) -> bool {
        from_base64url(token)
            .filter(|bytes| bytes.len() == RANDOM + SEAL)
            .is_some_and(|bytes| {
                let (random, seal) = bytes.split_at(RANDOM);
                self.seal(random).ct_eq(seal).into()
            })
    }

    fn seal(&self, random: &[u8]) -> [u8; SEAL] {
        cut(&mac(self.0.expose(), random))
    }
}

impl std::fmt::Debug for TokenSeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenSeal(…)")
    }
}

/// The value that proves that an unsafe request was made by a page of ours: it follows from the
/// session's token, so it is bound to the session and kept nowhere.
pub fn csrf_token(session_token: &[u8]) -> String {
    base64url(&mac(session_token, b"csrf"))
}

/// Whether the value is the session's [`csrf_token`], in constant time.
pub fn is_csrf_token(session_token: &[u8], value: &[u8]) -> bool {
    csrf_token(session_token).as_bytes().ct_eq(value).into()
}

/// What the session is stored under.
pub fn digest(token: &Secret) -> TokenDigest {
    TokenDigest::of(token.expose())
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn cut<const N: usize>(bytes: &[u8; 32]) -> [u8; N] {
    std::array::from_fn(|at| bytes[at])
}
