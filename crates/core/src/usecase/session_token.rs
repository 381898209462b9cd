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
pub struct TokenSeal(Hmac<Sha256>);

impl TokenSeal {
    /// Reads the key, or makes it when this is the first start.
    pub fn load(tx: &mut (impl TicketRepo + ?Sized), cx: &OpCx) -> StoreResult<Self> {
        if let Some(key) = tx.instance_mark(MARK)? {
            return Ok(Self::new(key.as_bytes()));
        }
        let fresh = cx.new_token();
        let text = fresh.expose_str().unwrap_or_default();
        if tx.set_instance_mark(MARK, text)? {
            return Ok(Self::new(fresh.expose()));
        }
        // Another replica started at the same moment and was first.
        let key = tx.instance_mark(MARK)?.map_or(fresh, Secret::from);
        Ok(Self::new(key.expose()))
    }

    /// Takes the key in once, so that no seal has to.
    fn new(key: &[u8]) -> Self {
        Self(keyed(key))
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
        from_base64url::<{ RANDOM + SEAL }>(token).is_some_and(|bytes| {
            let (random, seal) = bytes.split_at(RANDOM);
            self.seal(random).ct_eq(seal).into()
        })
    }

    fn seal(&self, random: &[u8]) -> [u8; SEAL] {
        cut(&finish(self.0.clone(), random))
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
    finish(keyed(key), message)
}

pub(super) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    Hmac::new_from_slice(key).expect("any key length")
}

