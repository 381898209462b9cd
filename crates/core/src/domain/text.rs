//! What every piece of text that people are shown must keep to.

use caseless::default_case_fold_str;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory as Category, UnicodeGeneralCategory};

use super::invalid::FieldError;

/// Whether the character could hide, reorder or forge what a reader sees: controls, bidirectional
/// and zero-width marks, line separators, private and unassigned code points.
fn is_deceptive(character: char) -> bool {
    matches!(
        character.general_category(),
        Category::Control
            | Category::Format
            | Category::LineSeparator
            | Category::ParagraphSeparator
            | Category::PrivateUse
            | Category::Surrogate
            | Category::Unassigned
    ) || matches!(
        character,
        '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' | '\u{034F}'
    )
}

/// Emoji sequences join with U+200D; anywhere else it hides something.
fn is_emoji_joiner(previous: Option<char>, character: char) -> bool {
    character == '\u{200D}' && previous.is_some_and(|c| !c.is_alphanumeric() && !c.is_ascii())
}

/// One line of text in NFC (Unicode Standard Annex 15) without deceptive characters.
pub(crate) fn line(
    field: &'static str,
    text: &str,
    max_chars: usize,
) -> Result<String, FieldError> {
    let normal: String = text.nfc().collect();
    let mut previous = None;
    for character in normal.chars() {
        if is_deceptive(character) && !is_emoji_joiner(previous, character) {
            let code = u32::from(character);
            return Err(FieldError::new(
                field,
                "forbidden_character",
                format!(
                    "has a control, bidirectional, zero-width or unassigned character (U+{code:04X})"
                ),
            ));
        }
        previous = Some(character);
    }
    if normal.chars().count() > max_chars {
        return Err(FieldError::new(
            field,
            "too_long",
            format!("has more than {max_chars} characters"),
        ));
    }
    Ok(normal)
}

/// A name by which things are found: a non-empty [`line`] without blanks at its ends.
pub(crate) fn name(
    field: &'static str,
    text: &str,
    max_chars: usize,
) -> Result<String, FieldError> {
    let name = line(field, text, max_chars)?;
    if name.is_empty() {
        return Err(FieldError::new(field, "required", "is empty"));
    }
    if name.trim() != name {
        return Err(FieldError::new(
            field,
            "surrounding_blanks",
            "begins or ends with a blank",
        ));
    }
    Ok(name)
}

/// What two spellings have in common when only case and compatibility forms differ:
/// NFKC, case-folded, until nothing changes any more.
pub(crate) fn key(text: &str) -> String {
    let mut key: String = text.nfkc().collect();
    // One round is not always a fixed point (U+0345 and friends), three always were.
    for _ in 0..3 {
        let folded: String = default_case_fold_str(&key).nfkc().collect();
        if folded == key {
            break;
        }
        key = folded;
    }
    key
}
