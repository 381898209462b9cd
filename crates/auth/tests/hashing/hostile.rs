//! Text that is no hash, nearly one, or one that would take for ever.

use proptest::prelude::*;
use vestibule_auth::{hashing::StoredHash, testkit::log::Lines};

use crate::support::{matches, vectors};

#[test]
fn atk_a023_a_stored_hash_with_wide_characters_is_refused_without_a_panic() {
    for stored in [
        "$2b$04$abcdefghijklmnopqrstué1234567890123456789012345678901",
        "bcrypt$$2b$é4$abcdefghijklmnopqrstuuxWOUuqfm5rPWaDVWCzVdaog4V8np.0",
        "$6$é$aaaa",
        "md5$ä$ää",
        "🔬🔬🔬🔬🔬🔬🔬🔬",
        "$argon2id$v=19$m=8,t=1,p=1$ä$ä",
        "crypt$$äääääää",
    ] {
        let error = StoredHash::parse(stored).expect_err(stored);
        assert!(!error.to_string().contains('ä') && !error.to_string().contains("abcdef"));
        assert!(!matches("password", stored));
    }
}

#[test]
fn atk_a023_the_event_names_the_scheme_and_never_the_hash() {
    let log = Lines::default();
    tracing::subscriber::with_default(log.listener(), || {
        assert!(!matches("password", "pbkdf2_sha256$99999999999$secretsalt$secretdigest"));
        assert!(!matches("password", "the password itself, by mistake"));
    });
    let lines = log.all();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("pbkdf2_sha256"), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains("secret") && !line.contains("mistake")));
}

#[test]
fn a_hash_over_the_caps_is_unreadable() {
    let digest = "A".repeat(43);
    let wide = "A".repeat(86);
    for stored in [
        format!("pbkdf2_sha256$4000000000$salt${digest}="),
        format!("$argon2id$v=19$m=4194304,t=1,p=1$c2Vhc2FsdHNlYXNhbHQ${digest}"),
        format!("$argon2id$v=19$m=65536,t=100000,p=1$c2Vhc2FsdHNlYXNhbHQ${digest}"),
        format!("$argon2id$v=19$m=65536,t=1,p=16777215$c2Vhc2FsdHNlYXNhbHQ${digest}"),
        format!("scrypt$1073741824$salt$8$1${wide}=="),
        format!("scrypt$16384$salt$8$1024${wide}=="),
        "$2b$31$abcdefghijklmnopqrstuuxWOUuqfm5rPWaDVWCzVdaog4V8np.0q".to_owned(),
        format!("$6$rounds=1000001$salt${wide}"),
        "x".repeat(100_000),
    ] {
        assert!(StoredHash::parse(&stored).is_err(), "{}", &stored[..30]);
    }
}

/// Text made of the pieces of real hashes, in any order.
fn hash_like() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "$",
        "$$",
        "argon2",
        "argon2id",
        "argon2i",
        "v=19",
        "v=16",
        "m=8,t=1,p=1",
        "m=8",
        ",",
        "=",
        "keyid=",
        "2a",
        "2b",
        "2y",
        "04",
        "31",
        "bcrypt",
        "bcrypt_sha256",
        "bcrypt-hmac-sha384",
        "v=1",
        "pbkdf2_sha256",
        "pbkdf2_sha1",
        "pbkdf2_wrapped_sha1",
        "1",
        "1000",
        "4294967296",
        "scrypt",
        "16",
        "8",
        "md5",
        "sha1",
        "crypt",
        "5",
        "6",
        "rounds=",
        "rounds=1000",
        "!",
        "*",
        "c2Vhc2FsdHNlYXNhbHQ",
        "abcdefghijklmnopqrstuuxWOUuqfm5rPWaDVWCzVdaog4V8np.0q",
        "é",
        "🔬",
        "\0",
        "-1",
        "+",
        "/",
        "f7207ec64db640893dbe0d2ce96ab51c",
        "tQKYLw9BCNJPQaBr34GGkQ",
        "oOVYj9c088Iajsw7VfZEZ4toTsEHUJwbYOWQAZk5hd0=",
    ]);
    prop::collection::vec(prop_oneof![8 => pieces.prop_map(str::to_owned), 1 => ".{0,8}"], 0..12)
        .prop_map(|pieces| pieces.concat())
}

/// A real hash with one thing changed.
fn damaged() -> impl Strategy<Value = String> {
    let stored: Vec<_> = vectors()
        .into_iter()
        .map(|(_, stored, _)| stored)
        .filter(|stored| !stored.contains("1000000") && !stored.contains("16384"))
        .filter(|stored| !stored.contains("102400"))
        .collect();
    (prop::sample::select(stored), any::<prop::sample::Index>(), ".").prop_map(
        |(stored, place, with)| {
            let mut chars: Vec<char> = stored.chars().collect();
            let place = place.index(chars.len());
            chars[place] = with.chars().next().unwrap_or('$');
            chars.into_iter().collect()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn fuzz_z13_hash_strings_never_panic(stored in prop_oneof![hash_like(), damaged(), ".*"]) {
        // Reading is what strangers' text reaches; it takes neither time nor memory.
        let parsed = StoredHash::parse(&stored);
        prop_assert!(parsed.is_err() || stored.len() <= 1024 || stored.starts_with(['!', '*']));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn fuzz_z13_only_the_true_password_verifies(stored in damaged(), password in "[ -~]{9,20}") {
        // A damaged hash opens for nobody whose password was not hashed into it.
        prop_assert!(!matches(&password, &stored));
    }
}
