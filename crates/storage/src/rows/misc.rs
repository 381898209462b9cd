//! Changes, one-time links and what was brought over from elsewhere.

use diesel::prelude::*;
use vestibule_core::{
    Email, TokenDigest,
    domain::{
        change::{Change, NumberedChange},
        login_step::LoginStep,
        ticket::{Purpose, Subject, Ticket},
    },
    id::UserId,
    ports::imports::{ImportLink, LinksOf},
};

use crate::{
    columns::{Column, instant},
    error::{DbError, DbResult},
    schema::{changes, import_links, login_steps, tickets},
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = changes)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct ChangeRow {
    pub(crate) number: i64,
    pub(crate) user_id: Option<Vec<u8>>,
    pub(crate) at: i64,
}

impl TryFrom<ChangeRow> for NumberedChange {
    type Error = DbError;

    fn try_from(row: ChangeRow) -> DbResult<Self> {
        let user = Column("changes", "user_id")
            .bytes_or_none(row.user_id.as_deref(), UserId::from_bytes)?;
        Ok(Self { number: row.number, change: user.map_or(Change::Everyone, Change::User) })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = tickets)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct TicketRow {
    pub(crate) digest: Vec<u8>,
    pub(crate) purpose: String,
    pub(crate) user_id: Option<Vec<u8>>,
    pub(crate) expires_at: i64,
    pub(crate) subject: Option<Vec<u8>>,
    pub(crate) email: Option<String>,
}

impl From<&Ticket> for TicketRow {
    fn from(ticket: &Ticket) -> Self {
        Self {
            digest: ticket.digest.as_bytes().to_vec(),
            purpose: ticket.purpose.as_str().to_owned(),
            user_id: ticket.user.map(|id| id.as_bytes().to_vec()),
            expires_at: ticket.expires_at.as_micros(),
            subject: ticket.subject.map(|id| id.as_bytes().to_vec()),
            email: ticket.email.as_ref().map(|email| email.as_str().to_owned()),
        }
    }
}

impl TryFrom<TicketRow> for Ticket {
    type Error = DbError;

    fn try_from(row: TicketRow) -> DbResult<Self> {
        let purpose: Purpose = Column("tickets", "purpose").word(&row.purpose)?;
        let subject = Column("tickets", "subject");
        Ok(Self {
            digest: Column("tickets", "digest").bytes(&row.digest, TokenDigest::from_bytes)?,
            purpose,
            user: Column("tickets", "user_id")
                .bytes_or_none(row.user_id.as_deref(), UserId::from_bytes)?,
            expires_at: instant(row.expires_at),
            subject: subject
                .bytes_or_none(row.subject.as_deref(), |id| Subject::of(purpose, id))?
                .flatten(),
            email: row.email.map(Email::from_stored),
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = import_links)]
pub(crate) struct ImportLinkRow {
    pub(crate) source: String,
    pub(crate) kind: String,
    pub(crate) foreign_key: String,
    pub(crate) local_id: Vec<u8>,
    pub(crate) fingerprint: Vec<u8>,
}

impl TryFrom<ImportLinkRow> for ImportLink {
    type Error = DbError;

    fn try_from(row: ImportLinkRow) -> DbResult<Self> {
        Ok(Self {
            local_id: Column("import_links", "local_id").bytes(&row.local_id, |id| id)?,
            fingerprint: Column("import_links", "fingerprint")
                .bytes(&row.fingerprint, |digest| digest)?,
            foreign_key: row.foreign_key,
        })
    }
}

/// A link that is written. Borrowed, as there are hundreds of thousands of them.
#[derive(Insertable)]
#[diesel(table_name = import_links)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct NewImportLinkRow<'a> {
    pub(crate) source: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) foreign_key: &'a str,
    pub(crate) local_id: &'a [u8],
    pub(crate) fingerprint: &'a [u8],
}

impl<'a> NewImportLinkRow<'a> {
    pub(crate) fn new(of: LinksOf<'a>, link: &'a ImportLink) -> Self {
        Self {
            source: of.source,
            kind: of.kind,
            foreign_key: &link.foreign_key,
            local_id: &link.local_id,
            fingerprint: &link.fingerprint,
        }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = login_steps)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct LoginStepRow {
    pub(crate) digest: Vec<u8>,
    pub(crate) backend: String,
    pub(crate) browser: Option<Vec<u8>>,
    pub(crate) sealed: Vec<u8>,
    pub(crate) expires_at: i64,
}

impl From<&LoginStep> for LoginStepRow {
    fn from(step: &LoginStep) -> Self {
        Self {
            digest: step.digest.as_bytes().to_vec(),
            backend: step.backend.to_string(),
            browser: step.browser.map(|digest| digest.as_bytes().to_vec()),
            sealed: step.sealed.clone(),
            expires_at: step.expires_at.as_micros(),
        }
    }
}

impl TryFrom<LoginStepRow> for LoginStep {
    type Error = DbError;

    fn try_from(row: LoginStepRow) -> DbResult<Self> {
        let browser = row.browser.as_deref();
        Ok(Self {
            digest: Column("login_steps", "digest").bytes(&row.digest, TokenDigest::from_bytes)?,
            backend: Column("login_steps", "backend").word(&row.backend)?,
            browser: Column("login_steps", "browser")
                .bytes_or_none(browser, TokenDigest::from_bytes)?,
            sealed: row.sealed,
            expires_at: instant(row.expires_at),
        })
    }
}
