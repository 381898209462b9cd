//! Where accounts are kept.

use super::{hasher::PasswordHash, store::StoreResult};
use crate::{
    domain::{
        page::{Page, PageRequest},
        user::User,
    },
    id::UserId,
    time::Timestamp,
};

/// By what a list of users may be ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserOrder {
    /// By login name.
    #[default]
    Username,
    /// By mail address; those without one first.
    Email,
    /// By when the account was made.
    CreatedAt,
    /// By the last login; those who never did first.
    LastLoginAt,
}

/// Which users a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Login name, names or mail address contain this, ignoring case (ASCII at least).
    pub search: Option<String>,
    /// Only (in)active ones.
    pub is_active: Option<bool>,
    /// Only (non-)superusers.
    pub is_superuser: Option<bool>,
    /// Only direct members of this group, expired memberships included.
    pub member_of: Option<crate::id::GroupId>,
}

/// Where accounts are kept.
pub trait UserRepo {
    /// The account with this id.
    fn user_by_id(&mut self, id: UserId) -> StoreResult<Option<User>>;

    /// The accounts with these ids, in no particular order; unknown ids are left out.
    fn users_by_ids(&mut self, ids: &[UserId]) -> StoreResult<Vec<User>>;

    /// The account whose login name has this key.
    fn user_by_username_key(&mut self, key: &str) -> StoreResult<Option<User>>;

    /// The account whose mail address has this key.
    fn user_by_email_key(&mut self, key: &str) -> StoreResult<Option<User>>;

    /// A page of accounts.
    fn user_page(
        &mut self,
        filter: &UserFilter,
        request: &PageRequest<UserOrder>,
    ) -> StoreResult<Page<User>>;

    /// Adds an account. A conflict when login name or mail address are taken.
    fn insert_user(&mut self, user: &User, password: &PasswordHash) -> StoreResult<()>;

    /// Writes everything but the password. A conflict when login name or mail address are taken.
    fn update_user(&mut self, user: &User) -> StoreResult<bool>;

    /// Removes an account with its memberships, grants and sessions. A conflict (reference) while
    /// it owns objects.
    fn delete_user(&mut self, id: UserId) -> StoreResult<bool>;

    /// The stored password hash.
    fn user_password(&mut self, id: UserId) -> StoreResult<Option<PasswordHash>>;

    /// Replaces the password hash. With `changed_at` the owner's password itself has changed;
    /// without, only its hash was upgraded.
    fn update_user_password(
        &mut self,
        id: UserId,
        hash: &PasswordHash,
        changed_at: Option<Timestamp>,
    ) -> StoreResult<bool>;

    /// Replaces the hash only if the stored one is still `old`: an upgrade must not undo a
    /// password change that came in between.
    fn upgrade_user_password(
        &mut self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> StoreResult<bool>;

    /// Records a login.
    fn update_user_last_login(&mut self, id: UserId, at: Timestamp) -> StoreResult<bool>;

    /// How many superusers other than this one are active and not expired at this instant; at
    /// [`Timestamp::MAX`], those that have no end.
    fn other_live_superusers(&mut self, than: UserId, at: Timestamp) -> StoreResult<u64>;

    /// How many accounts there are.
    fn user_count(&mut self) -> StoreResult<u64>;

    /// One stored hash for each scheme and cost in use, at most 100: what a login may have to
    /// verify.
    fn user_password_samples(&mut self) -> StoreResult<Vec<PasswordHash>>;
}
