//! libpam: one transaction, and the conversation that its modules hold.
//!
//! Declared by hand, as `security/pam_appl.h` of Linux-PAM has it.

use std::{
    ffi::{CStr, CString},
    ptr,
    time::Duration,
};

use libc::{c_char, c_int, c_uint, c_void};
use vestibule_core::Secret;

use crate::conversation::Conversation;

/// Success, of any call.
pub(crate) const SUCCESS: c_int = 0;
const BUF_ERR: c_int = 5;
const CONV_ERR: c_int = 19;

const SILENT: c_int = 0x8000;
const DISALLOW_NULL_AUTHTOK: c_int = 1;

const ITEM_USER: c_int = 2;
const ITEM_TTY: c_int = 3;
const ITEM_RHOST: c_int = 4;
const ITEM_FAIL_DELAY: c_int = 10;

const PROMPT_ECHO_OFF: c_int = 1;
const PROMPT_ECHO_ON: c_int = 2;
const ERROR_MSG: c_int = 3;
const TEXT_INFO: c_int = 4;

/// `PAM_MAX_NUM_MSG`
const MOST_MESSAGES: usize = 32;

#[repr(C)]
struct Handle {
    _of_libpam: [u8; 0],
}

#[repr(C)]
struct Message {
    style: c_int,
    text: *const c_char,
}

#[repr(C)]
struct Response {
    text: *mut c_char,
    /// Not used by anybody; has to be zero.
    code: c_int,
}

#[repr(C)]
struct Conv {
    talk: Option<
        unsafe extern "C" fn(c_int, *mut *const Message, *mut *mut Response, *mut c_void) -> c_int,
    >,
    data: *mut c_void,
}

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_start(
        service: *const c_char,
        user: *const c_char,
        conv: *const Conv,
        handle: *mut *mut Handle,
    ) -> c_int;
    fn pam_start_confdir(
        service: *const c_char,
        user: *const c_char,
        conv: *const Conv,
        folder: *const c_char,
        handle: *mut *mut Handle,
    ) -> c_int;
    fn pam_end(handle: *mut Handle, status: c_int) -> c_int;
    fn pam_authenticate(handle: *mut Handle, flags: c_int) -> c_int;
    fn pam_acct_mgmt(handle: *mut Handle, flags: c_int) -> c_int;
    fn pam_set_item(handle: *mut Handle, item: c_int, value: *const c_void) -> c_int;
    fn pam_get_item(handle: *const Handle, item: c_int, value: *mut *const c_void) -> c_int;
}

/// What modules get to see of us, at an address that stays.
struct Hall {
    conversation: Conversation,
    pause: Duration,
}

/// One login, from `pam_start` to `pam_end`.
pub(crate) struct Transaction {
    handle: *mut Handle,
    /// Made from a box, and freed after `pam_end`.
    hall: *mut Hall,
    last: c_int,
}

impl Transaction {
    /// Reads the service file; from `folder`, if there is one. The error is libpam's code.
    pub(crate) fn start(
        service: &CStr,
        user: &CStr,
        folder: Option<&CStr>,
        conversation: Conversation,
    ) -> Result<Self, c_int> {
        let hall = Box::into_raw(Box::new(Hall { conversation, pause: Duration::ZERO }));
        let conv = Conv { talk: Some(talk), data: hall.cast() };
        let mut handle = ptr::null_mut();
        let (service, user) = (service.as_ptr(), user.as_ptr());
        // SAFETY: all texts end with a zero; libpam copies them and `conv`. `hall` is freed after
        // `pam_end` alone.
        let code = unsafe {
            match folder {
                Some(folder) => {
                    let folder = folder.as_ptr();
                    pam_start_confdir(service, user, &raw const conv, folder, &raw mut handle)
                }
                None => pam_start(service, user, &raw const conv, &raw mut handle),
            }
        };
        let transaction = Self { handle, hall, last: code };
        if code != SUCCESS || handle.is_null() {
            return Err(code);
        }
        // libpam would sleep after a refusal, and hold a place meanwhile; whoever asked us lets the
        // answer wait instead. A function as an item is how Linux-PAM has it.
        let note: unsafe extern "C" fn(c_int, c_uint, *mut c_void) = note_pause;
        // SAFETY: the handle is valid; libpam keeps the function's address and calls it so.
        unsafe { pam_set_item(handle, ITEM_FAIL_DELAY, note as *const c_void) };
        Ok(transaction)
    }

    /// Tells the modules that there is no terminal, and from where the visitor comes.
    pub(crate) fn set_origin(&mut self, terminal: &CStr, address: Option<&CStr>) {
        // SAFETY: the handle is valid; the texts end with a zero and are copied.
        unsafe {
            pam_set_item(self.handle, ITEM_TTY, terminal.as_ptr().cast());
            if let Some(address) = address {
                pam_set_item(self.handle, ITEM_RHOST, address.as_ptr().cast());
            }
        }
    }

    /// Whether the visitor is who they say.
    pub(crate) fn authenticate(&mut self) -> c_int {
        // SAFETY: the handle is valid.
        self.last = unsafe { pam_authenticate(self.handle, SILENT | DISALLOW_NULL_AUTHTOK) };
        self.last
    }

    /// Whether the account may be used now.
    pub(crate) fn check_account(&mut self) -> c_int {
        // SAFETY: the handle is valid.
        self.last = unsafe { pam_acct_mgmt(self.handle, SILENT | DISALLOW_NULL_AUTHTOK) };
        self.last
    }

