//! Mail addresses.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::{invalid::FieldError, text};

/// A mail address: kept as it was typed, found by its [key](Email::key), which ignores case.
///
/// Accepted is what RFC 5321 calls `Dot-string@Domain`; quoted local parts, comments, address
/// literals and lists are refused, as every one of them has been used to have a mail go elsewhere.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email {
    address: String,
    key: String,
}

impl Email {
    /// The most bytes an address may have (RFC 5321 section 4.5.3.1).
    pub const MAX_BYTES: usize = 254;

    /// Reads one address.
    pub fn parse(input: &str) -> Result<Self, FieldError> {
        let invalid = |reason: &str| FieldError::new("email", "invalid_email", reason);
        if input.chars().any(is_ascii_in_disguise) {
            return Err(invalid("has a character that only looks like one of ASCII"));
        }
        let address = text::name("email", input, Self::MAX_BYTES)?;
        if address.len() > Self::MAX_BYTES {
            return Err(invalid("has more than 254 bytes"));
        }
        let (local, domain) =
            address.split_once('@').ok_or_else(|| invalid("has no @ between name and domain"))?;
        let is_local_char = |c: char| {
            c.is_alphanumeric()
                || (c.is_ascii_graphic() && !"()<>[]:;@\\,\".".contains(c))
                || c == '.'
        };
        if local.is_empty() || local.len() > 64 || !local.chars().all(is_local_char) {
            return Err(invalid("the part before the @ is not a plain name"));
        }
        if local.starts_with(['.', '-']) || local.ends_with('.') || local.contains("..") {
            return Err(invalid("the part before the @ begins or ends wrongly"));
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if !domain.split('.').all(is_label) {
            return Err(invalid("the part after the @ is not a domain"));
        }
        if !ascii_domain(domain).is_some_and(|ascii| is_name(&ascii)) {
            return Err(invalid("the part after the @ is not a domain that mail can be sent to"));
        }
        let key = Self::key_of(&address);
        Ok(Self { address, key })
    }

    /// An address read back from storage.
    pub fn from_stored(address: String) -> Self {
        let key = Self::key_of(&address);
        Self { address, key }
    }

    /// The address as it was typed.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// What it is found by: the whole of it without regard to case, its domain as it is looked up.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The key of whatever somebody typed into a form.
    pub fn key_of(typed: &str) -> String {
        // No NFKC and no case folding here, both of which make one of two mailboxes whose names
        // merely look alike (CVE-2019-19844).
        if typed.is_ascii() {
            return typed.to_ascii_lowercase();
        }
        if typed.chars().any(is_ascii_in_disguise) {
            return typed.chars().map(lower).collect();
        }
        // Lower-case letters compose with some marks that upper-case ones do not (U+01F0).
        let lower: String = typed.nfc().map(lower).collect();
        let key: String = lower.nfc().collect();
        // A domain has one spelling on the wire, and one mailbox one key.
        match key.rsplit_once('@').map(|(local, domain)| (local, ascii_domain(domain))) {
            Some((local, Some(domain))) => format!("{local}@{domain}"),
            _ => key,
        }
    }
}

/// A domain as it is looked up (UTS 46, RFC 5890). None for what cannot be, nor for one of ASCII in
/// other characters (`ｅxample.org`): nobody writes theirs so.
fn ascii_domain(domain: &str) -> Option<String> {
    let is_encoded = |ascii: &str| ascii.split('.').any(|label| label.starts_with("xn--"));
    let lower = domain.to_ascii_lowercase();
    if lower.is_ascii() && !is_encoded(&lower) {
        return Some(lower);
    }
    idna::domain_to_ascii(&lower).ok().filter(|ascii| is_encoded(ascii))
}

/// Whether it is short enough for a name (RFC 1035 section 2.3.4), and no number of a machine: its
/// last label would be a number then, as the URL standard tells them apart.
fn is_name(ascii: &str) -> bool {
    let last = ascii.rsplit('.').next().unwrap_or_default();
    let is_hex = last.strip_prefix("0x").is_some_and(|n| n.bytes().all(|b| b.is_ascii_hexdigit()));
    let is_number = is_hex || last.bytes().all(|b| b.is_ascii_digit());
    !is_number && ascii.len() <= 253 && ascii.split('.').all(|label| label.len() <= 63)
}

/// The lower-case letter whose upper-case form is exactly this one; the Kelvin sign is nobody's.
fn lower(character: char) -> char {
    let mut all = character.to_lowercase();
    match (all.next(), all.next()) {
        (Some(lower), None) if lower.to_uppercase().eq([character]) => lower,
        _ => character,
    }
}

/// Whether normalising (to NFC) puts an ASCII character in this one's place: the Kelvin sign
/// becomes a K, the Greek question mark a semicolon.
fn is_ascii_in_disguise(character: char) -> bool {
    !character.is_ascii() && std::iter::once(character).nfc().all(|c| c.is_ascii())
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let domain = self.address.rsplit('@').next().unwrap_or_default();
        write!(f, "Email(…@{domain})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Email;

    fn is_accepted(address: &str) -> bool {
        match Email::parse(address) {
            Ok(email) => {
                assert_eq!(email.as_str(), address, "kept as typed");
                true
            }
            Err(error) => {
                assert_eq!(error.field, "email");
                false
            }
        }
    }

    #[test]
    fn plain_addresses_are_accepted() {
        for address in [
            "ann@example.org",
            "Ann.Fischer+tag@Sub.Example.ORG",
            "root@localhost",
            "o'neill/x=y@example.org",
            "a@xn--bcher-kva.example",
            "josé@bücher.example",
            "почта@пример.рф",
        ] {
            assert!(is_accepted(address), "{address}");
        }
    }

    #[test]
    fn atk_a048_an_address_that_begins_with_a_hyphen_is_refused() {
        for address in ["-f@example.org", "-@example.org", "--help@example.org", "a@-example.org"] {
            assert!(!is_accepted(address), "{address}");
        }
    }

    #[test]
    fn atk_a053_several_ats_quotes_comments_and_literals_are_refused() {
        for address in [
            "a@good.example@evil.example",
            "a@@evil.example",
            "@evil.example",
            "a@",
            "a",
            "",
            "\"a@good.example\"@evil.example",
            "\"a\"@evil.example",
            "a(comment)@evil.example",
            "a@evil.example(good.example)",
            "a@(good.example)evil.example",
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
            "Ann <a@evil.example>",
            "<a@evil.example>",
            "a@good.example,b@evil.example",
            "a@good.example;b@evil.example",
            "a@good.example b@evil.example",
            "good.example!a@evil.example ",
            "a\\@good.example@evil.example",
            "a@evil.example\r\nBcc: b@evil.example",
            "a\0@evil.example",
            "a\u{202E}@evil.example",
        ] {
            assert!(!is_accepted(address), "{address:?}");
        }
    }

    #[test]
    fn dots_and_labels_are_where_they_belong() {
        for address in [
            ".a@example.org",
            "a.@example.org",
            "a..b@example.org",
            "a@.example.org",
            "a@example..org",
            "a@example.org.",
            "a@exam_ple.org",
            "a@example-.org",
        ] {
            assert!(!is_accepted(address), "{address}");
        }
        let longest_local = "x".repeat(64);
        assert!(is_accepted(&format!("{longest_local}@example.org")));
        assert!(!is_accepted(&format!("{longest_local}x@example.org")));
        let label = "y".repeat(63);
        assert!(is_accepted(&format!("a@{label}.org")));
        assert!(!is_accepted(&format!("a@{label}y.org")));
        let longest = format!("{longest_local}@{label}.{label}.{}", "y".repeat(61));
        assert_eq!(longest.len(), Email::MAX_BYTES);
        assert!(is_accepted(&longest));
        assert!(!is_accepted(&format!("{longest}y")));
    }

    /// CVE-2019-19844: upper-casing, folding or NFKC make one of each of these pairs.
    #[test]
    fn atk_a030_two_mailboxes_never_merge_by_key() {
        for (stored, typed) in [
            ("mike@example.org", "mıke@example.org"),
            ("MIKE@example.org", "mıke@example.org"),
            ("mike@example.org", "mi\u{212A}e@example.org"),
            ("mike@example.org", "mİke@example.org"),
            ("mike@example.org", "ｍｉｋｅ@example.org"),
            ("strasse@example.org", "straße@example.org"),
            ("scott@example.org", "ſcott@example.org"),
            ("office@example.org", "oﬃce@example.org"),
            ("jose@example.org", "josé@example.org"),
            ("a@github.com", "a@gıthub.com"),
            ("a@kde.org", "a@\u{212A}de.org"),
        ] {
            assert_ne!(Email::key_of(stored), Email::key_of(typed), "{typed}");
        }
    }

    #[test]
    fn atk_a030_a_character_that_becomes_another_when_stored_is_refused() {
        assert!(!is_accepted("mi\u{212A}e@example.org"));
        assert!(!is_accepted("a@\u{212A}de.org"));
    }

    #[test]
    fn atk_a045_a_mailbox_has_one_key_however_its_domain_is_spelled() {
        for (one, other) in [
            ("a@bücher.example", "a@xn--bcher-kva.example"),
            ("a@BÜCHER.example", "a@XN--BCHER-KVA.Example"),
            ("a@bücher.example", "a@bücher.ｅxample"),
            ("a@straße.example", "a@xn--strae-oqa.example"),
        ] {
            let (one, other) = (Email::parse(one).unwrap(), Email::parse(other).unwrap());
            assert_eq!(one.key(), other.key(), "{other}");
        }
        for address in [
            "victim@ｅxample.org",
            "victim@example.oｒg",
            "victim@exampleſ.org",
            "victim@𝐞xample.org",
            "victim@example①.org",
        ] {
            assert!(!is_accepted(address), "{address}");
        }
    }

    #[test]
    fn a_domain_that_no_mail_can_be_sent_to_is_refused() {
        for address in [
            "a@127.0.0.1",
            "a@1",
            "a@example.0x7f",
            "a@１２７.0.0.1",
            "a@xn--a.example",
            "a@xn--.org",
        ] {
            assert!(!is_accepted(address), "{address}");
        }
        assert!(is_accepted("a@1.example"));
    }

    #[test]
    fn case_and_the_two_unicode_forms_find_one_mailbox() {
        for (one, other) in [
            ("Ann@Example.ORG", "ann@example.org"),
            ("JOSÉ@example.org", "josé@example.org"),
            ("jose\u{301}@example.org", "jos\u{E9}@example.org"),
            ("ПОЧТА@пример.рф", "почта@ПРИМЕР.РФ"),
        ] {
            assert_eq!(Email::key_of(one), Email::key_of(other), "{one}");
        }
    }

    #[test]
    fn the_name_is_not_in_the_debug_form() {
        let email = Email::parse("ann.fischer@example.org").unwrap();
        assert_eq!(format!("{email:?}"), "Email(…@example.org)");
    }

    #[test]
    fn fuzz_z14_the_key_of_every_single_character_is_its_own_key() {
        for character in '\0'..=char::MAX {
            let key = Email::key_of(character.encode_utf8(&mut [0; 4]));
            assert_eq!(Email::key_of(&key), key, "U+{:04X}", u32::from(character));
        }
    }

    /// Of all single characters no two have one key but the two cases of a letter and what
    /// Unicode calls the same character (NFC).
    #[test]
    fn fuzz_z14_no_two_characters_merge_but_the_cases_of_one() {
        use unicode_normalization::UnicodeNormalization;
        for character in '\0'..=char::MAX {
            let key = Email::key_of(character.encode_utf8(&mut [0; 4]));
            let normal: String = std::iter::once(character).nfc().collect();
            let is_itself = key.chars().eq([character]) || key == normal;
            let upper: String = key.chars().flat_map(char::to_uppercase).collect();
            assert!(is_itself || upper == normal, "U+{:04X}", u32::from(character));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..<_>::default() })]

        #[test]
        fn fuzz_z14_email_key_is_idempotent(text in any::<String>()) {
            let key = Email::key_of(&text);
            prop_assert_eq!(Email::key_of(&key), key);
        }

        #[test]
        fn fuzz_z14_email_key_is_idempotent_on_marks(
            text in "[aIJiıİßſÉeTWYΙΰΑΩ\u{212A}\u{2126}ÅΣσςᾼᾳẞ\u{300}-\u{345}\u{1D160}]{1,8}",
        ) {
            let key = Email::key_of(&text);
            prop_assert_eq!(Email::key_of(&key), key);
        }

        #[test]
        fn fuzz_z14_an_accepted_address_is_found_by_what_was_typed(
            text in "[aAkK\u{212A}éÉe\u{301}jJ\u{30C}.+-]{1,6}@[aAéb-]{1,4}(\\.[oO]rg)?",
        ) {
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(Email::key_of(&text), email.key());
                let again = Email::parse(email.as_str());
                prop_assert_eq!(again.as_ref(), Ok(&email));
                prop_assert_eq!(email.as_str().matches('@').count(), 1);
            }
        }
    }
}
