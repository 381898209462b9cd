//! Administering accounts.

mod input;

use serde_json::json;

use super::{
    authority::Authority,
    error::{AdminError, AdminResult, Forbidden},
    links::cut,
    members::{self, Wanted},
    password::Passwords,
    post::{Post, Postbox},
    readdress::tell,
    record::{Target, record},
    recovery::{WELCOME_LIFE, Ways},
    throttle::CountKey,
};
use crate::{
    cx::OpCx,
    domain::{
        change::Change,
        email::Email,
        notice::Notice,
        page::{Page, PageRequest},
        rights,
        user::User,
        username::Username,
    },
    id::UserId,
    policy::facts::Facts,
    ports::{
        hasher::PasswordHash,
        store::{Store, StoreError, Tx},
        users::{UserFilter, UserOrder},
    },
    time::Timestamp,
};

use self::input::differences;
pub(super) use self::input::parse;
pub use self::input::{NewUser, UserPatch};

/// Administers accounts.
pub struct Users {
    store: Store,
    passwords: Passwords,
    postbox: Postbox,
    ways: Ways,
}

impl Users {
    /// Over the store; first passwords are judged and hashed as all others are, or chosen by
    /// whoever gets a mail, where passwords are kept here.
    pub fn new(store: Store, passwords: Passwords, postbox: Postbox, ways: Ways) -> Self {
        Self { store, passwords, postbox, ways }
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

    /// Makes an account, in its groups, or nothing at all.
    pub async fn add(&self, cx: &OpCx, new: NewUser) -> AdminResult<User> {
        let now = cx.now();
        let user = parse(&new, UserId::generate(now, cx.entropy()), now)?;
        let hash = match &new.password {
            Some(password) => self.passwords.accept(&user, password).await?,
            None => PasswordHash::unusable(),
        };
        let is_welcomed = new.is_welcomed && new.password.is_none() && self.ways.has_local;
        let (cx, groups, postbox) = (cx.clone(), new.groups, self.postbox.clone());
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
                postbox.tell_of_account(tx, &cx, &user)?;
                if let Some(email) = user.email.clone().filter(|_| is_welcomed && user.is_live(now))
                {
                    let notice = Notice::Welcome { username: user.username.as_str().to_owned() };
                    let post = Post::to(email, notice).about(user.id);
                    postbox.post(tx, &cx, post.until(now.plus(WELCOME_LIFE)))?;
                }
                for &group in &groups {
                    let wanted =
                        Wanted { group, user: user.id, is_manager: false, expires_at: None };
                    members::put(tx, &cx, &authority, wanted)?;
                }
                Ok(user.clone())
            })
            .await
    }

    /// Whether an account could be made as it stands; makes none.
    pub async fn check(&self, cx: &OpCx, new: NewUser) -> AdminResult<()> {
        let now = cx.now();
        let user = parse(&new, UserId::generate(now, cx.entropy()), now)?;
        if let Some(password) = &new.password {
            self.passwords.judge(&user, password).await?;
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
        let postbox = self.postbox.clone();
        self.store.write(move |tx| edit(tx, &cx, &postbox, id, &patch)).await
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

fn edit(
    tx: &mut dyn Tx,
    cx: &OpCx,
    postbox: &Postbox,
    id: UserId,
    patch: &UserPatch,
) -> AdminResult<User> {
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
    if after.email != before.email {
        require_may_readdress(&authority, id)?;
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
    } else if !before.is_live(now) {
        // What was tried while it was off counted, whether it was right or wrong.
        tx.forget_count(CountKey::of_account(id).as_bytes())?;
    }
    if !after.is_live(now) || after.email != before.email {
        cut(tx, id, now)?;
    }
    if after.email != before.email {
        tell(tx, cx, postbox, before, true)?;
    }
    record(tx, cx, "user.changed", Target::user(&after), right, differences(before, &after))?;
    Ok(after)
}

/// Whoever reads an account's mail can have a link sent that sets its password: giving it another
/// address is as much as giving it another password.
fn require_may_readdress(authority: &Authority, id: UserId) -> AdminResult<()> {
    if authority.is(id) {
        let message = "the own address is changed by email/change, which asks it first";
        return Err(AdminError::conflict("self", message));
    }
    authority.require_fresh()?;
    authority.require(rights::SET_PASSWORD)?;
    Ok(())
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
    // An end that lies ahead takes the last one away too, only later: whoever is left has to be
    // there for as long as this one would have been.
    let last = |user: &User| Timestamp::last_before(user.expires_at);
    let stays = after.is_some_and(|user| counts(user) && last(user) >= last(before));
    if counts(before) && !stays && tx.other_live_superusers(before.id, last(before))? == 0 {
        return Err(AdminError::conflict(
            "last_superuser",
            "this is the last superuser: make another one first",
        ));
    }
    Ok(())
}

/// Refuses a login name that is somebody else's mail address, and the other way round: either
/// could be typed into the login form.
pub(super) fn require_free(tx: &mut dyn Tx, user: &User) -> AdminResult<()> {
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

pub(super) fn taken(error: StoreError) -> AdminError {
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
