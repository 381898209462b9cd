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
        throttle::WindowCount,
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
    /// Where wrong passwords were counted for the person whom a right one was given for, beside
    /// those for the name that was typed; `None` where there were too many. Whoever tried many
    /// spellings is not told that the last guess was right.
    pub(super) async fn guessed_at(
        &self,
        backend: &BackendName,
        assertion: &Assertion,
        trial: &Trial<'_>,
    ) -> Result<Option<Vec<CountKey>>, LoginError> {
        let Some((key, _)) = &trial.guess else { return Ok(Some(Vec::new())) };
        let person = Person { backend: backend.clone(), subject: assertion.subject.clone() };
        let (key, start) = (*key, self.throttle.window_start(trial.cx.now()));
        let counted = self.store.lookup(move |tx| {
            let theirs = person.failure_key(tx)?;
            if theirs == key {
                return Ok(None);
            }
            Ok(tx.window_count(theirs.as_bytes())?.map(|failures| (theirs, failures)))
        });
        let counted = counted.await.map_err(|error: StoreError| error)?;
        let is_open = counted.as_ref().is_some_and(|(_, failures)| failures.since >= start);
        let is_full = |(_, failures): &(_, WindowCount)| self.throttle.is_reached(failures.count);
        if is_open && counted.as_ref().is_some_and(is_full) {
            return Ok(None);
        }
        Ok(Some(counted.into_iter().map(|(theirs, _)| theirs).collect()))
    }
}
