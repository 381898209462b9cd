//! Announcements. Which mails of the outbox are of one is counted there, as long as they are there;
//! what leaves the outbox is added to what the announcement itself counts.

use std::collections::BTreeMap;

use diesel::{dsl::count_star, prelude::*};
use vestibule_core::{
    Timestamp,
    domain::{
        announcement::{Announcement, Progress, TAKEN_BACK, Words},
        notice::{Lane, NoticeState},
        page::{Page, PageRequest},
    },
    id::{AnnouncementId, UserId},
    ports::{
        announcements::{AnnouncementRepo, Batch, People, Person},
        store::StoreResult,
    },
};

use super::{IDS_AT_ONCE, limit};
use crate::{
    columns::{Column, counted},
    conn::{AnyConnection, MultiBackend},
    dialect,
    error::DbResult,
    rows::{
        announcements::{AnnouncementRow, BatchRow},
        value, values,
    },
    schema::{announcement_batches, announcements, memberships, outbox, users},
    tx::DieselTx,
};

const WAITING: &str = NoticeState::Waiting.as_str();

/// How many mails there are of an announcement in a state.
type Counted = (Option<Vec<u8>>, String, i64);

fn live_users(now: Timestamp, only_live: bool) -> users::BoxedQuery<'static, MultiBackend> {
    let query = users::table.into_boxed();
    if !only_live {
        return query;
    }
    let unexpired =
        users::expires_at.is_null().or(users::expires_at.gt(now.as_micros()).assume_not_null());
    query.filter(users::is_active.eq(true)).filter(unexpired)
}

fn take_down(
    conn: &mut AnyConnection,
    query: users::BoxedQuery<'static, MultiBackend>,
    found: &mut BTreeMap<UserId, Person>,
) -> DbResult<()> {
    let rows: Vec<(Vec<u8>, Option<String>)> =
        query.select((users::id, users::email_key)).load(conn)?;
    for (id, email) in rows {
        let id = Column("users", "id").bytes(&id, UserId::from_bytes)?;
        found.insert(id, Person { id, has_address: email.is_some() });
    }
    Ok(())
}

/// Adds what the outbox knows to what the announcements themselves count.
fn with_outbox(conn: &mut AnyConnection, found: &mut [Announcement]) -> DbResult<()> {
    let ids: Vec<Vec<u8>> = found.iter().map(|one| one.id.as_bytes().to_vec()).collect();
    let mut of_outbox: Vec<Counted> = Vec::new();
    for some in ids.chunks(IDS_AT_ONCE) {
        of_outbox.extend(
            outbox::table
                .filter(outbox::announcement_id.eq_any(some))
                .group_by((outbox::announcement_id, outbox::state))
                .select((outbox::announcement_id, outbox::state, count_star()))
                .load::<Counted>(conn)?,
        );
    }
    for (id, state, rows) in of_outbox {
        let one = found.iter_mut().find(|one| id.as_deref() == Some(&one.id.as_bytes()[..]));
        let state = Column("outbox", "state").word(&state)?;
        if let Some(one) = one {
            add(&mut one.progress, state, counted(rows));
        }
    }
    Ok(())
}

fn add(progress: &mut Progress, state: NoticeState, mails: u64) {
    match state {
        NoticeState::Waiting => progress.waiting += mails,
        NoticeState::Sent => progress.sent += mails,
        NoticeState::Dead => progress.failed += mails,
        NoticeState::Expired => progress.cancelled += mails,
    }
}

/// Has announcements count mails of theirs that are about to leave the outbox. One that still
/// waited was taken back.
pub(super) fn keep_count(conn: &mut AnyConnection, leaving: &[Vec<u8>]) -> DbResult<()> {
    let mut kept: BTreeMap<Vec<u8>, Progress> = BTreeMap::new();
    for some in leaving.chunks(IDS_AT_ONCE) {
        let counted_mails = outbox::table
            .filter(outbox::id.eq_any(some))
            .filter(outbox::announcement_id.is_not_null())
            .group_by((outbox::announcement_id, outbox::state))
            .select((outbox::announcement_id, outbox::state, count_star()))
            .load::<Counted>(conn)?;
        for (id, state, rows) in counted_mails {
            let progress = kept.entry(id.unwrap_or_default()).or_default();
            add(progress, Column("outbox", "state").word(&state)?, counted(rows));
        }
    }
    for (id, progress) in kept {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        diesel::update(announcements::table.filter(announcements::id.eq(id)))
            .set((
                announcements::sent.eq(announcements::sent + number(progress.sent)),
                announcements::failed.eq(announcements::failed + number(progress.failed)),
                announcements::cancelled.eq(announcements::cancelled
                    + number(progress.cancelled.saturating_add(progress.waiting))),
            ))
            .execute(conn)?;
    }
    Ok(())
}

