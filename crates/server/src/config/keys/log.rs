//! `[log]`.

use super::key;
use crate::config::{kind::Kind, log, reference::Key, reference::Preset};

pub(super) const KEYS: &[Key] = &[
    key(
        "log.format",
        Kind::Choice(&["text", "json"]),
        Preset::Text("text"),
        "How a line of the log is written: for people, or as one JSON object.",
    ),
    key(
        "log.filter",
        Kind::Text { what: "a log filter", check: log::filter_holds },
        Preset::Text("info"),
        "What is logged: levels and `target=level` pairs, with commas between.",
    ),
];
