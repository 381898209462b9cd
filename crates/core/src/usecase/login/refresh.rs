//! Asking backends again about the people they let in, so that a leaver is out without having to
//! log in once more.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{Door, Login, settle};
use crate::{
    cx::OpCx,
    domain::{
        change::Change,
        identity::{BackendName, Subject},
        user::User,
    },
    id::UserId,
    ports::{
        backend::{BackendCx, Entitlement, NotMine, Verdict},
        checks::BackendCheck,
        store::{StoreError, Tx},
    },
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

/// Somebody who is due.
struct Due {
    user: UserId,
    subject: Option<Subject>,
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
        let (name, before, entitles) =
            (door.name().clone(), cx.now().minus(every), door.only_entitles());
        let due = self.store.read(move |tx| due(tx, &name, before, entitles)).await;
        let due: Vec<Due> = due?;
        let mut is_down = false;
        for person in due {
            let Some(owned) = self.owned(person.user).await? else { continue };
            let whom = self.whom_without_them(&owned);
            let asked_by = match &person.subject {
                Some(subject) => Some((subject.as_str(), Some(subject))),
                None => whom.at(door.name()),
            };
            let verdict = match asked_by {
                // By a name that anybody could have chosen it stands by nobody.
                None => Some(Verdict::NotMine(NotMine::UnknownSubject)),
                // Where one question went without an answer, the others would as well.
                Some(_) if is_down => None,
                Some((name, known_as)) => {
                    let account = Some(owned.user.id);
                    let bcx = BackendCx { account, known_as, ..self.backend_cx(cx) };
                    Some(entitlement.judge(name, &bcx).await)
                }
            };
            let user = owned.user;
            match verdict {
                Some(Verdict::Verified(assertion)) => {
                    let said = Arc::new(settle::Asserted::of(door, assertion));
                    let cx = cx.clone();
                    let confirm = move |tx: &mut dyn Tx| confirm(tx, &cx, &user, &said);
                    self.store.write::<_, StoreError>(confirm).await?;
                    all.confirmed += 1;
                }
                Some(Verdict::Rejected(_) | Verdict::NotMine(_)) => {
                    let (cx, name) = (cx.clone(), door.name().clone());
                    let withdraw = move |tx: &mut dyn Tx| withdraw(tx, &cx, &user, &name, entitles);
                    self.store.write::<_, StoreError>(withdraw).await?;
                    all.withdrawn += 1;
                }
                Some(Verdict::Fault(_) | Verdict::Challenge(_)) | None => {
                    is_down |= matches!(&verdict, Some(Verdict::Fault(f)) if f.is_passing());
                    let retry_at = cx.now().minus(every.saturating_sub(AGAIN));
                    let (cx, name) = (cx.clone(), door.name().clone());
                    let doubt =
                        move |tx: &mut dyn Tx| mark_stale(tx, &cx, &name, user.id, retry_at);
                    self.store.write::<_, StoreError>(doubt).await?;
                    all.stale += 1;
                }
            }
        }
        Ok(())
    }
}

fn due(
    tx: &mut dyn Tx,
    backend: &BackendName,
    before: crate::time::Timestamp,
    entitles: bool,
) -> Result<Vec<Due>, StoreError> {
    if entitles {
        let users = tx.entitled_due(backend, before, AT_ONCE)?;
        return Ok(users.into_iter().map(|user| Due { user, subject: None }).collect());
    }
    let people = tx.identities_due(backend, before, AT_ONCE)?;
    let due = |identity: crate::domain::identity::Identity| Due {
        user: identity.user,
        subject: Some(identity.subject),
    };
    Ok(people.into_iter().map(due).collect())
}

/// The backend stands by the person, and tells what groups they are in now.
fn confirm(
    tx: &mut dyn Tx,
    cx: &OpCx,
    user: &User,
    said: &settle::Asserted,
) -> Result<(), StoreError> {
    settle::follow_groups(tx, cx, user, said)?;
    if said.entitles {
        tx.put_entitled_at(&said.backend, user.id, Some(cx.now()))?;
    }
    fresh(tx, cx, &said.backend, user.id)
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
    checked_at: crate::time::Timestamp,
) -> Result<(), StoreError> {
    let before = tx.backend_check(backend, user)?.and_then(|check| check.stale_since);
    let stale_since = Some(before.unwrap_or_else(|| cx.now()));
    tx.put_backend_check(backend, user, &BackendCheck { checked_at, stale_since })
}

/// The backend does not stand by the person any more: what came by it goes, and whoever came in by
/// it is out.
fn withdraw(
    tx: &mut dyn Tx,
    cx: &OpCx,
    user: &User,
    backend: &BackendName,
    entitles: bool,
) -> Result<(), StoreError> {
    tx.announce(Change::User(user.id), cx.now())?;
    settle::sync_groups(tx, cx, user, backend, &[])?;
    let mut ended = 0_u32;
    for session in tx.sessions_of(user.id)? {
        // Whom one has to verify whoever they came in by is out by every door.
        if (entitles || session.backend == backend.as_str()) && tx.delete_session(session.id)? {
            ended += 1;
        }
    }
    if entitles {
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
