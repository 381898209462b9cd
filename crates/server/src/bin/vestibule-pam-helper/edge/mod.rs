//! Where the helper touches C: libpam, the system's accounts, its own process. All `unsafe` code of
//! the project is below this folder; what leaves it is safe to call.

#![expect(unsafe_code, reason = "libpam, getpwnam_r and close_range are C")]

pub(crate) mod pam;
pub(crate) mod people;
pub(crate) mod process;
