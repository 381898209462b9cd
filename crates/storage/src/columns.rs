//! Between the primitives of the tables and the values of the domain.

use std::str::FromStr;

use vestibule_core::Timestamp;

use crate::error::{DbError, DbResult};

/// Names a column for the error that an unreadable value becomes.
#[derive(Clone, Copy)]
pub(crate) struct Column(pub(crate) &'static str, pub(crate) &'static str);

impl Column {
    fn corrupt(self) -> DbError {
        DbError::corrupt(self.0, self.1)
    }

    /// Bytes of a fixed number: an id, a digest.
    pub(crate) fn bytes<const N: usize, T>(
        self,
        stored: &[u8],
        make: impl FnOnce([u8; N]) -> T,
    ) -> DbResult<T> {
        <[u8; N]>::try_from(stored).map(make).map_err(|_| self.corrupt())
    }

    /// The same of a column that may be empty.
    pub(crate) fn bytes_or_none<const N: usize, T>(
        self,
        stored: Option<&[u8]>,
        make: impl FnOnce([u8; N]) -> T,
    ) -> DbResult<Option<T>> {
        stored.map(|bytes| self.bytes(bytes, make)).transpose()
    }

    /// One of the words of an enum.
    pub(crate) fn word<T: FromStr>(self, stored: &str) -> DbResult<T> {
        stored.parse().map_err(|_| self.corrupt())
    }

    /// Text that is ASCII by its nature.
    pub(crate) fn ascii(self, stored: String) -> DbResult<String> {
        if stored.is_ascii() { Ok(stored) } else { Err(self.corrupt()) }
    }
}

pub(crate) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub(crate) fn instant_or_none(micros: Option<i64>) -> Option<Timestamp> {
    micros.map(Timestamp::from_micros)
}

pub(crate) fn micros(instant: Option<Timestamp>) -> Option<i64> {
    instant.map(Timestamp::as_micros)
}

/// A number of rows as the ports count them.
pub(crate) fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// The same of what `COUNT(*)` answers.
pub(crate) fn counted(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or(0)
}
