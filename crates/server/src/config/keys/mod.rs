//! The one table of all keys, a file for each section.

mod limits;
mod log;
mod mail;
mod password;
mod registration;
mod server;
mod session;
mod site;
mod storage;
mod user_office;

use super::{
    duration::HumanDuration, kind::Kind, reference::Key, reference::Preset, reference::Secrecy,
    report::BadValue,
};

/// The sections, in the order of the page.
const SECTIONS: [&[Key]; 10] = [
    site::KEYS,
    server::KEYS,
    storage::KEYS,
    session::KEYS,
    password::KEYS,
    mail::KEYS,
    registration::KEYS,
    limits::KEYS,
    user_office::KEYS,
    log::KEYS,
];

/// All keys, by section.
pub const KEYS: &[Key] = &ALL;

const ALL: [Key; COUNT] = {
    let mut all = [SECTIONS[0][0]; COUNT];
    let (mut section, mut done) = (0, 0);
    while section < SECTIONS.len() {
        let mut at = 0;
        while at < SECTIONS[section].len() {
            all[done] = SECTIONS[section][at];
            (at, done) = (at + 1, done + 1);
        }
        section += 1;
    }
    all
};

const COUNT: usize = {
    let (mut section, mut count) = (0, 0);
    while section < SECTIONS.len() {
        count += SECTIONS[section].len();
        section += 1;
    }
    count
};

const fn key(name: &'static str, kind: Kind, default: Preset, meaning: &'static str) -> Key {
    Key { name, kind, default, secrecy: Secrecy::Open, meaning }
}

const fn secret(secrecy: Secrecy, open: Key) -> Key {
    Key { secrecy, ..open }
}

const fn time(min: u64, max: u64, off: bool) -> Kind {
    Kind::Duration { min: HumanDuration::seconds(min), max: HumanDuration::seconds(max), off }
}

const FILE: Kind = Kind::Text { what: "the name of a file", check: file_name };

fn file_name(text: &str) -> Result<(), BadValue> {
    if text.is_empty() || text.contains('\0') {
        return Err(BadValue::new("expected the name of a file"));
    }
    Ok(())
}

fn some_text(text: &str) -> Result<(), BadValue> {
    if text.trim().is_empty() { Err(BadValue::new("is empty")) } else { Ok(()) }
}

const DAY: u64 = 86_400;

const MOST_THREADS: Kind = Kind::Number { min: 1, max: 256 };
