//! Identities from elsewhere, and which memberships come from where.

use diesel::prelude::*;
use vestibule_core::{
    Timestamp,
    domain::identity::{BackendName, Identity, Source, Subject},
    id::{GroupId, UserId},
    ports::{identities::IdentityRepo, store::StoreResult},
};

use crate::{
    columns::{Column, instant_or_none},
    dialect,
    rows::{identities::IdentityRow, value, values},
    schema::{entitlements, identities, membership_sources},
    tx::DieselTx,
};

impl IdentityRepo for DieselTx<'_> {
    fn identity(
        &mut self,
        backend: &BackendName,
        subject: &Subject,
    ) -> StoreResult<Option<Identity>> {
        self.call("identities", |conn| {
            let row = identities::table
                .filter(identities::backend.eq(backend.as_str()))
                .filter(identities::subject.eq(subject.as_str()))
                .select(IdentityRow::as_select())
                .get_result(conn)
                .optional()?;
            value(row)
        })
    }

    fn identities_of(&mut self, user: UserId) -> StoreResult<Vec<Identity>> {
        self.call("identities", |conn| {
            let rows = identities::table
                .filter(identities::user_id.eq(&user.as_bytes()[..]))
                .order((identities::linked_at, identities::backend, identities::subject))
                .select(IdentityRow::as_select())
                .load(conn)?;
            values(rows)
        })
    }

    fn insert_identity(&mut self, identity: &Identity) -> StoreResult<()> {
        self.guarded("identities", |conn| {
            diesel::insert_into(identities::table)
                .values(IdentityRow::from(identity))
                .execute(conn)?;
            Ok(())
        })
    }

    fn touch_identity(
        &mut self,
        backend: &BackendName,
        subject: &Subject,
        used_at: Timestamp,
        groups_at: Option<Timestamp>,
    ) -> StoreResult<bool> {
        self.call("identities", |conn| {
            let row = identities::table
                .filter(identities::backend.eq(backend.as_str()))
                .filter(identities::subject.eq(subject.as_str()));
            let used = identities::used_at.eq(used_at.as_micros());
            let touched = match groups_at {
                Some(at) => diesel::update(row)
                    .set((used, identities::groups_at.eq(at.as_micros())))
                    .execute(conn)?,
                None => diesel::update(row).set(used).execute(conn)?,
            };
            Ok(touched > 0)
        })
    }

    fn delete_identity(&mut self, backend: &BackendName, subject: &Subject) -> StoreResult<bool> {
        self.call("identities", |conn| {
            let row = identities::table
                .filter(identities::backend.eq(backend.as_str()))
                .filter(identities::subject.eq(subject.as_str()));
            Ok(diesel::delete(row).execute(conn)? > 0)
        })
    }

    fn groups_from(&mut self, user: UserId, source: &Source) -> StoreResult<Vec<GroupId>> {
        self.call("membership_sources", |conn| {
            let ids: Vec<Vec<u8>> = membership_sources::table
                .filter(membership_sources::user_id.eq(&user.as_bytes()[..]))
                .filter(membership_sources::source.eq(source.as_str()))
                .order(membership_sources::group_id)
                .select(membership_sources::group_id)
                .load(conn)?;
            let column = Column("membership_sources", "group_id");
            ids.iter().map(|id| column.bytes(id, GroupId::from_bytes)).collect()
        })
    }

    fn membership_sources(&mut self, group: GroupId, user: UserId) -> StoreResult<Vec<Source>> {
        self.call("membership_sources", |conn| {
            let sources: Vec<String> = membership_sources::table
                .filter(membership_sources::group_id.eq(&group.as_bytes()[..]))
                .filter(membership_sources::user_id.eq(&user.as_bytes()[..]))
                .order(membership_sources::source)
                .select(membership_sources::source)
                .load(conn)?;
            let column = Column("membership_sources", "source");
            sources.iter().map(|source| column.word(source)).collect()
        })
    }

    fn put_membership_source(
        &mut self,
        group: GroupId,
        user: UserId,
        source: &Source,
    ) -> StoreResult<bool> {
        let insert = self.guarded("membership_sources", |conn| {
            diesel::insert_into(membership_sources::table)
                .values((
                    membership_sources::group_id.eq(&group.as_bytes()[..]),
                    membership_sources::user_id.eq(&user.as_bytes()[..]),
                    membership_sources::source.eq(source.as_str()),
                ))
                .execute(conn)?;
            Ok(())
        });
        match insert {
            Ok(()) => Ok(true),
            Err(error) if error.is_duplicate() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn delete_membership_source(
        &mut self,
        group: GroupId,
        user: UserId,
        source: &Source,
    ) -> StoreResult<bool> {
        self.call("membership_sources", |conn| {
            let row = membership_sources::table
                .filter(membership_sources::group_id.eq(&group.as_bytes()[..]))
                .filter(membership_sources::user_id.eq(&user.as_bytes()[..]))
                .filter(membership_sources::source.eq(source.as_str()));
            Ok(diesel::delete(row).execute(conn)? > 0)
        })
    }

    fn entitled_at(
        &mut self,
        backend: &BackendName,
        user: UserId,
    ) -> StoreResult<Option<Timestamp>> {
        self.call("entitlements", |conn| {
            let at: Option<i64> = entitlements::table
                .filter(entitlements::backend.eq(backend.as_str()))
                .filter(entitlements::user_id.eq(&user.as_bytes()[..]))
                .select(entitlements::at)
                .get_result(conn)
                .optional()?;
            Ok(instant_or_none(at))
        })
    }

    fn put_entitled_at(
        &mut self,
        backend: &BackendName,
        user: UserId,
        at: Option<Timestamp>,
    ) -> StoreResult<()> {
        self.put("entitlements", |conn| {
            let row = entitlements::table
                .filter(entitlements::backend.eq(backend.as_str()))
                .filter(entitlements::user_id.eq(&user.as_bytes()[..]));
            let Some(at) = at.map(Timestamp::as_micros) else {
                diesel::delete(row).execute(conn)?;
                return Ok(());
            };
            dialect::put(
                conn,
                |conn| Ok(diesel::update(row).set(entitlements::at.eq(at)).execute(conn)?),
                |conn| {
                    Ok(diesel::insert_into(entitlements::table)
                        .values((
                            entitlements::backend.eq(backend.as_str()),
                            entitlements::user_id.eq(&user.as_bytes()[..]),
                            entitlements::at.eq(at),
                        ))
                        .execute(conn)?)
                },
            )?;
            Ok(())
        })
    }
}
