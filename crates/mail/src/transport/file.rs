//! One file to a mail, for staging servers and tests.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use async_trait::async_trait;

use super::{Transport, not_written};
use crate::{classify::Failure, message::Letter};

/// Writes each mail into a folder, as `ID.eml` with everything in it (RFC 5322). Mails hold links
/// that let people in, so nobody but the server's own account can read them.
pub struct FileTransport {
    folder: PathBuf,
}

impl FileTransport {
    /// Into this folder, which is made when it is not there.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn write(&self, letter: &Letter) -> io::Result<PathBuf> {
        make_folder(&self.folder)?;
        let path = self.folder.join(format!("{}.eml", letter.name));
        let beside = self.folder.join(format!(".{}.part", letter.name));
        let mut file = private_file(&beside)?;
        file.write_all(&letter.bytes)?;
        file.sync_all()?;
        // Whoever watches the folder sees whole mails only, and a second attempt at a mail takes
        // the place of the first.
        fs::rename(&beside, &path)?;
        Ok(path)
    }
}

#[async_trait]
impl Transport for FileTransport {
    fn name(&self) -> &'static str {
        "file"
    }

    async fn deliver(&self, letter: &Letter) -> Result<String, Failure> {
        match self.write(letter) {
            Ok(path) => Ok(format!("written to {}", path.display())),
            Err(error) => {
                Err(not_written(&format!("mail.file_path {}", self.folder.display()), &error))
            }
        }
    }

    async fn probe(&self) -> Result<String, Failure> {
        let there = make_folder(&self.folder).and_then(|()| {
            let trial = self.folder.join(".vestibule.part");
            private_file(&trial)?;
            fs::remove_file(&trial)
        });
        match there {
            Ok(()) => Ok(format!("mails are written to {}", self.folder.display())),
            Err(error) => {
                Err(not_written(&format!("mail.file_path {}", self.folder.display()), &error))
            }
        }
    }
}

#[cfg(unix)]
fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}
