//! Whom backends have to be asked about again.

use diesel::prelude::*;
use vestibule_core::{
    Timestamp,
    domain::identity::{BackendName, Identity, Source},
    id::{GroupId, UserId},
    ports::{
        checks::{BackendCheck, CheckRepo, MemberSource},
        store::StoreResult,
    },
};

use crate::{
    columns::{Column, instant, instant_or_none, micros},
    dialect,
    rows::{identities::IdentityRow, values},
    schema::{backend_checks, entitlements, identities, membership_sources},
    tx::DieselTx,
};

impl CheckRepo for DieselTx<'_> {
    fn backend_check(
        &mut self,
        backend: &BackendName,
        user: UserId,
    ) -> StoreResult<Option<BackendCheck>> {
        self.call("backend_checks", |conn| {
            let found: Option<(i64, Option<i64>)> = backend_checks::table
                .filter(backend_checks::backend.eq(backend.as_str()))
                .filter(backend_checks::user_id.eq(&user.as_bytes()[..]))
                .select((backend_checks::checked_at, backend_checks::stale_since))
                .get_result(conn)
                .optional()?;
            Ok(found.map(|(checked_at, stale_since)| BackendCheck {
                checked_at: instant(checked_at),
                stale_since: instant_or_none(stale_since),
            }))
        })
    }

    fn put_backend_check(
        &mut self,
        backend: &BackendName,
        user: UserId,
        check: &BackendCheck,
    ) -> StoreResult<()> {
        let (at, stale) = (check.checked_at.as_micros(), micros(check.stale_since));
        self.put("backend_checks", |conn| {
            let row = backend_checks::table
                .filter(backend_checks::backend.eq(backend.as_str()))
                .filter(backend_checks::user_id.eq(&user.as_bytes()[..]));
            dialect::put(
                conn,
                |conn| {
                    Ok(diesel::update(row)
                        .set((
                            backend_checks::checked_at.eq(at),
                            backend_checks::stale_since.eq(stale),
                        ))
                        .execute(conn)?)
                },
                |conn| {
                    Ok(diesel::insert_into(backend_checks::table)
                        .values((
                            backend_checks::backend.eq(backend.as_str()),
                            backend_checks::user_id.eq(&user.as_bytes()[..]),
                            backend_checks::checked_at.eq(at),
                            backend_checks::stale_since.eq(stale),
                        ))
                        .execute(conn)?)
                },
            )?;
            Ok(())
        })
    }

    fn identities_due(
        &mut self,
        backend: &BackendName,
        before: Timestamp,
        limit: u32,
    ) -> StoreResult<Vec<Identity>> {
        self.call("identities", |conn| {
            let rows = identities::table
                .left_join(
                    backend_checks::table.on(backend_checks::backend
                        .eq(identities::backend)
                        .and(backend_checks::user_id.eq(identities::user_id))),
                )
                .filter(identities::backend.eq(backend.as_str()))
                .filter(identities::used_at.le(before.as_micros()))
                .filter(
                    backend_checks::checked_at
                        .is_null()
                        .or(backend_checks::checked_at.le(before.as_micros())),
                )
                .select(IdentityRow::as_select())
                // Who was never asked about comes first, on every database, and then whoever has
                // waited longest: were it by name, the last would be left out for ever.
                .order((
                    backend_checks::checked_at.is_not_null(),
                    backend_checks::checked_at,
                    identities::used_at,
                    identities::subject,
                ))
                .limit(i64::from(limit))
                .load(conn)?;
            values(rows)
        })
    }

    fn entitled_due(
        &mut self,
        backend: &BackendName,
        before: Timestamp,
        limit: u32,
    ) -> StoreResult<Vec<UserId>> {
        self.call("entitlements", |conn| {
            let rows: Vec<Vec<u8>> = entitlements::table
                .left_join(
                    backend_checks::table.on(backend_checks::backend
                        .eq(entitlements::backend)
                        .and(backend_checks::user_id.eq(entitlements::user_id))),
                )
                .filter(entitlements::backend.eq(backend.as_str()))
                .filter(entitlements::at.le(before.as_micros()))
                .filter(
                    backend_checks::checked_at
                        .is_null()
                        .or(backend_checks::checked_at.le(before.as_micros())),
                )
                .select(entitlements::user_id)
                .order((
                    backend_checks::checked_at.is_not_null(),
                    backend_checks::checked_at,
                    entitlements::at,
                    entitlements::user_id,
                ))
                .limit(i64::from(limit))
                .load(conn)?;
            let column = Column("entitlements", "user_id");
            rows.iter().map(|id| column.bytes(id, UserId::from_bytes)).collect()
        })
    }

    fn member_sources(
        &mut self,
        group: GroupId,
        users: &[UserId],
    ) -> StoreResult<Vec<MemberSource>> {
        let users: Vec<&[u8]> = users.iter().map(|user| &user.as_bytes()[..]).collect();
        self.call("membership_sources", |conn| {
            let rows: Vec<(Vec<u8>, String, Option<i64>)> = membership_sources::table
                .left_join(
                    backend_checks::table.on(backend_checks::backend
                        .eq(membership_sources::source)
                        .and(backend_checks::user_id.eq(membership_sources::user_id))),
                )
                .filter(membership_sources::group_id.eq(&group.as_bytes()[..]))
                .filter(membership_sources::user_id.eq_any(users))
                .select((
                    membership_sources::user_id,
                    membership_sources::source,
                    backend_checks::stale_since.nullable(),
                ))
                .order((membership_sources::user_id, membership_sources::source))
                .load(conn)?;
            let (user, source) =
                (Column("membership_sources", "user_id"), Column("membership_sources", "source"));
            rows.iter()
                .map(|(id, from, stale)| {
                    Ok(MemberSource {
                        user: user.bytes(id, UserId::from_bytes)?,
                        source: source.word::<Source>(from)?,
                        stale_since: instant_or_none(*stale),
                    })
                })
                .collect()
        })
    }
}
