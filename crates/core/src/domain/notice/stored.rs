//! A notice in the outbox.

use std::{fmt, str::FromStr};

use super::Notice;
use crate::{
    domain::{
        email::Email,
        level::{UnknownWord, words},
    },
    id::{AnnouncementId, LeaseId, NoticeId, UserId},
    time::Timestamp,
};

/// Who goes first: what one person waits for is not kept up by what many are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// What one person is told.
    #[default]
    Personal,
    /// What many are told at once.
    Bulk,
}

impl Lane {
    /// Both, in the order in which they are served.
    pub const ALL: [Self; 2] = [Self::Personal, Self::Bulk];
}

words!(Lane: Personal = "personal", Bulk = "bulk"; "personal or bulk");

/// What became of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoticeState {
    /// It is still to be sent.
    Waiting,
    /// A mail server has taken it.
    Sent,
    /// It was given up.
    Dead,
    /// Its link died before it could be sent.
    Expired,
}

words!(
    NoticeState: Waiting = "waiting", Sent = "sent", Dead = "dead", Expired = "expired";
    "waiting, sent, dead or expired"
);

/// A notice in the outbox.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredNotice {
    /// The notice's id; ordered by time.
    pub id: NoticeId,
    /// What mail programs know it by (RFC 5322 section 3.6.4), without the angle brackets: the
    /// same however often it is sent.
    pub message_id: String,
    /// To whom.
    pub recipient: Email,
    /// Whose account it is about.
    pub user: Option<UserId>,
    /// Which announcement it is one of.
    pub announcement: Option<AnnouncementId>,
    /// In which language.
    pub language: String,
    /// Who goes first.
    pub lane: Lane,
    /// What it is about; of a newer release, maybe.
    pub kind: String,
    /// The notice as JSON.
    pub data: String,
    /// When it was posted.
    pub created_at: Timestamp,
    /// From when on it is not worth sending.
    pub expires_at: Option<Timestamp>,
    /// What became of it.
    pub state: NoticeState,
    /// How often its sending was begun.
    pub attempts: u32,
    /// When it is to be tried next; while somebody sends it, until when they may.
    pub due_at: Timestamp,
    /// Who sends it at the moment.
    pub lease: Option<LeaseId>,
    /// When it was sent or given up.
    pub settled_at: Option<Timestamp>,
    /// What the mail server said last, or why it could not be asked.
    pub reason: String,
}

impl StoredNotice {
    /// The notice itself; `None` when this release cannot read it.
    pub fn notice(&self) -> Option<Notice> {
        serde_json::from_str(&self.data).ok()
    }
}

/// Without the address: lines of the log are kept longer than mails.
impl fmt::Debug for StoredNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredNotice")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .field("due_at", &self.due_at)
            .field("lease", &self.lease)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}
