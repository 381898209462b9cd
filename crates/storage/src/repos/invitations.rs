//! Invitations.

use diesel::{dsl::count_star, prelude::*};
use vestibule_core::{
    Timestamp,
    domain::{
        invitation::Invitation,
        page::{Page, PageRequest},
    },
    id::{GroupId, InvitationId, UserId},
    ports::{invitations::InvitationRepo, store::StoreResult},
};

use super::{IDS_AT_ONCE, limit, no_text_holds, page};
use crate::{
    columns::count,
    conn::{AnyConnection, MultiBackend},
    dialect,
    error::DbResult,
    rows::{
        invitations::{InvitationGroupRow, InvitationRow},
        value, values,
    },
    schema::{invitation_groups, invitations},
    tx::DieselTx,
};

/// Those that wait, or those of one person that do.
fn waiting(
    invited_by: Option<UserId>,
    now: Timestamp,
) -> invitations::BoxedQuery<'static, MultiBackend> {
    let query = invitations::table.filter(invitations::expires_at.gt(now.as_micros())).into_boxed();
    match invited_by {
        Some(by) => query.filter(invitations::invited_by.eq(by.as_bytes().to_vec())),
        None => query,
    }
}

/// Adds the groups that these lead into.
fn with_groups(conn: &mut AnyConnection, found: &mut [Invitation]) -> DbResult<()> {
    for some in found.chunks_mut(IDS_AT_ONCE) {
        let rows = invitation_groups::table
            .filter(
                invitation_groups::invitation_id
                    .eq_any(some.iter().map(|one| &one.id.as_bytes()[..])),
            )
            .select(InvitationGroupRow::as_select())
            .order((invitation_groups::invitation_id, invitation_groups::group_id))
            .load(conn)?;
        let groups: Vec<(InvitationId, GroupId)> = values(rows)?;
        for one in some {
            let own = groups.iter().filter(|(id, _)| *id == one.id);
            one.groups = own.map(|(_, group)| *group).collect();
        }
    }
    Ok(())
}

impl InvitationRepo for DieselTx<'_> {
    fn insert_invitation(&mut self, invitation: &Invitation) -> StoreResult<()> {
        self.call("invitations", |conn| {
            let row = InvitationRow::from(invitation);
            diesel::insert_into(invitations::table).values(row).execute(conn)?;
            for group in &invitation.groups {
                let row = InvitationGroupRow {
                    invitation_id: invitation.id.as_bytes().to_vec(),
                    group_id: group.as_bytes().to_vec(),
                };
                diesel::insert_into(invitation_groups::table).values(row).execute(conn)?;
            }
            Ok(())
        })
    }

    fn invitation(&mut self, id: InvitationId, now: Timestamp) -> StoreResult<Option<Invitation>> {
        self.call("invitations", |conn| {
            let row = invitations::table
                .filter(invitations::id.eq(&id.as_bytes()[..]))
                .filter(invitations::expires_at.gt(now.as_micros()))
                .select(InvitationRow::as_select())
                .get_result(conn)
                .optional()?;
            let mut found: Option<Invitation> = value(row)?;
            with_groups(conn, found.as_mut_slice())?;
            Ok(found)
        })
    }

    fn invitations_to(&mut self, email_key: &str, now: Timestamp) -> StoreResult<Vec<Invitation>> {
        if no_text_holds(email_key) {
            return Ok(Vec::new());
        }
        self.call("invitations", |conn| {
            let rows = invitations::table
                .filter(invitations::email_key.eq(email_key))
                .filter(invitations::expires_at.gt(now.as_micros()))
                .order(invitations::id.desc())
                .select(InvitationRow::as_select())
                .load(conn)?;
            let mut found: Vec<Invitation> = values(rows)?;
            with_groups(conn, &mut found)?;
            Ok(found)
        })
    }

    fn invitation_page(
        &mut self,
        invited_by: Option<UserId>,
        now: Timestamp,
        request: &PageRequest<()>,
    ) -> StoreResult<Page<Invitation>> {
        self.call("invitations", |conn| {
            let order = dialect::by("invitations.id", "invitations.id DESC", request.descending);
            let count = waiting(invited_by, now).select(count_star()).get_result(conn)?;
            let rows: Vec<InvitationRow> = waiting(invited_by, now)
                .select(InvitationRow::as_select())
                .order(order)
                .limit(limit(request))
                .offset(request.offset())
                .load(conn)?;
            let mut found: Page<Invitation> = page(count, rows)?;
            with_groups(conn, &mut found.items)?;
            Ok(found)
        })
    }

    fn delete_invitation(&mut self, id: InvitationId) -> StoreResult<bool> {
        self.call("invitations", |conn| {
            let row = invitations::table.filter(invitations::id.eq(&id.as_bytes()[..]));
            Ok(diesel::delete(row).execute(conn)? == 1)
        })
    }

    fn purge_invitations(&mut self, now: Timestamp) -> StoreResult<u64> {
        self.call("invitations", |conn| {
            let rows = invitations::table.filter(invitations::expires_at.le(now.as_micros()));
            Ok(count(diesel::delete(rows).execute(conn)?))
        })
    }
}
