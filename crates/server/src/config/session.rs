//! `[session]`: how long a login lasts.

use std::time::Duration;

use serde::Deserialize;

use super::{check::Check, duration::HumanDuration, raw::OffOr};

/// The validated section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// How long a session lasts at most, however busy it is.
    pub cookie_age: Duration,
    /// How long it may lie unused, or `None` for as long as it lasts; shorter than `cookie_age`.
    pub idle_timeout: Option<Duration>,
    /// Whether the cookie goes when the browser closes.
    pub expire_at_browser_close: bool,
    /// How many sessions one user may have at once.
    pub max_per_user: u32,
    /// Whether people get a mail when they log in from a browser that is new to their account.
    pub tell_new_browsers: bool,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawSession {
    cookie_age: HumanDuration,
    idle_timeout: OffOr<HumanDuration>,
    expire_at_browser_close: bool,
    max_per_user: u32,
    tell_new_browsers: bool,
}

impl Default for RawSession {
    fn default() -> Self {
        Self {
            cookie_age: HumanDuration::seconds(86_400),
            idle_timeout: OffOr::Off,
            expire_at_browser_close: true,
            max_per_user: 50,
            tell_new_browsers: true,
        }
    }
}

impl RawSession {
    pub(super) fn validate(check: &mut Check<'_>) -> Option<SessionSettings> {
        let raw: Self = check.section("session")?;
        let idle_timeout = raw.idle_timeout.on();
        if let Some(idle) = idle_timeout.filter(|idle| *idle >= raw.cookie_age) {
            check.refuse(
                "session.idle_timeout",
                format!("must be less than session.cookie_age ({}), got {idle}", raw.cookie_age),
            );
        }
        Some(SessionSettings {
            cookie_age: raw.cookie_age.0,
            idle_timeout: idle_timeout.map(|idle| idle.0),
            expire_at_browser_close: raw.expire_at_browser_close,
            max_per_user: raw.max_per_user,
            tell_new_browsers: raw.tell_new_browsers,
        })
    }
}
