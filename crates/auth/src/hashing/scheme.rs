//! From the text of a stored hash to something that can be compared with.

use super::{
    argon2::Argon2Hash,
    bcrypt::{self, BcryptHash},
    candidate::Candidate,
    des_crypt::DesCryptHash,
    django::{self, read},
    legacy::DigestHash,
    pbkdf2::Pbkdf2Hash,
    pepper::{Pepper, WrongPepper},
    scrypt::ScryptHash,
    sha_crypt::ShaCryptHash,
};

/// Longer text is never a hash.
const MAX_TEXT: usize = 1024;

/// The most work one comparison may be, by estimate: five seconds. A row with a hash that would
/// take longer could be used to keep a thread busy, so it is refused as unreadable.
const MAX_WORK: u64 = 5_000_000_000;

/// What the text of a stored hash turned out to be.
#[derive(Debug)]
pub struct StoredHash(Kind);

#[derive(Debug)]
pub(super) enum Kind {
    /// No password: empty, or marked with `!` or `*`.
    Unusable,
    Usable(Verifier),
}

/// A hash of one of the schemes.
#[derive(Debug)]
pub(super) enum Verifier {
    Argon2(Argon2Hash),
    Bcrypt(BcryptHash),
    Pbkdf2(Pbkdf2Hash),
    Scrypt(ScryptHash),
    ShaCrypt(ShaCryptHash),
    Digest(DigestHash),
    DesCrypt(DesCryptHash),
}

/// Why the text of a stored hash cannot be used. Neither field holds any of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored hash ({scheme}) cannot be read: {reason}")]
pub struct Unreadable {
    /// The scheme, as far as it was recognised, else `unknown`.
    pub scheme: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl StoredHash {
    /// Recognises the scheme and reads its parts.
    ///
    /// # Errors
    /// [`Unreadable`] for text of no known scheme, with a part missing or malformed, or whose
    /// cost is over what one comparison may take.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        if text.trim().is_empty() || text.starts_with(['!', '*']) {
            return Ok(Self(Kind::Unusable));
        }
        if text.len() > MAX_TEXT {
            return Err(Unreadable { scheme: "unknown", reason: "too long for a hash" });
        }
        let verifier = if let Some(rest) = text.strip_prefix(bcrypt::OWN_PREFIX) {
            read("bcrypt-hmac-sha384", BcryptHash::parse_own(rest))
        } else if text.starts_with("$argon2") {
            read("argon2", Argon2Hash::parse(text))
        } else if text.starts_with("$2") {
            read("bcrypt", BcryptHash::parse_plain(text))
        } else if text.starts_with("$5$") || text.starts_with("$6$") {
            read("sha_crypt", ShaCryptHash::parse(text))
        } else {
            django::parse(text)
                .unwrap_or(Err(Unreadable { scheme: "unknown", reason: "no scheme we know" }))
        }?;
        if verifier.work() > MAX_WORK {
            return Err(Unreadable { scheme: verifier.scheme(), reason: "over the cap on cost" });
        }
        Ok(Self(Kind::Usable(verifier)))
    }

    /// The name of the scheme; `None` for an account without a password.
    pub fn scheme(&self) -> Option<&'static str> {
        match &self.0 {
            Kind::Unusable => None,
            Kind::Usable(verifier) => Some(verifier.scheme()),
        }
    }

    pub(super) fn usable(self) -> Option<Verifier> {
        match self.0 {
            Kind::Unusable => None,
            Kind::Usable(verifier) => Some(verifier),
        }
    }
}

impl Verifier {
    /// Compares, with what was typed and with its NFC form when that differs.
    pub(super) fn verify(
        &self,
        password: &Candidate<'_>,
        pepper: Option<&Pepper>,
    ) -> Result<bool, CannotVerify> {
        if self.is_own() {
            return self.verify_bytes(password.nfc(), pepper);
        }
        if self.verify_bytes(password.typed(), pepper)? {
            return Ok(true);
        }
        password.other_form().map_or(Ok(false), |nfc| self.verify_bytes(nfc, pepper))
    }

