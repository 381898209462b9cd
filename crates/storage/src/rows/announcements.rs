//! Announcements, and whom each still has to be posted to.

use diesel::prelude::*;
use vestibule_core::{
    domain::announcement::{Announcement, Progress, Words},
    id::{AnnouncementId, UserId},
    ports::announcements::Batch,
};

use crate::{
    columns::{Column, counted, instant, instant_or_none, micros},
    error::{DbError, DbResult},
    schema::{announcement_batches, announcements},
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = announcements)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct AnnouncementRow {
    pub(crate) id: Vec<u8>,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) audience: String,
    pub(crate) include_inactive: bool,
    pub(crate) author_id: Option<Vec<u8>>,
    pub(crate) author: String,
    pub(crate) created_at: i64,
    pub(crate) cancelled_at: Option<i64>,
    /// To how many people it has not been posted yet.
    pub(crate) unposted: i64,
    pub(crate) without_address: i64,
    pub(crate) left_out: i64,
    /// The next three are of mails that are not in the outbox any more.
    pub(crate) sent: i64,
    pub(crate) failed: i64,
    pub(crate) cancelled: i64,
}

impl AnnouncementRow {
    /// The row of a new announcement that has to be posted to so many.
    pub(crate) fn of(announcement: &Announcement, unposted: i64) -> DbResult<Self> {
        let audience = serde_json::to_string(&announcement.audience)
            .map_err(|_| DbError::corrupt("announcements", "audience"))?;
        let without_address = announcement.progress.without_address;
        Ok(Self {
            id: announcement.id.as_bytes().to_vec(),
            subject: announcement.words.subject.clone(),
            text: announcement.words.text.clone(),
            audience,
            include_inactive: announcement.include_inactive,
            author_id: announcement.author_id.map(|id| id.as_bytes().to_vec()),
            author: announcement.author.clone(),
            created_at: announcement.created_at.as_micros(),
            cancelled_at: micros(announcement.cancelled_at),
            unposted,
            without_address: i64::try_from(without_address).unwrap_or(i64::MAX),
            left_out: 0,
            sent: 0,
            failed: 0,
            cancelled: 0,
        })
    }
}

impl TryFrom<AnnouncementRow> for Announcement {
    type Error = DbError;

    fn try_from(row: AnnouncementRow) -> DbResult<Self> {
        let column = |name| Column("announcements", name);
        Ok(Self {
            id: column("id").bytes(&row.id, AnnouncementId::from_bytes)?,
            words: Words { subject: row.subject, text: row.text },
            audience: serde_json::from_str(&row.audience)
                .map_err(|_| DbError::corrupt("announcements", "audience"))?,
            include_inactive: row.include_inactive,
            author_id: column("author_id")
                .bytes_or_none(row.author_id.as_deref(), UserId::from_bytes)?,
            author: row.author,
            created_at: instant(row.created_at),
            cancelled_at: instant_or_none(row.cancelled_at),
            progress: Progress {
                waiting: counted(row.unposted),
                sent: counted(row.sent),
                failed: counted(row.failed),
                without_address: counted(row.without_address),
                left_out: counted(row.left_out),
                cancelled: counted(row.cancelled),
            },
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = announcement_batches)]
pub(crate) struct BatchRow {
    pub(crate) announcement_id: Vec<u8>,
    pub(crate) number: i32,
    /// The ids of accounts, one behind the other.
    pub(crate) people: Vec<u8>,
}

impl BatchRow {
    pub(crate) fn of(announcement: AnnouncementId, number: usize, people: &[UserId]) -> Self {
        Self {
            announcement_id: announcement.as_bytes().to_vec(),
            number: i32::try_from(number).unwrap_or(i32::MAX),
            people: people.iter().flat_map(|id| *id.as_bytes()).collect(),
        }
    }
}

impl TryFrom<BatchRow> for Batch {
    type Error = DbError;

    fn try_from(row: BatchRow) -> DbResult<Self> {
        let column = |name| Column("announcement_batches", name);
        let (ids, rest) = row.people.as_chunks::<16>();
        if !rest.is_empty() {
            return Err(DbError::corrupt("announcement_batches", "people"));
        }
        Ok(Self {
            announcement: column("announcement_id")
                .bytes(&row.announcement_id, AnnouncementId::from_bytes)?,
            number: u32::try_from(row.number)
                .map_err(|_| DbError::corrupt("announcement_batches", "number"))?,
            people: ids.iter().copied().map(UserId::from_bytes).collect(),
        })
    }
}
