//! A map keyed by digests needs no hashing of its own: a digest is as good a hash as there is, and
//! nobody can choose one.

use std::hash::{BuildHasherDefault, Hasher};

pub(super) type BuildDigestHasher = BuildHasherDefault<DigestHasher>;

/// Takes the first eight bytes of a digest for its hash.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some((first, _)) = bytes.split_first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    // The length that `[u8; 32]` writes ahead of its bytes says nothing.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
