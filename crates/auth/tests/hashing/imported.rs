//! Hashes that came from elsewhere.

use vestibule_auth::hashing::{StoredHash, hash_blocking};
use vestibule_core::{Secret, SystemEntropy, ports::hasher::HashError};

use crate::support::{CHEAP_ARGON2, matches, vectors};

#[test]
fn seed_cn_16_every_django_hash_verifies_and_no_other_password_does() {
    let mut seen = std::collections::BTreeSet::new();
    for (name, stored, password) in vectors() {
        let scheme = StoredHash::parse(stored).expect(name).scheme();
        seen.extend(scheme);
        if password.is_empty() {
            continue;
        }
        assert!(matches(password, stored), "{name}");
        let front = format!("x{password}");
        assert!(!matches(&front, stored), "{name} took another password");
    }
    let all = [
        "argon2",
        "bcrypt",
        "bcrypt_sha256",
        "crypt",
        "md5",
        "pbkdf2_sha1",
        "pbkdf2_sha256",
        "pbkdf2_wrapped_sha1",
        "scrypt",
        "sha1",
        "sha256_crypt",
        "sha512_crypt",
        "unsalted_md5",
        "unsalted_sha1",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn seed_cn_17_pbkdf2_over_an_old_sha1_digest_verifies() {
    let (_, stored, password) =
        *vectors().iter().find(|(name, ..)| *name == "wrapped").expect("the vector");
    assert!(stored.starts_with("pbkdf2_wrapped_sha1$1000$seasalt$"));
    assert!(matches(password, stored));
    // The same digest under the plain scheme's name is over something else.
    assert!(!matches(password, &stored.replace("pbkdf2_wrapped_sha1", "pbkdf2_sha256")));
}

#[test]
fn published_vectors_of_other_systems_verify() {
    // RFC 6070 and RFC 7914 section 12, in Django's clothes.
    assert!(matches("password", "pbkdf2_sha1$4096$salt$SwB5AbdlSJq+rUnZJvch0GWkKcE="));
    assert!(matches(
        "pleaseletmein",
        "scrypt$16384$SodiumChloride$8$1$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LU\
         lwUkKpr55h6F3A1lHkDfzwF7RVdYhw=="
    ));
    // OpenBSD's bcrypt.
    assert!(matches("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"));
    // SHA-crypt as crypt(3) of libxcrypt computes it.
    assert!(matches("Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"));
    assert!(matches(
        "Hello world!",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFC\
         oEOfaS35inz1"
    ));
}

#[test]
fn atk_a024_unix_and_django_hashes_verify_and_unknown_schemes_are_closed() {
    for name in ["raw bcrypt 2a", "raw bcrypt 2b", "raw bcrypt 2y", "sha $6$saltstring"] {
        let vector = vectors().into_iter().find(|(known, ..)| *known == name).unwrap();
        assert!(matches(vector.2, vector.1), "{name}");
    }
    for unknown in ["$7$abc$def", "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/", "ldap$x$y", "plain", "$y$x"]
    {
        assert!(StoredHash::parse(unknown).is_err(), "{unknown}");
        assert!(!matches("plain", unknown), "{unknown}");
    }
}

#[test]
fn std_s09_an_imported_hash_is_tried_as_typed_and_in_nfc() {
    let (nfc, nfd) = ("p\u{e4}ssw\u{f6}rd \u{1f52c} 1", "pa\u{308}sswo\u{308}rd \u{1f52c} 1");
    let composed = vectors().into_iter().find(|(name, ..)| *name == "pbkdf2_sha256").unwrap().1;
    assert!(matches(nfc, composed) && matches(nfd, composed));
    // Django hashes what was typed, here an NFD spelling: MD5 of salt and password.
    let taken_apart = {
        use md5::{Digest, Md5};
        let digest = Md5::new().chain_update("salt").chain_update(nfd).finalize();
        let hex: Vec<_> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("md5$salt${}", hex.concat())
    };
    assert!(matches(nfd, &taken_apart));
    assert!(!matches(nfc, &taken_apart));
}

#[test]
fn atk_a026_an_account_without_a_password_is_never_matched() {
    for stored in ["", "!", "*", "!YWNv3FgaWUQw749TrdIOCtYWNv3FgaWUQw749Trd", "*LK*", "  "] {
        assert_eq!(StoredHash::parse(stored).unwrap().scheme(), None, "{stored:?}");
        for password in ["", "!", "*", stored, " "] {
            assert!(!matches(password, stored), "{password:?} {stored:?}");
        }
    }
    // An empty password matches nothing, not even a hash of the empty password.
    assert!(!matches("", "d41d8cd98f00b204e9800998ecf8427e"));
    assert!(!matches("", vectors().into_iter().find(|(name, ..)| *name == "crypt xy").unwrap().1));
    let empty = hash_blocking(CHEAP_ARGON2, &Secret::new(""), None, &SystemEntropy);
    assert!(matches!(empty, Err(HashError::Failed(_))));
}
