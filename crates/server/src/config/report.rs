//! What is wrong with a configuration: every problem with where it stands, the key and the reason.

use std::{borrow::Cow, fmt, path::PathBuf};

/// Why one value does not hold, without the value itself (it may be a secret).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadValue(Cow<'static, str>);

impl BadValue {
    /// A reason in plain words, such as `must be from 1 to 64`.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(reason.into())
    }
}

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: it is what Vestibule takes by itself.
    BuiltIn,
    /// In this file.
    File(PathBuf),
    /// In the environment variable of this name.
    Environment(String),
    /// By this flag of the command line, with its dashes.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in default"),
            // File names may hold line breaks and escape sequences; a log line must not.
            Self::File(path) => f.write_str(&printable(&path.to_string_lossy())),
            Self::Environment(name) => write!(f, "environment variable {}", printable(name)),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// One thing that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub origin: Origin,
    /// The key (`session.cookie_age`), or `None` when the source as a whole is at fault.
    pub key: Option<String>,
    /// What is wrong, in plain words; never holds a secret.
    pub reason: String,
}

impl Problem {
    /// A problem with one key.
    pub(super) fn of_key(origin: Origin, key: &str, reason: impl Into<String>) -> Self {
        Self { origin, key: Some(printable(key)), reason: reason.into() }
    }

    /// A problem with a source as a whole, such as a file that cannot be read.
    pub(super) fn of_source(origin: Origin, reason: impl Into<String>) -> Self {
        Self { origin, key: None, reason: reason.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{}: {key}: {}", self.origin, self.reason),
            None => write!(f, "{}: {}", self.origin, self.reason),
        }
    }
}

/// A configuration that does not hold, with all of its problems, one to a line when displayed.
///
/// The process that meets it ends with exit status 2 before any socket is open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.problems))]
pub struct ConfigError {
    /// At least one, in the order file, environment, flags, then what spans several keys.
    pub problems: Vec<Problem>,
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Text as it may stand in a message: on one line, without control characters, cut when long.
pub(super) fn printable(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown: String = text
        .chars()
        .take(LONGEST)
        .flat_map(|c| {
            let escaped = c.is_control() || vanishes(c);
            let kept = (!escaped).then_some(c);
            kept.into_iter().chain(c.escape_unicode().filter(move |_| escaped))
        })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether the character shows nothing or turns the direction of what follows, so that a text
/// that holds it does not read as what it is (Unicode `Bidi_Control` and the zero-width ones).
pub(super) fn vanishes(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// The text with the user and password of an address in it replaced by `********`.
pub(super) fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    // The last `@` counts: a password typed without escaping may hold `@` and `/` itself.
    let Some((_, after)) = rest.rsplit_once('@') else {
        return text.to_owned();
    };
    format!("{scheme}://{MASK}@{after}")
}

/// What stands in the place of a secret.
pub const MASK: &str = "********";
