//! What whoever installs the helper tells it. Whoever may merely start it is told nothing by.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use rustix::process::getuid;

use crate::edge::{people, process};

/// The command line.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Where the service files lie, if not where the system has them.
    pub(crate) service_dir: Option<PathBuf>,
    /// Who may ask, besides root and the user that we run as.
    callers: Vec<u32>,
}

impl Options {
    /// Reads it. With rights that whoever started us does not have, there is nothing to choose: a
    /// folder of service files names the libraries that root loads.
    pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let (mut options, mut arguments) = (Self::default(), arguments.peekable());
        if arguments.peek().is_some() && process::is_elevated() {
            return Err("takes no arguments where it is installed setuid".to_owned());
        }
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let value = arguments.next();
                value.ok_or_else(|| format!("{} wants a value", argument.to_string_lossy()))
            };
            match argument.to_str() {
                Some("--service-dir") => options.service_dir = Some(PathBuf::from(value()?)),
                Some("--caller") => options.callers.push(uid_of(&value()?)?),
                _ => return Err(USAGE.to_owned()),
            }
        }
        Ok(options)
    }

    /// Whether this user may ask: root, whoever we really run as, or who was named.
    pub(crate) fn may_ask(&self, uid: u32) -> bool {
        uid == 0 || uid == getuid().as_raw() || self.callers.contains(&uid)
    }
}

const USAGE: &str =
    "takes --caller USER and --service-dir DIR; docs/backends.md tells how it is installed";

fn uid_of(user: &OsStr) -> Result<u32, String> {
    let text = user.to_string_lossy();
    if let Ok(uid) = text.parse() {
        return Ok(uid);
    }
    match people::by_name(&text) {
        Ok(Some(account)) => Ok(account.uid),
        _ => Err(format!("--caller: there is no user {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_was_not_named_may_not_ask() {
        let read = |words: &[&str]| Options::read(words.iter().map(OsString::from));
        let options = read(&["--caller", "4711", "--service-dir", "/srv/pam.d"]).unwrap();
        assert_eq!(options.service_dir, Some(PathBuf::from("/srv/pam.d")));
        assert!(options.may_ask(4711) && options.may_ask(0));
        assert!(options.may_ask(getuid().as_raw()) && !options.may_ask(4712));
        for bad in [&["--caller"][..], &["--caller", "no such user"], &["--verbose"], &["root"]] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
