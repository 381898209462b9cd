//! What every piece of text that people are shown must keep to.

use caseless::default_case_fold_str;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory as Category, UnicodeEmoji, UnicodeGeneralCategory};

use super::invalid::FieldError;

/// Whether the character could hide, reorder or forge what a reader sees: controls, bidirectional
/// and zero-width marks, line separators, private and unassigned code points, and the letters and
/// marks that are drawn as nothing (`Default_Ignorable_Code_Point` of Unicode Standard Annex 44,
/// and the empty Braille cell).
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
        '\u{034F}'
            | '\u{115F}'
            | '\u{1160}'
            | '\u{17B4}'
            | '\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FFA0}'
            | '\u{E0100}'..='\u{E01EF}'
    )
}

const JOINER: char = '\u{200D}';
const AS_EMOJI: char = '\u{FE0F}';

/// Emoji are joined by U+200D and marked by U+FE0F (Unicode Technical Standard 51); anywhere else
/// these two hide something.
fn is_within_emoji(before: &[char], character: char, after: Option<char>) -> bool {
    let is_emoji = |c: char| !c.is_ascii() && c.is_emoji_char();
    match (character, before) {
        (AS_EMOJI, [.., '0'..='9' | '#' | '*']) => after == Some('\u{20E3}'),
        (AS_EMOJI, [.., last]) => is_emoji(*last),
        (JOINER, [.., first, AS_EMOJI] | [.., first]) => {
            is_emoji(*first) && after.is_some_and(is_emoji)
        }
        _ => false,
    }
}

/// One line of text in NFC (Unicode Standard Annex 15) without deceptive characters.
pub(crate) fn line(
    field: &'static str,
    text: &str,
    max_chars: usize,
) -> Result<String, FieldError> {
    // Most text is ASCII, which NFC leaves as it is and which has no deceptive characters but the
    // controls: an import of many names is faster for it.
    if text.is_ascii() && text.len() <= max_chars && !text.bytes().any(|b| b.is_ascii_control()) {
        return Ok(text.to_owned());
    }
    let characters: Vec<char> = text.nfc().collect();
    for (at, character) in characters.iter().copied().enumerate() {
        let after = characters.get(at + 1).copied();
        if is_deceptive(character) && !is_within_emoji(&characters[..at], character, after) {
            let code = u32::from(character);
            return Err(FieldError::new(
                field,
                "forbidden_character",
                format!(
                    "has a control, bidirectional, zero-width or unassigned character (U+{code:04X})"
                ),
            ));
        }
    }
    if characters.len() > max_chars {
        return Err(FieldError::new(
            field,
            "too_long",
            format!("has more than {max_chars} characters"),
        ));
    }
    Ok(characters.into_iter().collect())
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
        return Err(FieldError::new(field, "surrounding_blanks", "begins or ends with a blank"));
    }
    Ok(name)
}

/// What two spellings have in common when only case, compatibility forms and the invisible parts
/// of emoji differ: NFKC, case-folded, until nothing changes any more.
pub(crate) fn key(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let is_drawn = |character: &char| !matches!(*character, JOINER | AS_EMOJI);
    let mut key: String = text.chars().filter(is_drawn).nfkc().collect();
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