    /// Whom it is about by now: modules may change it.
    pub(crate) fn user(&self) -> Option<String> {
        let mut item = ptr::null();
        // SAFETY: the handle is valid, and what comes is a text of libpam's, copied at once.
        unsafe {
            let code = pam_get_item(self.handle, ITEM_USER, &raw mut item);
            if code != SUCCESS || item.is_null() {
                return None;
            }
            CStr::from_ptr(item.cast()).to_str().ok().map(str::to_owned)
        }
    }

    /// Whether a module was given the code.
    pub(crate) fn used_code(&self) -> bool {
        // SAFETY: `hall` lives as long as the transaction, and no module runs now.
        unsafe { (*self.hall).conversation.used_code() }
    }

    /// How long the modules want a refusal to wait.
    pub(crate) fn pause(&self) -> Duration {
        // SAFETY: `hall` lives as long as the transaction, and no module runs now.
        unsafe { (*self.hall).pause }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // SAFETY: neither is used after this; `hall` came from a box.
        unsafe {
            if !self.handle.is_null() {
                pam_end(self.handle, self.last);
            }
            drop(Box::from_raw(self.hall));
        }
    }
}

/// What libpam calls instead of sleeping.
unsafe extern "C" fn note_pause(code: c_int, micros: c_uint, data: *mut c_void) {
    if code != SUCCESS && !data.is_null() {
        // SAFETY: libpam hands back what `start` gave it.
        unsafe { (*data.cast::<Hall>()).pause = Duration::from_micros(micros.into()) };
    }
}

/// What modules call when they have something to say or to ask.
unsafe extern "C" fn talk(
    count: c_int,
    messages: *mut *const Message,
    responses: *mut *mut Response,
    data: *mut c_void,
) -> c_int {
    let count = usize::try_from(count).unwrap_or(0);
    if !(1..=MOST_MESSAGES).contains(&count)
        || messages.is_null()
        || responses.is_null()
        || data.is_null()
    {
        return CONV_ERR;
    }
    // SAFETY: libpam hands back what `start` gave it; nothing else holds it while modules run.
    let conversation = unsafe { &mut (*data.cast::<Hall>()).conversation };
    // SAFETY: a module that asks says how many messages there are.
    let messages = unsafe { std::slice::from_raw_parts(messages, count) };
    // SAFETY: whoever asked frees what is allocated here, by C's own `free`.
    let answers = unsafe { libc::calloc(count, size_of::<Response>()) }.cast::<Response>();
    if answers.is_null() {
        return BUF_ERR;
    }
    for (at, &message) in messages.iter().enumerate() {
        // SAFETY: each message is there until this returns; its text may be missing.
        let answered = unsafe { answer(conversation, message) };
        match answered {
            Ok(text) => {
                // SAFETY: `at` is below `count`.
                unsafe { (*answers.add(at)).text = text };
            }
            Err(code) => {
                // SAFETY: `answers` has `count` entries, with texts of ours or none.
                unsafe { forget(answers, count) };
                return code;
            }
        }
    }
    // SAFETY: where the answers are wanted.
    unsafe { *responses = answers };
    SUCCESS
}

/// The answer to one message: a text for C, or none where none is wanted.
unsafe fn answer(
    conversation: &mut Conversation,
    message: *const Message,
) -> Result<*mut c_char, c_int> {
    if message.is_null() {
        return Err(CONV_ERR);
    }
    // SAFETY: the caller's module says that it is a message.
    let Message { style, text } = unsafe { &*message };
    let is_hidden = match *style {
        PROMPT_ECHO_OFF => true,
        PROMPT_ECHO_ON => false,
        // What is only told is for nobody here.
        TEXT_INFO | ERROR_MSG => return Ok(ptr::null_mut()),
        _ => return Err(CONV_ERR),
    };
    // SAFETY: a text that is there ends with a zero.
    let prompt = if text.is_null() { c"" } else { unsafe { CStr::from_ptr(*text) } };
    match conversation.answer(is_hidden, prompt.to_bytes()) {
        Some(secret) => copy(&secret),
        None => Err(CONV_ERR),
    }
}

/// A copy that C may free.
fn copy(secret: &Secret) -> Result<*mut c_char, c_int> {
    let bytes = secret.expose();
    if bytes.contains(&0) {
        return Err(CONV_ERR);
    }
    // SAFETY: as long as the bytes and a zero; both are written.
    unsafe {
        let text = libc::calloc(bytes.len() + 1, 1).cast::<c_char>();
        if text.is_null() {
            return Err(BUF_ERR);
        }
        ptr::copy_nonoverlapping(bytes.as_ptr().cast(), text, bytes.len());
        Ok(text)
    }
}

/// Wipes and frees answers that nobody gets.
unsafe fn forget(answers: *mut Response, count: usize) {
    for at in 0..count {
        // SAFETY: the caller says that there are so many, with texts of ours or none.
        unsafe {
            let text = (*answers.add(at)).text;
            if !text.is_null() {
                libc::explicit_bzero(text.cast(), libc::strlen(text));
                libc::free(text.cast());
            }
        }
    }
    // SAFETY: it came from `calloc`.
    unsafe { libc::free(answers.cast()) };
}

/// What C calls a text.
pub(crate) fn text(text: &str) -> Option<CString> {
    super::process::c_text(text.as_bytes())
}
