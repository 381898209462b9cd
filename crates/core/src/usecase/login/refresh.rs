//! Asking backends again about the people they let in, so that a leaver is out without having to
//! log in once more.

use std::{collections::HashSet, time::Duration};

use serde_json::json;

use super::{Door, Login, names::Owned, settle};
use crate::{
    cx::OpCx,
    domain::{change::Change, identity::BackendName, user::User},
    id::UserId,
    ports::{
        backend::{BackendCx, Entitlement, Verdict},
        checks::BackendCheck,
        store::{StoreError, Tx},
    },
    time::Timestamp,
    usecase::record::{Target, record},
};

/// How many people one round asks a backend about at most.
const AT_ONCE: u32 = 100;
/// After how long a backend that could not tell is asked again.
const AGAIN: Duration = Duration::from_mins(5);

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Who are still what they were, or are something else now.
    pub confirmed: u32,
    /// Who lost what they had by the backend.
    pub withdrawn: u32,
    /// About whom the backend could not tell.
    pub stale: u32,
}

/// What a backend says of somebody, by all that it knows them by.
enum Word {
    /// It stands by them: what it said, each time it was asked.
    Stands(Vec<settle::Asserted>),
    /// It knows nobody of theirs who may come in.
    Gone,
    /// It could not tell.
    Unknown,
}

impl Login {
    /// Asks each backend that has an interval about those whose time has come.
    pub async fn refresh(&self, cx: &OpCx) -> Result<Refreshed, StoreError> {
        let mut all = Refreshed::default();
        for door in &self.doors {
            if let (Some(every), Some(entitlement)) = (door.refresh, door.backend.entitlement()) {
                self.refresh_door(cx, door, every, entitlement, &mut all).await?;
            }
        }
        Ok(all)
    }

    async fn refresh_door(
        &self,
        cx: &OpCx,
        door: &Door,
        every: Duration,
        entitlement: &dyn Entitlement,
        all: &mut Refreshed,
    ) -> Result<(), StoreError> {
        let (name, before) = (door.name().clone(), cx.now().minus(every));
        let entitles = door.only_entitles();
        let due = self.store.read(move |tx| due(tx, &name, before, entitles)).await;
        let due: Vec<UserId> = due?;
        let mut is_down = false;
        for id in due {
            let Some(owned) = self.owned(id).await? else { continue };
            let word = self.word_of(cx, door, entitlement, &owned, &mut is_down).await;
            let (cx, user) = (cx.clone(), owned.user);
            match word {
                Word::Stands(said) => {
                    let confirm = move |tx: &mut dyn Tx| confirm(tx, &cx, &user, &said);
                    self.store.write::<_, StoreError>(confirm).await?;
                    all.confirmed += 1;
                }
                Word::Gone => {
                    let door = door.clone();
                    let withdraw = move |tx: &mut dyn Tx| withdraw(tx, &cx, &user, &door);
                    self.store.write::<_, StoreError>(withdraw).await?;
                    all.withdrawn += 1;
                }
                Word::Unknown => {
                    let retry_at = cx.now().minus(every.saturating_sub(AGAIN));
                    let name = door.name().clone();
                    let doubt =
                        move |tx: &mut dyn Tx| mark_stale(tx, &cx, &name, user.id, retry_at);
                    self.store.write::<_, StoreError>(doubt).await?;
                    all.stale += 1;
                }
            }
        }
        Ok(())
    }

