//! Walks a whole database and reports what does not hold together.
//!
//! Everything is looked at, page by page, whatever the database itself promises to hold: files are
//! copied badly, and hands repair tables by hand.

mod elsewhere;
mod links;
mod names;
mod rows;

use diesel::{
    QueryableByName, RunQueryDsl, result::Error as DieselError, sql_query, sql_types::Text,
};
use serde::Serialize;
use vestibule_core::ports::store::Mode;

use crate::{
    conn::{Access, AnyConnection},
    dialect,
    error::{OpenError, is_damage, one_line},
    migrate,
    store::connect,
    url::{DatabaseUrl, UrlError},
};

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// In which table.
    pub table: String,
    /// Which row: its key. Empty when it is about the table as a whole.
    pub row: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Finding {
    fn new(table: &str, row: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { table: table.to_owned(), row: row.into(), problem: problem.into() }
    }
}

/// Why a database cannot be walked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It failed on the way.
    #[error("the database failed while table {table} was read")]
    Database {
        /// Which table was read.
        table: &'static str,
        /// What the database said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<UrlError> for VerifyError {
    fn from(error: UrlError) -> Self {
        Self::Open(error.into())
    }
}

/// What has been found so far, and who is told how far the walk is.
struct Walk<'a> {
    conn: &'a mut AnyConnection,
    findings: Vec<Finding>,
    progress: &'a mut dyn FnMut(&str),
}

impl Walk<'_> {
    fn found(&mut self, table: &str, row: impl Into<String>, problem: impl Into<String>) {
        self.findings.push(Finding::new(table, row, problem));
    }
}

/// Walks the whole database. `progress` is told what is looked at. The findings are in order of
/// table and row; none means that everything holds together.
///
/// # Errors
/// When the database cannot be opened, is behind or ahead, or fails on the way. Damage that the
/// database itself notices is a finding, not an error.
pub fn verify(url: &str, progress: &mut dyn FnMut(&str)) -> Result<Vec<Finding>, VerifyError> {
    let url: DatabaseUrl = url.parse()?;
    let mut conn = connect(&url, Access::ReadOnly)?;
    let damage = if url.path().is_some() {
        progress("the file");
        damage(&mut conn).map_err(|error| OpenError::from_database(&url, &error))?
    } else {
        Vec::new()
    };
    if !damage.is_empty() {
        // What a damaged file answers otherwise is not worth reporting.
        return Ok(damage);
    }
    migrate::require_current(&url, &mut conn)?;
    // One view of all tables: a running server goes on writing.
    dialect::begin(&mut conn, Mode::Read)
        .map_err(|error| OpenError::from_database(&url, &error))?;
    let mut walk = Walk { conn: &mut conn, findings: Vec::new(), progress };
    rows::check(&mut walk)?;
    elsewhere::check(&mut walk)?;
    names::check(&mut walk)?;
    links::check(&mut walk)?;
    let mut findings = walk.findings;
    findings.sort();
    findings.dedup();
    Ok(findings)
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

/// What `SQLite` finds when it reads its file through.
fn damage(conn: &mut AnyConnection) -> Result<Vec<Finding>, DieselError> {
    let lines: Vec<Line> = match sql_query("PRAGMA integrity_check(100)").load(conn) {
        Ok(lines) => lines,
        Err(error) if is_damage(&error.to_string()) => {
            return Ok(vec![Finding::new("the file", "", one_line(&error.to_string()))]);
        }
        Err(error) => return Err(error),
    };
    Ok(lines
        .into_iter()
        .filter(|line| line.integrity_check != "ok")
        .map(|line| Finding::new("the file", "", one_line(&line.integrity_check)))
        .collect())
}
