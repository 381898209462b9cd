//! The outbox. Nothing here is particular to one database: who takes a notice on is settled by
//! the update that says so, which finds the row as it was or not at all.

mod leaving;
mod turn;

use diesel::{
    dsl::{count_star, max, min},
    prelude::*,
};
use vestibule_core::{
    Timestamp,
    domain::{
        change::Change,
        notice::{Lane, NoticeState, StoredNotice},
        page::{Page, PageRequest},
    },
    id::{LeaseId, NoticeId, UserId},
    ports::{
        changes::ChangeRepo,
        outbox::{Claim, NoticeCounts, NoticeFilter, OutboxRepo, Settlement},
        store::StoreResult,
    },
};

use super::{limit, no_text_holds, page};
use crate::{
    columns::{count, counted},
    conn::{AnyConnection, MultiBackend},
    dialect,
    error::DbResult,
    rows::{outbox::NoticeRow, value},
    schema::outbox,
    tx::DieselTx,
};

const WAITING: &str = NoticeState::Waiting.as_str();

/// What a mail server says is cut here: it is for people, and need not be kept whole.
const LONGEST_REASON: usize = 500;

/// What is written down of one that waits no more because another one says the same.
const REPLACED: &str = "a newer one takes its place";

fn filtered(filter: &NoticeFilter) -> outbox::BoxedQuery<'static, MultiBackend> {
    let mut query = outbox::table.into_boxed();
    if let Some(state) = filter.state {
        query = query.filter(outbox::state.eq(state.as_str()));
    }
    if let Some(kind) = &filter.kind {
        query = query.filter(outbox::kind.eq(kind.clone()));
    }
    if let Some(key) = &filter.recipient {
        query = query.filter(outbox::recipient_key.eq(key.clone()));
    }
    query
}

fn take(conn: &mut AnyConnection, claim: &Claim, id: &[u8]) -> DbResult<Option<StoredNotice>> {
    // One that is named is taken before its time, but never from somebody who sends it.
    let waiting = outbox::table.filter(outbox::id.eq(id)).filter(outbox::state.eq(WAITING));
    let free = waiting.filter(outbox::due_at.le(claim.now.as_micros()).or(outbox::lease.is_null()));
    let lease = Some(claim.lease.as_bytes().to_vec());
    let taken = diesel::update(free)
        .set((
            outbox::lease.eq(lease),
            outbox::due_at.eq(claim.until.as_micros()),
            outbox::attempts.eq(outbox::attempts + 1),
        ))
        .execute(conn)?;
    if taken == 0 {
        return Ok(None);
    }
    let row = outbox::table.filter(outbox::id.eq(id)).select(NoticeRow::as_select());
    value(row.get_result(conn).optional()?)
}

/// What becomes of a row that is not worth sending any more.
#[derive(AsChangeset)]
#[diesel(table_name = outbox)]
#[diesel(treat_none_as_null = true)]
struct Expired {
    state: &'static str,
    lease: Option<Vec<u8>>,
    settled_at: Option<i64>,
}

fn expired(now: Timestamp) -> Expired {
    let settled_at = Some(now.as_micros());
    Expired { state: NoticeState::Expired.as_str(), lease: None, settled_at }
}

/// What becomes of a row that is to be tried as if for the first time.
#[derive(AsChangeset)]
#[diesel(table_name = outbox)]
#[diesel(treat_none_as_null = true)]
struct TriedAnew {
    state: &'static str,
    lease: Option<Vec<u8>>,
    settled_at: Option<i64>,
    attempts: i32,
    due_at: i64,
}

fn tried_anew(now: Timestamp) -> TriedAnew {
    let due_at = now.as_micros();
    TriedAnew { state: WAITING, lease: None, settled_at: None, attempts: 0, due_at }
}

fn cut(reason: &str) -> String {
    reason.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect()
}

