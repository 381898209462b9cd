//! `[storage]`.

use super::{FILE, key, secret, time};
use crate::config::{
    kind::Kind, kind::parses, reference::Key, reference::Preset, reference::Secrecy,
    storage::StorageUrl,
};

pub(super) const KEYS: &[Key] = &[
    secret(
        Secrecy::Password,
        key(
            "storage.url",
            Kind::Text { what: "a database's address", check: parses::<StorageUrl> },
            Preset::Text("sqlite:vestibule.db"),
            "The database: `sqlite:FILE`, `postgres://…` or `mysql://…`.",
        ),
    ),
    key("storage.url_file", FILE, Preset::Unset, "A file that holds `storage.url` instead."),
    key(
        "storage.pool_size",
        Kind::Number { min: 1, max: 64 },
        Preset::Number(8),
        "How many connections to the database are held at most.",
    ),
    key(
        "storage.start_timeout",
        time(1, 3600, false),
        Preset::Text("1m"),
        "How long a starting server waits for a database that cannot be reached.",
    ),
];
