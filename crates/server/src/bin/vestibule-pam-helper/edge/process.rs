//! What a process inherits and should not.

use std::ffi::CStr;

/// Empties the environment and closes all files but the first three. To be called first: nobody
/// else may look at either at the same time.
pub(crate) fn forget_what_was_inherited() {
    // SAFETY: no thread has been started, and nothing was opened that is used later.
    unsafe {
        libc::clearenv();
        libc::close_range(3, libc::c_uint::MAX, 0);
    }
}

/// Lets no signal stay blocked or ignored as whoever started us had it.
pub(crate) fn reset_signals() {
    for signal in 1..=31 {
        // SAFETY: the default action is set; that it cannot be for two signals does no harm.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: `none` is made by sigemptyset before it is read.
    unsafe {
        let mut none = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut none);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}

/// Writes to nobody must not end the process before it could say something.
pub(crate) fn ignore_broken_pipes() {
    // SAFETY: no handler is set, the signal is ignored.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// Whether the kernel gave this process rights that whoever started it does not have.
pub(crate) fn is_elevated() -> bool {
    // SAFETY: these ask for numbers.
    unsafe {
        libc::getauxval(libc::AT_SECURE) != 0
            || libc::getuid() != libc::geteuid()
            || libc::getgid() != libc::getegid()
    }
}

/// A text for C; none when a zero stands in it.
pub(crate) fn c_text(text: &[u8]) -> Option<std::ffi::CString> {
    std::ffi::CString::new(text).ok()
}

/// A text from C, as far as it is text.
pub(crate) fn text_of(text: &CStr) -> String {
    text.to_string_lossy().into_owned()
}
