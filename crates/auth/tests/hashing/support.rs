//! Vectors made by the real programs, and short ways to hash and compare.

use vestibule_auth::hashing::{Pepper, Scheme, hash_blocking, verify_blocking};
use vestibule_core::{Secret, SystemEntropy, ports::hasher::PasswordHash};

/// Name, stored hash and password, made by the real programs.
pub(crate) fn vectors() -> Vec<(&'static str, &'static str, &'static str)> {
    include_str!("../data/django-5.2.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<_> = line.split('\t').collect();
            (fields[0], fields[1], fields[2])
        })
        .collect()
}

pub(crate) fn matches(password: &str, stored: &str) -> bool {
    verify_blocking(&Secret::new(password), &PasswordHash::from_stored(stored), None).unwrap()
}

pub(crate) fn made(scheme: Scheme, password: &str, pepper: Option<&Pepper>) -> PasswordHash {
    hash_blocking(scheme, &Secret::new(password), pepper, &SystemEntropy).unwrap()
}

pub(crate) const CHEAP_BCRYPT: Scheme = Scheme::Bcrypt { cost: 4 };
pub(crate) const CHEAP_ARGON2: Scheme = Scheme::Argon2id { memory_kib: 8, passes: 1 };

pub(crate) fn pepper(byte: u8) -> Pepper {
    Pepper::new(Secret::new(vec![byte; 32])).unwrap()
}
