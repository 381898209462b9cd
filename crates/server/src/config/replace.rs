//! Putting a new text in a file's place so that nobody ever sees half of it.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Holds other edits of files in the same directory back until it is dropped.
///
/// The directory is locked and not the file, because the file is another one after each edit.
pub(super) fn lock(path: &Path) -> io::Result<File> {
    let directory = File::open(directory_of(&followed(path)))?;
    directory.lock()?;
    Ok(directory)
}

/// Replaces the file, or makes one that its owner alone can read. Mode and owner stay as they
/// were, and of a symbolic link the target is replaced. The caller holds the [`lock`].
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let target = followed(path);
    let temporary = beside(&target, "new");
    // With the lock held, one that is there was left by a process that died.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let done = write_private(&temporary, text, target.metadata().ok().as_ref())
        .and_then(|()| fs::rename(&temporary, &target));
    if done.is_err() {
        // What counts is the first error; the next edit removes what stays here.
        let _ = fs::remove_file(&temporary);
    }
    done?;
    // Without this a power cut could bring the old name back (fsync(2)).
    File::open(directory_of(&target))?.sync_all()
}

/// Writes a new file that is like `model`, or else readable by its owner alone.
pub(super) fn write_private(
    path: &Path,
    text: &str,
    model: Option<&fs::Metadata>,
) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    if let Some(model) = model {
        #[cfg(unix)]
        take_owner(&file, model)?;
        file.set_permissions(model.permissions())?;
    }
    file.sync_all()
}

/// An edit by root must not take the file away from the account that the server runs under.
#[cfg(unix)]
fn take_owner(file: &File, model: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};

    let mine = file.metadata()?;
    if (mine.uid(), mine.gid()) == (model.uid(), model.gid()) {
        return Ok(());
    }
    fchown(file, Some(model.uid()), Some(model.gid()))
}

/// The hidden name `.NAME.suffix` next to the file.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

/// The file itself where the path is a symbolic link.
pub(super) fn followed(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}
