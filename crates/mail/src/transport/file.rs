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
/// that let people in, so nobody but the server's own account can read them, and nobody else may
/// have a say in what the folder is.
pub struct FileTransport {
    folder: PathBuf,
}

/// Why a folder is not one to write mails into.
#[derive(Debug, thiserror::Error)]
#[error("mail.file_path {}: {reason}", .folder.display())]
pub struct FolderError {
    folder: PathBuf,
    #[source]
    reason: Unfit,
}

#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("is a link, which may lead elsewhere tomorrow; name the folder itself")]
    Link,
    #[error("is no folder")]
    NoFolder,
    #[error("everybody may write into it; take that right away, or set its sticky bit")]
    Open,
    #[error("belongs to account {owner}; it has to be the server's own ({own}) or root's")]
    Foreign { owner: u32, own: u32 },
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl FileTransport {
    /// Into this folder, which is made when the first mail is written. One that is there already
    /// is looked at.
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self, FolderError> {
        let transport = Self { folder: folder.into() };
        match judge(&transport.folder) {
            Err(Unfit::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(transport),
            Err(reason) => Err(transport.unfit(reason)),
            Ok(()) => Ok(transport),
        }
    }

    fn unfit(&self, reason: Unfit) -> FolderError {
        FolderError { folder: self.folder.clone(), reason }
    }

    fn write(&self, letter: &Letter) -> Result<PathBuf, Unfit> {
        let path = self.folder.join(format!("{}.eml", letter.name));
        let beside = self.folder.join(format!(".{}.part", letter.name));
        let mut file = self.begin(&beside)?;
        file.write_all(&letter.bytes)?;
        file.sync_all()?;
        // Whoever watches the folder sees whole mails only, and a second attempt at a mail takes
        // the place of the first.
        fs::rename(&beside, &path)?;
        Ok(path)
    }

    /// A new file in the folder, as it is now.
    fn begin(&self, path: &Path) -> Result<File, Unfit> {
        make_folder(&self.folder)?;
        judge(&self.folder)?;
        // What an attempt left behind that did not end, or what somebody laid there.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let file = private_file(path)?;
        let owned = judge_owner(&self.folder, &file);
        if owned.is_err() {
            fs::remove_file(path)?;
        }
        owned.map(|()| file)
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
            Err(reason) => Err(not_written(&self.unfit(reason))),
        }
    }

    async fn probe(&self) -> Result<String, Failure> {
        let trial = self.folder.join(".vestibule.part");
        match self.begin(&trial).and_then(|_| Ok(fs::remove_file(&trial)?)) {
            Ok(()) => Ok(format!("mails are written to {}", self.folder.display())),
            Err(reason) => Err(not_written(&self.unfit(reason))),
        }
    }
}

/// Whether somebody else could put another folder, or other files, in place of ours.
fn judge(folder: &Path) -> Result<(), Unfit> {
    let there = fs::symlink_metadata(folder)?;
    if there.is_symlink() {
        return Err(Unfit::Link);
    }
    if !there.is_dir() {
        return Err(Unfit::NoFolder);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        const EVERYBODY: u32 = 0o002;
        const STICKY: u32 = 0o1000;
        let mode = there.permissions().mode();
        if mode & EVERYBODY != 0 && mode & STICKY == 0 {
            return Err(Unfit::Open);
        }
    }
    Ok(())
}

/// Whether the folder is the account's that this file of ours belongs to.
#[cfg(unix)]
fn judge_owner(folder: &Path, file: &File) -> Result<(), Unfit> {
    use std::os::unix::fs::MetadataExt;

    let (owner, own) = (fs::symlink_metadata(folder)?.uid(), file.metadata()?.uid());
    if owner == own || owner == 0 { Ok(()) } else { Err(Unfit::Foreign { owner, own }) }
}

#[cfg(not(unix))]
fn judge_owner(_folder: &Path, _file: &File) -> Result<(), Unfit> {
    Ok(())
}

fn make_folder(path: &Path) -> io::Result<()> {
    // A link that leads nowhere is there, too.
    if fs::symlink_metadata(path).is_ok() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.recursive(true).create(path)
}

