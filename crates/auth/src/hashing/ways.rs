//! The two ways in which new hashes are made.

use vestibule_core::Entropy;

use super::{argon2, bcrypt};

/// How new hashes are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// Argon2id (RFC 9106) with one lane.
    Argon2id {
        /// Memory in KiB; with the passes at least what OWASP asks for, at most 256 MiB.
        memory_kib: u32,
        /// Passes over the memory.
        passes: u32,
    },
    /// Bcrypt over base64(HMAC-SHA-384), which no password is too long for.
    Bcrypt {
        /// The logarithm of the work, 10 to 15.
        cost: u32,
    },
    /// Next to no work. See [`Scheme::weak_for_tests`].
    #[cfg(any(test, feature = "testkit"))]
    #[doc(hidden)]
    WeakForTests,
}

/// The numbers of a scheme.
#[derive(Clone, Copy)]
pub(super) enum Cost {
    Argon2id { memory_kib: u32, passes: u32 },
    Bcrypt { cost: u32 },
}

impl Default for Scheme {
    /// Argon2id with 19 MiB and two passes.
    fn default() -> Self {
        Self::Argon2id { memory_kib: 19 * 1024, passes: 2 }
    }
}

impl Scheme {
    /// Bcrypt at cost 12.
    pub const BCRYPT: Self = Self::Bcrypt { cost: 12 };

    /// A scheme that takes microseconds: **unfit for production**, anyone can break it. For
    /// tests that are about something else.
    #[cfg(any(test, feature = "testkit"))]
    pub fn weak_for_tests() -> Self {
        Self::WeakForTests
    }

    pub(super) fn cost(self) -> Cost {
        match self {
            Self::Argon2id { memory_kib, passes } => Cost::Argon2id { memory_kib, passes },
            Self::Bcrypt { cost } => Cost::Bcrypt { cost },
            #[cfg(any(test, feature = "testkit"))]
            Self::WeakForTests => Cost::Argon2id { memory_kib: 8, passes: 1 },
        }
    }

    /// Estimated nanoseconds of one hash.
    pub(super) fn work(self) -> u64 {
        match self.cost() {
            Cost::Argon2id { memory_kib, passes } => argon2::work(memory_kib, passes),
            Cost::Bcrypt { cost } => bcrypt::work(cost),
        }
    }

    pub(super) fn decoy(self, entropy: &dyn Entropy) -> String {
        match self.cost() {
            Cost::Argon2id { memory_kib, passes } => argon2::decoy((memory_kib, passes), entropy),
            Cost::Bcrypt { cost } => bcrypt::decoy(cost, entropy),
        }
    }

    /// What is wrong with the numbers, if anything.
    pub(super) fn check(self) -> Result<(), &'static str> {
        /// The smallest of the settings that OWASP's password storage page calls equal.
        const LEAST_MEMORY_KIB: u32 = 7 * 1024;
        const LEAST_KIB_PASSES: u64 = 35 * 1024;
        match self {
            Self::Argon2id { memory_kib, passes } => {
                if !argon2::acceptable(memory_kib, passes) {
                    return Err("argon2 takes 7 to 256 MiB and at least one pass");
                }
                let kib_passes = u64::from(memory_kib) * u64::from(passes);
                if memory_kib < LEAST_MEMORY_KIB || kib_passes < LEAST_KIB_PASSES {
                    return Err("argon2 needs at least 7 MiB, and memory times passes of 35 MiB");
                }
                // Else every hash we make would be over the cap on reading.
                if self.work() > 2_500_000_000 {
                    return Err("argon2 at this cost takes seconds for one login");
                }
                Ok(())
            }
            Self::Bcrypt { cost: 10..=15 } => Ok(()),
            Self::Bcrypt { .. } => Err("bcrypt needs a cost of 10 to 15"),
            #[cfg(any(test, feature = "testkit"))]
            Self::WeakForTests => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_numbers_are_refused() {
        assert_eq!(Scheme::default().check(), Ok(()));
        assert_eq!(Scheme::BCRYPT.check(), Ok(()));
        assert_eq!(Scheme::Argon2id { memory_kib: 7168, passes: 5 }.check(), Ok(()));
        for weak in [
            Scheme::Argon2id { memory_kib: 7168, passes: 4 },
            Scheme::Argon2id { memory_kib: 4096, passes: 100 },
            Scheme::Argon2id { memory_kib: 262_145, passes: 1 },
            Scheme::Argon2id { memory_kib: 262_144, passes: 100 },
            Scheme::Argon2id { memory_kib: 65_536, passes: 0 },
            Scheme::Bcrypt { cost: 9 },
            Scheme::Bcrypt { cost: 16 },
        ] {
            assert!(weak.check().is_err(), "{weak:?}");
        }
    }
}
