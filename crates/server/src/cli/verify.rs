//! `vestibule verify`.

use super::{CliError, Global, output::Out, with_causes};
use crate::config::Settings;

/// Walks the whole database; exit status 1 when something does not hold together.
pub(super) fn run(global: &Global, out: &mut Out) -> Result<u8, CliError> {
    let settings = Settings::load(&global.sources())?;
    let findings = vestibule_storage::verify(settings.storage.url.expose(), &mut |_| {})
        .map_err(|error| CliError::Failed(with_causes(&error)))?;
    if findings.is_empty() {
        out.say("everything holds together")?;
        if out.is_json() {
            out.json(&findings)?;
        }
        return Ok(0);
    }
    out.records(&findings, &["table", "row", "problem"])?;
    Ok(1)
}
