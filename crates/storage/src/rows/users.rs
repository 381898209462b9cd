//! Accounts.

#![expect(clippy::ref_option_ref, reason = "the derive borrows what is borrowed already")]

use std::borrow::Cow;

use diesel::prelude::*;
use vestibule_core::{
    Email, Username,
    domain::user::{PersonName, User},
    id::UserId,
    ports::hasher::PasswordHash,
};

use crate::{
    columns::{Column, instant, instant_or_none, micros},
    error::{DbError, DbResult},
    schema::users,
};

/// An account without its password.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = users)]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
#[expect(clippy::struct_excessive_bools, reason = "a row has the columns of its table")]
pub(crate) struct UserRow {
    pub(crate) id: Vec<u8>,
    pub(crate) username: String,
    pub(crate) username_key: String,
    pub(crate) email: Option<String>,
    pub(crate) email_key: Option<String>,
    pub(crate) email_verified: bool,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) names_key: String,
    pub(crate) is_active: bool,
    pub(crate) is_staff: bool,
    pub(crate) is_superuser: bool,
    pub(crate) expires_at: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) last_login_at: Option<i64>,
    pub(crate) password_changed_at: Option<i64>,
}

/// A new account with its password. Borrowed, as an import has hundreds of thousands of them.
#[derive(Insertable)]
#[diesel(table_name = users)]
#[diesel(treat_none_as_default_value = false)]
#[expect(clippy::struct_excessive_bools, reason = "a row has the columns of its table")]
pub(crate) struct NewUserRow<'a> {
    pub(crate) id: &'a [u8],
    pub(crate) username: &'a str,
    pub(crate) username_key: &'a str,
    pub(crate) email: Option<&'a str>,
    pub(crate) email_key: Option<&'a str>,
    pub(crate) email_verified: bool,
    pub(crate) first_name: &'a str,
    pub(crate) last_name: &'a str,
    pub(crate) names_key: String,
    pub(crate) is_active: bool,
    pub(crate) is_staff: bool,
    pub(crate) is_superuser: bool,
    pub(crate) expires_at: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) last_login_at: Option<i64>,
    pub(crate) password_changed_at: Option<i64>,
    pub(crate) password: &'a str,
    pub(crate) password_scheme: Cow<'a, str>,
}

impl From<&User> for UserRow {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.as_bytes().to_vec(),
            username: user.username.as_str().to_owned(),
            username_key: user.username.key().to_owned(),
            email: user.email.as_ref().map(|email| email.as_str().to_owned()),
            email_key: user.email.as_ref().map(|email| email.key().to_owned()),
            email_verified: user.email_verified,
            first_name: user.first_name.as_str().to_owned(),
            last_name: user.last_name.as_str().to_owned(),
            names_key: names_key(user),
            is_active: user.is_active,
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            expires_at: micros(user.expires_at),
            created_at: user.created_at.as_micros(),
            last_login_at: micros(user.last_login_at),
            password_changed_at: micros(user.password_changed_at),
        }
    }
}

impl<'a> NewUserRow<'a> {
    pub(crate) fn new(user: &'a User, password: &'a PasswordHash) -> Self {
        Self {
            id: user.id.as_bytes(),
            username: user.username.as_str(),
            username_key: user.username.key(),
            email: user.email.as_ref().map(Email::as_str),
            email_key: user.email.as_ref().map(Email::key),
            email_verified: user.email_verified,
            first_name: user.first_name.as_str(),
            last_name: user.last_name.as_str(),
            names_key: names_key(user),
            is_active: user.is_active,
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            expires_at: micros(user.expires_at),
            created_at: user.created_at.as_micros(),
            last_login_at: micros(user.last_login_at),
            password_changed_at: micros(user.password_changed_at),
            password: password.expose(),
            password_scheme: password_scheme(password),
        }
    }
}

impl TryFrom<UserRow> for User {
    type Error = DbError;

    fn try_from(row: UserRow) -> DbResult<Self> {
        if row.email.is_some() != row.email_key.is_some() {
            return Err(DbError::corrupt("users", "email_key"));
        }
        Ok(Self {
            id: Column("users", "id").bytes(&row.id, UserId::from_bytes)?,
            username: Username::from_stored(row.username, row.username_key),
            email: row.email.map(Email::from_stored),
            email_verified: row.email_verified,
            first_name: PersonName::from_stored(row.first_name),
            last_name: PersonName::from_stored(row.last_name),
            is_active: row.is_active,
            is_staff: row.is_staff,
            is_superuser: row.is_superuser,
            expires_at: instant_or_none(row.expires_at),
            created_at: instant(row.created_at),
            last_login_at: instant_or_none(row.last_login_at),
            password_changed_at: instant_or_none(row.password_changed_at),
        })
    }
}

