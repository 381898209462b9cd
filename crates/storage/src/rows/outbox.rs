//! Notices in the outbox.

use diesel::prelude::*;
use vestibule_core::{
    Email,
    domain::notice::StoredNotice,
    id::{AnnouncementId, LeaseId, NoticeId, UserId},
};

use crate::{
    columns::{Column, instant, instant_or_none, micros},
    error::{DbError, DbResult},
    schema::outbox,
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = outbox)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct NoticeRow {
    pub(crate) id: Vec<u8>,
    pub(crate) message_id: String,
    pub(crate) recipient: String,
    pub(crate) recipient_key: String,
    pub(crate) user_id: Option<Vec<u8>>,
    pub(crate) language: String,
    pub(crate) lane: String,
    pub(crate) place: i64,
    pub(crate) kind: String,
    pub(crate) data: String,
    pub(crate) created_at: i64,
    pub(crate) expires_at: Option<i64>,
    pub(crate) state: String,
    pub(crate) attempts: i32,
    pub(crate) due_at: i64,
    pub(crate) lease: Option<Vec<u8>>,
    pub(crate) settled_at: Option<i64>,
    pub(crate) reason: String,
    pub(crate) announcement_id: Option<Vec<u8>>,
}

impl NoticeRow {
    /// The row of a notice at its place among those to the same recipient.
    pub(crate) fn of(notice: &StoredNotice, place: i64) -> Self {
        Self {
            id: notice.id.as_bytes().to_vec(),
            message_id: notice.message_id.clone(),
            recipient: notice.recipient.as_str().to_owned(),
            recipient_key: notice.recipient.key().to_owned(),
            user_id: notice.user.map(|id| id.as_bytes().to_vec()),
            language: notice.language.clone(),
            lane: notice.lane.as_str().to_owned(),
            place,
            kind: notice.kind.clone(),
            data: notice.data.clone(),
            created_at: notice.created_at.as_micros(),
            expires_at: micros(notice.expires_at),
            state: notice.state.as_str().to_owned(),
            attempts: i32::try_from(notice.attempts).unwrap_or(i32::MAX),
            due_at: notice.due_at.as_micros(),
            lease: notice.lease.map(|id| id.as_bytes().to_vec()),
            settled_at: micros(notice.settled_at),
            reason: notice.reason.clone(),
            announcement_id: notice.announcement.map(|id| id.as_bytes().to_vec()),
        }
    }
}

impl TryFrom<NoticeRow> for StoredNotice {
    type Error = DbError;

    fn try_from(row: NoticeRow) -> DbResult<Self> {
        let column = |name| Column("outbox", name);
        Ok(Self {
            id: column("id").bytes(&row.id, NoticeId::from_bytes)?,
            message_id: column("message_id").ascii(row.message_id)?,
            recipient: Email::from_stored(row.recipient),
            user: column("user_id").bytes_or_none(row.user_id.as_deref(), UserId::from_bytes)?,
            announcement: column("announcement_id")
                .bytes_or_none(row.announcement_id.as_deref(), AnnouncementId::from_bytes)?,
            language: row.language,
            lane: column("lane").word(&row.lane)?,
            kind: row.kind,
            data: row.data,
            created_at: instant(row.created_at),
            expires_at: instant_or_none(row.expires_at),
            state: column("state").word(&row.state)?,
            attempts: u32::try_from(row.attempts)
                .map_err(|_| DbError::corrupt("outbox", "attempts"))?,
            due_at: instant(row.due_at),
            lease: column("lease").bytes_or_none(row.lease.as_deref(), LeaseId::from_bytes)?,
            settled_at: instant_or_none(row.settled_at),
            reason: row.reason,
        })
    }
}
