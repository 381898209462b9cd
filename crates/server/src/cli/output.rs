//! Records on the standard output: aligned for people, JSON for programs.

use std::io::{self, Write};

use serde::Serialize;

/// Where a command prints.
pub(crate) struct Out {
    writer: Box<dyn Write>,
    json: bool,
}

impl Out {
    /// Not locked: a server prints mails there by a thread of its own.
    pub(crate) fn stdout(json: bool) -> Self {
        Self { writer: Box::new(io::stdout()), json }
    }

    pub(crate) fn writer(&mut self) -> &mut dyn Write {
        &mut *self.writer
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// One JSON value.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.writer, value)?;
        writeln!(self.writer)
    }

    /// One line for people; programs are spared it.
    pub(crate) fn say(&mut self, line: &str) -> io::Result<()> {
        if self.json { Ok(()) } else { writeln!(self.writer, "{line}") }
    }

    /// Records as a table, or as a JSON list.
    pub(crate) fn records<T: Serialize>(
        &mut self,
        records: &[T],
        columns: &[&str],
    ) -> io::Result<()> {
        if self.json {
            return self.json(&records);
        }
        let rows: Vec<Vec<String>> = records.iter().map(|record| cells(record, columns)).collect();
        let width = |at: usize| {
            let longest = rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
            longest.max(columns[at].len())
        };
        let widths: Vec<usize> = (0..columns.len()).map(width).collect();
        let heading: Vec<String> = columns.iter().map(ToString::to_string).collect();
        for row in std::iter::once(&heading).chain(&rows) {
            let line: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(self.writer, "{}", line.join("  ").trim_end())?;
        }
        Ok(())
    }

    /// One record, a line to a field, or as a JSON object.
    pub(crate) fn record(&mut self, record: &impl Serialize) -> io::Result<()> {
        if self.json {
            return self.json(record);
        }
        let value = serde_json::to_value(record)?;
        let Some(fields) = value.as_object() else {
            return self.json(&value);
        };
        let width = fields.keys().map(String::len).max().unwrap_or(0);
        for (name, value) in fields {
            writeln!(self.writer, "{name:width$}  {}", cell(value))?;
        }
        Ok(())
    }
}

fn cells(record: &impl Serialize, columns: &[&str]) -> Vec<String> {
    let value = serde_json::to_value(record).unwrap_or_default();
    columns.iter().map(|column| cell(&value[column])).collect()
}

fn cell(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "-".to_owned(),
        serde_json::Value::Bool(true) => "yes".to_owned(),
        serde_json::Value::Bool(false) => "no".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
