//! Times, ids and secrets: how they are read, written, ordered and never shown.

use std::time::Duration;

use proptest::prelude::*;
use vestibule_core::{
    Entropy, Secret, SystemEntropy, Timestamp, TokenDigest,
    id::{AuditId, GrantId, GroupId, SessionId, UserId},
    ports::hasher::PasswordHash,
};

const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

struct Always(u8);

impl Entropy for Always {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

#[test]
fn times_are_read_as_rfc_3339_in_any_zone_and_shown_in_utc() {
    for (typed, shown) in [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.500Z"),
        ("2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00.000001Z"),
        ("2026-01-01t00:00:00z", "2026-01-01T00:00:00Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ] {
        let time = Timestamp::parse_rfc3339(typed).unwrap();
        assert_eq!(time.to_string(), shown, "{typed}");
    }
    assert_eq!(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z"), Some(NOW));
}

#[test]
fn what_is_no_time_is_refused() {
    for text in [
        "",
        "now",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-02-30T00:00:00Z",
        "2026-01-01T25:00:00Z",
        "2026-01-01T00:00:00Z ",
        "1767225600",
    ] {
        assert_eq!(Timestamp::parse_rfc3339(text), None, "{text:?}");
    }
}

#[test]
fn times_do_not_wrap_around() {
    let (first, last) = (Timestamp::from_micros(i64::MIN), Timestamp::MAX);
    assert_eq!(last.plus(Duration::MAX), last);
    assert_eq!(first.minus(Duration::MAX), first);
    assert_eq!(NOW.since(last), Duration::ZERO);
    assert_eq!(NOW.plus(Duration::from_secs(3)).since(NOW), Duration::from_secs(3));
    assert!(!last.to_string().is_empty());
}

#[test]
fn ids_are_ordered_by_time_whatever_chance_says() {
    let earlier = UserId::generate(NOW, &Always(0xFF));
    let later = UserId::generate(NOW.plus(Duration::from_millis(1)), &Always(0));
    assert!(earlier < later);
    assert!(earlier.to_string() < later.to_string(), "also as text");
    assert!(earlier.as_bytes() < later.as_bytes(), "and as bytes");
}

#[test]
fn ids_of_one_instant_differ_and_are_of_version_7() {
    let ids: std::collections::HashSet<_> =
        (0..10_000).map(|_| SessionId::generate(NOW, &SystemEntropy)).collect();
    assert_eq!(ids.len(), 10_000);
    for id in ids {
        assert_eq!(id.as_uuid().get_version_num(), 7);
        let (seconds, _) = id.as_uuid().get_timestamp().unwrap().to_unix();
        assert_eq!(seconds, 1_767_225_600);
    }
}

#[test]
fn ids_are_read_back_from_text_and_bytes() {
    let id = GroupId::generate(NOW, &SystemEntropy);
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!(GroupId::from_bytes(*id.as_bytes()), id);
    assert!(format!("{id:?}").starts_with("GroupId(0"));
    for text in ["", "1", "ann", "019b76da-0000-7000-8000-00000000000g", "' or 1=1 --"] {
        let error = text.parse::<GrantId>().unwrap_err();
        assert_eq!(error.to_string(), "not a valid id", "{text:?}");
    }
}

#[test]
fn ids_before_1970_are_made_all_the_same() {
    let id = AuditId::generate(Timestamp::from_micros(-1), &Always(1));
    assert!(id < AuditId::generate(NOW, &Always(0)));
}

#[test]
fn a_secret_never_prints() {
    let secret = Secret::new("correct horse");
    let shown = format!("{secret:?} {secret:#?} {:?}", Some(&secret));
    assert!(!shown.contains("correct") && !shown.contains("13"), "{shown}");
    // Nor as a list of bytes.
    assert!(!shown.contains("99"), "{shown}");
}

#[test]
fn secrets_are_equal_when_all_their_bytes_are() {
    let secret = Secret::new("correct horse");
    assert_eq!(secret, Secret::from("correct horse".to_owned()));
    for other in ["", "correct hors", "correct horsf", "correct horse "] {
        assert_ne!(secret, Secret::new(other), "{other}");
    }
    assert_eq!(Secret::new([0xFF]).expose_str(), None);
    assert!(Secret::new("").is_empty());
}

#[test]
fn digests_and_password_hashes_do_not_print_whole() {
    let digest = TokenDigest::of(b"token");
    // FIPS 180-4: the digest of exactly these bytes.
    assert_eq!(digest.as_bytes()[..4], [0x3c, 0x46, 0x9e, 0x9d]);
    assert_eq!(format!("{digest:?}"), "TokenDigest(3c46…)");
    let hash = PasswordHash::from_stored("pbkdf2_sha256$1000$salt$digest");
    assert_eq!(format!("{hash:?}"), "PasswordHash(pbkdf2_sha256…)");
    let plain = PasswordHash::from_stored("a password kept as it was typed");
    assert_eq!(format!("{plain:?}"), "PasswordHash(…)");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..<_>::default() })]

    /// From the year 1 to the year 9999, which is what RFC 3339 can write.
    #[test]
    fn a_time_is_read_back_from_what_it_is_written_as(
        micros in -62_135_596_800_000_000i64..253_402_300_800_000_000,
    ) {
        let time = Timestamp::from_micros(micros);
        prop_assert_eq!(Timestamp::parse_rfc3339(&time.to_string()), Some(time));
    }

    #[test]
    fn ids_of_later_milliseconds_come_later(
        millis in 0i64..4_000_000_000_000,
        more in 1i64..1_000_000,
        chance: [u8; 2],
    ) {
        let at = |millis: i64| Timestamp::from_micros(millis * 1000);
        let earlier = UserId::generate(at(millis), &Always(chance[0]));
        let later = UserId::generate(at(millis + more), &Always(chance[1]));
        prop_assert!(earlier < later);
    }
}
