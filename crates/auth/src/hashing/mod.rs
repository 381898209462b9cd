//! Hashing and comparing passwords.
//!
//! What we write is [`Scheme`]; what we read is [`StoredHash`]: our own, every scheme Django has
//! shipped, and the crypt strings of Unix systems. [`HashPool`] runs both on threads of its own
//! and takes care that the time of an answer tells nothing; [`hash_blocking`] and
//! [`verify_blocking`] are the bare work, for tools and measurements.
//!
//! Our own hashes are made over the NFC form of the password (NIST SP 800-63B-4), never cut, and
//! with a [`Pepper`] when there is one. Two rules bind hashes that came from elsewhere: plain
//! bcrypt never matches a password of more than 72 bytes, and no scheme that is blind to zero
//! bytes matches a password that has one.

mod argon2;
mod bcrypt;
mod candidate;
mod des_crypt;
mod django;
mod engine;
mod floor;
mod legacy;
mod pbkdf2;
mod pepper;
mod pool;
mod scheme;
mod scrypt;
mod sha_crypt;
pub(crate) mod text;
mod ways;

use self::{candidate::Candidate, ways::Cost};
pub use self::{
    candidate::MAX_PASSWORD_BYTES,
    pepper::Pepper,
    pool::{HashPool, HashPoolBuilder, PoolError, PooledJudge},
    scheme::{StoredHash, Unreadable},
    ways::Scheme,
};
use vestibule_core::{
    Entropy, Secret,
    ports::hasher::{HashError, PasswordHash},
};

/// Hashes on the calling thread, with a fresh salt: tens to hundreds of milliseconds.
///
/// # Errors
/// [`HashError::TooLong`], or [`HashError::Failed`] for an empty password, which is never hashed.
pub fn hash_blocking(
    scheme: Scheme,
    password: &Secret,
    pepper: Option<&Pepper>,
    entropy: &dyn Entropy,
) -> Result<PasswordHash, HashError> {
    let candidate = Candidate::new(password)?;
    if candidate.is_empty() {
        return Err(HashError::Failed("an empty password is never hashed"));
    }
    let text = match scheme.cost() {
        Cost::Argon2id { memory_kib, passes } => {
            argon2::hash(candidate.nfc(), (memory_kib, passes), pepper, entropy)
        }
        Cost::Bcrypt { cost } => bcrypt::hash(candidate.nfc(), cost, pepper, entropy),
    }?;
    Ok(PasswordHash::from_stored(text))
}

/// Compares on the calling thread, once, in the stored hash's own scheme and cost. An empty
/// password and a hash that is unusable or cannot be read never match, at once: this is not
/// how to answer somebody who logs in.
///
/// # Errors
/// [`HashError::TooLong`], or [`HashError::Failed`] when the hash was made with another pepper.
pub fn verify_blocking(
    password: &Secret,
    stored: &PasswordHash,
    pepper: Option<&Pepper>,
) -> Result<bool, HashError> {
    let candidate = Candidate::new(password)?;
    match engine::readable(stored) {
        Some(verifier) if !candidate.is_empty() => {
            verifier.verify(&candidate, pepper).map_err(engine::to_hash_error)
        }
        _ => Ok(false),
    }
}
