//! What the threads of the pool do: one hash, or one comparison that tells nothing by its cost.

use std::sync::Arc;

use vestibule_core::{
    Entropy, Secret,
    ports::hasher::{HashError, PasswordHash},
};

use super::{
    Scheme,
    candidate::Candidate,
    pepper::Pepper,
    scheme::{CannotVerify, StoredHash, Verifier},
};

/// The result of one comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) matches: bool,
    pub(super) outdated: bool,
    /// How often the decoy was compared with, to make up for work that was not there to do.
    pub(super) decoys: u32,
}

/// The current scheme and everything a comparison needs.
pub(super) struct Engine {
    pub(super) scheme: Scheme,
    pub(super) pepper: Option<Pepper>,
    pub(super) upgrade: bool,
    entropy: Arc<dyn Entropy>,
    decoy: Option<Verifier>,
}

impl Engine {
    pub(super) fn new(
        scheme: Scheme,
        pepper: Option<Pepper>,
        upgrade: bool,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let decoy = StoredHash::parse(&scheme.decoy(&*entropy)).ok().and_then(StoredHash::usable);
        Self { scheme, pepper, upgrade, entropy, decoy }
    }

    /// Hashes the NFC form with the current scheme and a fresh salt.
    pub(super) fn hash(&self, password: &Secret) -> Result<PasswordHash, HashError> {
        super::hash_blocking(self.scheme, password, self.pepper.as_ref(), &*self.entropy)
    }

    /// Compares. Whatever there is to compare with, at least one comparison of the current
    /// scheme's cost is made.
    pub(super) fn verify(
        &self,
        password: &Secret,
        stored: Option<&PasswordHash>,
    ) -> Result<Compared, HashError> {
        let candidate = Candidate::new(password)?;
        let verifier = stored.and_then(readable).filter(|_| !candidate.is_empty());
        let Some(verifier) = verifier else {
            self.compare_with_decoy(&candidate)?;
            return Ok(Compared { matches: false, outdated: false, decoys: 1 });
        };
        let matches = verifier.verify(&candidate, self.pepper.as_ref()).map_err(to_hash_error)?;
        let cheap = verifier.work() < self.scheme.work();
        if !matches && cheap {
            // Without this, an account with an old cheap hash would answer faster than none.
            self.compare_with_decoy(&candidate)?;
        }
        Ok(Compared {
            matches,
            outdated: matches && self.is_outdated(&verifier),
            decoys: u32::from(!matches && cheap),
        })
    }

    /// Whether the hash was made under a pepper that is not the configured one.
    pub(super) fn lacks_pepper(&self, stored: &PasswordHash) -> bool {
        let parsed = StoredHash::parse(stored.expose()).ok().and_then(StoredHash::usable);
        parsed
            .as_ref()
            .and_then(Verifier::key_id)
            .is_some_and(|id| self.pepper.as_ref().is_none_or(|pepper| pepper.id() != id))
    }

    fn is_outdated(&self, verifier: &Verifier) -> bool {
        let pepper = self.pepper.as_ref();
        let current = match (verifier, self.scheme.cost()) {
            (Verifier::Argon2(hash), super::Cost::Argon2id { memory_kib, passes }) => {
                hash.is_current(memory_kib, passes, pepper)
            }
            (Verifier::Bcrypt(hash), super::Cost::Bcrypt { cost }) => hash.is_current(cost, pepper),
            _ => false,
        };
        self.upgrade && !current
    }

    fn compare_with_decoy(&self, candidate: &Candidate<'_>) -> Result<(), HashError> {
        // An empty password is never hashed, so something else takes its place.
        let filler = Secret::new("not empty");
        let filler = Candidate::new(&filler)?;
        let password = if candidate.is_empty() { &filler } else { candidate };
        match &self.decoy {
            Some(decoy) => {
                std::hint::black_box(decoy.verify_bytes(password.nfc(), None))
                    .map_err(to_hash_error)?;
            }
            // A decoy that does not parse is a scheme we could not read back.
            None => return Err(HashError::Failed("the current scheme has no decoy")),
        }
        Ok(())
    }
}

/// The hash when it can be compared with. What cannot be read is reported by its scheme alone:
/// an unknown text in the column may be anything, even a password.
pub(super) fn readable(stored: &PasswordHash) -> Option<Verifier> {
    match StoredHash::parse(stored.expose()) {
        Ok(stored) => stored.usable(),
        Err(error) => {
            tracing::warn!(
                scheme = error.scheme,
                reason = error.reason,
                "a stored password hash cannot be read: nobody can log in with it"
            );
            None
        }
    }
}

pub(super) fn to_hash_error(error: CannotVerify) -> HashError {
    HashError::Failed(match error {
        CannotVerify::Pepper => "the stored hash was made with another pepper than password.pepper",
        CannotVerify::Failed => "argon2 could not get its memory",
    })
}

#[cfg(test)]
mod tests {
    use vestibule_core::SystemEntropy;

    use super::*;

    fn engine(scheme: Scheme, pepper: Option<Pepper>, upgrade: bool) -> Engine {
        Engine::new(scheme, pepper, upgrade, Arc::new(SystemEntropy))
    }

    fn weak() -> Engine {
        engine(Scheme::weak_for_tests(), None, true)
    }

    fn pepper(byte: u8) -> Option<Pepper> {
        Pepper::new(Secret::new(vec![byte; 32]))
    }

