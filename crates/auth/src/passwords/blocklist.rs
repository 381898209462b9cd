//! Passwords that everybody tries first: our own list, and the operator's file.

use std::{
    collections::HashSet,
    fs,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    sync::LazyLock,
};

use sha1::{Digest, Sha1};
use unicode_normalization::UnicodeNormalization;

use crate::hashing::text::from_hex;

/// Our own list, one password to a line, lower case.
static SHIPPED: LazyLock<HashSet<&'static str>> = LazyLock::new(|| shipped().collect());

/// Every password on the list that comes with Vestibule: at least 3000 of 8 to 14 characters and
/// 3000 longer ones.
pub fn shipped() -> impl Iterator<Item = &'static str> {
    include_str!("../../data/common-passwords.txt").lines()
}

/// The biggest file that is read into memory: 512 MiB.
const MAX_FILE_BYTES: u64 = 512 << 20;

/// Why the operator's file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlocklistError {
    /// It is missing or cannot be read. The server does not start: to go on would be to leave out
    /// a check that was asked for.
    #[error("password.blocklist_file: {} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It would not fit into memory.
    #[error("password.blocklist_file: {} is bigger than 512 MiB", .path.display())]
    TooBig {
        /// The file.
        path: PathBuf,
    },
}

/// Passwords that are refused, compared as a whole and without regard to case.
#[derive(Default)]
pub struct Blocklist {
    words: HashSet<Box<str>>,
    /// SHA-1 of breached passwords, sorted.
    breached: Vec<[u8; 20]>,
}

/// On which list a password is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Among those that everybody tries first.
    Common,
    /// Among those known from a breach.
    Breached,
}

impl Blocklist {
    /// Our own list alone.
    pub fn shipped_only() -> Self {
        Self::default()
    }

    /// Our own list and the operator's file. Each of its lines is one password, or the SHA-1 of
    /// one in hexadecimal, with or without `:` and a count behind it (the form in which the
    /// lists of Have I Been Pwned come). Empty lines do not count. The file is UTF-8; a line
    /// that is not is skipped.
    ///
    /// # Errors
    /// [`BlocklistError`] when the file is missing, unreadable or too big.
    pub fn with_file(path: &Path) -> Result<Self, BlocklistError> {
        let fail = |source| BlocklistError::Read { path: path.to_owned(), source };
        let file = fs::File::open(path).map_err(fail)?;
        if file.metadata().map_err(fail)?.len() > MAX_FILE_BYTES {
            return Err(BlocklistError::TooBig { path: path.to_owned() });
        }
        let mut list = Self::default();
        for line in BufReader::new(file).split(b'\n') {
            if let Ok(line) = std::str::from_utf8(&line.map_err(fail)?) {
                list.add(line.trim_end_matches('\r'));
            }
        }
        list.breached.sort_unstable();
        list.breached.dedup();
        list.breached.shrink_to_fit();
        Ok(list)
    }

    fn add(&mut self, line: &str) {
        let digest = line.split_once(':').map_or(line, |(digest, _)| digest);
        if digest.len() == 40
            && let Some(digest) = from_hex(digest).and_then(|bytes| bytes.try_into().ok())
        {
            self.breached.push(digest);
        } else if !line.is_empty() {
            self.words.insert(folded(line).into());
        }
    }

    /// Whether the whole password is on a list.
    pub fn find(&self, password: &str) -> Option<Listed> {
        let word = folded(password);
        if SHIPPED.contains(word.as_str()) || self.words.contains(word.as_str()) {
            return Some(Listed::Common);
        }
        let nfc: String = password.nfc().collect();
        let breached = |text: &str| {
            let digest: [u8; 20] = Sha1::digest(text).into();
            self.breached.binary_search(&digest).is_ok()
        };
        (!self.breached.is_empty() && (breached(password) || breached(&nfc)))
            .then_some(Listed::Breached)
    }
}

/// Shows how long the lists are, not what is on them.
impl std::fmt::Debug for Blocklist {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blocklist({} words, {} digests)", self.words.len(), self.breached.len())
    }
}

fn folded(text: &str) -> String {
    text.nfc().flat_map(char::to_lowercase).collect()
}
