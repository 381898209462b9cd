//! Amounts of memory as an operator writes them: `64KiB`, `19MiB`, or plain bytes.

use std::{fmt, str::FromStr};

use super::report::BadValue;

const UNITS: [(&str, u64); 2] = [("MiB", 1 << 20), ("KiB", 1 << 10)];

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// So many times 1024 bytes.
    pub const fn kib(count: u64) -> Self {
        Self(count << 10)
    }

    /// So many times 1024 × 1024 bytes.
    pub const fn mib(count: u64) -> Self {
        Self(count << 20)
    }
}

impl FromStr for ByteSize {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let form = || BadValue::new("expected a size such as \"64KiB\", \"19MiB\" or plain bytes");
        let (number, factor) = UNITS
            .iter()
            .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))
            .unwrap_or((text, 1));
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(form());
        }
        number
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(factor))
            .map(Self)
            .ok_or_else(|| BadValue::new("the size is too large"))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().find(|(_, factor)| self.0 != 0 && self.0.is_multiple_of(*factor));
        match unit {
            Some((unit, factor)) => write!(f, "{}{unit}", self.0 / factor),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_plain_bytes_are_read_and_written() {
        for (text, bytes) in [("64KiB", 65_536), ("19MiB", 19_922_944), ("1000", 1_000), ("0", 0)] {
            let read: ByteSize = text.parse().unwrap();
            assert_eq!(read, ByteSize(bytes));
            assert_eq!(read.to_string(), text);
        }
        assert_eq!(ByteSize::mib(19), ByteSize::kib(19 * 1024));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "KiB", "64KB", "64k", "64 KiB", "-1", "+1", "1.5MiB", "64kib", "1GiB"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text:?}");
        }
        let large = "18446744073709551615MiB".parse::<ByteSize>().unwrap_err();
        assert_eq!(large.to_string(), "the size is too large");
    }
}
