//! How a login ends that opens nothing.

use super::{Login, LoginError, LoginGrant, Trial, ask::Heardings, settle::Unsettled};
use crate::{
    domain::user::User,
    ports::{
        backend::{Fault, RejectReason},
        store::{StoreError, Tx},
    },
};

impl Login {
    /// A person whom the backend has verified, and who enters no account.
    pub(super) async fn turn_away(
        &self,
        at: usize,
        unsettled: Unsettled,
        trial: Trial<'_>,
    ) -> Result<LoginGrant, LoginError> {
        let backend = self.doors[at].name().clone();
        let (account, reason, error) = match unsettled {
            Unsettled::Store(error) => return Err(error.into()),
            Unsettled::NotLive(user) => {
                let error = LoginError::Refused { not_before: trial.cx.now() };
                (user.map(|user| *user), RejectReason::Disabled.as_str(), error)
            }
            Unsettled::ChosenName(Some(user)) => {
                let error = LoginError::Refused { not_before: trial.cx.now() };
                (Some(*user), "asked about by no name: that of the account may be chosen", error)
            }
            Unsettled::ChosenName(None) => {
                let error = LoginError::NoAccount { backend: backend.clone() };
                (None, "no account here, and the name may be chosen (trust_names)", error)
            }
            Unsettled::NoAccount => {
                (None, "no account here", LoginError::NoAccount { backend: backend.clone() })
            }
            Unsettled::NameTaken(name) => {
                let error = LoginError::LinkNeeded { backend: backend.clone(), name };
                (None, "the name is somebody else's here", error)
            }
            Unsettled::Drifted => {
                let error = LoginError::Refused { not_before: trial.cx.now() };
                (None, "another account is named there than the one it is bound to", error)
            }
            Unsettled::BadName => {
                let error = LoginError::NoAccount { backend: backend.clone() };
                (None, "the name there cannot be one here", error)
            }
        };
        self.note(trial.cx, "login.failed", account, reason, Some(backend)).await?;
        Err(error)
    }

    pub(super) async fn refuse(
        &self,
        at: usize,
        heard: &Heardings,
        entered: Option<User>,
        trial: Trial<'_>,
    ) -> Result<LoginGrant, LoginError> {
        let door = &self.doors[at];
        let not_before = heard.not_before().unwrap_or_else(|| trial.cx.now());
        let (reason, counts) = match heard.rejection_of(at) {
            Some(rejection) => {
                let guess = matches!(
                    rejection.reason,
                    RejectReason::Bad | RejectReason::BadOrUnknown | RejectReason::Replay
                );
                // An account of ours that is off is refused unseen: what was tried may be a guess,
                // and one that costs less than another tells that it is off.
                (rejection.for_audit().to_owned(), guess || door.is_local())
            }
            // It has to verify everybody, and does not know this one.
            None => ("not known there".to_owned(), !door.only_entitles()),
        };
        if door.only_entitles()
            && let Some(user) = entered.as_ref().map(|user| user.id)
        {
            let name = door.name().clone();
            let forget = move |tx: &mut dyn Tx| tx.put_entitled_at(&name, user, None);
            self.store.write::<_, StoreError>(forget).await?;
        }
        if counts {
            let guessed_at = heard.guessed_at(&self.doors);
            self.count_failure(trial, &reason, Some(door.name().clone()), guessed_at).await?;
        } else {
            let account = entered.or(trial.addressed.account);
            let backend = Some(door.name().clone());
            self.note(trial.cx, "login.failed", account, &reason, backend).await?;
        }
        let is = |reason| heard.rejection_of(at).is_some_and(|known| known.reason == reason);
        if is(RejectReason::NotLinked) {
            return Err(LoginError::NoAccount { backend: door.name().clone() });
        }
        Err(LoginError::Refused { not_before })
    }

    pub(super) async fn put_off(
        &self,
        at: usize,
        heard: &Heardings,
        trial: Trial<'_>,
    ) -> Result<LoginGrant, LoginError> {
        let fault = heard.fault_of(at);
        let retry_after = fault.map_or(5, Fault::retry_after);
        let reason = fault.map_or("fault", Fault::as_str);
        let backend = Some(self.doors[at].name().clone());
        if heard.is_surely_wrong() {
            // An outage is no leave to guess at those whom another backend knows.
            let guessed_at = heard.guessed_at(&self.doors);
            self.count_failure(trial, RejectReason::Bad.as_str(), backend, guessed_at).await?;
        } else {
            let account = trial.addressed.account;
            self.note(trial.cx, "login.undecided", account, reason, backend).await?;
        }
        Err(LoginError::Unavailable { retry_after })
    }
}
