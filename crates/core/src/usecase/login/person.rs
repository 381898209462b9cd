//! One person elsewhere, whatever name was typed for them.
//!
//! A directory may fold more than we do: accents, blanks, letters of other scripts. Were guesses
//! counted by what was typed alone, each spelling of one person's name would have failures of its
//! own.

use super::{Login, LoginError, Trial};
use crate::{
    domain::identity::{BackendName, Subject},
    ports::{
        backend::Assertion,
        store::{StoreError, Tx},
    },
    usecase::throttle::CountKey,
};

/// Who somebody is at a backend.
pub(super) struct Person {
    pub(super) backend: BackendName,
    pub(super) subject: Subject,
}

impl Person {
    /// What guesses at their password count under: their account, if they have one here.
    pub(super) fn failure_key(&self, tx: &mut dyn Tx) -> Result<CountKey, StoreError> {
        let known = tx.identity(&self.backend, &self.subject)?;
        Ok(match known {
            Some(identity) => CountKey::of_account(identity.user),
            None => CountKey::of_person(&self.backend, &self.subject),
        })
    }
}

impl Login {
    /// Whether there were too many wrong passwords for the person whom a right one was given for.
    /// Whoever tried many spellings is not told that the last guess was right.
    pub(super) async fn is_guessed_at(
        &self,
        backend: &BackendName,
        assertion: &Assertion,
        trial: &Trial<'_>,
    ) -> Result<bool, LoginError> {
        let Some((key, _)) = &trial.guess else { return Ok(false) };
        let person = Person { backend: backend.clone(), subject: assertion.subject.clone() };
        let (key, start) = (*key, self.throttle.window_start(trial.cx.now()));
        let failures = self.store.lookup(move |tx| {
            let theirs = person.failure_key(tx)?;
            if theirs == key { Ok(None) } else { tx.window_count(theirs.as_bytes()) }
        });
        let failures = failures.await.map_err(|error: StoreError| error)?;
        let open = failures.filter(|failures| failures.since >= start);
        Ok(open.is_some_and(|failures| self.throttle.is_reached(failures.count)))
    }
}
