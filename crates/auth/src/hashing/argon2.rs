//! Argon2 (RFC 9106) in PHC strings: our own scheme, and what Django wrote.

use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq;
use vestibule_core::{Entropy, ports::hasher::HashError};

use super::{
    pepper::{Pepper, key_for},
    scheme::CannotVerify,
    text::{from_b64, number, to_b64},
};

/// The most memory one comparison may take, in KiB: 256 MiB.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_LANES: u32 = 64;

/// A parsed `$argon2…$` string.
#[derive(Clone, Debug)]
pub(super) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    key_id: Option<String>,
    salt: Vec<u8>,
    digest: Vec<u8>,
    imported: bool,
}

impl Argon2Hash {
    /// Reads `$argon2id$v=19$m=…,t=…,p=…[,keyid=…]$salt$digest`. Without `v=` it is version 16,
    /// as the oldest Argon2 strings are. The reason when it cannot be read.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut fields = text.strip_prefix('$').ok_or("no leading $")?.split('$').peekable();
        let mut next = || fields.next().ok_or("a part is missing");
        let algorithm = match next()? {
            "argon2id" => Algorithm::Argon2id,
            "argon2i" => Algorithm::Argon2i,
            "argon2d" => Algorithm::Argon2d,
            _ => return Err("unknown variant"),
        };
        let mut params = next()?;
        let version = match params {
            "v=19" => Version::V0x13,
            _ => Version::V0x10,
        };
        if params.starts_with("v=") {
            if !matches!(params, "v=19" | "v=16") {
                return Err("unknown version");
            }
            params = next()?;
        }
        let [memory_kib, passes, lanes, key_id] = split_params(params)?;
        let hash = Self {
            algorithm,
            version,
            memory_kib: memory_kib.and_then(number).ok_or("no memory size")?,
            passes: passes.and_then(number).ok_or("no pass count")?,
            lanes: lanes.and_then(number).ok_or("no lane count")?,
            key_id: key_id.map(str::to_owned),
            salt: from_b64(next()?).ok_or("the salt is no base64")?,
            digest: from_b64(next()?).ok_or("the digest is no base64")?,
            imported: false,
        };
        if fields.next().is_some() {
            return Err("too many parts");
        }
        if hash.memory_kib > MAX_MEMORY_KIB || hash.lanes > MAX_LANES {
            return Err("over the cap on memory or lanes");
        }
        if !(16..=64).contains(&hash.digest.len()) || !(8..=64).contains(&hash.salt.len()) {
            return Err("salt or digest of an odd length");
        }
        hash.params().map_err(|_| "parameters out of range")?;
        Ok(hash)
    }

    /// The same, written in another program's form and so never current.
    pub(super) fn imported(self) -> Self {
        Self { imported: true, ..self }
    }

    fn params(&self) -> argon2::Result<Params> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(self.digest.len()))
    }

    pub(super) fn verify(
        &self,
        password: &[u8],
        pepper: Option<&Pepper>,
    ) -> Result<bool, CannotVerify> {
        let key = key_for(pepper, self.key_id.as_deref())?;
        let mut digest = vec![0; self.digest.len()];
        context(key, self.algorithm, self.version, self.params()?)?.hash_password_into(
            password,
            &self.salt,
            &mut digest,
        )?;
        Ok(digest.ct_eq(&self.digest).into())
    }

    /// Estimated nanoseconds on the machine the estimates come from.
    pub(super) fn work(&self) -> u64 {
        work(self.memory_kib, self.passes)
    }

    /// Whether it is as we make them, at no less cost, and under this pepper.
    pub(super) fn is_current(&self, memory_kib: u32, passes: u32, pepper: Option<&Pepper>) -> bool {
        !self.imported
            && self.algorithm == Algorithm::Argon2id
            && self.version == Version::V0x13
            && self.lanes == 1
            && self.memory_kib >= memory_kib
            && self.passes >= passes
            && self.salt.len() >= 16
            && self.digest.len() >= 32
            && self.key_id.as_deref() == pepper.map(Pepper::id)
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Two with the same class take the same time.
    pub(super) fn class(&self) -> (u64, u64) {
        (u64::from(self.memory_kib), u64::from(self.passes))
    }
}

/// 0.54 µs for each KiB in each pass.
pub(super) fn work(memory_kib: u32, passes: u32) -> u64 {
    540 * u64::from(memory_kib) * u64::from(passes)
}

/// Hashes with Argon2id version 19 and one lane, a salt of 16 bytes and a digest of 32.
pub(super) fn hash(
    password: &[u8],
    (memory_kib, passes): (u32, u32),
    pepper: Option<&Pepper>,
    entropy: &dyn Entropy,
) -> Result<String, HashError> {
    let failed = |_| HashError::Failed("argon2 could not get its memory");
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    let mut digest = [0; 32];
    let params = Params::new(memory_kib, passes, 1, Some(digest.len())).map_err(failed)?;
    let key = pepper.map_or(&[][..], Pepper::key);
    context(key, Algorithm::Argon2id, Version::V0x13, params)
        .and_then(|argon2| argon2.hash_password_into(password, &salt, &mut digest))
        .map_err(failed)?;
    Ok(format_hash(memory_kib, passes, pepper, &salt, &digest))
}

/// A hash of nothing, to be compared with in vain: random where the digest would be, so that
/// making it costs no hashing.
pub(super) fn decoy((memory_kib, passes): (u32, u32), entropy: &dyn Entropy) -> String {
    let (mut salt, mut digest) = ([0; 16], [0; 32]);
    entropy.fill(&mut salt);
    entropy.fill(&mut digest);
    format_hash(memory_kib, passes, None, &salt, &digest)
}

fn format_hash(
    memory_kib: u32,
    passes: u32,
    pepper: Option<&Pepper>,
    salt: &[u8],
    digest: &[u8],
) -> String {
    let key_id = pepper.map(|pepper| format!(",keyid={}", pepper.id())).unwrap_or_default();
    format!(
        "$argon2id$v=19$m={memory_kib},t={passes},p=1{key_id}${}${}",
        to_b64(salt),
        to_b64(digest)
    )
}

/// Whether the parameters are ones Argon2 takes and we would read back.
pub(super) fn acceptable(memory_kib: u32, passes: u32) -> bool {
    memory_kib <= MAX_MEMORY_KIB && Params::new(memory_kib, passes, 1, Some(32)).is_ok()
}

fn context(
    key: &[u8],
    algorithm: Algorithm,
    version: Version,
    params: Params,
) -> argon2::Result<Argon2<'_>> {
    if key.is_empty() {
        Ok(Argon2::new(algorithm, version, params))
    } else {
        Argon2::new_with_secret(key, algorithm, version, params)
    }
}

/// Takes `m=1,t=2,p=3[,keyid=x]` apart: each name once, in any order, nothing else.
fn split_params(text: &str) -> Result<[Option<&str>; 4], &'static str> {
    const NAMES: [&str; 4] = ["m", "t", "p", "keyid"];
    let mut values = [None; 4];
    for part in text.split(',') {
        let (name, value) = part.split_once('=').ok_or("a parameter without a value")?;
        let place = NAMES.iter().position(|known| *known == name).ok_or("unknown parameter")?;
        if values[place].replace(value).is_some() {
            return Err("a parameter is given twice");
        }
    }
    Ok(values)
}
