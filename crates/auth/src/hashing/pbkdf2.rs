//! PBKDF2 (RFC 8018 section 5.2) in the three forms Django sites have.

use pbkdf2::pbkdf2_hmac;
use sha1::{Digest, Sha1};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::text::{from_padded_b64, number, to_hex};

/// Which function is iterated, over what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sha256,
    Sha1,
    /// HMAC-SHA-256 over the hexadecimal of SHA-1(salt + password): how sites lifted their old
    /// SHA-1 hashes without knowing the passwords.
    WrappedSha1,
}

/// A parsed `…$iterations$salt$digest`.
#[derive(Debug)]
pub(super) struct Pbkdf2Hash {
    kind: Kind,
    iterations: u32,
    salt: String,
    digest: Vec<u8>,
}

impl Pbkdf2Hash {
    /// Reads what follows the name of the scheme.
    pub(super) fn parse(kind: Kind, rest: &str) -> Result<Self, &'static str> {
        let [iterations, salt, digest] = super::django::parts(rest)?;
        let hash = Self {
            kind,
            iterations: number(iterations)
                .filter(|count| *count > 0)
                .ok_or("no iteration count")?,
            salt: salt.to_owned(),
            digest: from_padded_b64(digest).ok_or("the digest is no base64")?,
        };
        if hash.salt.is_empty() {
            return Err("no salt");
        }
        if hash.digest.len() != hash.digest_len() {
            return Err("digest of an odd length");
        }
        Ok(hash)
    }

    fn digest_len(&self) -> usize {
        match self.kind {
            Kind::Sha256 | Kind::WrappedSha1 => 32,
            Kind::Sha1 => 20,
        }
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let salt = self.salt.as_bytes();
        let mut digest = vec![0; self.digest.len()];
        match self.kind {
            Kind::Sha256 => pbkdf2_hmac::<Sha256>(password, salt, self.iterations, &mut digest),
            Kind::Sha1 => pbkdf2_hmac::<Sha1>(password, salt, self.iterations, &mut digest),
            Kind::WrappedSha1 => {
                let old = Sha1::new().chain_update(salt).chain_update(password).finalize();
                let inner = Zeroizing::new(to_hex(&old));
                pbkdf2_hmac::<Sha256>(inner.as_bytes(), salt, self.iterations, &mut digest);
            }
        }
        digest.ct_eq(&self.digest).into()
    }

    /// Estimated nanoseconds on the machine the estimates come from.
    pub(super) fn work(&self) -> u64 {
        130 * u64::from(self.iterations)
    }

    /// Two with the same class take the same time.
    pub(super) fn class(&self) -> (u64, u64) {
        (u64::from(self.iterations), 0)
    }

    /// The name of the scheme, for logs and reports.
    pub(super) fn scheme(&self) -> &'static str {
        match self.kind {
            Kind::Sha256 => "pbkdf2_sha256",
            Kind::Sha1 => "pbkdf2_sha1",
            Kind::WrappedSha1 => "pbkdf2_wrapped_sha1",
        }
    }
}
