//! Sessions elsewhere that have ended, told by the service itself: ours end with them.

use serde_json::json;

use super::Login;
use crate::{
    cx::OpCx,
    domain::{change::Change, identity::BackendName, session::Session},
    ports::{
        backend::{EndedSession, Fault, Leaving},
        store::{StoreError, Tx},
    },
    usecase::record::{Target, record},
};

/// Why no session was ended.
#[derive(Debug, thiserror::Error)]
pub enum EndError {
    /// No backend of this name tells of ends.
    #[error("there is no backend {0} that tells of the end of sessions")]
    UnknownBackend(String),
    /// What was sent is not believed.
    #[error("the logout token is not believed")]
    Unbelieved(#[source] Option<Fault>),
    /// What it says cannot be checked now.
    #[error("the logout token cannot be checked at the moment")]
    Unavailable {
        /// Seconds after which it is worth another try.
        retry_after: u32,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Login {
    /// Where somebody who has logged out here goes to log out at the backend as well, where there is
    /// such a place.
    pub async fn leave(
        &self,
        cx: &OpCx,
        backend: &str,
        leaving: &Leaving<'_>,
    ) -> Result<Option<String>, Fault> {
        let door = self.doors.iter().find(|door| door.name().as_str() == backend);
        match door.and_then(|door| door.backend.upstream_logout()) {
            Some(teller) => teller.leave(leaving, cx).await,
            None => Ok(None),
        }
    }

    /// Ends the sessions that came from one that has ended elsewhere. Answers how many.
    pub async fn end_upstream(
        &self,
        cx: &OpCx,
        backend: &str,
        token: &str,
    ) -> Result<u64, EndError> {
        let unknown = || EndError::UnknownBackend(backend.to_owned());
        let door = self.doors.iter().find(|door| door.name().as_str() == backend);
        let door = door.ok_or_else(unknown)?;
        let teller = door.backend.upstream_logout().ok_or_else(unknown)?;
        let ended = match teller.ended(token, cx).await {
            Ok(ended) => ended,
            Err(fault) if fault.is_passing() => {
                return Err(EndError::Unavailable { retry_after: fault.retry_after() });
            }
            Err(fault) => return Err(EndError::Unbelieved(Some(fault))),
        };
        let (cx, name) = (cx.clone(), door.name().clone());
        self.store.write(move |tx| end(tx, &cx, &name, &ended)).await
    }
}

fn end(
    tx: &mut dyn Tx,
    cx: &OpCx,
    backend: &BackendName,
    ended: &EndedSession,
) -> Result<u64, EndError> {
    let user = match &ended.subject {
        Some(subject) => tx.identity(backend, subject)?.map(|identity| identity.user),
        None => None,
    };
    let mut sessions: Vec<Session> = match (&ended.session, user) {
        (Some(session), _) => tx.sessions_from_upstream(backend, session)?,
        (None, Some(user)) => tx.sessions_of(user)?,
        // Somebody who was never here.
        (None, None) => return Ok(0),
    };
    sessions.retain(|session| session.backend == backend.as_str());
    let is_theirs = |session: &Session| ended.subject.is_none() || Some(session.user) == user;
    if !sessions.iter().all(is_theirs) {
        // The session of one person and the name of another.
        return Err(EndError::Unbelieved(None));
    }
    for session in &sessions {
        tx.announce(Change::User(session.user), cx.now())?;
        tx.delete_session(session.id)?;
        let target = Target::new("session", session.id, session.user);
        record(tx, cx, "session.ended", target, format!("logout at {backend}"), json!({}))?;
    }
    Ok(u64::try_from(sessions.len()).unwrap_or(u64::MAX))
}
