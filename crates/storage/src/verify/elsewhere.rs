//! What is known of people from elsewhere: who they are there, and what they have by it here.

use diesel::prelude::*;
use vestibule_core::{
    domain::identity::{BackendName, Identity, Source},
    id::{GroupId, SessionId, UserId},
};

use super::{
    VerifyError, Walk,
    rows::{hex, walk},
};
use crate::{
    columns::Column,
    rows::identities::IdentityRow,
    schema::{backend_checks, entitlements, identities, membership_sources, upstream_sessions},
};

pub(super) fn check(w: &mut Walk<'_>) -> Result<(), VerifyError> {
    walk(
        w,
        "identities",
        |conn, limit, offset| {
            identities::table
                .select(IdentityRow::as_select())
                .order((identities::backend, identities::subject))
                .limit(limit)
                .offset(offset)
                .load(conn)
        },
        |row| format!("{} {}", row.backend, row.subject),
        Identity::try_from,
    )?;
    walk(
        w,
        "entitlements",
        |conn, limit, offset| {
            entitlements::table
                .order((entitlements::backend, entitlements::user_id))
                .limit(limit)
                .offset(offset)
                .load::<(String, Vec<u8>, i64)>(conn)
        },
        |(backend, user, _)| format!("{backend} {}", hex(user)),
        |(backend, user, _)| {
            Column("entitlements", "user_id").bytes(&user, UserId::from_bytes)?;
            Column("entitlements", "backend").word::<BackendName>(&backend)
        },
    )?;
    walk(
        w,
        "membership_sources",
        |conn, limit, offset| {
            membership_sources::table
                .order((
                    membership_sources::group_id,
                    membership_sources::user_id,
                    membership_sources::source,
                ))
                .limit(limit)
                .offset(offset)
                .load::<(Vec<u8>, Vec<u8>, String)>(conn)
        },
        |(group, user, source)| format!("{} {} {source}", hex(group), hex(user)),
        |(group, user, source)| {
            Column("membership_sources", "group_id").bytes(&group, GroupId::from_bytes)?;
            Column("membership_sources", "user_id").bytes(&user, UserId::from_bytes)?;
            Column("membership_sources", "source").word::<Source>(&source)
        },
    )?;
    walk(
        w,
        "backend_checks",
        |conn, limit, offset| {
            backend_checks::table
                .order((backend_checks::backend, backend_checks::user_id))
                .limit(limit)
                .offset(offset)
                .load::<(String, Vec<u8>, i64, Option<i64>)>(conn)
        },
        |(backend, user, ..)| format!("{backend} {}", hex(user)),
        |(backend, user, ..)| {
            Column("backend_checks", "user_id").bytes(&user, UserId::from_bytes)?;
            Column("backend_checks", "backend").word::<BackendName>(&backend)
        },
    )?;
    walk(
        w,
        "upstream_sessions",
        |conn, limit, offset| {
            upstream_sessions::table
                .order(upstream_sessions::session_id)
                .limit(limit)
                .offset(offset)
                .load::<(Vec<u8>, String, String)>(conn)
        },
        |row| hex(&row.0),
        |(session, backend, _)| {
            Column("upstream_sessions", "session_id").bytes(&session, SessionId::from_bytes)?;
            Column("upstream_sessions", "backend").word::<BackendName>(&backend)
        },
    )
}
