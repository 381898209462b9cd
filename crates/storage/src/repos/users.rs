//! Accounts.

use diesel::{dsl::count_star, prelude::*};
use vestibule_core::{
    Email, Timestamp,
    domain::{
        page::{Page, PageRequest},
        user::User,
    },
    id::UserId,
    ports::{
        hasher::PasswordHash,
        store::StoreResult,
        users::{UserFilter, UserOrder, UserRepo},
    },
};

use super::{IDS_AT_ONCE, limit, no_text_holds, page};
use crate::{
    columns::counted,
    conn::MultiBackend,
    dialect,
    rows::{
        users::{NewUserRow, UserRow, password, password_scheme, search_key},
        value, values,
    },
    schema::{memberships, users},
    tx::DieselTx,
    url::Kind,
};

/// More hashes than any site has schemes and costs.
const SAMPLES: usize = 100;

fn filtered(kind: Kind, filter: &UserFilter) -> users::BoxedQuery<'static, MultiBackend> {
    let mut query = users::table.into_boxed();
    if let Some(text) = filter.search.as_deref().filter(|text| !text.is_empty()) {
        let pattern = dialect::contains(&search_key(text));
        let address = dialect::contains(&Email::key_of(text));
        query = query.filter(
            users::username_key
                .like(pattern.clone())
                .escape('!')
                .or(users::names_key.like(pattern).escape('!'))
                .or(users::email_key.like(address).escape('!')),
        );
    }
    if let Some(is_active) = filter.is_active {
        query = query.filter(users::is_active.eq(is_active));
    }
    match filter.is_superuser {
        Some(true) => query = query.filter(dialect::is_superuser(kind)),
        Some(false) => query = query.filter(users::is_superuser.eq(false)),
        None => {}
    }
    if let Some(group) = filter.member_of {
        let members = memberships::table
            .filter(memberships::group_id.eq(group.as_bytes().to_vec()))
            .select(memberships::user_id);
        query = query.filter(users::id.eq_any(members));
    }
    query
}

