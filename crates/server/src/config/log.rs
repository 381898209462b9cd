//! `[log]`: what is written about the work, and how.

use serde::Deserialize;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use super::{check::Check, report::BadValue};

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object to a line.
    Json,
}

/// The validated section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// The form of a line.
    pub format: LogFormat,
    /// What is written, as `tracing_subscriber::EnvFilter` reads it.
    pub filter: String,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawLog {
    format: LogFormat,
    filter: String,
}

impl Default for RawLog {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned() }
    }
}

impl RawLog {
    pub(super) fn validate(check: &mut Check<'_>) -> Option<LogSettings> {
        let Self { format, filter } = check.section("log")?;
        Some(LogSettings { format, filter: without_blanks(&filter) })
    }
}

/// The filter without blanks around its parts: `tracing_subscriber` 0.3 measures a part without
/// them and cuts it with them, which takes the wrong bytes or panics in the middle of a character.
fn without_blanks(text: &str) -> String {
    text.split(',').map(str::trim).collect::<Vec<_>>().join(",")
}

/// Whether the text is a filter: levels, and `target=level` pairs, with commas between.
pub(super) fn filter_holds(text: &str) -> Result<(), BadValue> {
    let form =
        || BadValue::new("expected a log filter such as \"info\" or \"info,actix_web=warn\"");
    let text = without_blanks(text);
    if text.is_empty() || EnvFilter::try_new(&text).is_err() {
        return Err(form());
    }
    // A bare word that is no level is taken for a target, so that "inof" would silence the log.
    let bare = |part: &&str| part.chars().all(|c| c.is_alphanumeric() || c == '_');
    if text.split(',').map(str::trim).filter(bare).any(|word| word.parse::<LevelFilter>().is_err())
    {
        return Err(form());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{filter_holds, without_blanks};

    #[test]
    fn blanks_around_a_part_neither_panic_nor_cut_it() {
        // Found by the fuzz test: the parser cut this in the middle of a character.
        let _ = filter_holds(" \u{16112}.{\u{623}\u{1f6f8}\u{a5}`\u{a5}\u{23a}\u{f0}<\u{105bc}[$x");
        assert_eq!(without_blanks(" info , actix_web = warn"), "info,actix_web = warn");
        assert!(filter_holds(" info , actix_web=warn ").is_ok());
        assert!(filter_holds("  ").is_err());
    }
}
