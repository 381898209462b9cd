//! Rates as an operator writes them: `30/1m` (thirty in any one minute) or `unlimited`.

use std::{fmt, num::NonZeroU32, str::FromStr, time::Duration};

use super::{duration::HumanDuration, report::BadValue};

const MOST_EVENTS: u32 = 1_000_000;
const LONGEST_WINDOW: Duration = Duration::from_hours(24);

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimit {
    /// As often as it likes.
    Unlimited,
    /// At most `events` within any `window`.
    Limited {
        /// How many, from 1 to 1,000,000.
        events: NonZeroU32,
        /// In what time, from one second to one day.
        window: Duration,
    },
}

impl RateLimit {
    /// At most `events` within so many seconds; no events at all become one.
    pub(super) const fn per(events: u32, seconds: u64) -> Self {
        let events = match NonZeroU32::new(events) {
            Some(events) => events,
            None => NonZeroU32::MIN,
        };
        Self::Limited { events, window: Duration::from_secs(seconds) }
    }
}

impl FromStr for RateLimit {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        if text == "unlimited" {
            return Ok(Self::Unlimited);
        }
        let form = || BadValue::new("expected a rate such as \"30/1m\", or \"unlimited\"");
        let (count, window) = text.split_once('/').ok_or_else(form)?;
        if count.is_empty() || !count.bytes().all(|b| b.is_ascii_digit()) {
            return Err(form());
        }
        let HumanDuration(window) = window.parse().map_err(|_| form())?;
        let events = count
            .parse()
            .ok()
            .and_then(NonZeroU32::new)
            .filter(|events| events.get() <= MOST_EVENTS)
            .ok_or_else(|| BadValue::new("the count of a rate must be from 1 to 1000000"))?;
        if window < Duration::from_secs(1) || window > LONGEST_WINDOW {
            return Err(BadValue::new("the time of a rate must be from 1s to 24h"));
        }
        Ok(Self::Limited { events, window })
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::Limited { events, window } => write!(f, "{events}/{}", HumanDuration(window)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_and_written() {
        for text in ["30/1m", "5/15m", "1/1s", "1000000/1d", "unlimited"] {
            let read: RateLimit = text.parse().unwrap();
            assert_eq!(read.to_string(), text);
        }
        assert_eq!("30/60s".parse(), Ok(RateLimit::per(30, 60)));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "30",
            "30/m",
            "/1m",
            "30/",
            "0/1m",
            "1000001/1m",
            "3/0s",
            "3/25h",
            "-3/1m",
            "off",
            "30/1m/2",
            "99999999999999999999/1m",
            "Unlimited",
        ] {
            assert!(text.parse::<RateLimit>().is_err(), "{text:?}");
        }
    }
}
