//! Primary keys of foreign rows.

use std::fmt;

/// A primary key. Nearly all are numbers, which take no memory of their own: there is one to
/// every row, in several maps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum RowKey {
    /// A number as it is usually written.
    Number(u64),
    /// Anything else.
    Text(Box<str>),
}

impl From<&str> for RowKey {
    fn from(text: &str) -> Self {
        // A number that could be written in another way is a text: two keys are one only when
        // their texts are.
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit())
            && (text == "0" || !text.starts_with('0'));
        match text.parse() {
            Ok(number) if is_plain => Self::Number(number),
            _ => Self::Text(text.into()),
        }
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RowKey;

    #[test]
    fn keys_are_one_only_when_their_texts_are() {
        let texts = [
            "0",
            "00",
            "7",
            "07",
            "+7",
            " 7",
            "-7",
            "7.0",
            "",
            "18446744073709551615",
            "18446744073709551616",
            "0f3c9a52-6c0f-4d53-9c3e-0d6f3a5b7c11",
        ];
        for (at, text) in texts.iter().enumerate() {
            let key = RowKey::from(*text);
            assert_eq!(key.to_string(), *text);
            for other in &texts[at + 1..] {
                assert_ne!(key, RowKey::from(*other), "{text} {other}");
            }
        }
        assert_eq!(RowKey::from("18446744073709551615"), RowKey::Number(u64::MAX));
        assert!(matches!(RowKey::from("18446744073709551616"), RowKey::Text(_)));
    }
}
