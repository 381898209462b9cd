//! What administrators may ask to be told of.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::domain::level::{UnknownWord, words};

/// Something that the site's administrators asked to be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteNews {
    /// There is another account.
    AccountMade,
    /// Somebody did not get into an account that is watched.
    LoginFailed,
    /// A server process begins to work.
    Started,
    /// A server process ends.
    Stopped,
}

words!(
    SiteNews: AccountMade = "account_made", LoginFailed = "login_failed", Started = "started",
    Stopped = "stopped";
    "account_made, login_failed, started or stopped"
);
