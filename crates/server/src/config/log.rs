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
        Some(LogSettings { format, filter })
    }
}

/// Whether the text is a filter: levels, and `target=level` pairs, with commas between.
pub(super) fn filter_holds(text: &str) -> Result<(), BadValue> {
    let form =
        || BadValue::new("expected a log filter such as \"info\" or \"info,actix_web=warn\"");
    if text.trim().is_empty() || EnvFilter::try_new(text).is_err() {
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