/// A stored hash; all schemes write ASCII.
pub(crate) fn password(stored: String) -> DbResult<PasswordHash> {
    Column("users", "password").ascii(stored).map(PasswordHash::from_stored)
}

/// What a search looks into besides login name and mail address: the person's names, folded as
/// login names are.
pub(crate) fn names_key(user: &User) -> String {
    let (first, last) = (user.first_name.as_str(), user.last_name.as_str());
    let mut names = String::with_capacity(first.len() + 1 + last.len());
    for part in [first, " ", last] {
        names.push_str(part);
    }
    if !names.is_ascii() {
        return search_key(names.trim());
    }
    // What folding comes to, without another text: an import folds hundreds of thousands.
    names.make_ascii_lowercase();
    names.truncate(names.trim_end().len());
    let blanks = names.len() - names.trim_start().len();
    names.drain(..blanks);
    names
}

/// What is searched for, folded in the same way.
pub(crate) fn search_key(typed: &str) -> String {
    Username::key_of(typed)
}

/// Scheme and cost of a hash: all that stands before the salt. Empty for accounts that have no
/// usable password.
pub(crate) fn password_scheme(hash: &PasswordHash) -> Cow<'_, str> {
    let text = hash.expose();
    if text.is_empty() || text.starts_with('!') || text.starts_with('*') {
        return Cow::Borrowed("");
    }
    let scheme = before_the_salt(text);
    if scheme.is_ascii() && scheme.len() <= MAX_SCHEME {
        return scheme;
    }
    scheme.chars().filter(char::is_ascii).take(MAX_SCHEME).collect()
}

/// The most characters of a scheme that its column takes.
const MAX_SCHEME: usize = 200;

fn before_the_salt(text: &str) -> Cow<'_, str> {
    if !text.contains('$') {
        // Before Django 1.4 a bare digest was stored.
        return format!("bare {}", text.len()).into();
    }
    if let Some(fields) = text.strip_prefix("scrypt$") {
        // Django writes the cost of scrypt on both sides of the salt.
        let mut fields = fields.split('$');
        let mut next = || fields.next();
        if let (Some(n), Some(_), Some(r), Some(p), Some(_), None) =
            (next(), next(), next(), next(), next(), next())
        {
            return format!("scrypt${n}$${r}${p}").into();
        }
    }
    let is_cost = |part: &&str| {
        part.is_empty()
            || part.contains('=')
            || part.chars().all(|c| c.is_ascii_digit())
            || matches!(*part, "argon2id" | "argon2i" | "argon2d" | "2a" | "2b" | "2y")
    };
    let parts = || text.split('$');
    let named = parts().take_while(|part| part.is_empty()).count() + 1;
    let costs = parts().skip(named).take_while(is_cost).count();
    let salt_follows = parts().nth(named + costs).is_some();
    let kept = if salt_follows { named + costs } else { named };
    let end = text.match_indices('$').nth(kept - 1).map_or(text.len(), |(at, _)| at);
    Cow::Borrowed(&text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_what_stands_before_the_salt() {
        for (hash, scheme) in [
            ("pbkdf2_sha256$260000$c2FsdA$ZGln=", "pbkdf2_sha256$260000"),
            (
                "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdA$ZGln",
                "argon2$argon2id$v=19$m=102400,t=2,p=8",
            ),
            (
                "$argon2id$v=19$m=19456,t=2,p=1,keyid=a$c2FsdA$ZGln",
                "$argon2id$v=19$m=19456,t=2,p=1,keyid=a",
            ),
            ("bcrypt_sha256$$2b$12$saltsaltdigest", "bcrypt_sha256$$2b$12"),
            ("$2b$12$saltsaltdigest", "$2b$12"),
            ("scrypt$16384$seasalt$8$1$ZGln", "scrypt$16384$$8$1"),
            ("sha1$seasalt$6f9b", "sha1"),
            ("md5$$6f9b", "md5$"),
            ("5f4dcc3b5aa765d61d8327deb882cf99", "bare 32"),
            ("$6$rounds=5000$seasalt$digest", "$6$rounds=5000"),
            ("!", ""),
            ("!kV9x", ""),
            ("", ""),
        ] {
            let hash = PasswordHash::from_stored(hash);
            assert_eq!(password_scheme(&hash), scheme);
        }
    }
}
