//! `[password]`: how passwords are judged and hashed.

use std::{collections::HashSet, path::PathBuf};

use serde::Deserialize;
use vestibule_core::Secret;

use super::{check::Check, report::BadValue, server::cores, size::ByteSize};

/// The least the product of memory and passes may be: the cheapest of the settings that OWASP's
/// Password Storage Cheat Sheet takes as equal (7 MiB with 5 passes).
const LEAST_ARGON2_WORK: ByteSize = ByteSize::mib(35);

/// Which scheme new hashes are made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PasswordScheme {
    /// RFC 9106.
    Argon2id,
    /// bcrypt over a keyed digest, so that nothing is cut at 72 bytes.
    Bcrypt,
}

/// The validated section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordSettings {
    /// The scheme of new hashes.
    pub scheme: PasswordScheme,
    /// The least number of code points of a new password, from 8 to 64.
    pub min_length: usize,
    /// A key mixed into every new hash, at least 32 bytes.
    pub pepper: Option<Secret>,
    /// Whether a login replaces an outdated hash.
    pub upgrade_hashes: bool,
    /// Memory of one Argon2id hash in KiB.
    pub argon2_memory_kib: u32,
    /// Passes of one Argon2id hash over its memory.
    pub argon2_passes: u32,
    /// Two to the power of this many rounds of bcrypt.
    pub bcrypt_cost: u32,
    /// How many passwords are hashed at once.
    pub hash_threads: usize,
    /// How many may wait to be hashed.
    pub hash_queue: usize,
    /// More words that nobody may take, one to a line.
    pub blocklist_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawPassword {
    scheme: PasswordScheme,
    min_length: usize,
    pepper: Option<String>,
    pepper_file: Option<PathBuf>,
    upgrade_hashes: bool,
    argon2_memory: ByteSize,
    argon2_passes: u32,
    bcrypt_cost: u32,
    hash_threads: usize,
    hash_queue: usize,
    blocklist_file: Option<PathBuf>,
}

impl Default for RawPassword {
    fn default() -> Self {
        Self {
            scheme: PasswordScheme::Argon2id,
            min_length: 15,
            pepper: None,
            pepper_file: None,
            upgrade_hashes: true,
            argon2_memory: ByteSize::mib(19),
            argon2_passes: 2,
            bcrypt_cost: 12,
            hash_threads: cores(),
            hash_queue: 256,
            blocklist_file: None,
        }
    }
}

impl RawPassword {
    pub(super) fn validate(check: &mut Check<'_>) -> Option<PasswordSettings> {
        let raw: Self = check.section("password")?;
        let inline = raw.pepper.map(Secret::from);
        let pepper = check.secret("password.pepper", inline, raw.pepper_file, |secret| {
            pepper_holds(secret.expose()).map(|()| secret.clone())
        });
        let work = raw.argon2_memory.0.saturating_mul(u64::from(raw.argon2_passes));
        if work < LEAST_ARGON2_WORK.0 {
            // Named is the one of the two that the operator wrote.
            let (key, other) = if check.given("password.argon2_memory") {
                let passes = raw.argon2_passes;
                ("password.argon2_memory", format!("password.argon2_passes ({passes})"))
            } else {
                let memory = raw.argon2_memory;
                ("password.argon2_passes", format!("password.argon2_memory ({memory})"))
            };
            check.refuse(key, format!("times {other} must be at least {LEAST_ARGON2_WORK}"));
        }
        let blocklist_file =
            raw.blocklist_file.and_then(|path| check.readable("password.blocklist_file", &path));
        Some(PasswordSettings {
            scheme: raw.scheme,
            min_length: raw.min_length,
            pepper,
            upgrade_hashes: raw.upgrade_hashes,
            argon2_memory_kib: u32::try_from(raw.argon2_memory.0 >> 10).unwrap_or(u32::MAX),
            argon2_passes: raw.argon2_passes,
            bcrypt_cost: raw.bcrypt_cost,
            hash_threads: raw.hash_threads,
            hash_queue: raw.hash_queue,
            blocklist_file,
        })
    }
}

/// Whether a pepper is long enough and not a placeholder that was copied from somewhere.
pub(super) fn pepper_holds(pepper: &[u8]) -> Result<(), BadValue> {
    if pepper.len() < 32 {
        return Err(BadValue::new("must be at least 32 bytes long"));
    }
    let lower = pepper.to_ascii_lowercase();
    let placeholder = [&b"change"[..], b"example", b"insecure"]
        .iter()
        .any(|word| lower.windows(word.len()).any(|part| part == *word));
    let distinct: HashSet<u8> = lower.into_iter().collect();
    if placeholder || distinct.len() < 8 {
        return Err(BadValue::new(
            "looks like an example; make one with \"openssl rand -base64 48\"",
        ));
    }
    Ok(())
}
