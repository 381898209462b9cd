//! Administering accounts.

use serde_json::{Map, Value, json};

use super::{
    authority::Authority,
    error::{AdminError, AdminResult, Forbidden},
    password::Passwords,
    record::{Target, record},
};
use crate::{
    cx::OpCx,
    domain::{
        change::Change,
        email::Email,
        invalid::Invalid,
        page::{Page, PageRequest},
        rights,
        user::{PersonName, User},
        username::Username,
    },
    id::UserId,
    policy::facts::Facts,
    ports::{
        hasher::PasswordHash,
        store::{Store, StoreError, Tx},
        users::{UserFilter, UserOrder},
    },
    secret::Secret,
    time::Timestamp,
};

/// A new account, as somebody typed it.
#[derive(Debug, Default)]
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
    /// Whether it may open the administration pages.
    pub is_staff: bool,
    /// Whether it holds every permission.
    pub is_superuser: bool,
    /// From when on it may not be used.
    pub expires_at: Option<Timestamp>,
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
    /// Whether it may open the administration pages.
    pub is_staff: Option<bool>,
    /// Whether it holds every permission.
    pub is_superuser: Option<bool>,
    /// From when on it may not be used; an inner `None` takes the end away.
    pub expires_at: Option<Option<Timestamp>>,
}

/// Administers accounts.
pub struct Users {
    store: Store,
    passwords: Passwords,
}

impl Users {
    /// Over the store; first passwords are judged and hashed as all others are.
    pub fn new(store: Store, passwords: Passwords) -> Self {
        Self { store, passwords }
    }

    /// A page of accounts.
    pub async fn list(
        &self,
        cx: &OpCx,
        filter: UserFilter,
        request: PageRequest<UserOrder>,
    ) -> AdminResult<Page<User>> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                Authority::load(tx, &cx)?.require(rights::VIEW_USER)?;
                Ok(tx.user_page(&filter, &request)?)
            })
            .await
    }

    /// One account: the own one always, others by permission.
    pub async fn get(&self, cx: &OpCx, id: UserId) -> AdminResult<User> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                if !authority.is(id) && authority.right(rights::VIEW_USER).is_none() {
                    return Err(AdminError::NotFound("user"));
                }
                tx.user_by_id(id)?.ok_or(AdminError::NotFound("user"))
            })
            .await
    }

    /// The account with this login name, in any case.
    pub async fn by_name(&self, cx: &OpCx, name: &str) -> AdminResult<User> {
        let (cx, key) = (cx.clone(), Username::key_of(name.trim()));
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                let found = tx.user_by_username_key(&key)?;
                found
                    .filter(|u| authority.is(u.id) || authority.right(rights::VIEW_USER).is_some())
                    .ok_or(AdminError::NotFound("user"))
            })
            .await
    }

    /// Makes an account.
    pub async fn add(&self, cx: &OpCx, new: NewUser) -> AdminResult<User> {
        let now = cx.now();
        let user = parse(&new, UserId::generate(now, cx.entropy()), now)?;
        let hash = match &new.password {
            Some(password) => self.passwords.accept(&user, password).await?,
            None => PasswordHash::unusable(),
        };
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                tx.announce(Change::User(user.id), now)?;
                let authority = Authority::load(tx, &cx)?;
                let right = authority.require(rights::ADD_USER)?;
                if user.is_superuser || user.is_staff {
                    authority.require_superuser()?;
                    authority.require_fresh()?;
                }
                require_free(tx, &user)?;
                tx.insert_user(&user, &hash).map_err(taken)?;
                let details = json!({
                    "is_staff": user.is_staff,
                    "is_superuser": user.is_superuser,
                    "has_password": hash != PasswordHash::unusable(),
                });
                record(tx, &cx, "user.added", Target::user(&user), right, details)?;
                Ok(user.clone())
            })
            .await
    }

    /// Whether an account could be made as it stands; makes none.
    pub async fn check(&self, cx: &OpCx, new: NewUser) -> AdminResult<()> {
        let now = cx.now();
        let user = parse(&new, UserId::generate(now, cx.entropy()), now)?;
        if let Some(password) = &new.password {
            self.passwords.judge(&user, password)?;
        }
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                Authority::load(tx, &cx)?.require(rights::ADD_USER)?;
                require_free(tx, &user)
            })
            .await
    }

    /// Changes an account. The own names may be changed by oneself, all else by permission.
    pub async fn edit(&self, cx: &OpCx, id: UserId, patch: UserPatch) -> AdminResult<User> {
        let cx = cx.clone();
        self.store.write(move |tx| edit(tx, &cx, id, &patch)).await
    }

    /// Removes an account with its memberships, grants and sessions.
    pub async fn delete(&self, cx: &OpCx, id: UserId) -> AdminResult<()> {
        let cx = cx.clone();
        self.store
            .write(move |tx| {
                let now = cx.now();
                tx.announce(Change::User(id), now)?;
                let authority = Authority::load(tx, &cx)?;
                let right = authority.require(rights::DELETE_USER)?;
                authority.require_fresh()?;
                let facts = target(tx, &authority, id, now)?;
                if authority.is(id) {
                    return Err(AdminError::conflict(
                        "self",
                        "nobody can remove their own account",
                    ));
                }
                require_another_superuser(tx, facts.user(), None, now)?;
                tx.delete_user(id).map_err(|error| {
                    owns_something(error, "the account still owns objects: hand them over first")
                })?;
                record(tx, &cx, "user.deleted", Target::user(facts.user()), right, json!({}))?;
                Ok(())
            })
            .await
    }
}

