//! SHA-256-crypt and SHA-512-crypt (Drepper 2008), as Unix systems keep passwords: `$5$`, `$6$`.

use sha_crypt::{PasswordHashRef, PasswordVerifier, ShaCrypt};

use super::text::number;

/// The longest password it is given: PAM takes no longer ones, and this scheme's work grows with
/// the length.
const MAX_BYTES: usize = 512;

/// More rounds than any system sets, and over two seconds with the longest password.
const MAX_ROUNDS: u32 = 1_000_000;

/// A parsed `$5$` or `$6$` string.
#[derive(Debug)]
pub(super) struct ShaCryptHash {
    rounds: u32,
    wide: bool,
    text: String,
}

impl ShaCryptHash {
    /// Reads `$6$[rounds=N$]salt$digest`.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let wide = text.starts_with("$6$");
        let rest = text.get(3..).ok_or("a part is missing")?;
        let (rounds, rest) = match rest.strip_prefix("rounds=") {
            None => (5000, rest),
            Some(rest) => {
                let (count, rest) = rest.split_once('$').ok_or("a part is missing")?;
                (number(count).ok_or("no round count")?, rest)
            }
        };
        if rounds < 1000 {
            return Err("fewer rounds than the scheme allows");
        }
        if rounds > MAX_ROUNDS {
            return Err("over the cap on rounds");
        }
        let (salt, digest) = rest.split_once('$').ok_or("a part is missing")?;
        if salt.is_empty() || salt.len() > 16 {
            return Err("salt of an odd length");
        }
        let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'/';
        if digest.len() != if wide { 86 } else { 43 } || !digest.bytes().all(alphabet) {
            return Err("not a digest of this scheme");
        }
        PasswordHashRef::new(text).map_err(|_| "not a crypt string")?;
        Ok(Self { rounds, wide, text: text.to_owned() })
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let seen = &password[..password.len().min(MAX_BYTES)];
        let matches = ShaCrypt::default().verify_password(seen, self.text.as_str()).is_ok();
        matches && seen.len() == password.len()
    }

    /// Estimated nanoseconds on the machine the estimates come from.
    pub(super) fn work(&self) -> u64 {
        600 * u64::from(self.rounds)
    }

    /// Two with the same class take the same time.
    pub(super) fn class(&self) -> (u64, u64) {
        (u64::from(self.rounds), 0)
    }

    /// The name of the scheme, for logs and reports.
    pub(super) fn scheme(&self) -> &'static str {
        if self.wide { "sha512_crypt" } else { "sha256_crypt" }
    }
}
