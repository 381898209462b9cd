//! Changes of the configuration file that hold, or leave it untouched.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    document,
    given::Given,
    load::{FileText, Loaded, Sources, assemble, read_file},
    reference,
    replace::{beside, followed, lock, replace, write_private},
    report::{ConfigError, Origin, Problem, printable},
};

/// Why the file was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The configuration would not hold, or does not even now.
    #[error("{error}\n{} was left unchanged", shown(.file))]
    Refused {
        /// The file.
        file: PathBuf,
        /// What would be wrong with it.
        error: ConfigError,
    },
    /// What came back from the editor does not hold; the file was left unchanged.
    #[error(
        "{error}\n{} was left unchanged; the edited text is kept in {}", shown(.file), shown(.kept)
    )]
    Kept {
        /// The file.
        file: PathBuf,
        /// Where the edited text is.
        kept: PathBuf,
        /// What is wrong with it.
        error: ConfigError,
    },
    /// Someone else changed the file while it was in the editor.
    #[error(
        "{} was changed by someone else meanwhile; the edited text is kept in {}",
        shown(.file), shown(.kept)
    )]
    Overtaken {
        /// The file.
        file: PathBuf,
        /// Where the edited text is.
        kept: PathBuf,
    },
    /// A secret on the command line shows in the process list and in the shell's history.
    #[error(
        "{key}: a secret is not taken as an argument; put it in a file that only its owner can \
         read and set {key}_file, or use \"vestibule config edit\""
    )]
    SecretArgument {
        /// The key.
        key: &'static str,
    },
    /// The file cannot be written.
    #[error("{}: cannot be written: {error}", shown(.file))]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
}

fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

/// What a change came to.
#[derive(Debug)]
pub struct Changed {
    /// The file.
    pub file: PathBuf,
    /// Where the key's value now comes from, when that is not this file.
    pub overridden_by: Option<Origin>,
}

/// Sets a key in the file, which is made when it is not there; lists are written as in
/// [`Kind::read`](super::kind::Kind::read).
pub fn set(sources: &Sources, name: &str, text: &str) -> Result<Changed, EditError> {
    let path = sources.path().0;
    refuse_secret(name, text)?;
    let mut given = Given::default();
    given.offer_text(name, text, &Origin::File(path.clone()));
    let problems = given.take_problems();
    let Some(value) = given.get(name).filter(|_| problems.is_empty()) else {
        return Err(EditError::Refused { file: path, error: ConfigError { problems } });
    };
    change(sources, name, |before| document::set(before, name, &value.value))
        .map(|(changed, _)| changed)
}

/// Takes a key out of the file, an unknown one too; `None` when it is not there.
pub fn unset(sources: &Sources, name: &str) -> Result<Option<Changed>, EditError> {
    let (changed, done) = change(sources, name, |before| {
        match document::unset(before, name) {
            // A text that cannot be read at all is reported by what follows.
            None if before.parse::<toml::Table>().is_ok() => Some(before.to_owned()),
            after => after,
        }
    })?;
    Ok(done.then_some(changed))
}

fn refuse_secret(name: &str, text: &str) -> Result<(), EditError> {
    match reference::find(name) {
        Some(key) if key.hides(text) => Err(EditError::SecretArgument { key: key.name }),
        _ => Ok(()),
    }
}

/// Reads, changes, checks and writes under one lock, so that of two edits neither is lost; the
/// second value tells whether anything was written.
fn change(
    sources: &Sources,
    name: &str,
    edit: impl FnOnce(&str) -> Option<String>,
) -> Result<(Changed, bool), EditError> {
    let path = sources.path().0;
    let failed = |error| EditError::File { file: path.clone(), error };
    let refused = |error| EditError::Refused { file: path.clone(), error };
    let _lock = lock(&path).map_err(failed)?;
    let before = current(sources).map_err(refused)?;
    let Some(text) = edit(&before.text) else {
        // Not TOML, or a value in the section's place: the loader says where.
        let error = assemble(Some(&before), sources).err().unwrap_or_else(|| {
            let origin = Origin::File(path.clone());
            ConfigError { problems: vec![Problem::of_key(origin, name, "cannot be set here")] }
        });
        return Err(refused(error));
    };
    let differs = text != before.text;
    let after = FileText { text, ..before };
    let loaded = assemble(Some(&after), sources).map_err(refused)?;
    if differs {
        replace(&path, &after.text).map_err(failed)?;
    }
    Ok((changed(path, name, &loaded), differs))
}

fn changed(file: PathBuf, name: &str, loaded: &Loaded) -> Changed {
    let own = [Origin::BuiltIn, Origin::File(file.clone())];
    let overridden_by = Some(loaded.origin(name)).filter(|origin| !own.contains(origin));
    Changed { file, overridden_by }
}

/// The file as it is; one that is not there counts as empty and private, as it will be made.
fn current(sources: &Sources) -> Result<FileText, ConfigError> {
    let file = read_file(sources).map_err(|problem| ConfigError { problems: vec![problem] })?;
    Ok(file.unwrap_or_else(|| FileText { path: sources.path().0, text: String::new(), lax: None }))
}

/// Gives a private copy of the file to `edit` and puts what comes back in the file's place when
/// it holds; `None` when nothing was changed.
///
/// The copy is called `.NAME.edit-ID.toml`, where `id` tells editors at work at the same time
/// apart (the process id). What does not hold is kept there, so that no work is lost.
pub fn edit<E: From<EditError>>(
    sources: &Sources,
    id: u32,
    edit: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<Option<Changed>, E> {
    let path = sources.path().0;
    let failed = |error| EditError::File { file: path.clone(), error };
    let before =
        current(sources).map_err(|error| EditError::Refused { file: path.clone(), error })?;
    let copy = beside(&followed(&path), &format!("edit-{id}.toml"));
    write_private(&copy, &before.text, None).map_err(failed)?;
    if let Err(error) = edit(&copy) {
        // The editor's failure is what matters; a copy that stays behind harms nobody.
        let _ = fs::remove_file(&copy);
        return Err(error);
    }
    let text = fs::read_to_string(&copy).map_err(failed)?;
    if text == before.text {
        fs::remove_file(&copy).map_err(failed)?;
        return Ok(None);
    }
    let seen = before.text.clone();
    let after = FileText { text, ..before };
    if let Err(error) = assemble(Some(&after), sources) {
        return Err(EditError::Kept { file: path, kept: copy, error }.into());
    }
    let _lock = lock(&path).map_err(failed)?;
    if current(sources).map(|now| now.text).ok() != Some(seen) {
        return Err(EditError::Overtaken { file: path, kept: copy }.into());
    }
    replace(&path, &after.text).map_err(failed)?;
    fs::remove_file(&copy).map_err(failed)?;
    Ok(Some(Changed { file: path, overridden_by: None }))
}
