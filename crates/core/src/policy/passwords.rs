//! What a new password must hold.
//!
//! There are no composition rules and no expiry (NIST SP 800-63B-4 section 3.1.1.2). The rules
//! here need no data; a [`PasswordPolicy`] adds lists of known passwords and an estimate of
//! strength.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use crate::secret::Secret;

/// The length asked for where the password is the only factor (NIST SP 800-63B-4).
pub const DEFAULT_MIN_LENGTH: usize = 15;

/// No site may ask for less.
pub const LEAST_MIN_LENGTH: usize = 8;

/// The most bytes a password may have: what the hasher takes.
pub const MAX_BYTES: usize = 4096;

/// One thing that is wrong with a new password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordProblem {
    /// A stable word for programs: `too_short`, `too_long`, `common`, `breached`, `too_similar`,
    /// `weak`.
    pub code: &'static str,
    /// Numbers that belong to it, by name: `min_length`, `max_bytes`.
    pub params: BTreeMap<&'static str, u64>,
    /// What is wrong and what would help, for people. Never the password itself.
    pub help: String,
}

impl PasswordProblem {
    /// A problem without numbers.
    pub fn new(code: &'static str, help: impl Into<String>) -> Self {
        Self { code, params: BTreeMap::new(), help: help.into() }
    }

    /// The same problem with a number.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: u64) -> Self {
        self.params.insert(name, value);
        self
    }
}

/// Judges new passwords. There are no composition rules and no expiry (NIST SP 800-63B-4).
pub trait PasswordPolicy: Send + Sync {
    /// Everything that is wrong with the password; nothing when it may be used. `context` holds
    /// words that people guess first: the account's names, its mail address, the site's name.
    fn check(&self, password: &Secret, context: &[&str]) -> Vec<PasswordProblem>;
}

/// All problems in one sentence.
pub fn summary(problems: &[PasswordProblem]) -> String {
    problems.iter().map(|problem| problem.help.as_str()).collect::<Vec<_>>().join("; ")
}

/// Judges the length alone: in code points of the NFC form at least `min_length`, in bytes at
/// most [`MAX_BYTES`].
pub fn length_problem(password: &str, min_length: usize) -> Option<PasswordProblem> {
    if password.len() > MAX_BYTES {
        let help = format!("the password is longer than {MAX_BYTES} bytes; use a shorter one");
        return Some(PasswordProblem::new("too_long", help).with("max_bytes", MAX_BYTES as u64));
    }
    let length = password.nfc().take(min_length).count();
    (length < min_length).then(|| {
        let help = format!(
            "the password needs at least {min_length} characters; a few unrelated words are easy \
             to remember"
        );
        PasswordProblem::new("too_short", help).with("min_length", min_length as u64)
    })
}

/// Whether the whole password is one character or a few repeated, or a run up or down the
/// alphabet or the digits.
pub fn is_trivial(password: &str) -> bool {
    let chars: Vec<char> = password.chars().flat_map(char::to_lowercase).collect();
    is_repeated(&chars) || is_run(&chars)
}

/// At most four characters, over and over, the last time perhaps in part.
fn is_repeated(chars: &[char]) -> bool {
    (1..=4).any(|period| {
        chars.len() >= 3 * period && chars.iter().zip(&chars[period..]).all(|(a, b)| a == b)
    })
}

/// Each character the next of the one before, in one direction; after 9 comes 0, after z comes a.
fn is_run(chars: &[char]) -> bool {
    let follows = |first: char, second: char| match (first, second) {
        ('9', '0') | ('z', 'a') => true,
        _ => u32::from(second) == u32::from(first) + 1,
    };
    chars.len() >= 3
        && (chars.windows(2).all(|pair| follows(pair[0], pair[1]))
            || chars.windows(2).all(|pair| follows(pair[1], pair[0])))
}

/// Whether the whole password is the word, or the word repeated, with nothing but digits,
/// punctuation and spaces before, after and between. Case does not count.
pub fn resembles(password: &str, word: &str) -> bool {
    let (password_letters, word_letters) = (letters(password), letters(word));
    if word_letters.chars().count() >= 3 {
        // A word that stands there more than once is still the word.
        return !password_letters.is_empty()
            && password_letters.replace(&word_letters, "").is_empty();
    }
    // A word of digits, say a staff number, counts as it stands.
    let (password, word) = (squeezed(password), squeezed(word));
    !word.is_empty() && password == word
}

fn letters(text: &str) -> String {
    squeezed(text).chars().filter(|c| !c.is_numeric()).collect()
}

fn squeezed(text: &str) -> String {
    text.nfc()
        .flat_map(char::to_lowercase)
        .filter(|c| !c.is_ascii_punctuation() && !c.is_whitespace())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn std_s02_length_is_counted_in_code_points_after_nfc() {
        // Eight letters, sixteen code points as typed.
        let decomposed = "a\u{308}".repeat(8);
        let problem = length_problem(&decomposed, 9).unwrap();
        assert_eq!((problem.code, problem.params["min_length"]), ("too_short", 9));
        assert_eq!(length_problem(&decomposed, 8), None);
        assert_eq!(length_problem(&"🔬".repeat(64), 64), None);
    }

    #[test]
    fn a_password_has_an_upper_bound_in_bytes() {
        assert_eq!(length_problem(&"x".repeat(4096), 15), None);
        let problem = length_problem(&"x".repeat(4097), 15).unwrap();
        assert_eq!((problem.code, problem.params["max_bytes"]), ("too_long", 4096));
    }

    #[test]
    fn what_takes_no_thought_is_trivial() {
        for trivial in [
            "aaaaaaaaaaaaaaa",
            "🔬🔬🔬🔬🔬🔬🔬🔬",
            "ababababababab",
            "1231231231",
            "abcdefghijklmno",
            "ZyXwVutsrq",
            "012345678901234",
            "987654321098765",
        ] {
            assert!(is_trivial(trivial), "{trivial}");
        }
        for other in ["", "a", "1357924680", "abcdefgh1jklmn", "tubwoqkxmzrnaey", "aabbccdd"] {
            assert!(!is_trivial(other), "{other}");
        }
    }

    #[test]
    fn a_word_with_digits_around_it_is_still_the_word() {
        for (password, word) in [
            ("Maria.Lopez", "maria.lopez"),
            ("marialopez1987!!", "maria.lopez"),
            ("2024-Vestibule-2025", "Vestibule"),
            ("vestibule_Vestibule", "vestibule"),
            ("PEN\u{303}A-2024", "pe\u{f1}a"),
            ("4711-0815", "47110815"),
        ] {
            assert!(resembles(password, word), "{password} {word}");
        }
        for (password, word) in [
            ("maria keeps nine bees", "maria"),
            ("123456789012345", "maria"),
            ("48271936582716", "al"),
            ("anything", ""),
            ("!!!!!!!!", "..."),
            ("4711-0815-1", "47110815"),
        ] {
            assert!(!resembles(password, word), "{password} {word}");
        }
    }
}
