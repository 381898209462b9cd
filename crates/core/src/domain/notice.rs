//! Every mail that is sent, as typed data.
//!
//! A notice says what happened, never how that reads: the words are templates of the mail crate.
//! It holds no secret either. One that leads somewhere by a one-time link says what the link is
//! for ([`Notice::link`]); the token is made when the mail is about to be sent and stored as a
//! digest alone, so that neither the outbox nor a copy of the database ever lets anybody in.

mod news;
mod samples;
mod stored;

use serde::{Deserialize, Serialize};

pub use self::news::SiteNews;
pub use self::stored::{Lane, NoticeState, StoredNotice};
use super::ticket::{Purpose, Subject};
use crate::{
    id::{AnnouncementId, InvitationId, RegistrationId},
    time::Timestamp,
};

/// What a mail is about.
///
/// Another one is a variant here, a folder of templates of its [kind](Self::kind) in the mail
/// crate, and a sample in [`samples`](Self::samples).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// Mail works.
    Test,
    /// An account waits for its owner to say that the address is theirs.
    Activate {
        /// The account's login name.
        username: String,
        /// Which registration it is.
        registration: RegistrationId,
    },
    /// Somebody forgot a password.
    Reset {
        /// The account's login name.
        username: String,
    },
    /// Somebody forgot a password of an account that is kept elsewhere.
    ResetElsewhere {
        /// The account's login name.
        username: String,
        /// The ways in, as the login page shows them.
        ways: Vec<String>,
    },
    /// An administrator made an account; its owner is to choose a password.
    Welcome {
        /// The account's login name.
        username: String,
    },
    /// Somebody gave an address that has an account already.
    AddressKnown {
        /// That account's login name.
        username: String,
    },
    /// Somebody registered a name that has an account already.
    NameTaken {
        /// The name.
        username: String,
    },
    /// This address is to become that of an account.
    EmailChange {
        /// The account's login name.
        username: String,
    },
    /// The address of an account changes; told to the one it had before.
    EmailChanged {
        /// The account's login name.
        username: String,
        /// When.
        #[serde(with = "crate::time::micros")]
        at: Timestamp,
        /// From which network address; empty when it was not a request.
        address: String,
        /// Whether it has another one now; else somebody asked for it.
        is_done: bool,
    },
    /// A password is another one now.
    PasswordChanged {
        /// The account's login name.
        username: String,
        /// When.
        #[serde(with = "crate::time::micros")]
        at: Timestamp,
        /// From which network address; empty when it was not a request.
        address: String,
    },
    /// Somebody is invited.
    Invitation {
        /// Which invitation it is.
        invitation: InvitationId,
        /// The login name of whoever invites.
        by: String,
        /// The groups that it leads into.
        groups: Vec<String>,
    },
    /// An account waits for an administrator; for those of the site.
    RegistrationWaits {
        /// The login name it is to have.
        username: String,
        /// Its mail address.
        email: String,
    },
    /// An administrator made the account that waited.
    RegistrationApproved {
        /// The account's login name.
        username: String,
    },
    /// An administrator will not make the account.
    RegistrationRefused {
        /// The login name it was to have.
        username: String,
        /// Why, in the administrator's words; may be empty.
        reason: String,
    },
    /// There is another way into an account, or one less.
    IdentityChanged {
        /// The account's login name.
        username: String,
        /// Which way in, as the login page calls it.
        way: String,
        /// When.
        #[serde(with = "crate::time::micros")]
        at: Timestamp,
        /// From which network address; empty when it was not a request.
        address: String,
        /// Whether it leads in from now on; else it does no more.
        is_linked: bool,
    },
    /// Somebody logged in from a browser that was not seen with the account before.
    NewBrowser {
        /// The account's login name.
        username: String,
        /// How the browser describes itself.
        browser: String,
        /// When.
        #[serde(with = "crate::time::micros")]
        at: Timestamp,
        /// From which network address.
        address: String,
    },
    /// What an administrator tells many. In the outbox it stands for its words, which are one
    /// row for all; whoever sends it is given a [message](Self::Message).
    Announcement {
        /// Which one.
        announcement: AnnouncementId,
    },
    /// What somebody wrote, or a service says to one of its people.
    Message {
        /// What it is about, in one line.
        subject: String,
        /// The text, in lines.
        text: String,
        /// Where it leads: a page of the site.
        link: Option<String>,
    },
    /// What the site's administrators asked to be told of.
    SiteNews {
        /// What happened.
        news: SiteNews,
        /// Whose account it is; empty where it is about none.
        username: String,
        /// When.
        #[serde(with = "crate::time::micros")]
        at: Timestamp,
        /// From which network address; empty when it was not a request.
        address: String,
        /// Whether the next ones are not told of for a while.
        is_last: bool,
    },
    /// Requests failed; for the site's administrators.
    ErrorReport {
        /// What failed: a route as it is declared, never as it was called.
        place: String,
        /// The stable word that those who asked were told last.
        #[serde(default)]
        code: String,
        /// How often since the last report.
        count: u64,
        /// When it happened first.
        #[serde(with = "crate::time::micros")]
        first: Timestamp,
        /// When it happened last.
        #[serde(with = "crate::time::micros")]
        last: Timestamp,
        /// Some of the requests, to find them in the log.
        requests: Vec<String>,
    },
    /// Mails were given up; for the site's administrators.
    Undelivered {
        /// What the last of them was about.
        about: String,
        /// Which it was.
        id: String,
        /// Why it was given up.
        reason: String,
        /// How many there are now.
        dead: u64,
    },
}

