//! The accounts and groups of the system, from wherever it has them (`nsswitch.conf(5)`).

use std::{ffi::CStr, io, mem::MaybeUninit, ptr};

use libc::{c_char, c_int, gid_t, group, passwd, uid_t};

use super::process::{c_text, text_of};

/// A Unix account.
pub(crate) struct Account {
    /// Its name, as the system writes it.
    pub(crate) name: String,
    /// Its number.
    pub(crate) uid: uid_t,
    gid: gid_t,
}

/// Where the text of an entry goes; grows as far as this.
const LONGEST_ENTRY: usize = 1 << 20;

/// The account of this name; none when there is none. An error when nobody could tell.
pub(crate) fn by_name(name: &str) -> io::Result<Option<Account>> {
    let Some(name) = c_text(name.as_bytes()) else { return Ok(None) };
    look_up(|entry, text, length, found| {
        // SAFETY: `name` ends with a zero, the rest is what `look_up` says of it.
        unsafe { libc::getpwnam_r(name.as_ptr(), entry, text, length, found) }
    })
}

/// The account of this number.
pub(crate) fn by_uid(uid: uid_t) -> io::Result<Option<Account>> {
    look_up(|entry, text, length, found| {
        // SAFETY: as `look_up` says.
        unsafe { libc::getpwuid_r(uid, entry, text, length, found) }
    })
}

/// Calls one of the `getpw…_r`: a place for the entry, one of so many bytes for its texts, and one
/// for the pointer that says whether it was found.
fn look_up(
    ask: impl Fn(*mut passwd, *mut c_char, usize, *mut *mut passwd) -> c_int,
) -> io::Result<Option<Account>> {
    grow(|text| {
        let (mut entry, mut found) = (MaybeUninit::<passwd>::uninit(), ptr::null_mut());
        let code = ask(entry.as_mut_ptr(), text.as_mut_ptr(), text.len(), &raw mut found);
        if code != 0 || found.is_null() {
            return Err(code);
        }
        // SAFETY: it was found, so that the entry is filled in and its texts are in `text`, which
        // lives until the end of this closure.
        let (entry, name) = unsafe {
            let entry = entry.assume_init();
            (entry, CStr::from_ptr(entry.pw_name))
        };
        Ok(Account { name: text_of(name), uid: entry.pw_uid, gid: entry.pw_gid })
    })
}

/// Tries with more and more room. The error is the code; nothing found is no error.
fn grow<T>(mut ask: impl FnMut(&mut [c_char]) -> Result<T, c_int>) -> io::Result<Option<T>> {
    let mut text = vec![0; 4096];
    loop {
        match ask(&mut text) {
            Ok(found) => return Ok(Some(found)),
            Err(libc::EINTR) => {}
            Err(libc::ERANGE) if text.len() < LONGEST_ENTRY => text.resize(text.len() * 4, 0),
            // What getpwnam(3) lists as ways to say that there is no such name.
            Err(0 | libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM) => return Ok(None),
            Err(code) => return Err(io::Error::from_raw_os_error(code)),
        }
    }
}

/// The names of all groups that an account is in; none when that cannot be told. A group without
/// a name is left out: nothing could be made of it.
pub(crate) fn groups_of(account: &Account) -> Option<Vec<String>> {
    let name = c_text(account.name.as_bytes())?;
    let mut gids: Vec<gid_t> = vec![0; 64];
    loop {
        let mut count = c_int::try_from(gids.len()).ok()?;
        // SAFETY: `name` ends with a zero, and `gids` has room for `count`.
        let code = unsafe {
            libc::getgrouplist(name.as_ptr(), account.gid, gids.as_mut_ptr(), &raw mut count)
        };
        let wanted = usize::try_from(count).ok()?;
        if code >= 0 {
            gids.truncate(wanted);
            break;
        }
        if gids.len() >= 65_536 {
            return None;
        }
        gids.resize(wanted.max(gids.len() * 2), 0);
    }
    let names: io::Result<Vec<_>> = gids.into_iter().map(group_name).collect();
    Some(names.ok()?.into_iter().flatten().collect())
}

fn group_name(gid: gid_t) -> io::Result<Option<String>> {
    grow(|text| {
        let (mut entry, mut found) = (MaybeUninit::<group>::uninit(), ptr::null_mut());
        // SAFETY: all three places are as large as is said, and live until it returns.
        let code = unsafe {
            let (text, length) = (text.as_mut_ptr(), text.len());
            libc::getgrgid_r(gid, entry.as_mut_ptr(), text, length, &raw mut found)
        };
        if code != 0 || found.is_null() {
            return Err(code);
        }
        // SAFETY: it was found, so that the entry is filled in and its name is in `text`.
        Ok(text_of(unsafe { CStr::from_ptr(entry.assume_init().gr_name) }))
    })
}
