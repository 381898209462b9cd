//! Scrypt (RFC 7914) as Django writes it.

use scrypt::Params;
use subtle::ConstantTimeEq;

use super::text::{from_padded_b64, number};

/// The most memory one comparison may take: 256 MiB.
const MAX_MEMORY: u64 = 256 << 20;

/// A parsed `scrypt$N$salt$r$p$digest`.
#[derive(Debug)]
pub(super) struct ScryptHash {
    params: Params,
    cost: (u64, u64, u64),
    salt: String,
    digest: Vec<u8>,
}

impl ScryptHash {
    /// Reads what follows the name of the scheme.
    pub(super) fn parse(rest: &str) -> Result<Self, &'static str> {
        let [work_factor, salt, block_size, parallelism, digest] = super::django::parts(rest)?;
        let n = number(work_factor)
            .filter(|n| *n > 1 && n.is_power_of_two())
            .ok_or("the work factor is no power of two")?;
        let r = number(block_size).filter(|r| *r > 0).ok_or("no block size")?;
        let p = number(parallelism).filter(|p| *p > 0).ok_or("no parallelism")?;
        let cost = (u64::from(n), u64::from(r), u64::from(p));
        let memory = 128 * cost.1.saturating_mul(cost.0.saturating_add(cost.2));
        if memory > MAX_MEMORY || p > 1024 || r > 1024 {
            return Err("over the cap on memory");
        }
        let log_n = u8::try_from(n.ilog2()).map_err(|_| "the work factor is out of range")?;
        let hash = Self {
            params: Params::new(log_n, r, p).map_err(|_| "parameters out of range")?,
            cost,
            salt: salt.to_owned(),
            digest: from_padded_b64(digest).ok_or("the digest is no base64")?,
        };
        if hash.salt.is_empty() {
            return Err("no salt");
        }
        if hash.digest.len() != 64 {
            return Err("digest of an odd length");
        }
        Ok(hash)
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let mut digest = [0; 64];
        scrypt::scrypt(password, self.salt.as_bytes(), &self.params, &mut digest).is_ok()
            && bool::from(digest.as_slice().ct_eq(&self.digest))
    }

    /// Estimated nanoseconds on the machine the estimates come from.
    pub(super) fn work(&self) -> u64 {
        let (n, r, p) = self.cost;
        275_u64.saturating_mul(n).saturating_mul(r).saturating_mul(p)
    }

    /// Two with the same class take the same time.
    pub(super) fn class(&self) -> (u64, u64) {
        (self.cost.0, self.cost.1 * self.cost.2)
    }
}
