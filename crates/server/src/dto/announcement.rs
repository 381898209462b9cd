//! Announcements.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_core::{
    domain::announcement::{Announcement, Audience},
    usecase::announcements::NewAnnouncement,
};
use vestibule_mail::render::Written;

use crate::problem::Problem;

/// Whom it is for: one of the four.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = Audience)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AudienceBody {
    /// Everybody who has an account; `true` or left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    everyone: Option<bool>,
    /// Whoever is in one of these groups, directly or through others.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<uuid::Uuid>>,
    /// Whoever holds this permission as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    permission: Option<String>,
    /// These.
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<Vec<uuid::Uuid>>,
}

/// What is to be told.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewAnnouncement)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnnouncementIn {
    /// One line; `mail.subject_prefix` comes before it.
    subject: String,
    /// The text, in lines.
    text: String,
    to: AudienceBody,
    /// Whether it is also for those whose accounts are disabled or have expired.
    #[serde(default)]
    include_inactive: bool,
}

impl AnnouncementIn {
    pub(crate) fn read(self) -> Result<NewAnnouncement, Problem> {
        let AudienceBody { everyone, groups, permission, users } = self.to;
        let audience = match (everyone, groups, permission, users) {
            (Some(true), None, None, None) => Audience::Everyone,
            (None | Some(false), Some(groups), None, None) => {
                Audience::Groups(groups.into_iter().map(Into::into).collect())
            }
            (None | Some(false), None, Some(permission), None) => Audience::Permission(permission),
            (None | Some(false), None, None, Some(users)) => {
                Audience::Users(users.into_iter().map(Into::into).collect())
            }
            _ => {
                let detail = "must hold one of everyone, groups, permission and users";
                return Err(Problem::malformed_field("to", detail));
            }
        };
        Ok(NewAnnouncement {
            subject: self.subject,
            text: self.text,
            audience,
            include_inactive: self.include_inactive,
        })
    }
}

/// What sending would come to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AnnouncementPreview)]
pub(crate) struct PreviewOut {
    /// How many people it is for.
    pub(crate) people: u64,
    /// How many of them have no address, and get nothing.
    pub(crate) without_address: u64,
    /// The mail that each of the others would get.
    pub(crate) mail: WrittenOut,
}

/// A mail as its reader sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WrittenMail)]
pub(crate) struct WrittenOut {
    subject: String,
    text: String,
    html: String,
}

impl From<Written> for WrittenOut {
    fn from(written: Written) -> Self {
        Self { subject: written.subject, text: written.text, html: written.html }
    }
}

/// What was told, and how far it has got.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Announcement)]
pub(crate) struct AnnouncementOut {
    id: uuid::Uuid,
    subject: String,
    text: String,
    to: AudienceBody,
    include_inactive: bool,
    /// The name of who sent it, at that time.
    author: String,
    created_at: String,
    /// When what still waited was taken back.
    cancelled_at: Option<String>,
    /// `sending`, `sent` or `cancelled`.
    state: &'static str,
    progress: ProgressOut,
}

/// How far it has got, in people; together they are all whom it was for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AnnouncementProgress)]
pub(crate) struct ProgressOut {
    /// It is still to be sent to them.
    waiting: u64,
    /// A mail server has taken it for them.
    sent: u64,
    /// It was given up; the outbox says why.
    failed: u64,
    without_address: u64,
    /// Their account was removed or disabled before it was their turn.
    left_out: u64,
    /// It was taken back before it was their turn.
    cancelled: u64,
}

impl From<Audience> for AudienceBody {
    fn from(audience: Audience) -> Self {
        let mut body = Self::default();
        match audience {
            Audience::Everyone => body.everyone = Some(true),
            Audience::Groups(groups) => {
                body.groups = Some(groups.into_iter().map(|id| id.as_uuid()).collect());
            }
            Audience::Permission(permission) => body.permission = Some(permission),
            Audience::Users(users) => {
                body.users = Some(users.into_iter().map(|id| id.as_uuid()).collect());
            }
        }
        body
    }
}

impl From<Announcement> for AnnouncementOut {
    fn from(announcement: Announcement) -> Self {
        let (state, progress) = (announcement.state(), announcement.progress);
        Self {
            id: announcement.id.as_uuid(),
            subject: announcement.words.subject,
            text: announcement.words.text,
            to: announcement.audience.into(),
            include_inactive: announcement.include_inactive,
            author: announcement.author,
            created_at: announcement.created_at.to_string(),
            cancelled_at: announcement.cancelled_at.map(|at| at.to_string()),
            state,
            progress: ProgressOut {
                waiting: progress.waiting,
                sent: progress.sent,
                failed: progress.failed,
                without_address: progress.without_address,
                left_out: progress.left_out,
                cancelled: progress.cancelled,
            },
        }
    }
}
