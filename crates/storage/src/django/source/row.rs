//! One row as the database has it, whatever is in its cells.

use std::io::Write as _;

use diesel::{
    backend::Backend,
    deserialize::{self, QueryableByName},
    row::{Field, NamedRow, Row},
    sqlite::{Sqlite, SqliteType},
};

/// What a cell holds. Databases that keep to their column types have texts and NULLs only: all
/// is selected as text there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Held {
    #[default]
    Null,
    Text,
    Blob,
}

/// Room for most rows.
const ROW_BYTES: usize = 512;

/// How many cells a row has at most: more than are asked for of any table.
const MOST_CELLS: usize = 12;

/// One row: the cells' bytes one after the other, and where each ends.
#[derive(Debug, Default)]
pub(in crate::django) struct RawRow {
    bytes: Vec<u8>,
    cells: [(Held, usize); MOST_CELLS],
    count: usize,
}

/// Why a cell gives no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::django) enum NoText {
    /// It is NULL.
    Null,
    /// Its bytes are not UTF-8, or it is a blob.
    Unreadable,
}

impl RawRow {
    /// The cell's text.
    pub(in crate::django) fn text(&self, cell: usize) -> Result<&str, NoText> {
        let &(held, end) = self.cells.get(cell).ok_or(NoText::Null)?;
        let start = match cell.checked_sub(1) {
            Some(previous) => self.cells[previous].1,
            None => 0,
        };
        match held {
            Held::Null => Err(NoText::Null),
            Held::Blob => Err(NoText::Unreadable),
            Held::Text => {
                std::str::from_utf8(&self.bytes[start..end]).map_err(|_| NoText::Unreadable)
            }
        }
    }

    /// What can be shown of the cell, to name the row by.
    pub(in crate::django) fn shown(&self, cell: usize) -> &str {
        match self.text(cell) {
            Ok(text) => text,
            Err(NoText::Null) => "NULL",
            Err(NoText::Unreadable) => "unreadable",
        }
    }

    fn push(&mut self, held: Held, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.end_cell(held);
    }

    fn push_number(&mut self, number: impl std::fmt::Display) {
        // Writing into a vector cannot fail.
        let _ = write!(self.bytes, "{number}");
        self.end_cell(Held::Text);
    }

    fn end_cell(&mut self, held: Held) {
        self.cells[self.count] = (held, self.bytes.len());
        self.count += 1;
    }

    #[cfg(test)]
    pub(in crate::django) fn of(cells: &[Option<&str>]) -> Self {
        let mut row = Self::default();
        for cell in cells {
            match cell {
                Some(text) => row.push(Held::Text, text.as_bytes()),
                None => row.push(Held::Null, b""),
            }
        }
        row
    }

    #[cfg(test)]
    pub(in crate::django) fn with_bytes(mut self, bytes: &[u8]) -> Self {
        self.push(Held::Text, bytes);
        self
    }
}

/// A database whose cells can be looked at without believing the columns' types.
pub(in crate::django) trait Cells: Backend {
    /// Adds the value to the row.
    fn add(value: Self::RawValue<'_>, row: &mut RawRow);
}

impl Cells for Sqlite {
    fn add(mut value: Self::RawValue<'_>, row: &mut RawRow) {
        match value.value_type() {
            None => row.push(Held::Null, b""),
            Some(SqliteType::Integer | SqliteType::SmallInt | SqliteType::Long) => {
                row.push_number(value.read_long());
            }
            Some(SqliteType::Float | SqliteType::Double) => row.push_number(value.read_double()),
            Some(SqliteType::Text) => {
                let text = value.read_text();
                // SQLite lets any bytes stand in a text; diesel puts U+FFFD where they are no
                // UTF-8, and reading as a blob costs a copy: only those are looked at twice.
                if text.contains(char::REPLACEMENT_CHARACTER) {
                    row.push(Held::Text, value.read_blob());
                } else {
                    row.push(Held::Text, text.as_bytes());
                }
            }
            Some(_) => row.push(Held::Blob, value.read_blob()),
        }
    }
}

#[cfg(feature = "postgres")]
impl Cells for diesel::pg::Pg {
    fn add(value: Self::RawValue<'_>, row: &mut RawRow) {
        row.push(Held::Text, value.as_bytes());
    }
}

#[cfg(feature = "mysql")]
impl Cells for diesel::mysql::Mysql {
    fn add(value: Self::RawValue<'_>, row: &mut RawRow) {
        row.push(Held::Text, value.as_bytes());
    }
}

impl<DB: Cells> QueryableByName<DB> for RawRow {
    fn build<'a>(row: &impl NamedRow<'a, DB>) -> deserialize::Result<Self> {
        let count = row.field_count();
        if count > MOST_CELLS {
            return Err("there are too many columns".into());
        }
        let mut raw = Self { bytes: Vec::with_capacity(ROW_BYTES), ..Self::default() };
        for index in 0..count {
            let field = Row::get(row, index).ok_or("a column is missing")?;
            match field.value() {
                Some(value) => DB::add(value, &mut raw),
                None => raw.push(Held::Null, b""),
            }
        }
        Ok(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_told_apart() {
        let row = RawRow::of(&[Some("ada"), None, Some("")]).with_bytes(b"\xff");
        assert_eq!(row.text(0), Ok("ada"));
        assert_eq!(row.text(1), Err(NoText::Null));
        assert_eq!(row.text(2), Ok(""));
        assert_eq!(row.text(3), Err(NoText::Unreadable));
        assert_eq!(row.text(4), Err(NoText::Null));
    }
}