impl UserRepo for DieselTx<'_> {
    fn user_by_id(&mut self, id: UserId) -> StoreResult<Option<User>> {
        self.call("users", |conn| {
            let row = users::table
                .filter(users::id.eq(&id.as_bytes()[..]))
                .select(UserRow::as_select())
                .get_result(conn)
                .optional()?;
            value(row)
        })
    }

    fn users_by_ids(&mut self, ids: &[UserId]) -> StoreResult<Vec<User>> {
        self.call("users", |conn| {
            let mut found = Vec::with_capacity(ids.len());
            for some in ids.chunks(IDS_AT_ONCE) {
                let rows = users::table
                    .filter(users::id.eq_any(some.iter().map(|id| &id.as_bytes()[..])))
                    .select(UserRow::as_select())
                    .load(conn)?;
                found.extend(values(rows)?);
            }
            Ok(found)
        })
    }

    fn user_by_username_key(&mut self, key: &str) -> StoreResult<Option<User>> {
        if no_text_holds(key) {
            return Ok(None);
        }
        self.call("users", |conn| {
            let row = users::table
                .filter(users::username_key.eq(key))
                .select(UserRow::as_select())
                .get_result(conn)
                .optional()?;
            value(row)
        })
    }

    fn user_by_email_key(&mut self, key: &str) -> StoreResult<Option<User>> {
        if no_text_holds(key) {
            return Ok(None);
        }
        self.call("users", |conn| {
            let row = users::table
                .filter(users::email_key.eq(key))
                .select(UserRow::as_select())
                .get_result(conn)
                .optional()?;
            value(row)
        })
    }

    fn user_page(
        &mut self,
        filter: &UserFilter,
        request: &PageRequest<UserOrder>,
    ) -> StoreResult<Page<User>> {
        self.call("users", |conn| {
            let kind = dialect::kind(conn);
            let order = dialect::user_order(kind, request.order, request.descending);
            let count = filtered(kind, filter).select(count_star()).get_result(conn)?;
            let rows = filtered(kind, filter)
                .select(UserRow::as_select())
                .order(order)
                .limit(limit(request))
                .offset(request.offset())
                .load(conn)?;
            page(count, rows)
        })
    }

    fn insert_user(&mut self, user: &User, password: &PasswordHash) -> StoreResult<()> {
        self.guarded("users", |conn| {
            diesel::insert_into(users::table)
                .values(NewUserRow::new(user, password))
                .execute(conn)?;
            Ok(())
        })
    }

    fn update_user(&mut self, user: &User) -> StoreResult<bool> {
        self.guarded("users", |conn| {
            let changed =
                diesel::update(users::table.filter(users::id.eq(&user.id.as_bytes()[..])))
                    .set(UserRow::from(user))
                    .execute(conn)?;
            Ok(changed > 0)
        })
    }

    fn delete_user(&mut self, id: UserId) -> StoreResult<bool> {
        self.guarded("users", |conn| {
            let gone = diesel::delete(users::table.filter(users::id.eq(&id.as_bytes()[..])))
                .execute(conn)?;
            Ok(gone > 0)
        })
    }

    fn user_password(&mut self, id: UserId) -> StoreResult<Option<PasswordHash>> {
        self.call("users", |conn| {
            let stored: Option<String> = users::table
                .filter(users::id.eq(&id.as_bytes()[..]))
                .select(users::password)
                .get_result(conn)
                .optional()?;
            stored.map(password).transpose()
        })
    }

    fn update_user_password(
        &mut self,
        id: UserId,
        hash: &PasswordHash,
        changed_at: Option<Timestamp>,
    ) -> StoreResult<bool> {
        self.call("users", |conn| {
            // A field that is `None` is left as it is.
            let changed = diesel::update(users::table.filter(users::id.eq(&id.as_bytes()[..])))
                .set((
                    users::password.eq(hash.expose()),
                    users::password_scheme.eq(password_scheme(hash)),
                    changed_at.map(|at| users::password_changed_at.eq(at.as_micros())),
                ))
                .execute(conn)?;
            Ok(changed > 0)
        })
    }

    fn upgrade_user_password(
        &mut self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> StoreResult<bool> {
        self.call("users", |conn| {
            let unchanged = users::table
                .filter(users::id.eq(&id.as_bytes()[..]))
                .filter(users::password.eq(old.expose()));
            let changed = diesel::update(unchanged)
                .set((
                    users::password.eq(new.expose()),
                    users::password_scheme.eq(password_scheme(new)),
                ))
                .execute(conn)?;
            Ok(changed > 0)
        })
    }

    fn update_user_last_login(&mut self, id: UserId, at: Timestamp) -> StoreResult<bool> {
        self.call("users", |conn| {
            let changed = diesel::update(users::table.filter(users::id.eq(&id.as_bytes()[..])))
                .set(users::last_login_at.eq(at.as_micros()))
                .execute(conn)?;
            Ok(changed > 0)
        })
    }

    fn other_live_superusers(&mut self, than: UserId, at: Timestamp) -> StoreResult<u64> {
        self.call("users", |conn| {
            let unexpired = users::expires_at
                .is_null()
                .or(users::expires_at.gt(at.as_micros()).assume_not_null());
            let count = users::table
                .filter(dialect::is_superuser(dialect::kind(conn)))
                .filter(users::is_active.eq(true))
                .filter(users::id.ne(&than.as_bytes()[..]))
                .filter(unexpired)
                .select(count_star())
                .get_result(conn)?;
            Ok(counted(count))
        })
    }

    fn user_count(&mut self) -> StoreResult<u64> {
        self.call("users", |conn| {
            let count = users::table.select(count_star()).get_result(conn)?;
            Ok(counted(count))
        })
    }

    fn user_password_samples(&mut self) -> StoreResult<Vec<PasswordHash>> {
        self.call("users", |conn| {
            let mut samples = Vec::new();
            // From one scheme to the next by the index, not through all accounts. The empty
            // scheme is that of accounts that have no password.
            let mut last = String::new();
            while samples.len() < SAMPLES {
                let next: Option<(String, String)> = users::table
                    .filter(users::password_scheme.gt(&last))
                    .select((users::password_scheme, users::password))
                    .order(users::password_scheme)
                    .first(conn)
                    .optional()?;
                let Some((scheme, stored)) = next else { break };
                samples.push(password(stored)?);
                last = scheme;
            }
            Ok(samples)
        })
    }
}
