//! Login names.

use std::fmt;

use unicode_security::MixedScript;

use super::{invalid::FieldError, text};

/// A login name: kept as it was spelt (in NFC), found by its [key](Username::key), which ignores
/// case and compatibility forms.
///
/// ```
/// use vestibule_core::Username;
/// let name = Username::parse("Chloé Dubois").unwrap();
/// assert_eq!(name.key(), Username::parse("chloé DUBOIS").unwrap().key());
/// assert!(Username::parse("adm\u{200B}in").is_err());
/// assert!(Username::parse("аdmin").is_err(), "a Cyrillic letter among Latin ones");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Username {
    name: String,
    key: String,
}

impl Username {
    /// The most characters a name may have.
    pub const MAX_CHARS: usize = 255;

    /// The most bytes its key may have: compatibility forms can be 18 times as long as what was
    /// typed, and an index takes only so much.
    pub const MAX_KEY_BYTES: usize = 2600;

    /// A new name. Refused: empty, blanks at the ends, over 255 characters; control,
    /// bidirectional, zero-width and unassigned characters; letters of scripts that are not
    /// written together (Unicode Technical Standard 39), as lookalikes are made of them.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let username = Self::from_elsewhere(text)?;
        if !username.name.as_str().is_single_script() {
            return Err(FieldError::new(
                "username",
                "mixed_scripts",
                "mixes letters of scripts that look alike (such as Latin and Cyrillic)",
            ));
        }
        Ok(username)
    }

    /// A name that another system gave its user: mixed scripts are let through, since the person
    /// has been known by it; what cannot be seen never is.
    pub fn from_elsewhere(text: &str) -> Result<Self, FieldError> {
        let name = text::name("username", text, Self::MAX_CHARS)?;
        let key = Self::key_of(&name);
        if key.len() > Self::MAX_KEY_BYTES {
            return Err(FieldError::new(
                "username",
                "too_long",
                "has letters that stand for too many others",
            ));
        }
        Ok(Self { name, key })
    }

    /// A name read back from storage.
    pub fn from_stored(name: String, key: String) -> Self {
        Self { name, key }
    }

    /// The name as its owner spells it.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// What it is found by.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The key of whatever somebody typed into a login form.
    pub fn key_of(typed: &str) -> String {
        text::key(typed)
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Username({:?})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Username;

    fn code_of(text: &str) -> &'static str {
        Username::parse(text).map_or_else(|error| error.code, |_| "accepted")
    }

    #[test]
    fn atk_a239_names_that_hide_or_reorder_characters_are_refused() {
        let hidden = [
            ("right-to-left override", "ad\u{202E}nim"),
            ("left-to-right mark", "admin\u{200E}"),
            ("isolate", "\u{2066}admin\u{2069}"),
            ("Arabic letter mark", "admin\u{061C}"),
            ("zero-width space", "ad\u{200B}min"),
            ("zero-width non-joiner", "ad\u{200C}min"),
            ("zero-width joiner", "ad\u{200D}min"),
            ("joiner after a mark", "e\u{301}\u{303}\u{200D}a"),
            ("joiner after punctuation", "–\u{200D}a"),
            ("word joiner", "ad\u{2060}min"),
            ("byte order mark", "\u{FEFF}admin"),
            ("soft hyphen", "ad\u{AD}min"),
            ("variation selector", "admin\u{FE0F}"),
            ("variation selector 1", "admin\u{FE00}"),
            ("variation selector 17", "admin\u{E0100}"),
            ("Mongolian variation selector", "admin\u{180B}"),
            ("tag letter", "admin\u{E0061}"),
            ("Hangul filler", "admin\u{3164}"),
            ("half-width Hangul filler", "admin\u{FFA0}"),
            ("Hangul initial filler", "admin\u{115F}"),
            ("Khmer inherent vowel", "admin\u{17B4}"),
            ("grapheme joiner", "admin\u{034F}"),
            ("empty Braille cell", "admin\u{2800}"),
            ("null", "admin\0"),
            ("line feed", "admin\nroot"),
            ("escape", "admin\u{1B}[2J"),
            ("next line", "admin\u{85}x"),
            ("line separator", "admin\u{2028}x"),
            ("private use", "admin\u{E000}"),
            ("unassigned", "admin\u{0378}"),
        ];
        for (what, name) in hidden {
            assert_eq!(code_of(name), "forbidden_character", "{what}");
        }
    }

    #[test]
    fn atk_a239_names_that_mix_lookalike_scripts_are_refused() {
        for name in ["аdmin", "pаypal", "αdmin", "Αnna", "ѕcope", "admin\u{13A0}"] {
            assert_eq!(code_of(name), "mixed_scripts", "{name}");
        }
    }

    #[test]
    fn names_of_one_script_with_spaces_emoji_and_digits_are_accepted() {
        let names = [
            "ann",
            "Chloé Dubois",
            "Мария Иванова",
            "🔬4-микроскоп",
            "🔬",
            "👩\u{200D}💻 Ada",
            "❤\u{FE0F}",
            "🏳\u{FE0F}\u{200D}🌈",
            "1\u{FE0F}\u{20E3}",
            "李小龍",
            "ひらがなとカタカナと漢字",
            "김철수",
            "राम",
            "محمد",
            "o'neill@example.org",
            "a.b+c-d_e",
        ];
        for name in names {
            let parsed = Username::parse(name);
            assert_eq!(parsed.as_ref().map(Username::as_str), Ok(name));
        }
    }

    #[test]
    fn names_from_elsewhere_may_mix_scripts_but_hide_nothing() {
        assert!(Username::from_elsewhere("аdmin").is_ok());
        let hidden = Username::from_elsewhere("ad\u{202E}nim").unwrap_err();
        assert_eq!((hidden.field, hidden.code), ("username", "forbidden_character"));
        assert!(hidden.message.contains("U+202E"), "{}", hidden.message);
    }

    #[test]
    fn empty_blank_padded_and_overlong_names_are_refused() {
        let longest = "ж".repeat(Username::MAX_CHARS);
        assert_eq!(code_of(""), "required");
        assert_eq!(code_of(" "), "surrounding_blanks");
        assert_eq!(code_of(" ann"), "surrounding_blanks");
        assert_eq!(code_of("ann\u{3000}"), "surrounding_blanks");
        assert_eq!(code_of(&longest), "accepted");
        assert_eq!(code_of(&format!("{longest}ж")), "too_long");
        // U+FDFA stands for eighteen characters.
        assert_eq!(code_of(&"ﷺ".repeat(Username::MAX_CHARS)), "too_long");
    }

    #[test]
    fn atk_a025_both_unicode_forms_of_a_name_are_one_account() {
        let composed = Username::parse("Jos\u{E9}").unwrap();
        let decomposed = Username::parse("Jose\u{301}").unwrap();
        assert_eq!(composed, decomposed);
        assert_eq!(Username::key_of("jose\u{301}"), composed.key());
        assert_ne!(Username::key_of("jose"), composed.key());
    }

    #[test]
    fn atk_a025_compatibility_forms_and_case_find_one_account() {
        let ann = Username::parse("Ann Fischer").unwrap();
        for typed in ["ann fischer", "ANN FISCHER", "Ａｎｎ Ｆｉｓｃｈｅｒ", "Ann Fiſcher"]
        {
            assert_eq!(Username::key_of(typed), ann.key(), "{typed}");
        }
        let strasse = Username::parse("Straße").unwrap();
        assert_eq!(Username::key_of("STRASSE"), strasse.key());
    }

    #[test]
    fn atk_a239_the_invisible_parts_of_an_emoji_do_not_make_another_name() {
        assert_eq!(Username::key_of("❤\u{FE0F}"), Username::key_of("❤"));
        assert_eq!(Username::key_of("🔬\u{200D}🔬"), Username::key_of("🔬🔬"));
    }

    #[test]
    fn fuzz_z15_the_key_of_every_single_character_is_its_own_key() {
        for character in '\0'..=char::MAX {
            let key = Username::key_of(character.encode_utf8(&mut [0; 4]));
            assert_eq!(Username::key_of(&key), key, "U+{:04X}", u32::from(character));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..<_>::default() })]

        #[test]
        fn fuzz_z15_username_key_is_idempotent(text in any::<String>()) {
            let key = Username::key_of(&text);
            prop_assert_eq!(Username::key_of(&key), key);
        }

        /// Also where characters of the troublesome kind meet: marks, letters that fold to two.
        #[test]
        fn fuzz_z15_username_key_is_idempotent_on_marks(
            text in "[aIJiıİßſſﬁŉǰΐΰϴΩKÅΣσςᾼᾳẞ\u{300}-\u{345}\u{1D160}ﾞが]{1,8}",
        ) {
            let key = Username::key_of(&text);
            prop_assert_eq!(Username::key_of(&key), key);
        }

        #[test]
        fn fuzz_z15_a_name_that_was_accepted_is_accepted_as_it_is_kept(text in any::<String>()) {
            if let Ok(name) = Username::parse(&text) {
                let again = Username::parse(name.as_str());
                prop_assert_eq!(again.as_ref(), Ok(&name));
                prop_assert_eq!(Username::key_of(&text), name.key());
            }
        }
    }
}
