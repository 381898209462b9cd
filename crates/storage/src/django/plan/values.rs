//! Values out of foreign cells, or why there is none.

use vestibule_core::{Timestamp, domain::invalid::FieldError};

use super::super::{
    report::Reason,
    source::{NoText, RawRow},
};

/// What is wrong with a value: the stable word and the words for people.
pub(super) type Wrong = (Reason, String);

/// The cell's text; NULL is an error.
pub(super) fn text<'r>(row: &'r RawRow, cell: usize, column: &str) -> Result<&'r str, Wrong> {
    row.text(cell).map_err(|no| match no {
        NoText::Null => (Reason::Missing, format!("{column} is NULL")),
        NoText::Unreadable => unreadable(column),
    })
}

/// The cell's text; NULL is the empty text.
pub(super) fn text_or_empty<'r>(
    row: &'r RawRow,
    cell: usize,
    column: &str,
) -> Result<&'r str, Wrong> {
    match row.text(cell) {
        Ok(text) => Ok(text),
        Err(NoText::Null) => Ok(""),
        Err(NoText::Unreadable) => Err(unreadable(column)),
    }
}

/// Yes or no, as the three databases write it.
pub(super) fn flag(row: &RawRow, cell: usize, column: &str) -> Result<bool, Wrong> {
    match text(row, cell, column)? {
        "1" | "true" | "t" => Ok(true),
        "0" | "false" | "f" => Ok(false),
        _ => Err((Reason::Unreadable, format!("{column} is neither true nor false"))),
    }
}

/// An instant, or none where the cell is NULL. Times without a zone are taken for UTC, which is
/// what Django writes with `USE_TZ`.
pub(super) fn time(row: &RawRow, cell: usize, column: &str) -> Result<Option<Timestamp>, Wrong> {
    match row.text(cell) {
        Err(NoText::Null) => Ok(None),
        Err(NoText::Unreadable) => Err(unreadable(column)),
        Ok(text) => match instant(text) {
            Some(time) => Ok(Some(time)),
            None => Err((Reason::Unreadable, format!("{column} is no time"))),
        },
    }
}

fn instant(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (time, zone) = time.split_at(zone);
    let (zone, minutes) = match zone.len() {
        0 => ("Z", ""),
        // PostgreSQL leaves the minutes out where there are none.
        3 => (zone, ":00"),
        _ => (zone, ""),
    };
    let mut whole = String::with_capacity(text.len() + 3);
    for part in [date, "T", time, zone, minutes] {
        whole.push_str(part);
    }
    Timestamp::parse_rfc3339(&whole)
}

fn unreadable(column: &str) -> Wrong {
    (Reason::Unreadable, format!("{column} holds bytes that are no text"))
}

/// The report's word for what the domain refused.
pub(super) fn refused(error: &FieldError, column: &str) -> Wrong {
    let reason = match error.code {
        "required" => Reason::Missing,
        "too_long" => Reason::TooLong,
        "invalid_email" => Reason::EmailInvalid,
        _ => Reason::InvalidName,
    };
    (reason, format!("{column} {}", error.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_all_three_databases_are_one() {
        let expected = Timestamp::parse_rfc3339("2023-11-12T19:32:08.276846Z").unwrap();
        for text in [
            "2023-11-12 19:32:08.276846",
            "2023-11-12 19:32:08.276846+00",
            "2023-11-12T19:32:08.276846+00:00",
            "2023-11-12 21:32:08.276846+02",
            "2023-11-12T19:32:08.276846Z",
        ] {
            assert_eq!(instant(text), Some(expected), "{text}");
        }
        for text in ["", "yesterday", "2023-11-12", "0000-00-00 00:00:00", "12 34", "1700000000"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn a_flag_that_is_neither_is_an_error() {
        let row = RawRow::of(&[Some("1"), Some("false"), Some("2"), None, Some("yes")]);
        assert_eq!(flag(&row, 0, "is_staff"), Ok(true));
        assert_eq!(flag(&row, 1, "is_staff"), Ok(false));
        for cell in 2..5 {
            assert!(flag(&row, cell, "is_staff").is_err(), "cell {cell}");
        }
    }
}