impl AnnouncementRepo for DieselTx<'_> {
    fn people(
        &mut self,
        which: &People,
        now: Timestamp,
        only_live: bool,
    ) -> StoreResult<Vec<Person>> {
        self.call("users", |conn| {
            let mut found = BTreeMap::new();
            let all = || live_users(now, only_live);
            match which {
                People::All => take_down(conn, all(), &mut found)?,
                People::Superusers => {
                    let superusers = dialect::is_superuser(dialect::kind(conn));
                    take_down(conn, all().filter(superusers), &mut found)?;
                }
                People::MembersOf(groups) => {
                    for some in groups.chunks(IDS_AT_ONCE) {
                        let groups: Vec<Vec<u8>> =
                            some.iter().map(|id| id.as_bytes().to_vec()).collect();
                        let unexpired = memberships::expires_at
                            .is_null()
                            .or(memberships::expires_at.gt(now.as_micros()).assume_not_null());
                        let members = memberships::table
                            .filter(memberships::group_id.eq_any(groups))
                            .filter(unexpired)
                            .select(memberships::user_id);
                        take_down(conn, all().filter(users::id.eq_any(members)), &mut found)?;
                    }
                }
                People::These(ids) => {
                    for some in ids.chunks(IDS_AT_ONCE) {
                        let ids: Vec<Vec<u8>> =
                            some.iter().map(|id| id.as_bytes().to_vec()).collect();
                        take_down(conn, all().filter(users::id.eq_any(ids)), &mut found)?;
                    }
                }
            }
            Ok(found.into_values().collect())
        })
    }

    fn insert_announcement(
        &mut self,
        announcement: &Announcement,
        batches: &[Vec<UserId>],
    ) -> StoreResult<()> {
        self.guarded("announcements", |conn| {
            let unposted: usize = batches.iter().map(Vec::len).sum();
            let row =
                AnnouncementRow::of(announcement, i64::try_from(unposted).unwrap_or(i64::MAX))?;
            diesel::insert_into(announcements::table).values(row).execute(conn)?;
            for (number, people) in batches.iter().enumerate() {
                let row = BatchRow::of(announcement.id, number, people);
                diesel::insert_into(announcement_batches::table).values(row).execute(conn)?;
            }
            Ok(())
        })
    }

    fn announcement(&mut self, id: AnnouncementId) -> StoreResult<Option<Announcement>> {
        self.call("announcements", |conn| {
            let row = announcements::table
                .filter(announcements::id.eq(&id.as_bytes()[..]))
                .select(AnnouncementRow::as_select())
                .get_result(conn)
                .optional()?;
            let mut found: Vec<Announcement> = value(row)?.into_iter().collect();
            with_outbox(conn, &mut found)?;
            Ok(found.pop())
        })
    }

    fn announcement_words(&mut self, id: AnnouncementId) -> StoreResult<Option<Words>> {
        self.call("announcements", |conn| {
            let row: Option<(String, String)> = announcements::table
                .filter(announcements::id.eq(&id.as_bytes()[..]))
                .filter(announcements::cancelled_at.is_null())
                .select((announcements::subject, announcements::text))
                .get_result(conn)
                .optional()?;
            Ok(row.map(|(subject, text)| Words { subject, text }))
        })
    }

    fn announcement_page(&mut self, request: &PageRequest<()>) -> StoreResult<Page<Announcement>> {
        self.call("announcements", |conn| {
            let count = announcements::table.select(count_star()).get_result(conn)?;
            let rows: Vec<AnnouncementRow> = announcements::table
                .select(AnnouncementRow::as_select())
                .order(dialect::by("id DESC", "id", request.descending))
                .limit(limit(request))
                .offset(request.offset())
                .load(conn)?;
            let mut items: Vec<Announcement> = values(rows)?;
            with_outbox(conn, &mut items)?;
            Ok(Page { count: counted(count), items })
        })
    }

    fn next_announcement_batch(&mut self) -> StoreResult<Option<Batch>> {
        self.call("announcement_batches", |conn| {
            let row = announcement_batches::table
                .select(BatchRow::as_select())
                .order((announcement_batches::announcement_id, announcement_batches::number))
                .first(conn)
                .optional()?;
            value(row)
        })
    }

    fn take_announcement_batch(&mut self, batch: &Batch) -> StoreResult<Option<bool>> {
        self.call("announcement_batches", |conn| {
            let people = i64::try_from(batch.people.len()).unwrap_or(i64::MAX);
            let announcement = || {
                announcements::table
                    .filter(announcements::id.eq(batch.announcement.as_bytes().to_vec()))
            };
            // The announcement's row first, as whoever takes it back does: nobody then waits for
            // somebody who waits for them.
            let is_open =
                diesel::update(announcement().filter(announcements::cancelled_at.is_null()))
                    .set(announcements::unposted.eq(announcements::unposted - people))
                    .execute(conn)?
                    > 0;
            if !is_open {
                return Ok(None);
            }
            let row = announcement_batches::table
                .filter(
                    announcement_batches::announcement_id.eq(&batch.announcement.as_bytes()[..]),
                )
                .filter(
                    announcement_batches::number
                        .eq(i32::try_from(batch.number).unwrap_or(i32::MAX)),
                );
            if diesel::delete(row).execute(conn)? > 0 {
                let wide = announcement().select(announcements::include_inactive);
                return Ok(wide.get_result(conn).optional()?);
            }
            // Somebody else took it, and the people with it.
            diesel::update(announcement())
                .set(announcements::unposted.eq(announcements::unposted + people))
                .execute(conn)?;
            Ok(None)
        })
    }

    fn count_unreached(
        &mut self,
        id: AnnouncementId,
        without_address: u64,
        left_out: u64,
    ) -> StoreResult<()> {
        self.call("announcements", |conn| {
            let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            diesel::update(announcements::table.filter(announcements::id.eq(&id.as_bytes()[..])))
                .set((
                    announcements::without_address
                        .eq(announcements::without_address + number(without_address)),
                    announcements::left_out.eq(announcements::left_out + number(left_out)),
                ))
                .execute(conn)?;
            Ok(())
        })
    }

    fn cancel_announcement(&mut self, id: AnnouncementId, now: Timestamp) -> StoreResult<bool> {
        self.call("announcements", |conn| {
            let open = announcements::table
                .filter(announcements::id.eq(&id.as_bytes()[..]))
                .filter(announcements::cancelled_at.is_null());
            let cancelled = diesel::update(open)
                .set((
                    announcements::cancelled_at.eq(Some(now.as_micros())),
                    announcements::cancelled.eq(announcements::cancelled + announcements::unposted),
                ))
                .execute(conn)?;
            if cancelled == 0 {
                return Ok(false);
            }
            // Not in the same statement: MySQL would take the new value for the sum.
            diesel::update(announcements::table.filter(announcements::id.eq(&id.as_bytes()[..])))
                .set(announcements::unposted.eq(0))
                .execute(conn)?;
            diesel::delete(
                announcement_batches::table
                    .filter(announcement_batches::announcement_id.eq(&id.as_bytes()[..])),
            )
            .execute(conn)?;
            let waiting = outbox::table
                .filter(outbox::announcement_id.eq(&id.as_bytes()[..]))
                .filter(outbox::state.eq(WAITING))
                .filter(outbox::lease.is_null().or(outbox::due_at.le(now.as_micros())));
            diesel::update(waiting)
                .set((
                    outbox::state.eq(NoticeState::Expired.as_str()),
                    outbox::lease.eq(None::<Vec<u8>>),
                    outbox::settled_at.eq(Some(now.as_micros())),
                    outbox::reason.eq(TAKEN_BACK),
                ))
                .execute(conn)?;
            Ok(true)
        })
    }

    fn notices_waiting(&mut self, lane: Lane) -> StoreResult<u64> {
        self.call("outbox", |conn| {
            let waiting = outbox::table
                .filter(outbox::state.eq(WAITING))
                .filter(outbox::lane.eq(lane.as_str()))
                .filter(outbox::attempts.eq(0).or(outbox::lease.is_not_null()));
            Ok(counted(waiting.select(count_star()).get_result(conn)?))
        })
    }
}
