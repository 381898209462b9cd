//! Secrets that are kept in files of their own.

use std::{
    fs::{File, Metadata},
    io::{self, Read},
    path::Path,
};

use vestibule_core::Secret;

use super::report::{BadValue, printable};

/// No secret is longer; a wrong path (`/dev/zero`, a log) ends here instead of in memory.
const LARGEST: u64 = 64 * 1024;

/// Reads a secret, without the line break at its end.
///
/// Refuses a file that is not a regular one, that group or others can read, that is empty or
/// larger than 64 KiB, because each of these means that the wrong file was named or that the
/// secret is none.
pub(super) fn read(path: &Path) -> Result<Secret, BadValue> {
    let (file, about) = open(path)?;
    private(&about)?;
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let room = usize::try_from(about.len().min(LARGEST) + 1).unwrap_or_default();
    let mut bytes = Vec::with_capacity(room);
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(BadValue::new("is larger than 64KiB"));
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    if bytes.is_empty() {
        return Err(BadValue::new("is empty"));
    }
    Ok(Secret::new(bytes))
}

/// Opens a regular file.
pub(super) fn open(path: &Path) -> Result<(File, Metadata), BadValue> {
    // Looked at before it is opened: to open a named pipe would wait for a writer.
    let regular = |about: &Metadata| {
        about.is_file().then_some(()).ok_or_else(|| BadValue::new("is not a regular file"))
    };
    regular(&path.metadata().map_err(|error| unreadable(&error))?)?;
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let about = file.metadata().map_err(|error| unreadable(&error))?;
    regular(&about)?;
    Ok((file, about))
}

/// Whether nobody but the owner can read the file.
#[cfg(unix)]
pub(super) fn private(about: &Metadata) -> Result<(), BadValue> {
    use std::os::unix::fs::PermissionsExt;

    let mode = about.permissions().mode() & 0o7777;
    let others = mode & 0o077;
    if others == 0 {
        return Ok(());
    }
    Err(BadValue::new(format!("is open to group or others (mode {mode:04o}); chmod 600 it")))
}

/// Other systems have no such bits to look at.
#[cfg(not(unix))]
pub(super) fn private(_about: &Metadata) -> Result<(), BadValue> {
    Ok(())
}

/// A reason that names the file.
pub(super) fn says(path: &Path, bad: &BadValue) -> String {
    format!("file \"{}\" {bad}", printable(&path.to_string_lossy()))
}

fn unreadable(error: &io::Error) -> BadValue {
    BadValue::new(format!("cannot be read: {}", cause(error)))
}

/// What the system says, in lower case and without its number.
pub(super) fn cause(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        return "no such file".to_owned();
    }
    let text = error.to_string().to_lowercase();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
