//! Hashes that we make.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use vestibule_auth::hashing::{MAX_PASSWORD_BYTES, Pepper, Scheme, hash_blocking, verify_blocking};
use vestibule_core::{
    Secret, SystemEntropy,
    ports::hasher::{HashError, PasswordHash},
};

use crate::support::{CHEAP_ARGON2, CHEAP_BCRYPT, made, matches, pepper, vectors};

#[test]
fn atk_a021_passwords_equal_in_their_first_72_bytes_are_two() {
    let (one, two) = ("x".repeat(72) + "one", "x".repeat(72) + "two");
    for scheme in [CHEAP_BCRYPT, CHEAP_ARGON2] {
        let stored = made(scheme, &one, None);
        assert!(matches(&one, stored.expose()), "{scheme:?}");
        assert!(!matches(&two, stored.expose()), "{scheme:?}");
    }
    // Imported: what made it saw 72 bytes alone, so nothing longer logs in with it.
    let imported = vectors().into_iter().find(|(name, ..)| *name == "bcrypt 72 bytes").unwrap().1;
    assert!(matches(&"x".repeat(72), imported));
    assert!(!matches(&one, imported) && !matches(&two, imported));
}

#[test]
fn atk_a022_a_digest_that_begins_with_zero_is_not_cut_there() {
    // Salt of all zeros, no pepper: search two passwords whose bare digests begin with zero.
    struct Zeros;
    impl vestibule_core::Entropy for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }
    let mut begin_with_zero = (0..).map(|number| format!("password {number}")).filter(|text| {
        let mac = Hmac::<sha2::Sha384>::new_from_slice(&[0; 16]).unwrap();
        mac.chain_update(text).finalize().into_bytes()[0] == 0
    });
    let (one, two) = (begin_with_zero.next().unwrap(), begin_with_zero.next().unwrap());
    let stored = hash_blocking(CHEAP_BCRYPT, &Secret::new(one.clone()), None, &Zeros).unwrap();
    assert!(matches(&one, stored.expose()));
    assert!(!matches(&two, stored.expose()));
}

#[test]
fn atk_a025_nfc_and_nfd_are_one_password_and_lookalikes_are_not() {
    let (nfc, nfd) = ("caf\u{e9} \u{fb01}n", "cafe\u{301} \u{fb01}n");
    for scheme in [CHEAP_ARGON2, CHEAP_BCRYPT] {
        for typed in [nfc, nfd] {
            let stored = made(scheme, typed, None);
            assert!(matches(nfc, stored.expose()) && matches(nfd, stored.expose()));
            // NFKC would take the ligature apart.
            assert!(!matches("caf\u{e9} fin", stored.expose()));
        }
    }
}

#[test]
fn atk_a028_a_missing_or_other_pepper_is_no_wrong_password() {
    let (ours, other) = (pepper(1), pepper(2));
    for scheme in [CHEAP_ARGON2, CHEAP_BCRYPT] {
        let stored = made(scheme, "nine bees keep maria", Some(&ours));
        let verify = |password: &str, pepper: Option<&Pepper>| {
            verify_blocking(&Secret::new(password), &stored, pepper)
        };
        assert!(verify("nine bees keep maria", Some(&ours)).unwrap());
        assert!(!verify("wrong", Some(&ours)).unwrap());
        for missing in [None, Some(&other)] {
            for password in ["nine bees keep maria", "wrong"] {
                assert!(matches!(verify(password, missing), Err(HashError::Failed(_))));
            }
        }
    }
}

#[test]
fn std_s12_a_dump_alone_verifies_nothing_made_with_a_pepper() {
    for scheme in [CHEAP_ARGON2, CHEAP_BCRYPT] {
        let stored = made(scheme, "nine bees keep maria", Some(&pepper(1)));
        let id = format!(",keyid={}", pepper(1).id());
        assert!(stored.expose().contains(&id));
        // The thief may strip the key id; the digest is still over the key.
        assert!(!matches("nine bees keep maria", &stored.expose().replace(&id, "")));
    }
}