fn finish(mut mac: Hmac<Sha256>, message: &[u8]) -> [u8; 32] {
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn cut<const N: usize>(bytes: &[u8; 32]) -> [u8; N] {
    std::array::from_fn(|at| bytes[at])
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{HashMap, HashSet},
        sync::Arc,
    };

    use super::{RANDOM, SEAL, TokenSeal, csrf_token, digest, is_csrf_token};
    use crate::{
        cx::OpCx,
        domain::ticket::{Purpose, Subject, Ticket},
        entropy::SystemEntropy,
        id::UserId,
        ports::{store::StoreResult, tickets::TicketRepo},
        secret::{TokenDigest, from_base64url},
        time::{SystemClock, Timestamp},
    };

    fn cx() -> OpCx {
        OpCx::for_cli(Arc::new(SystemClock), Arc::new(SystemEntropy))
    }

    fn seal() -> TokenSeal {
        TokenSeal::new(b"the key of this instance")
    }

    #[test]
    fn asvs_v7_2_3_tokens_are_32_random_bytes_under_a_seal() {
        let (cx, seal) = (cx(), seal());
        let mut ever_set = [0u8; RANDOM];
        let mut never_clear = [u8::MAX; RANDOM];
        for _ in 0..100 {
            let token = seal.issue(&cx);
            let bytes = from_base64url::<{ RANDOM + SEAL }>(token.expose()).unwrap();
            assert_eq!((RANDOM, bytes.len()), (32, RANDOM + SEAL));
            for (at, byte) in bytes[..RANDOM].iter().enumerate() {
                ever_set[at] |= byte;
                never_clear[at] &= byte;
            }
        }
        // Every bit was once 0 and once 1: none of the 256 is fixed.
        assert_eq!((ever_set, never_clear), ([u8::MAX; RANDOM], [0; RANDOM]));
    }

    #[test]
    fn asvs_v7_2_3_of_a_hundred_thousand_tokens_no_two_are_equal() {
        let (cx, seal) = (cx(), seal());
        let tokens: HashSet<_> = (0..100_000).map(|_| digest(&seal.issue(&cx))).collect();
        assert_eq!(tokens.len(), 100_000);
    }

    #[test]
    fn asvs_v7_2_3_what_is_stored_is_a_digest_that_does_not_open_anything() {
        let (cx, seal) = (cx(), seal());
        let token = seal.issue(&cx);
        let stored = digest(&token);
        assert_eq!(stored, TokenDigest::of(token.expose()));
        assert!(!seal.is_genuine(stored.as_bytes()));
        assert!(!format!("{stored:?}{seal:?}{token:?}").contains(token.expose_str().unwrap()));
    }

    #[test]
    fn own_tokens_are_genuine_and_those_under_another_key_are_not() {
        let (cx, seal) = (cx(), seal());
        let token = seal.issue(&cx);
        assert!(seal.is_genuine(token.expose()));
        let other = TokenSeal::new(b"the key of another instance");
        assert!(!other.is_genuine(token.expose()));
    }

    #[test]
    fn a_token_with_any_bit_flipped_is_not_genuine() {
        let (cx, seal) = (cx(), seal());
        let token = seal.issue(&cx);
        for bit in 0..token.len() * 8 {
            let mut forged = token.expose().to_vec();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(!seal.is_genuine(&forged), "bit {bit}");
        }
    }

    #[test]
    fn tokens_of_another_shape_are_not_genuine() {
        let (cx, seal) = (cx(), seal());
        let token = seal.issue(&cx);
        let token = token.expose_str().unwrap();
        for forged in [
            String::new(),
            " ".to_owned(),
            "A".repeat(64),
            "A".repeat(1_000_000),
            token[..63].to_owned(),
            token[..43].to_owned(),
            format!("{token}="),
            format!("{token} "),
            format!("\"{token}\""),
            format!("{token}{token}"),
            format!("{token}AAAA"),
            // Another alphabet and padding do not make a second spelling of one token.
            format!("{}+", &token[..63]),
            format!("{}%41", &token[..63]),
        ] {
            assert!(!seal.is_genuine(forged.as_bytes()), "{} bytes", forged.len());
        }
        assert!(!seal.is_genuine(&[0xFF; 64]));
    }

    #[test]
    fn the_csrf_value_is_bound_to_its_session() {
        let (cx, seal) = (cx(), seal());
        let (own, other) = (seal.issue(&cx), seal.issue(&cx));
        let value = csrf_token(own.expose());
        assert_eq!(value, csrf_token(own.expose()));
        assert!(is_csrf_token(own.expose(), value.as_bytes()));
        assert!(!is_csrf_token(other.expose(), value.as_bytes()));
        for wrong in ["", &value[..42], &format!("{value}A"), own.expose_str().unwrap()] {
            assert!(!is_csrf_token(own.expose(), wrong.as_bytes()), "{wrong}");
        }
        assert!(!value.contains(own.expose_str().unwrap()));
    }

    /// The marks of an instance; another replica may set one between a look and a write.
    #[derive(Default)]
    struct Marks {
        marks: HashMap<String, String>,
        rival: Option<String>,
    }

    impl TicketRepo for Marks {
        fn instance_mark(&mut self, name: &str) -> StoreResult<Option<String>> {
            Ok(self.marks.get(name).cloned())
        }

        fn set_instance_mark(&mut self, name: &str, value: &str) -> StoreResult<bool> {
            let first = self.rival.take().unwrap_or_else(|| value.to_owned());
            let is_ours = first == value && !self.marks.contains_key(name);
            self.marks.entry(name.to_owned()).or_insert(first);
            Ok(is_ours)
        }

        fn insert_ticket(&mut self, _: &Ticket) -> StoreResult<()> {
            unreachable!("no links are made here")
        }

        fn ticket(
            &mut self,
            _: &TokenDigest,
            _: Purpose,
            _: Timestamp,
        ) -> StoreResult<Option<Ticket>> {
            unreachable!("no links are read here")
        }

        fn spent_ticket(&mut self, _: &TokenDigest, _: Purpose) -> StoreResult<Option<Ticket>> {
            unreachable!("no links are read here")
        }

        fn redeem_ticket(
            &mut self,
            _: &TokenDigest,
            _: Purpose,
            _: Timestamp,
        ) -> StoreResult<Option<Ticket>> {
            unreachable!("no links are used here")
        }

        fn delete_tickets(&mut self, _: Purpose) -> StoreResult<u64> {
            unreachable!("no links are removed here")
        }

        fn delete_tickets_of(&mut self, _: UserId, _: Option<Purpose>) -> StoreResult<u64> {
            unreachable!("no links are removed here")
        }

        fn delete_tickets_beside(&mut self, _: &Ticket, _: bool) -> StoreResult<u64> {
            unreachable!("no links are removed here")
        }

        fn delete_tickets_about(&mut self, _: Subject) -> StoreResult<u64> {
            unreachable!("no links are removed here")
        }

        fn purge_tickets(&mut self, _: Timestamp) -> StoreResult<u64> {
            unreachable!("no links are removed here")
        }
    }

    #[test]
    fn the_seal_is_made_once_and_is_the_same_after_a_restart() {
        let (cx, mut marks) = (cx(), Marks::default());
        let before = TokenSeal::load(&mut marks, &cx).unwrap();
        let after = TokenSeal::load(&mut marks, &cx).unwrap();
        assert!(after.is_genuine(before.issue(&cx).expose()));
        let key = marks.instance_mark(super::MARK).unwrap().unwrap();
        assert_eq!(key.len(), 43, "256 random bits");
        let elsewhere = TokenSeal::load(&mut Marks::default(), &cx).unwrap();
        assert!(!elsewhere.is_genuine(before.issue(&cx).expose()));
    }

    #[test]
    fn two_replicas_that_start_together_have_one_seal() {
        let cx = cx();
        let mut marks =
            Marks { rival: Some("the other replica's key".to_owned()), ..Marks::default() };
        let ours = TokenSeal::load(&mut marks, &cx).unwrap();
        let theirs = TokenSeal::new(b"the other replica's key");
        assert!(theirs.is_genuine(ours.issue(&cx).expose()));
    }
}