fn edit(tx: &mut dyn Tx, cx: &OpCx, id: UserId, patch: &UserPatch) -> AdminResult<User> {
    let now = cx.now();
    tx.announce(Change::User(id), now)?;
    let authority = Authority::load(tx, cx)?;
    let right = match authority.right(rights::CHANGE_USER) {
        Some(right) => right,
        None if authority.is(id) && patch.is_personal() => "own account".to_owned(),
        None if authority.is(id) || authority.right(rights::VIEW_USER).is_some() => {
            return Err(Forbidden::Permission(rights::CHANGE_USER.to_owned()).into());
        }
        None => return Err(AdminError::NotFound("user")),
    };
    let facts = target(tx, &authority, id, now)?;
    let before = facts.user();
    let after = patch.apply(before)?;
    if after.is_superuser != before.is_superuser || after.is_staff != before.is_staff {
        authority.require_superuser()?;
        authority.require_fresh()?;
    }
    if authority.is(id) && !after.is_live(now) {
        return Err(AdminError::conflict("self", "nobody can disable their own account"));
    }
    if authority.is(id) && before.is_superuser && !after.is_superuser {
        return Err(AdminError::conflict("self", "nobody can demote their own account"));
    }
    require_another_superuser(tx, before, Some(&after), now)?;
    if after == *before {
        return Ok(after);
    }
    require_free(tx, &after)?;
    tx.update_user(&after).map_err(taken)?;
    if !after.is_live(now) {
        tx.delete_sessions_of(id, None)?;
    }
    record(tx, cx, "user.changed", Target::user(&after), right, differences(before, &after))?;
    Ok(after)
}

/// The account that is acted upon, if the actor's rights reach that far.
fn target(
    tx: &mut dyn Tx,
    authority: &Authority,
    id: UserId,
    now: Timestamp,
) -> AdminResult<Facts> {
    let facts = Facts::load(tx, &authority.catalogue, id, now)?;
    let facts = facts.ok_or(AdminError::NotFound("user"))?;
    if !authority.is(id) {
        authority.require_not_outranked(&facts)?;
    }
    Ok(facts)
}

