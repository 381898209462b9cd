//! Whether a file is whole enough to be worked on.

use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};

use crate::{
    conn::AnyConnection,
    error::{OpenError, one_line},
    url::DatabaseUrl,
};

/// Files up to this size are read through when they are opened, which takes a fraction of a
/// second; larger ones are left to `vestibule verify`, but for what the schema itself needs.
const READ_THROUGH: u64 = 32 << 20;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    quick_check: String,
}

/// Refuses a damaged file: going on with one makes the damage worse. Servers see to it themselves.
pub(crate) fn integrity(url: &DatabaseUrl, conn: &mut AnyConnection) -> Result<(), OpenError> {
    let Some(path) = url.path() else {
        return Ok(());
    };
    let bytes = path.metadata().map_or(0, |data| data.len());
    let question = if bytes <= READ_THROUGH {
        "PRAGMA quick_check(1)"
    } else {
        "PRAGMA quick_check(sqlite_schema)"
    };
    let lines: Vec<Line> =
        sql_query(question).load(conn).map_err(|error| OpenError::from_database(url, &error))?;
    match lines.first() {
        Some(line) if line.quick_check != "ok" => {
            Err(OpenError::Damaged { url: url.clone(), reason: one_line(&line.quick_check) })
        }
        _ => Ok(()),
    }
}