/// A file that was not there before: no link of somebody else's is followed.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, chown, symlink},
        path::{Path, PathBuf},
    };

    use futures_util::FutureExt;

    use super::FileTransport;
    use crate::{message::Letter, transport::Transport};

    fn letter() -> Letter {
        Letter {
            name: "1".to_owned(),
            from: "hall@example.org".parse().unwrap(),
            to: "anna@example.org".parse().unwrap(),
            message_id: "1@example.org".to_owned(),
            subject: "x".to_owned(),
            text: "x".to_owned(),
            bytes: b"x".to_vec(),
        }
    }

    /// What becomes of a mail, in words.
    fn deliver(transport: &FileTransport) -> Result<String, String> {
        let delivered = transport.deliver(&letter()).now_or_never().unwrap();
        delivered.map_err(|failure| failure.to_string())
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A folder that is none to write into: refused at the start, or when it became so later.
    fn refused(folder: &Path, spoil: impl FnOnce(&Path), words: &str) {
        let named = |error: &str| {
            error.starts_with(&format!("mail.file_path {}: ", folder.display()))
                && error.contains(words)
        };
        let earlier = FileTransport::new(folder).unwrap();
        spoil(folder);
        let error = deliver(&earlier).unwrap_err();
        assert!(named(&error), "{error}");
        let error = earlier.probe().now_or_never().unwrap().unwrap_err().to_string();
        assert!(named(&error), "{error}");
        if let Err(error) = FileTransport::new(folder) {
            assert!(named(&error.to_string()), "{error}");
        } else {
            // Whose it is shows when a file of our own lies beside it.
            assert!(words.contains("account"), "{words}");
        }
    }

    fn place() -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("below/mails");
        (place, folder)
    }

    #[test]
    fn a_mail_is_written_for_the_servers_account_alone() {
        let (_place, folder) = place();
        let transport = FileTransport::new(&folder).unwrap();
        for _ in 0..2 {
            assert_eq!(deliver(&transport), Ok(format!("written to {}/1.eml", folder.display())));
        }
        assert_eq!((mode(&folder), mode(&folder.join("1.eml"))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        assert!(transport.probe().now_or_never().unwrap().is_ok());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_everybody_may_write_into_is_refused_unless_it_is_sticky() {
        let (_place, folder) = place();
        fs::create_dir_all(&folder).unwrap();
        refused(&folder, |folder| set(folder, 0o777), "everybody may write into it");
        set(&folder, 0o1777);
        assert!(deliver(&FileTransport::new(&folder).unwrap()).is_ok());
        set(&folder, 0o770);
        assert!(deliver(&FileTransport::new(&folder).unwrap()).is_ok());
    }

    #[test]
    fn a_link_in_the_folders_place_is_refused() {
        let (place, folder) = place();
        fs::create_dir_all(folder.parent().unwrap()).unwrap();
        refused(&folder, |folder| symlink(place.path(), folder).unwrap(), "is a link");
        fs::remove_file(&folder).unwrap();
        refused(&folder, |folder| symlink("/nowhere", folder).unwrap(), "is a link");
        fs::remove_file(&folder).unwrap();
        refused(&folder, |folder| fs::write(folder, "").unwrap(), "is no folder");
    }

    #[test]
    fn a_folder_of_somebody_elses_is_refused_and_nothing_is_left_in_it() {
        let (_place, folder) = place();
        fs::create_dir_all(&folder).unwrap();
        let give_away = |folder: &Path| chown(folder, Some(65_534), None).expect("needs root");
        refused(&folder, give_away, "belongs to account 65534");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[test]
    fn a_link_in_a_files_place_is_not_followed() {
        let (place, folder) = place();
        fs::create_dir_all(&folder).unwrap();
        let victim = place.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        for name in [".1.part", "1.eml"] {
            symlink(&victim, folder.join(name)).unwrap();
        }
        assert!(deliver(&FileTransport::new(&folder).unwrap()).is_ok());
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        assert_eq!(fs::read_to_string(folder.join("1.eml")).unwrap(), "x");
    }
}