    /// Asks a backend about somebody: about everyone whom it knows them as, since a link that it
    /// stands by no more says nothing of another.
    async fn word_of(
        &self,
        cx: &OpCx,
        door: &Door,
        entitlement: &dyn Entitlement,
        owned: &Owned,
        is_down: &mut bool,
    ) -> Word {
        let linked = owned.subjects_at(door.name());
        let mut ways: Vec<_> = linked.map(|known| (known.as_str(), Some(known))).collect();
        let whom = self.whom_without_them(owned);
        if ways.is_empty() && door.only_entitles() {
            // By a name that anybody could have chosen it stands by nobody.
            ways.extend(whom.at(door.name()));
        }
        let mut said = Vec::new();
        for (name, known_as) in ways {
            // Where one question went without an answer, the others would as well.
            if *is_down {
                return Word::Unknown;
            }
            let bcx = BackendCx { account: Some(owned.user.id), known_as, ..self.backend_cx(cx) };
            match entitlement.judge(name, &bcx).await {
                Verdict::Verified(assertion) => {
                    said.push(settle::Asserted::of(door, assertion));
                }
                Verdict::Rejected(_) | Verdict::NotMine(_) => {}
                verdict @ (Verdict::Fault(_) | Verdict::Challenge(_)) => {
                    *is_down = matches!(&verdict, Verdict::Fault(fault) if fault.is_passing());
                    return Word::Unknown;
                }
            }
        }
        if said.is_empty() { Word::Gone } else { Word::Stands(said) }
    }
}

/// Whose time has come, each once.
fn due(
    tx: &mut dyn Tx,
    backend: &BackendName,
    before: Timestamp,
    entitles: bool,
) -> Result<Vec<UserId>, StoreError> {
    if entitles {
        return tx.entitled_due(backend, before, AT_ONCE);
    }
    let mut seen = HashSet::new();
    let people = tx.identities_due(backend, before, AT_ONCE)?;
    let users = people.into_iter().map(|identity| identity.user);
    Ok(users.filter(|user| seen.insert(*user)).collect())
}

/// The backend stands by the person, and tells what groups they are in now.
fn confirm(
    tx: &mut dyn Tx,
    cx: &OpCx,
    user: &User,
    said: &[settle::Asserted],
) -> Result<(), StoreError> {
    let Some(first) = said.first() else { return Ok(()) };
    settle::follow_all_groups(tx, cx, user, &first.backend, said)?;
    if first.entitles {
        tx.put_entitled_at(&first.backend, user.id, Some(cx.now()))?;
    }
    fresh(tx, cx, &first.backend, user.id)
}

/// What is known of somebody by a backend is as of now.
pub(super) fn fresh(
    tx: &mut dyn Tx,
    cx: &OpCx,
    backend: &BackendName,
    user: UserId,
) -> Result<(), StoreError> {
    let check = BackendCheck { checked_at: cx.now(), stale_since: None };
    tx.put_backend_check(backend, user, &check)
}

/// The backend could not tell: what is known stays, and is marked as old.
pub(super) fn mark_stale(
    tx: &mut dyn Tx,
    cx: &OpCx,
    backend: &BackendName,
    user: UserId,
    checked_at: Timestamp,
) -> Result<(), StoreError> {
    let before = tx.backend_check(backend, user)?.and_then(|check| check.stale_since);
    let stale_since = Some(before.unwrap_or_else(|| cx.now()));
    tx.put_backend_check(backend, user, &BackendCheck { checked_at, stale_since })
}

/// The backend does not stand by the person any more: what came by it goes, and whoever came in by
/// it is out.
fn withdraw(tx: &mut dyn Tx, cx: &OpCx, user: &User, door: &Door) -> Result<(), StoreError> {
    let backend = door.name();
    tx.announce(Change::User(user.id), cx.now())?;
    settle::sync_groups(tx, cx, user, backend, &[])?;
    let ends_all = door.only_entitles() && door.must_verify();
    let mut ended = 0_u32;
    for session in tx.sessions_of(user.id)? {
        // Whom one has to verify whoever they came in by is out by every door.
        if (ends_all || session.backend == backend.as_str()) && tx.delete_session(session.id)? {
            ended += 1;
        }
    }
    if door.only_entitles() {
        tx.put_entitled_at(backend, user.id, None)?;
    }
    let details = json!({ "backend": backend.as_str(), "sessions": ended });
    record(
        tx,
        cx,
        "identity.withdrawn",
        Target::user(user),
        format!("refresh of {backend}"),
        details,
    )?;
    fresh(tx, cx, backend, user.id)
}
