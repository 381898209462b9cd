//! Accounts as somebody typed them, and what a change changed.

use serde_json::{Map, Value, json};

use crate::{
    Secret, Timestamp,
    domain::{
        email::Email,
        invalid::{FieldError, Invalid},
        user::{PersonName, User},
        username::Username,
    },
    id::{GroupId, UserId},
};

/// A new account, as somebody typed it.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent marks of an account")]
pub struct NewUser {
    /// The login name.
    pub username: String,
    /// The mail address, if there is one.
    pub email: Option<String>,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// The first password; without one the account has none that could match.
    pub password: Option<Secret>,
    /// Whether the account is disabled from the start.
    pub is_disabled: bool,
    /// Whether it is staff, for services that ask for that.
    pub is_staff: bool,
    /// Whether it holds every permission.
    pub is_superuser: bool,
    /// From when on it may not be used.
    pub expires_at: Option<Timestamp>,
    /// The groups it is in from the start.
    pub groups: Vec<GroupId>,
    /// Whether its owner is mailed a link to choose a password, if it has none.
    pub is_welcomed: bool,
}

/// What is to be different about an account; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct UserPatch {
    /// The login name.
    pub username: Option<String>,
    /// The mail address; an inner `None` takes it away.
    pub email: Option<Option<String>>,
    /// The given name.
    pub first_name: Option<String>,
    /// The family name.
    pub last_name: Option<String>,
    /// Whether the account may be used.
    pub is_active: Option<bool>,
    /// Whether it is staff, for services that ask for that.
    pub is_staff: Option<bool>,
    /// Whether it holds every permission.
    pub is_superuser: Option<bool>,
    /// From when on it may not be used; an inner `None` takes the end away.
    pub expires_at: Option<Option<Timestamp>>,
}

/// Reads a new account field by field; all that is wrong is told at once.
pub(in crate::usecase) fn parse(
    new: &NewUser,
    id: UserId,
    now: Timestamp,
) -> Result<User, Invalid> {
    let mut wrong = Invalid::default();
    let username = wrong.take(Username::parse(&new.username));
    let email = match new.email.as_deref().filter(|email| !email.is_empty()) {
        Some(email) => wrong.take(Email::parse(email)).map(Some),
        None => Some(None),
    };
    let first_name = wrong.take(PersonName::parse("first_name", &new.first_name));
    let last_name = wrong.take(PersonName::parse("last_name", &new.last_name));
    if let (Some(name), Some(email)) = (&username, &email)
        && is_foreign(name, email.as_ref())
    {
        wrong.0.push(foreign_address());
    }
    wrong.into_result()?;
    let (Some(username), Some(email), Some(first_name), Some(last_name)) =
        (username, email, first_name, last_name)
    else {
        return Err(Invalid::default());
    };
    Ok(User {
        id,
        username,
        email,
        email_verified: false,
        first_name,
        last_name,
        is_active: !new.is_disabled,
        is_staff: new.is_staff,
        is_superuser: new.is_superuser,
        expires_at: new.expires_at,
        created_at: now,
        last_login_at: None,
        password_changed_at: None,
    })
}

/// Whether a login name looks like a mail address other than the account's own.
fn is_foreign(name: &Username, email: Option<&Email>) -> bool {
    name.as_str().contains('@')
        && email.is_none_or(|email| email.key() != Email::key_of(name.as_str()))
}

fn foreign_address() -> FieldError {
    let message = "contains @ but is not the account's own mail address";
    FieldError::new("username", "foreign_address", message)
}

impl UserPatch {
    /// Whether it touches nothing but what people may change about themselves.
    pub(super) fn is_personal(&self) -> bool {
        let Self { username, email, is_active, is_staff, is_superuser, expires_at, .. } = self;
        username.is_none()
            && email.is_none()
            && is_active.is_none()
            && is_staff.is_none()
            && is_superuser.is_none()
            && expires_at.is_none()
    }

    pub(super) fn apply(&self, user: &User) -> Result<User, Invalid> {
        let mut wrong = Invalid::default();
        let mut after = user.clone();
        if let Some(name) = self.username.as_deref().filter(|name| *name != user.username.as_str())
            && let Some(name) = wrong.take(Username::parse(name))
        {
            after.username = name;
        }
        if let Some(email) = &self.email {
            let typed = email.as_deref().filter(|email| !email.is_empty());
            if typed != user.email.as_ref().map(Email::as_str) {
                let parsed = typed.map(Email::parse).transpose();
                if let Some(email) = wrong.take(parsed) {
                    after.email = email;
                    after.email_verified = false;
                }
            }
        }
        // One that came with such a name from elsewhere keeps it; nobody is given one.
        let was_foreign =
            after.username == user.username && is_foreign(&user.username, user.email.as_ref());
        if is_foreign(&after.username, after.email.as_ref()) && !was_foreign {
            wrong.0.push(foreign_address());
        }
        if let Some(name) = &self.first_name
            && let Some(name) = wrong.take(PersonName::parse("first_name", name))
        {
            after.first_name = name;
        }
        if let Some(name) = &self.last_name
            && let Some(name) = wrong.take(PersonName::parse("last_name", name))
        {
            after.last_name = name;
        }
        after.is_active = self.is_active.unwrap_or(user.is_active);
        after.is_staff = self.is_staff.unwrap_or(user.is_staff);
        after.is_superuser = self.is_superuser.unwrap_or(user.is_superuser);
        after.expires_at = self.expires_at.unwrap_or(user.expires_at);
        wrong.into_result().map(|()| after)
    }
}

/// Which fields changed, from what to what. Mail addresses are named, not told.
pub(super) fn differences(before: &User, after: &User) -> Value {
    let mut fields = Map::new();
    let mut note = |field: &str, old: Value, new: Value| {
        if old != new {
            fields.insert(field.to_owned(), json!({ "from": old, "to": new }));
        }
    };
    note("username", json!(before.username.as_str()), json!(after.username.as_str()));
    note("first_name", json!(before.first_name.as_str()), json!(after.first_name.as_str()));
    note("last_name", json!(before.last_name.as_str()), json!(after.last_name.as_str()));
    note("is_active", json!(before.is_active), json!(after.is_active));
    note("is_staff", json!(before.is_staff), json!(after.is_staff));
    note("is_superuser", json!(before.is_superuser), json!(after.is_superuser));
    let end = |user: &User| json!(user.expires_at.map(|end| end.to_string()));
    note("expires_at", end(before), end(after));
    if before.email != after.email {
        fields.insert("email".to_owned(), json!("changed"));
    }
    Value::Object(fields)
}