    pub(super) fn verify_bytes(
        &self,
        bytes: &[u8],
        pepper: Option<&Pepper>,
    ) -> Result<bool, CannotVerify> {
        let matches = match self {
            Self::Argon2(hash) => return hash.verify(bytes, pepper),
            Self::Bcrypt(hash) => hash.verify(bytes, pepper)?,
            Self::Pbkdf2(hash) => hash.verify(bytes),
            Self::Scrypt(hash) => hash.verify(bytes),
            Self::ShaCrypt(hash) => hash.verify(bytes),
            Self::Digest(hash) => hash.verify(bytes),
            Self::DesCrypt(hash) => hash.verify(bytes),
        };
        // Zero bytes end a C string, pad an HMAC key and repeat in a bcrypt key, so the schemes
        // below cannot tell some passwords with zero bytes from others. Django's forms never
        // let one in, so nobody loses theirs.
        let trusted = self.counts_every_byte() || !bytes.contains(&0);
        Ok(matches && trusted)
    }

    fn counts_every_byte(&self) -> bool {
        matches!(self, Self::Argon2(_) | Self::Digest(_)) || self.is_own()
    }

    /// Whether only we can have made it, so that it is over the NFC form.
    fn is_own(&self) -> bool {
        match self {
            Self::Argon2(hash) => hash.key_id().is_some(),
            Self::Bcrypt(hash) => hash.is_own(),
            _ => false,
        }
    }

    /// The key id of the pepper it was made with.
    pub(super) fn key_id(&self) -> Option<&str> {
        match self {
            Self::Argon2(hash) => hash.key_id(),
            Self::Bcrypt(hash) => hash.key_id(),
            _ => None,
        }
    }

    pub(super) fn scheme(&self) -> &'static str {
        match self {
            Self::Argon2(_) => "argon2",
            Self::Bcrypt(hash) => hash.scheme(),
            Self::Pbkdf2(hash) => hash.scheme(),
            Self::Scrypt(_) => "scrypt",
            Self::ShaCrypt(hash) => hash.scheme(),
            Self::Digest(hash) => hash.scheme(),
            Self::DesCrypt(_) => "crypt",
        }
    }

    /// Estimated nanoseconds of one comparison: comparable between schemes, not exact.
    pub(super) fn work(&self) -> u64 {
        match self {
            Self::Argon2(hash) => hash.work(),
            Self::Bcrypt(hash) => hash.work(),
            Self::Pbkdf2(hash) => hash.work(),
            Self::Scrypt(hash) => hash.work(),
            Self::ShaCrypt(hash) => hash.work(),
            Self::Digest(_) => 1_000,
            Self::DesCrypt(_) => 300_000,
        }
    }

    /// Scheme and cost: hashes of one class take the same time.
    pub(super) fn class(&self) -> (&'static str, (u64, u64)) {
        let cost = match self {
            Self::Argon2(hash) => hash.class(),
            Self::Bcrypt(hash) => hash.class(),
            Self::Pbkdf2(hash) => hash.class(),
            Self::Scrypt(hash) => hash.class(),
            Self::ShaCrypt(hash) => hash.class(),
            Self::Digest(_) | Self::DesCrypt(_) => (0, 0),
        };
        (self.scheme(), cost)
    }
}

/// Why a comparison could not be made.
#[derive(Clone, Copy, Debug)]
pub(super) enum CannotVerify {
    Pepper,
    /// Parameters were checked before, so memory is short.
    Failed,
}

impl From<WrongPepper> for CannotVerify {
    fn from(WrongPepper: WrongPepper) -> Self {
        Self::Pepper
    }
}

impl From<::argon2::Error> for CannotVerify {
    fn from(_: ::argon2::Error) -> Self {
        Self::Failed
    }
}

macro_rules! verifiers {
    ($($variant:ident($hash:ty)),* $(,)?) => {
        $(impl From<$hash> for Verifier {
            fn from(hash: $hash) -> Self {
                Self::$variant(hash)
            }
        })*
    };
}
verifiers! {
    Argon2(Argon2Hash), Bcrypt(BcryptHash), Pbkdf2(Pbkdf2Hash), Scrypt(ScryptHash),
    ShaCrypt(ShaCryptHash), Digest(DigestHash), DesCrypt(DesCryptHash),
}
