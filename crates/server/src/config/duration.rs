//! Lengths of time as an operator writes them: `30s`, `15m`, `24h`, `14d`.

use std::{fmt, str::FromStr, time::Duration};

use super::report::BadValue;

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// A whole number of seconds, minutes, hours or days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HumanDuration(pub Duration);

impl HumanDuration {
    /// That many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl FromStr for HumanDuration {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let form =
            || BadValue::new("expected a duration such as \"30s\", \"15m\", \"24h\" or \"14d\"");
        let unit = text.chars().last().ok_or_else(form)?;
        let &(_, seconds) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(form)?;
        let number = &text[..text.len() - unit.len_utf8()];
        // `parse` would take a plus sign too.
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(form());
        }
        number
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(seconds))
            .map(Self::seconds)
            .ok_or_else(|| BadValue::new("the duration is too long"))
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.as_secs();
        let (unit, seconds) = UNITS
            .into_iter()
            .find(|(_, seconds)| all != 0 && all.is_multiple_of(*seconds))
            .unwrap_or(('s', 1));
        write!(f, "{}{unit}", all / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read_and_written() {
        for (text, seconds) in
            [("0s", 0), ("30s", 30), ("15m", 900), ("24h", 86_400), ("14d", 1_209_600)]
        {
            let read: HumanDuration = text.parse().unwrap();
            assert_eq!(read.0.as_secs(), seconds, "{text}");
            assert_eq!(read.to_string().parse::<HumanDuration>().unwrap(), read, "{text}");
        }
        assert_eq!(HumanDuration::seconds(86_400).to_string(), "1d");
        assert_eq!(HumanDuration::seconds(90).to_string(), "90s");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "s", "30", "30 s", "+30s", "-1s", "1.5h", "1h30m", "30S", "3é", "٣s"] {
            assert!(text.parse::<HumanDuration>().is_err(), "{text:?}");
        }
        let long = "18446744073709551615d".parse::<HumanDuration>().unwrap_err();
        assert_eq!(long.to_string(), "the duration is too long");
    }
}
