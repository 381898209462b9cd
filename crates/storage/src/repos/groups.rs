//! Groups and memberships.

use diesel::{dsl::count_star, prelude::*};
use vestibule_core::{
    domain::{
        group::{Group, GroupName, Membership, Nesting},
        page::{Page, PageRequest},
        user::User,
    },
    id::{GroupId, UserId},
    ports::{
        groups::{GroupOrder, GroupRepo},
        store::StoreResult,
    },
};

use super::{IDS_AT_ONCE, limit, no_text_holds, page};
use crate::{
    columns::counted,
    conn::MultiBackend,
    dialect,
    rows::{
        groups::{GroupRow, MembershipRow, NestingRow},
        users::UserRow,
        value, values,
    },
    schema::{groups, membership_sources, memberships, nestings, users},
    tx::DieselTx,
};

fn containing(search: Option<&str>) -> groups::BoxedQuery<'static, MultiBackend> {
    let query = groups::table.into_boxed();
    match search.filter(|text| !text.is_empty()) {
        Some(text) => {
            let pattern = dialect::contains(&GroupName::key_of(text));
            query.filter(groups::name_key.like(pattern).escape('!'))
        }
        None => query,
    }
}

impl GroupRepo for DieselTx<'_> {
    fn group_by_id(&mut self, id: GroupId) -> StoreResult<Option<Group>> {
        self.call("groups", |conn| {
            let row = groups::table
                .filter(groups::id.eq(&id.as_bytes()[..]))
                .select(GroupRow::as_select())
                .get_result(conn)
                .optional()?;
            value(row)
        })
    }

    fn groups_by_ids(&mut self, ids: &[GroupId]) -> StoreResult<Vec<Group>> {
        self.call("groups", |conn| {
            let mut found = Vec::with_capacity(ids.len());
            for some in ids.chunks(IDS_AT_ONCE) {
                let rows = groups::table
                    .filter(groups::id.eq_any(some.iter().map(|id| &id.as_bytes()[..])))
                    .select(GroupRow::as_select())
                    .load(conn)?;
                found.extend(values(rows)?);
            }
            Ok(found)
        })
    }

    fn group_by_name_key(&mut self, key: &str) -> StoreResult<Option<Group>> {
        if no_text_holds(key) {
            return Ok(None);
        }
        self.call("groups", |conn| {
            let row = groups::table
                .filter(groups::name_key.eq(key))
                .select(GroupRow::as_select())
                .get_result(conn)
                .optional()?;
            value(row)
        })
    }

    fn group_page(
        &mut self,
        search: Option<&str>,
        request: &PageRequest<GroupOrder>,
    ) -> StoreResult<Page<Group>> {
        self.call("groups", |conn| {
            let order = match request.order {
                GroupOrder::Name => dialect::by("name_key", "name_key DESC", request.descending),
                GroupOrder::CreatedAt => {
                    dialect::by("created_at, id", "created_at DESC, id DESC", request.descending)
                }
            };
            let count = containing(search).select(count_star()).get_result(conn)?;
            let rows = containing(search)
                .select(GroupRow::as_select())
                .order(order)
                .limit(limit(request))
                .offset(request.offset())
                .load(conn)?;
            page(count, rows)
        })
    }

    fn insert_group(&mut self, group: &Group) -> StoreResult<()> {
        self.guarded("groups", |conn| {
            diesel::insert_into(groups::table).values(GroupRow::from(group)).execute(conn)?;
            Ok(())
        })
    }

    fn update_group(&mut self, group: &Group) -> StoreResult<bool> {
        self.guarded("groups", |conn| {
            let row = groups::table.filter(groups::id.eq(&group.id.as_bytes()[..]));
            let changed = diesel::update(row).set(GroupRow::from(group)).execute(conn)?;
            Ok(changed > 0)
        })
    }

    fn delete_group(&mut self, id: GroupId) -> StoreResult<bool> {
        self.guarded("groups", |conn| {
            let gone = diesel::delete(groups::table.filter(groups::id.eq(&id.as_bytes()[..])))
                .execute(conn)?;
            Ok(gone > 0)
        })
    }

    fn membership(&mut self, group: GroupId, user: UserId) -> StoreResult<Option<Membership>> {
        self.call("memberships", |conn| {
            let row = memberships::table
                .filter(memberships::group_id.eq(&group.as_bytes()[..]))
                .filter(memberships::user_id.eq(&user.as_bytes()[..]))
                .select(MembershipRow::as_select())
                .get_result(conn)
                .optional()?;
            value(row)
        })
    }

    fn memberships_of(&mut self, user: UserId) -> StoreResult<Vec<Membership>> {
        self.call("memberships", |conn| {
            let rows = memberships::table
                .filter(memberships::user_id.eq(&user.as_bytes()[..]))
                .select(MembershipRow::as_select())
                .load(conn)?;
            values(rows)
        })
    }

    fn member_page(
        &mut self,
        group: GroupId,
        request: &PageRequest<()>,
    ) -> StoreResult<Page<(Membership, User)>> {
        self.call("memberships", |conn| {
            let of_group = memberships::group_id.eq(&group.as_bytes()[..]);
            let order =
                dialect::by("users.username_key", "users.username_key DESC", request.descending);
            let count =
                memberships::table.filter(of_group).select(count_star()).get_result(conn)?;
            let rows: Vec<(MembershipRow, UserRow)> = memberships::table
                .inner_join(users::table)
                .filter(of_group)
                .select((MembershipRow::as_select(), UserRow::as_select()))
                .order(order)
                .limit(limit(request))
                .offset(request.offset())
                .load(conn)?;
            let items = rows
                .into_iter()
                .map(|(membership, user)| Ok((membership.try_into()?, user.try_into()?)))
                .collect::<crate::error::DbResult<_>>()?;
            Ok(Page { count: counted(count), items })
        })
    }

    fn put_membership(&mut self, membership: &Membership) -> StoreResult<bool> {
        self.put("memberships", |conn| {
            dialect::put(
                conn,
                |conn| {
                    let row = memberships::table
                        .filter(memberships::group_id.eq(&membership.group.as_bytes()[..]))
                        .filter(memberships::user_id.eq(&membership.user.as_bytes()[..]));
                    Ok(diesel::update(row).set(MembershipRow::from(membership)).execute(conn)?)
                },
                |conn| {
                    Ok(diesel::insert_into(memberships::table)
                        .values(MembershipRow::from(membership))
                        .execute(conn)?)
                },
            )
        })
    }

    fn delete_membership(&mut self, group: GroupId, user: UserId) -> StoreResult<bool> {
        self.call("memberships", |conn| {
            let sources = membership_sources::table
                .filter(membership_sources::group_id.eq(&group.as_bytes()[..]))
                .filter(membership_sources::user_id.eq(&user.as_bytes()[..]));
            diesel::delete(sources).execute(conn)?;
            let row = memberships::table
                .filter(memberships::group_id.eq(&group.as_bytes()[..]))
                .filter(memberships::user_id.eq(&user.as_bytes()[..]));
            Ok(diesel::delete(row).execute(conn)? > 0)
        })
    }

    fn nestings(&mut self) -> StoreResult<Vec<Nesting>> {
        self.call("nestings", |conn| {
            values(nestings::table.select(NestingRow::as_select()).load(conn)?)
        })
    }

    fn insert_nesting(&mut self, nesting: Nesting) -> StoreResult<()> {
        self.guarded("nestings", |conn| {
            diesel::insert_into(nestings::table).values(NestingRow::from(nesting)).execute(conn)?;
            Ok(())
        })
    }

    fn delete_nesting(&mut self, nesting: Nesting) -> StoreResult<bool> {
        self.call("nestings", |conn| {
            let row = nestings::table
                .filter(nestings::parent_id.eq(&nesting.parent.as_bytes()[..]))
                .filter(nestings::child_id.eq(&nesting.child.as_bytes()[..]));
            Ok(diesel::delete(row).execute(conn)? > 0)
        })
    }
}
