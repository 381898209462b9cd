//! One round of MD5 or SHA-1: what Django wrote before 1.4, and MD5 in tests to this day.

use md5::{Digest, Md5};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use super::text::from_hex;

/// Which digest it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Md5,
    Sha1,
}

/// A parsed digest of salt and password, one after the other; the salt may be empty.
#[derive(Debug)]
pub(super) struct DigestHash {
    kind: Kind,
    salt: String,
    digest: Vec<u8>,
}

impl DigestHash {
    /// Reads `salt$hex`, what follows the name of the scheme.
    pub(super) fn parse(kind: Kind, rest: &str) -> Result<Self, &'static str> {
        let [salt, digest] = super::django::parts(rest)?;
        Self::new(kind, salt, digest)
    }

    /// Takes the parts as they are.
    pub(super) fn new(kind: Kind, salt: &str, digest: &str) -> Result<Self, &'static str> {
        let digest = from_hex(digest).ok_or("the digest is no hexadecimal")?;
        let length = match kind {
            Kind::Md5 => 16,
            Kind::Sha1 => 20,
        };
        if digest.len() != length {
            return Err("digest of an odd length");
        }
        Ok(Self { kind, salt: salt.to_owned(), digest })
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        fn digest<D: Digest>(salt: &str, password: &[u8]) -> Vec<u8> {
            D::new().chain_update(salt).chain_update(password).finalize().to_vec()
        }
        let digest = match self.kind {
            Kind::Md5 => digest::<Md5>(&self.salt, password),
            Kind::Sha1 => digest::<Sha1>(&self.salt, password),
        };
        digest.ct_eq(&self.digest).into()
    }

    /// The name of the scheme, for logs and reports.
    pub(super) fn scheme(&self) -> &'static str {
        match (self.kind, self.salt.is_empty()) {
            (Kind::Md5, false) => "md5",
            (Kind::Md5, true) => "unsalted_md5",
            (Kind::Sha1, false) => "sha1",
            (Kind::Sha1, true) => "unsalted_sha1",
        }
    }
}