#[test]
fn std_s11_a_hash_carries_scheme_cost_and_a_fresh_salt() {
    let (one, two) = (made(Scheme::default(), "same", None), made(Scheme::default(), "same", None));
    assert!(one.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    let salt = |hash: &PasswordHash| hash.expose().split('$').nth(4).unwrap().to_owned();
    // 16 bytes in base64.
    assert_eq!(salt(&one).len(), 22);
    assert_ne!(salt(&one), salt(&two));
    assert!(
        made(CHEAP_BCRYPT, "same", None).expose().starts_with("$bcrypt-hmac-sha384$v=1$2b$04$")
    );
}

#[test]
fn std_s20_what_we_make_is_argon2id_at_owasp_cost_or_bcrypt_over_a_keyed_digest() {
    assert_eq!(Scheme::default(), Scheme::Argon2id { memory_kib: 19 * 1024, passes: 2 });
    assert_eq!(Scheme::BCRYPT, Scheme::Bcrypt { cost: 12 });
    // Recomputed by hand: bcrypt over base64(HMAC-SHA-384(salt and pepper, password)).
    let stored = made(CHEAP_BCRYPT, "nine bees", Some(&pepper(1)));
    let id = format!("$bcrypt-hmac-sha384$v=1,keyid={}", pepper(1).id());
    let inner = stored.expose().strip_prefix(&id).unwrap();
    let salt = inner.parse::<bcrypt::HashParts>().unwrap().get_salt_raw();
    let mac = Hmac::<sha2::Sha384>::new_from_slice(&[&salt[..], &[1; 32]].concat()).unwrap();
    let input = STANDARD.encode(mac.chain_update("nine bees").finalize().into_bytes());
    assert!(bcrypt::verify(&input, inner).unwrap());
    assert_eq!(input.len(), 64);
}

#[test]
fn std_s22_the_input_of_a_hash_is_capped_at_4_kib() {
    // The cap bounds what a stranger can make us hash; one byte more is refused unhashed.
    let most = Secret::new(vec![b'x'; MAX_PASSWORD_BYTES]);
    let more = Secret::new(vec![b'x'; MAX_PASSWORD_BYTES + 1]);
    assert!(hash_blocking(Scheme::default(), &most, None, &SystemEntropy).is_ok());
    let refused = hash_blocking(Scheme::default(), &more, None, &SystemEntropy);
    assert!(matches!(refused, Err(HashError::TooLong { .. })));
}

#[test]
fn std_s07_every_byte_of_a_long_password_counts() {
    for scheme in [CHEAP_ARGON2, CHEAP_BCRYPT] {
        let password = "abcdefgh".repeat(40);
        let stored = made(scheme, &password, None);
        assert!(matches(&password, stored.expose()));
        for place in [0, 72, 255, 319] {
            let mut other = password.clone();
            other.replace_range(place..=place, "#");
            assert!(!matches(&other, stored.expose()), "{scheme:?} byte {place}");
        }
    }
}

#[test]
fn asvs_v6_2_8_a_password_is_compared_exactly_as_typed() {
    let password = "a".repeat(60) + "\0Inner" + &"b".repeat(33) + " ";
    for scheme in [CHEAP_ARGON2, CHEAP_BCRYPT] {
        let stored = made(scheme, &password, None);
        assert!(matches(&password, stored.expose()), "{scheme:?}");
        for other in [
            password.trim_end().to_owned(),
            password.replace('\0', ""),
            password.replace("Inner", "inner"),
            password.split('\0').next().unwrap().to_owned(),
            format!("{password}\0"),
        ] {
            assert!(!matches(&other, stored.expose()), "{scheme:?}");
        }
    }
    // Schemes that pad or end at a zero byte take no password that has one.
    for (name, stored, password) in vectors() {
        if !password.is_empty() {
            assert!(!matches(&format!("{password}\0"), stored), "{name}");
        }
    }
}

#[test]
fn asvs_v6_2_9_sixty_four_wide_characters_all_count() {
    let password = "🔬".repeat(64);
    let other = "🔬".repeat(63) + "🔭";
    for scheme in [CHEAP_ARGON2, CHEAP_BCRYPT] {
        let stored = made(scheme, &password, None);
        assert!(matches(&password, stored.expose()));
        assert!(!matches(&other, stored.expose()));
    }
}

#[test]
fn atk_a014_a_password_over_4096_bytes_is_refused_before_any_work() {
    let long = Secret::new(vec![b'x'; MAX_PASSWORD_BYTES + 1]);
    // A scheme that would fail if it were reached: its cost is out of range.
    let hashed = hash_blocking(Scheme::Bcrypt { cost: 99 }, &long, None, &SystemEntropy);
    assert!(matches!(hashed, Err(HashError::TooLong { max: 4096 })));
    let stored = PasswordHash::from_stored("!");
    let verified = verify_blocking(&long, &stored, None);
    assert!(matches!(verified, Err(HashError::TooLong { max: 4096 })));
    let longest = "x".repeat(MAX_PASSWORD_BYTES);
    assert!(matches(&longest, made(CHEAP_ARGON2, &longest, None).expose()));
}
