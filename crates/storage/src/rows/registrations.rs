//! Accounts that wait for their owner.

use diesel::prelude::*;
use vestibule_core::{
    Email, Username,
    domain::{
        registration::{Consent, Registration},
        user::PersonName,
    },
    id::{RegistrationId, UserId},
};

use super::users::password;
use crate::{
    columns::{Column, instant, instant_or_none, micros},
    error::{DbError, DbResult},
    schema::{consents, registrations},
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = registrations)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct RegistrationRow {
    pub(crate) id: Vec<u8>,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) email_key: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) password: String,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) confirmed_at: Option<i64>,
    pub(crate) policy: Option<String>,
}

impl From<&Registration> for RegistrationRow {
    fn from(waiting: &Registration) -> Self {
        Self {
            id: waiting.id.as_bytes().to_vec(),
            username: waiting.username.as_str().to_owned(),
            email: waiting.email.as_str().to_owned(),
            email_key: waiting.email.key().to_owned(),
            first_name: waiting.first_name.as_str().to_owned(),
            last_name: waiting.last_name.as_str().to_owned(),
            password: waiting.password.expose().to_owned(),
            created_at: waiting.created_at.as_micros(),
            expires_at: waiting.expires_at.as_micros(),
            confirmed_at: micros(waiting.confirmed_at),
            policy: waiting.policy.clone(),
        }
    }
}

impl TryFrom<RegistrationRow> for Registration {
    type Error = DbError;

    fn try_from(row: RegistrationRow) -> DbResult<Self> {
        Ok(Self {
            id: Column("registrations", "id").bytes(&row.id, RegistrationId::from_bytes)?,
            username: Username::from_stored(row.username.clone(), Username::key_of(&row.username)),
            email: Email::from_stored(row.email),
            first_name: PersonName::from_stored(row.first_name),
            last_name: PersonName::from_stored(row.last_name),
            password: password(row.password)?,
            created_at: instant(row.created_at),
            expires_at: instant(row.expires_at),
            confirmed_at: instant_or_none(row.confirmed_at),
            policy: row.policy,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = consents)]
pub(crate) struct ConsentRow {
    pub(crate) user_id: Vec<u8>,
    pub(crate) version: String,
    pub(crate) at: i64,
}

impl ConsentRow {
    pub(crate) fn of(user: UserId, consent: &Consent) -> Self {
        Self {
            user_id: user.as_bytes().to_vec(),
            version: consent.version.clone(),
            at: consent.at.as_micros(),
        }
    }
}

impl TryFrom<ConsentRow> for Consent {
    type Error = DbError;

    fn try_from(row: ConsentRow) -> DbResult<Self> {
        Ok(Self { version: row.version, at: instant(row.at) })
    }
}
