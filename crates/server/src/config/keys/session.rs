//! `[session]`.

use super::{DAY, key, time};
use crate::config::{kind::Kind, reference::Key, reference::Preset};

pub(super) const KEYS: &[Key] = &[
    key(
        "session.cookie_age",
        // RFC 6265bis section 5.5 lets browsers cut anything longer than 400 days.
        time(60, 400 * DAY, false),
        Preset::Text("24h"),
        "How long a session lasts at most, however busy it is.",
    ),
    key(
        "session.idle_timeout",
        time(2 * 60, 400 * DAY, true),
        Preset::Text("off"),
        "How long a session may lie unused; must be less than `session.cookie_age`.",
    ),
    key(
        "session.expire_at_browser_close",
        Kind::Flag,
        Preset::Flag(true),
        "Whether the browser forgets the cookie when it closes.",
    ),
    key(
        "session.max_per_user",
        Kind::Number { min: 1, max: 10_000 },
        Preset::Number(50),
        "How many sessions one user may have at once.",
    ),
    key(
        "session.tell_new_browsers",
        Kind::Flag,
        Preset::Flag(true),
        "Whether people get a mail when they log in from a browser that is new to their account.",
    ),
];