    fn compare(engine: &Engine, password: &str, stored: Option<&str>) -> Compared {
        let stored = stored.map(PasswordHash::from_stored);
        engine.verify(&Secret::new(password), stored.as_ref()).unwrap()
    }

    const MD5_OF_PASSWORD: &str = "5f4dcc3b5aa765d61d8327deb882cf99";

    #[test]
    fn atk_a003_an_old_cheap_hash_costs_no_less_than_no_account() {
        let wrong = compare(&weak(), "wrong", Some(MD5_OF_PASSWORD));
        assert_eq!(wrong, Compared { matches: false, outdated: false, decoys: 1 });
        let cheaper_bcrypt = super::super::bcrypt::hash(b"right", 4, None, &SystemEntropy).unwrap();
        let strong = engine(Scheme::Bcrypt { cost: 5 }, None, true);
        assert_eq!(compare(&strong, "wrong", Some(&cheaper_bcrypt)).decoys, 1);
        // Who knows the password waits for nothing.
        assert_eq!(compare(&weak(), "password", Some(MD5_OF_PASSWORD)).decoys, 0);
        // A hash of the current cost is work enough.
        let current = weak().hash(&Secret::new("right")).unwrap();
        assert_eq!(compare(&weak(), "wrong", Some(current.expose())).decoys, 0);
    }

    #[test]
    fn atk_a003_the_decoy_is_really_compared_with() {
        // A decoy under a pepper that is not there: whoever compares with it gets an error.
        let mut trapped = weak();
        let peppered = engine(Scheme::weak_for_tests(), pepper(1), true);
        let trap = peppered.hash(&Secret::new("trap")).unwrap();
        trapped.decoy = readable(&trap);
        let verify = |password: &str, stored: Option<&str>| {
            let stored = stored.map(PasswordHash::from_stored);
            trapped.verify(&Secret::new(password), stored.as_ref())
        };
        for stored in [None, Some("!"), Some(""), Some("gibberish"), Some(MD5_OF_PASSWORD)] {
            for password in ["wrong", ""] {
                let found = verify(password, stored);
                assert!(matches!(found, Err(HashError::Failed(_))), "{password:?} {stored:?}");
            }
        }
        assert!(verify("password", Some(MD5_OF_PASSWORD)).unwrap().matches);
    }

    #[test]
    fn without_a_hash_to_compare_with_the_decoy_is_compared_with() {
        for stored in [None, Some("!"), Some(""), Some("*"), Some("gibberish$"), Some("$2b$")] {
            for password in ["anything", ""] {
                let refused = Compared { matches: false, outdated: false, decoys: 1 };
                assert_eq!(compare(&weak(), password, stored), refused, "{stored:?}");
            }
        }
        // An empty password is not hashed, even where there is something to compare with.
        let current = weak().hash(&Secret::new("right")).unwrap();
        assert_eq!(compare(&weak(), "", Some(current.expose())).decoys, 1);
    }

    #[test]
    fn the_decoy_is_as_dear_as_the_current_scheme() {
        for scheme in [Scheme::default(), Scheme::BCRYPT, Scheme::weak_for_tests()] {
            let decoy = engine(scheme, pepper(1), true).decoy.expect("a decoy");
            assert_eq!(decoy.work(), scheme.work(), "{scheme:?}");
        }
    }

    #[test]
    fn std_s21_what_falls_short_of_the_current_scheme_is_outdated() {
        let argon2 = |memory_kib, passes| Scheme::Argon2id { memory_kib, passes };
        let outdated = |now: (Scheme, Option<Pepper>), then: (Scheme, Option<Pepper>)| {
            let stored = engine(then.0, then.1, true).hash(&Secret::new("right")).unwrap();
            let found = compare(&engine(now.0, now.1, true), "right", Some(stored.expose()));
            assert!(found.matches);
            found.outdated
        };
        let base = argon2(16, 2);
        assert!(!outdated((base, None), (base, None)));
        assert!(!outdated((base, pepper(1)), (base, pepper(1))));
        assert!(!outdated((base, None), (argon2(32, 2), None)), "dearer is fine");
        assert!(outdated((base, None), (argon2(8, 2), None)), "less memory");
        assert!(outdated((base, None), (argon2(16, 1), None)), "fewer passes");
        assert!(outdated((base, pepper(1)), (base, None)), "no pepper");
        let bcrypt = |cost| Scheme::Bcrypt { cost };
        assert!(outdated((base, None), (bcrypt(5), None)), "other scheme");
        assert!(outdated((bcrypt(5), None), (bcrypt(4), None)), "lower cost");
        assert!(!outdated((bcrypt(5), pepper(2)), (bcrypt(6), pepper(2))));
        assert!(outdated((bcrypt(5), pepper(2)), (bcrypt(5), None)), "no pepper");

        let ours = weak().hash(&Secret::new("right")).unwrap();
        let djangos = format!("argon2{}", ours.expose());
        assert!(compare(&weak(), "right", Some(&djangos)).outdated, "Django's form of the same");
    }

    #[test]
    fn nothing_is_outdated_while_another_program_shares_the_table() {
        let shared = engine(Scheme::weak_for_tests(), None, false);
        let found = compare(&shared, "password", Some(MD5_OF_PASSWORD));
        assert_eq!(found, Compared { matches: true, outdated: false, decoys: 0 });
        assert!(compare(&weak(), "password", Some(MD5_OF_PASSWORD)).outdated);
    }
}
