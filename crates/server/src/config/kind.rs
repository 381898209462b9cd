//! What a value of a key may be: how it is written, its range, and how a message names it.

use std::{fmt, str::FromStr};

use toml::Value;

use super::{
    duration::HumanDuration,
    rate::RateLimit,
    report::{BadValue, printable, without_password},
    site,
    size::ByteSize,
};

/// Looks at one text and says why it does not hold.
pub type TextCheck = fn(&str) -> Result<(), BadValue>;

/// The form of a key's value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text of a form of its own.
    Text {
        /// What it is called in messages, with its article.
        what: &'static str,
        /// What it must look like.
        check: TextCheck,
    },
    /// `true` or `false`.
    Flag,
    /// A whole number in a range, both ends included.
    Number {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A duration in a range, both ends included.
    Duration {
        /// The shortest.
        min: HumanDuration,
        /// The longest.
        max: HumanDuration,
        /// Whether `off` may stand in its place.
        off: bool,
    },
    /// An amount of memory in a range, both ends included.
    Size {
        /// The least.
        min: ByteSize,
        /// The most.
        max: ByteSize,
    },
    /// A rate, or `unlimited`.
    Rate,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of people, each a name and a mail address.
    People,
    /// A list of texts.
    List {
        /// What an item is called in messages, in the plural.
        what: &'static str,
        /// What each item must look like.
        check: TextCheck,
    },
}

/// The check of a text that has a type of its own.
pub(super) fn parses<T: FromStr<Err = BadValue>>(text: &str) -> Result<(), BadValue> {
    text.parse::<T>().map(drop)
}

impl Kind {
    /// Whether the value has the right type and lies in the range.
    pub fn check(&self, value: &Value) -> Result<(), BadValue> {
        match (self, value) {
            (Self::Flag, Value::Boolean(_)) => Ok(()),
            (Self::Number { min, max }, Value::Integer(number)) => {
                within(u64::try_from(*number).ok(), min, max)
            }
            (Self::Size { min, max }, Value::Integer(number)) => {
                within(u64::try_from(*number).ok().map(ByteSize), min, max)
            }
            (Self::People, Value::Array(people)) => {
                for (index, person) in people.iter().enumerate() {
                    site::person(person)
                        .map_err(|bad| BadValue::new(format!("item {}: {bad}", index + 1)))?;
                }
                Ok(())
            }
            (Self::List { check, .. }, Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let Value::String(item) = item else {
                        return Err(self.expected());
                    };
                    check(item)
                        .map_err(|bad| BadValue::new(format!("item {}: {bad}", index + 1)))?;
                }
                Ok(())
            }
            (_, Value::String(text)) => self.check_text(text),
            _ => Err(self.expected()),
        }
    }

    fn check_text(&self, text: &str) -> Result<(), BadValue> {
        match self {
            Self::Text { check, .. } => check(text),
            Self::Duration { off: true, .. } if text == "off" => Ok(()),
            Self::Duration { min, max, .. } => within(Some(text.parse()?), min, max),
            Self::Size { min, max } => within(Some(text.parse()?), min, max),
            Self::Rate => parses::<RateLimit>(text),
            Self::Choice(words) if words.contains(&text) => Ok(()),
            Self::Choice(_)
            | Self::Flag
            | Self::Number { .. }
            | Self::List { .. }
            | Self::People => Err(self.expected()),
        }
    }

    /// The value that a text from the environment or the command line stands for.
    ///
    /// Lists are written as in TOML or JSON: `["a", "b"]`, or `['a', 'b']` where a shell eats
    /// double quotes. Everything else is taken as it is, without quotes.
    pub fn read(&self, text: &str) -> Result<Value, BadValue> {
        match self {
            Self::Flag => text.parse().map(Value::Boolean).map_err(|_| self.expected()),
            Self::Number { .. } => text.parse().map(Value::Integer).map_err(|_| self.expected()),
            Self::List { .. } | Self::People => {
                let parsed = text.trim().parse::<Value>().ok();
                parsed
                    .or_else(|| serde_json::from_str(text).ok())
                    .filter(Value::is_array)
                    .ok_or_else(|| self.expected())
            }
            _ => Ok(Value::String(text.to_owned())),
        }
    }

    fn expected(&self) -> BadValue {
        BadValue::new(format!("expected {self}"))
    }
}

/// `None` stands for a number below every range.
fn within<T: PartialOrd + fmt::Display>(
    value: Option<T>,
    min: &T,
    max: &T,
) -> Result<(), BadValue> {
    match value {
        Some(value) if *min <= value && value <= *max => Ok(()),
        _ => Err(BadValue::new(format!("must be from {min} to {max}"))),
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { what, .. } => f.write_str(what),
            Self::Flag => f.write_str("true or false"),
            Self::Number { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::Duration { min, max, off } => {
                write!(f, "a duration from \"{min}\" to \"{max}\"")?;
                if *off { f.write_str(" or \"off\"") } else { Ok(()) }
            }
            Self::Size { min, max } => write!(f, "a size from \"{min}\" to \"{max}\""),
            Self::Rate => f.write_str("a rate such as \"30/1m\" or \"unlimited\""),
            Self::Choice(words) => {
                let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                f.write_str(&quoted.join(" or "))
            }
            Self::People => f.write_str(
                "a list of people such as [{name = \"Ann\", email = \"ann@example.org\"}]",
            ),
            Self::List { what, .. } => write!(f, "a list of {what} such as [\"a\", \"b\"]"),
        }
    }
}

/// The value as a message may quote it: short, on one line, without the password of an address.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", printable(&without_password(text))),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Datetime(_) => "a date".to_owned(),
        Value::Array(items) => {
            let few: Vec<String> = items.iter().take(4).map(shown).collect();
            let more = if items.len() > 4 { ", …" } else { "" };
            format!("[{}{more}]", few.join(", "))
        }
        Value::Table(_) => "a section".to_owned(),
    }
}