impl Notice {
    /// What it is about in a word: the name of its templates, and by what lists are filtered.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Activate { .. } => "activate",
            Self::Reset { .. } => "reset",
            Self::ResetElsewhere { .. } => "reset_elsewhere",
            Self::Welcome { .. } => "welcome",
            Self::AddressKnown { .. } => "address_known",
            Self::NameTaken { .. } => "name_taken",
            Self::EmailChange { .. } => "email_change",
            Self::EmailChanged { .. } => "email_changed",
            Self::PasswordChanged { .. } => "password_changed",
            Self::Invitation { .. } => "invitation",
            Self::RegistrationWaits { .. } => "registration_waits",
            Self::RegistrationApproved { .. } => "registration_approved",
            Self::RegistrationRefused { .. } => "registration_refused",
            Self::IdentityChanged { .. } => "identity_changed",
            Self::NewBrowser { .. } => "new_browser",
            Self::Announcement { .. } => "announcement",
            Self::Message { .. } => "message",
            Self::ErrorReport { .. } => "error_report",
            Self::SiteNews { .. } => "site_news",
            Self::Undelivered { .. } => "undelivered",
        }
    }

    /// What its link is for, if it has one.
    pub const fn link(&self) -> Option<Purpose> {
        match self {
            Self::Activate { .. } => Some(Purpose::Activate),
            Self::Reset { .. } | Self::Welcome { .. } => Some(Purpose::Reset),
            Self::EmailChange { .. } => Some(Purpose::EmailChange),
            Self::Invitation { .. } => Some(Purpose::Invitation),
            Self::Test
            | Self::ResetElsewhere { .. }
            | Self::AddressKnown { .. }
            | Self::NameTaken { .. }
            | Self::EmailChanged { .. }
            | Self::PasswordChanged { .. }
            | Self::RegistrationWaits { .. }
            | Self::RegistrationApproved { .. }
            | Self::RegistrationRefused { .. }
            | Self::IdentityChanged { .. }
            | Self::NewBrowser { .. }
            | Self::Announcement { .. }
            | Self::Message { .. }
            | Self::ErrorReport { .. }
            | Self::SiteNews { .. }
            | Self::Undelivered { .. } => None,
        }
    }

    /// What its link opens that is no account yet.
    pub const fn subject(&self) -> Option<Subject> {
        match self {
            Self::Activate { registration, .. } => Some(Subject::Registration(*registration)),
            Self::Invitation { invitation, .. } => Some(Subject::Invitation(*invitation)),
            _ => None,
        }
    }

    /// Whether somebody can have it sent to an address that need not be theirs; only so many of
    /// these are.
    pub const fn is_on_request(&self) -> bool {
        matches!(
            self,
            Self::Activate { .. }
                | Self::Reset { .. }
                | Self::ResetElsewhere { .. }
                | Self::AddressKnown { .. }
                | Self::NameTaken { .. }
                | Self::EmailChange { .. }
                | Self::Invitation { .. }
        )
    }

    /// Whether it is one of these and only tells something, unlike what somebody asked for.
    pub const fn is_news_on_request(&self) -> bool {
        matches!(self, Self::AddressKnown { .. } | Self::NameTaken { .. })
    }

    /// Whether it tells administrators about the site itself: that one of these could not be
    /// delivered is no reason for the next.
    pub const fn is_about_the_site(&self) -> bool {
        matches!(
            self,
            Self::Test
                | Self::RegistrationWaits { .. }
                | Self::ErrorReport { .. }
                | Self::SiteNews { .. }
                | Self::Undelivered { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Notice;

    #[test]
    fn every_notice_is_read_back_as_it_was_and_names_its_kind() {
        for notice in Notice::samples() {
            let text = serde_json::to_string(&notice).unwrap();
            assert!(text.contains(&format!("\"kind\":\"{}\"", notice.kind())), "{text}");
            assert_eq!(serde_json::from_str::<Notice>(&text).unwrap(), notice);
        }
    }
}