impl OutboxRepo for DieselTx<'_> {
    fn insert_notice(&mut self, notice: &StoredNotice) -> StoreResult<()> {
        self.guarded("outbox", |conn| {
            let last: Option<i64> = outbox::table
                .filter(outbox::recipient_key.eq(notice.recipient.key()))
                .filter(outbox::lane.eq(notice.lane.as_str()))
                .filter(outbox::state.eq(WAITING))
                .select(max(outbox::place))
                .get_result(conn)?;
            // Two posted within the same microsecond keep their order, and so do two whose
            // servers' clocks differ.
            let now = notice.created_at.as_micros();
            let place = last.map_or(now, |last| now.max(last.saturating_add(1)));
            let row = NoticeRow::of(notice, place);
            diesel::insert_into(outbox::table).values(row).execute(conn)?;
            Ok(())
        })?;
        self.announce(Change::Mail, notice.created_at)
    }

    fn next_notice_due(&mut self, lane: Lane) -> StoreResult<Option<Timestamp>> {
        self.call("outbox", |conn| {
            let next: Option<i64> = outbox::table
                .filter(outbox::state.eq(WAITING))
                .filter(outbox::lane.eq(lane.as_str()))
                .select(min(outbox::due_at))
                .get_result(conn)?;
            Ok(next.map(Timestamp::from_micros))
        })
    }

    fn claim_notices(&mut self, claim: &Claim) -> StoreResult<Vec<StoredNotice>> {
        self.call("outbox", |conn| {
            let mut claimed = Vec::new();
            for id in turn::candidates(conn, claim)? {
                claimed.extend(take(conn, claim, &id)?);
            }
            Ok(claimed)
        })
    }

    fn settle_notice(
        &mut self,
        id: NoticeId,
        lease: LeaseId,
        now: Timestamp,
        settlement: &Settlement,
    ) -> StoreResult<bool> {
        self.call("outbox", |conn| {
            let waiting = outbox::table
                .filter(outbox::id.eq(&id.as_bytes()[..]))
                .filter(outbox::state.eq(WAITING));
            let none = None::<Vec<u8>>;
            if let Settlement::Sent(answer) = settlement {
                let settled = diesel::update(waiting)
                    .set((
                        outbox::state.eq(NoticeState::Sent.as_str()),
                        outbox::lease.eq(none),
                        outbox::settled_at.eq(Some(now.as_micros())),
                        outbox::reason.eq(cut(answer)),
                    ))
                    .execute(conn)?;
                return Ok(settled > 0);
            }
            let held = waiting.filter(outbox::lease.eq(&lease.as_bytes()[..]));
            let (state, reason) = match settlement {
                Settlement::Retry(at, reason) | Settlement::Back(at, reason) => {
                    let undone = i32::from(matches!(settlement, Settlement::Back(..)));
                    let settled = diesel::update(held)
                        .set((
                            outbox::lease.eq(none),
                            outbox::due_at.eq(at.as_micros()),
                            outbox::attempts.eq(outbox::attempts - undone),
                            outbox::reason.eq(cut(reason)),
                        ))
                        .execute(conn)?;
                    return Ok(settled > 0);
                }
                Settlement::Dead(reason) => (NoticeState::Dead, reason),
                Settlement::Expired(reason) => (NoticeState::Expired, reason),
                Settlement::Sent(answer) => (NoticeState::Sent, answer),
            };
            let settled = diesel::update(held)
                .set((
                    outbox::state.eq(state.as_str()),
                    outbox::lease.eq(none),
                    outbox::settled_at.eq(Some(now.as_micros())),
                    outbox::reason.eq(cut(reason)),
                ))
                .execute(conn)?;
            Ok(settled > 0)
        })
    }

    fn expire_notices(&mut self, now: Timestamp) -> StoreResult<u64> {
        self.call("outbox", |conn| {
            let late = outbox::table
                .filter(outbox::state.eq(WAITING))
                .filter(outbox::expires_at.le(now.as_micros()))
                .filter(outbox::lease.is_null().or(outbox::due_at.le(now.as_micros())));
            Ok(count(diesel::update(late).set(expired(now)).execute(conn)?))
        })
    }

    fn expire_notices_about(
        &mut self,
        user: UserId,
        kinds: &[&str],
        now: Timestamp,
    ) -> StoreResult<u64> {
        self.call("outbox", |conn| {
            let of_user = outbox::table
                .filter(outbox::user_id.eq(&user.as_bytes()[..]))
                .filter(outbox::state.eq(WAITING))
                .filter(outbox::kind.eq_any(kinds))
                .filter(outbox::lease.is_null().or(outbox::due_at.le(now.as_micros())));
            let ended = diesel::update(of_user).set(expired(now)).execute(conn)?;
            // Whoever sends one of them goes on; refused for now, it is not tried again.
            let being_sent = outbox::table
                .filter(outbox::user_id.eq(&user.as_bytes()[..]))
                .filter(outbox::state.eq(WAITING))
                .filter(outbox::kind.eq_any(kinds));
            diesel::update(being_sent)
                .set(outbox::expires_at.eq(Some(now.as_micros())))
                .execute(conn)?;
            Ok(count(ended))
        })
    }

    fn replace_notices(&mut self, by: &StoredNotice) -> StoreResult<u64> {
        self.call("outbox", |conn| {
            let refused = outbox::table
                .filter(outbox::recipient_key.eq(by.recipient.key()))
                .filter(outbox::lane.eq(by.lane.as_str()))
                .filter(outbox::state.eq(WAITING))
                .filter(outbox::attempts.gt(0))
                .filter(outbox::lease.is_null())
                .filter(outbox::kind.eq(&by.kind))
                .filter(outbox::data.eq(&by.data));
            let expired = (expired(by.created_at), outbox::reason.eq(REPLACED));
            Ok(count(diesel::update(refused).set(expired).execute(conn)?))
        })
    }

    fn notice_by_id(&mut self, id: NoticeId) -> StoreResult<Option<StoredNotice>> {
        self.call("outbox", |conn| {
            let row = outbox::table
                .filter(outbox::id.eq(&id.as_bytes()[..]))
                .select(NoticeRow::as_select())
                .get_result(conn)
                .optional()?;
            value(row)
        })
    }

    fn notice_page(
        &mut self,
        filter: &NoticeFilter,
        request: &PageRequest<()>,
    ) -> StoreResult<Page<StoredNotice>> {
        if [&filter.kind, &filter.recipient].into_iter().flatten().any(|text| no_text_holds(text)) {
            return Ok(Page { count: 0, items: Vec::new() });
        }
        self.call("outbox", |conn| {
            let count = filtered(filter).select(count_star()).get_result(conn)?;
            let rows = filtered(filter)
                .select(NoticeRow::as_select())
                .order(dialect::by("id DESC", "id", request.descending))
                .limit(limit(request))
                .offset(request.offset())
                .load(conn)?;
            page(count, rows)
        })
    }

    fn retry_notice(&mut self, id: NoticeId, now: Timestamp) -> StoreResult<bool> {
        let retried = self.call("outbox", |conn| {
            let row = outbox::table
                .filter(outbox::id.eq(&id.as_bytes()[..]))
                .filter(outbox::state.eq_any([WAITING, NoticeState::Dead.as_str()]))
                .filter(outbox::lease.is_null().or(outbox::due_at.le(now.as_micros())));
            Ok(diesel::update(row).set(tried_anew(now)).execute(conn)? > 0)
        })?;
        if retried {
            self.announce(Change::Mail, now)?;
        }
        Ok(retried)
    }

    fn retry_dead_notices(&mut self, now: Timestamp) -> StoreResult<u64> {
        let retried = self.call("outbox", |conn| {
            let dead = outbox::table.filter(outbox::state.eq(NoticeState::Dead.as_str()));
            Ok(count(diesel::update(dead).set(tried_anew(now)).execute(conn)?))
        })?;
        if retried > 0 {
            self.announce(Change::Mail, now)?;
        }
        Ok(retried)
    }

    fn delete_notice(&mut self, id: NoticeId, now: Timestamp) -> StoreResult<bool> {
        self.call("outbox", |conn| {
            let gone = leaving::remove(conn, |conn| {
                let free = outbox::table
                    .filter(outbox::id.eq(&id.as_bytes()[..]))
                    .filter(outbox::lease.is_null().or(outbox::due_at.le(now.as_micros())));
                Ok(free.select(outbox::id).load(conn)?)
            })?;
            Ok(gone > 0)
        })
    }

    fn purge_notices(
        &mut self,
        state: Option<NoticeState>,
        before: Timestamp,
        limit: u32,
    ) -> StoreResult<u64> {
        let settled = [NoticeState::Sent, NoticeState::Dead, NoticeState::Expired];
        let find = |conn: &mut AnyConnection| {
            let mut old: Vec<Vec<u8>> = Vec::new();
            for each in settled.into_iter().filter(|each| state.is_none_or(|state| state == *each))
            {
                let room = i64::from(limit) - i64::try_from(old.len()).unwrap_or(i64::MAX);
                let more: Vec<Vec<u8>> = outbox::table
                    .filter(outbox::state.eq(each.as_str()))
                    .filter(outbox::settled_at.le(before.as_micros()))
                    .select(outbox::id)
                    .order(outbox::settled_at)
                    .limit(room.max(0))
                    .load(conn)?;
                old.extend(more);
            }
            old.sort_unstable();
            Ok(old)
        };
        self.call("outbox", |conn| Ok(count(leaving::remove(conn, find)?)))
    }

    fn notice_counts(&mut self) -> StoreResult<NoticeCounts> {
        self.call("outbox", |conn| {
            let mut of = |state: NoticeState| -> DbResult<u64> {
                let rows = outbox::table.filter(outbox::state.eq(state.as_str()));
                Ok(counted(rows.select(count_star()).get_result(conn)?))
            };
            Ok(NoticeCounts {
                waiting: of(NoticeState::Waiting)?,
                sent: of(NoticeState::Sent)?,
                dead: of(NoticeState::Dead)?,
                expired: of(NoticeState::Expired)?,
            })
        })
    }
}
