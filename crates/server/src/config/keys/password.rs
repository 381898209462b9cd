//! `[password]`.

use super::{FILE, MOST_THREADS, key, secret};
use crate::config::{
    kind::Kind, password::pepper_holds, reference::Key, reference::Preset, reference::Secrecy,
    report::BadValue, size::ByteSize,
};

pub(super) const KEYS: &[Key] = &[
    key(
        "password.scheme",
        Kind::Choice(&["argon2id", "bcrypt"]),
        Preset::Text("argon2id"),
        "What new hashes are made with.",
    ),
    key(
        "password.min_length",
        Kind::Number { min: 8, max: 64 },
        Preset::Number(15),
        "The least number of characters of a new password.",
    ),
    secret(
        Secrecy::Whole,
        key(
            "password.pepper",
            Kind::Text { what: "text of at least 32 bytes", check: pepper },
            Preset::Unset,
            "A key mixed into every new hash; who loses it locks everyone out.",
        ),
    ),
    key(
        "password.pepper_file",
        FILE,
        Preset::Unset,
        "A file that holds `password.pepper` instead.",
    ),
    key(
        "password.upgrade_hashes",
        Kind::Flag,
        Preset::Flag(true),
        "Whether a login replaces an outdated hash; off while an older site shares the table.",
    ),
    key(
        "password.argon2_memory",
        Kind::Size { min: ByteSize::mib(7), max: ByteSize::mib(1024) },
        Preset::Text("19MiB"),
        "Memory of one Argon2id hash; times `password.argon2_passes` at least 35MiB.",
    ),
    key(
        "password.argon2_passes",
        Kind::Number { min: 1, max: 16 },
        Preset::Number(2),
        "How often one Argon2id hash goes over its memory.",
    ),
    key(
        "password.bcrypt_cost",
        Kind::Number { min: 10, max: 15 },
        Preset::Number(12),
        "Two to the power of this many rounds of bcrypt.",
    ),
    key(
        "password.hash_threads",
        MOST_THREADS,
        Preset::Cores,
        "How many passwords are hashed at once.",
    ),
    key(
        "password.hash_queue",
        Kind::Number { min: 1, max: 100_000 },
        Preset::Number(256),
        "How many passwords may wait to be hashed before more are turned away.",
    ),
    key(
        "password.blocklist_file",
        FILE,
        Preset::Unset,
        "More passwords that nobody may take, one to a line.",
    ),
];

fn pepper(text: &str) -> Result<(), BadValue> {
    pepper_holds(text.as_bytes())
}