/// Refuses what would leave nobody who can administer the site.
fn require_another_superuser(
    tx: &mut dyn Tx,
    before: &User,
    after: Option<&User>,
    now: Timestamp,
) -> AdminResult<()> {
    let counts = |user: &User| user.is_superuser && user.is_live(now);
    // An end that lies ahead takes the last one away too, only later.
    let stays = after.is_some_and(|user| {
        counts(user) && (user.expires_at.is_none() || user.expires_at == before.expires_at)
    });
    if counts(before) && !stays && tx.other_live_superusers(before.id, now)? == 0 {
        return Err(AdminError::conflict(
            "last_superuser",
            "this is the last superuser: make another one first",
        ));
    }
    Ok(())
}

/// Refuses a login name that is somebody else's mail address, and the other way round: either
/// could be typed into the login form.
fn require_free(tx: &mut dyn Tx, user: &User) -> AdminResult<()> {
    let name = user.username.as_str();
    if name.contains('@')
        && let Some(owner) = tx.user_by_email_key(&Email::key_of(name))?
        && owner.id != user.id
    {
        return Err(AdminError::field(
            "username",
            "taken",
            "is the mail address of another account",
        ));
    }
    if let Some(email) = &user.email
        && let Some(owner) = tx.user_by_username_key(&Username::key_of(email.as_str()))?
        && owner.id != user.id
    {
        return Err(AdminError::field("email", "taken", "is the login name of another account"));
    }
    if let Some(owner) = tx.user_by_username_key(user.username.key())?
        && owner.id != user.id
    {
        return Err(AdminError::field("username", "taken", "is taken"));
    }
    if let Some(email) = &user.email
        && let Some(owner) = tx.user_by_email_key(email.key())?
        && owner.id != user.id
    {
        return Err(AdminError::field("email", "taken", "is taken"));
    }
    Ok(())
}

fn taken(error: StoreError) -> AdminError {
    if error.is_duplicate() {
        AdminError::field("username", "taken", "the login name or the mail address is taken")
    } else {
        error.into()
    }
}

/// A removal that fails because objects refer to what would be removed.
pub(super) fn owns_something(error: StoreError, message: &'static str) -> AdminError {
    use crate::ports::store::{Constraint, StoreErrorKind};
    if error.kind == StoreErrorKind::Conflict(Constraint::Reference) {
        AdminError::conflict("owns_objects", message)
    } else {
        error.into()
    }
}

/// Reads a new account field by field; all that is wrong is told at once.
pub(super) fn parse(new: &NewUser, id: UserId, now: Timestamp) -> Result<User, Invalid> {
    let mut wrong = Invalid::default();
    let username = wrong.take(Username::parse(&new.username));
    let email = match new.email.as_deref().filter(|email| !email.is_empty()) {
        Some(email) => wrong.take(Email::parse(email)).map(Some),
        None => Some(None),
    };
    let first_name = wrong.take(PersonName::parse("first_name", &new.first_name));
    let last_name = wrong.take(PersonName::parse("last_name", &new.last_name));
    if let (Some(name), Some(email)) = (&username, &email)
        && name.as_str().contains('@')
        && email.as_ref().is_none_or(|email| email.key() != Email::key_of(name.as_str()))
    {
        wrong.0.push(crate::domain::invalid::FieldError::new(
            "username",
            "foreign_address",
            "contains @ but is not the account's own mail address",
        ));
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

impl UserPatch {
    /// Whether it touches nothing but what people may change about themselves.
    fn is_personal(&self) -> bool {
        let Self { username, email, is_active, is_staff, is_superuser, expires_at, .. } = self;
        username.is_none()
            && email.is_none()
            && is_active.is_none()
            && is_staff.is_none()
            && is_superuser.is_none()
            && expires_at.is_none()
    }

    fn apply(&self, user: &User) -> Result<User, Invalid> {
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
fn differences(before: &User, after: &User) -> Value {
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
