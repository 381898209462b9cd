//! Bcrypt: our own form over a keyed digest, plain, and Django's form over SHA-256.

use base64::{
    Engine, alphabet,
    engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD},
};
use bcrypt::HashParts;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha384};
use subtle::ConstantTimeEq;
use vestibule_core::{Entropy, ports::hasher::HashError};
use zeroize::Zeroizing;

use super::{
    pepper::{Pepper, WrongPepper, key_for},
    text::to_hex,
};

/// How our own strings begin: then `v=1[,keyid=…]` and a bcrypt string.
pub(super) const OWN_PREFIX: &str = "$bcrypt-hmac-sha384$";

/// Bcrypt's own alphabet.
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD);

/// The longest password plain bcrypt can tell from all others.
const MAX_PLAIN_BYTES: usize = 72;

/// What bcrypt is given in place of the password.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Input {
    /// The password itself.
    Plain,
    /// Lower-case hexadecimal of SHA-256 (Django's `bcrypt_sha256`).
    Sha256Hex,
    /// Base64 of HMAC-SHA-384 under salt and pepper: ours.
    Keyed { key_id: Option<String> },
}

/// A parsed bcrypt string.
#[derive(Debug)]
pub(super) struct BcryptHash {
    input: Input,
    cost: u32,
    salt: [u8; 16],
    /// The bcrypt string in its `$2b$` spelling: salt and digest.
    text: String,
}

impl BcryptHash {
    /// Reads `$2a$…`, `$2b$…` or `$2y$…` over the plain password. The three differ in bugs of
    /// old libraries, not in the result.
    pub(super) fn parse_plain(text: &str) -> Result<Self, &'static str> {
        Self::parse(text, Input::Plain)
    }

    /// The same over the SHA-256 of the password.
    pub(super) fn parse_sha256(text: &str) -> Result<Self, &'static str> {
        Self::parse(text, Input::Sha256Hex)
    }

    /// Reads our own form, from after [`OWN_PREFIX`].
    pub(super) fn parse_own(rest: &str) -> Result<Self, &'static str> {
        let (params, _) = rest.split_once('$').ok_or("a part is missing")?;
        let key_id = match params.split_once(',') {
            None if params == "v=1" => None,
            Some(("v=1", key)) => Some(key.strip_prefix("keyid=").ok_or("unknown parameter")?),
            _ => return Err("unknown version"),
        };
        let input = Input::Keyed { key_id: key_id.map(str::to_owned) };
        Self::parse(&rest[params.len()..], input)
    }

    fn parse(text: &str, input: Input) -> Result<Self, &'static str> {
        if !["$2a$", "$2b$", "$2y$"].iter().any(|prefix| text.starts_with(prefix)) {
            return Err("no bcrypt version we know");
        }
        let parts: HashParts = text.parse().map_err(|_| "not a bcrypt string")?;
        let cost = parts.get_cost();
        if !(4..=31).contains(&cost) {
            return Err("cost out of range");
        }
        Ok(Self { input, cost, salt: parts.get_salt_raw(), text: parts.to_string() })
    }

    pub(super) fn verify(
        &self,
        password: &[u8],
        pepper: Option<&Pepper>,
    ) -> Result<bool, WrongPepper> {
        let input = match &self.input {
            // Bcrypt would not see the rest: two long passwords must not open one account.
            Input::Plain if password.len() > MAX_PLAIN_BYTES => {
                // The work is done all the same, so that the answer takes as long.
                let _ = self.matches(&password[..MAX_PLAIN_BYTES]);
                return Ok(false);
            }
            Input::Plain => Zeroizing::new(password.to_vec()),
            Input::Sha256Hex => Zeroizing::new(to_hex(&Sha256::digest(password)).into_bytes()),
            Input::Keyed { key_id } => {
                keyed_input(password, &self.salt, key_for(pepper, key_id.as_deref())?)
            }
        };
        Ok(self.matches(&input))
    }

    fn matches(&self, input: &[u8]) -> bool {
        bcrypt::hash_with_salt(input, self.cost, self.salt)
            .is_ok_and(|made| made.to_string().as_bytes().ct_eq(self.text.as_bytes()).into())
    }

    /// Estimated nanoseconds on the machine the estimates come from.
    pub(super) fn work(&self) -> u64 {
        work(self.cost)
    }

    /// Whether it is our own form, at no less cost, and under this pepper.
    pub(super) fn is_current(&self, cost: u32, pepper: Option<&Pepper>) -> bool {
        let key_id = pepper.map(|pepper| pepper.id().to_owned());
        self.cost >= cost && self.input == Input::Keyed { key_id }
    }

    /// Whether we made it, so that only the NFC form of a password can match.
    pub(super) fn is_own(&self) -> bool {
        matches!(self.input, Input::Keyed { .. })
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        match &self.input {
            Input::Keyed { key_id } => key_id.as_deref(),
            Input::Plain | Input::Sha256Hex => None,
        }
    }

    /// The name of the scheme, for logs and reports.
    pub(super) fn scheme(&self) -> &'static str {
        match self.input {
            Input::Plain => "bcrypt",
            Input::Sha256Hex => "bcrypt_sha256",
            Input::Keyed { .. } => "bcrypt-hmac-sha384",
        }
    }

    /// Two with the same class take the same time.
    pub(super) fn class(&self) -> (u64, u64) {
        (u64::from(self.cost), 0)
    }
}

/// 70.5 µs at cost 0, twice as much with each step.
pub(super) fn work(cost: u32) -> u64 {
    70_500_u64.saturating_mul(1 << cost.min(31))
}

/// Hashes into our own form; the whole password counts, whatever its length.
pub(super) fn hash(
    password: &[u8],
    cost: u32,
    pepper: Option<&Pepper>,
    entropy: &dyn Entropy,
) -> Result<String, HashError> {
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    let input = keyed_input(password, &salt, pepper.map_or(&[], Pepper::key));
    let made = bcrypt::non_truncating_hash_with_salt(&*input, cost, salt)
        .map_err(|_| HashError::Failed("bcrypt refused its parameters"))?;
    let key_id = pepper.map(|pepper| format!(",keyid={}", pepper.id())).unwrap_or_default();
    Ok(format!("{OWN_PREFIX}v=1{key_id}{made}"))
}

/// A hash of nothing, to be compared with in vain: random where the digest would be, so that
/// making it costs no hashing.
pub(super) fn decoy(cost: u32, entropy: &dyn Entropy) -> String {
    let (mut salt, mut digest) = ([0; 16], [0; 23]);
    entropy.fill(&mut salt);
    entropy.fill(&mut digest);
    let (salt, digest) = (BASE64.encode(salt), BASE64.encode(digest));
    format!("{OWN_PREFIX}v=1$2b${cost:02}${salt}{digest}")
}

/// 64 characters without a zero byte, which all count. Keyed with the salt, so that a leaked
/// bare digest of the password from elsewhere cannot be tried ("password shucking").
fn keyed_input(password: &[u8], salt: &[u8; 16], pepper: &[u8]) -> Zeroizing<Vec<u8>> {
    let key = Zeroizing::new([salt, pepper].concat());
    // HMAC takes a key of any length; the other arm is never reached.
    let digest = Hmac::<Sha384>::new_from_slice(&key)
        .map(|mac| mac.chain_update(password).finalize().into_bytes())
        .unwrap_or_default();
    Zeroizing::new(STANDARD.encode(digest).into_bytes())
}
