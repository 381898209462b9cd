//! Where accounts wait for their owner, and what people agreed to.

use super::store::StoreResult;
use crate::{
    domain::{
        page::{Page, PageRequest},
        registration::{Consent, Registration},
    },
    id::{RegistrationId, UserId},
    time::Timestamp,
};

/// Where accounts wait for their owner, and what people agreed to.
pub trait RegistrationRepo {
    /// Adds one; any number may wait with one name or one address.
    fn insert_registration(&mut self, waiting: &Registration) -> StoreResult<()>;

    /// One that has not expired.
    fn registration(
        &mut self,
        id: RegistrationId,
        now: Timestamp,
    ) -> StoreResult<Option<Registration>>;

    /// All with this address, expired ones too, the newest first.
    fn registrations_at(&mut self, email_key: &str) -> StoreResult<Vec<Registration>>;

    /// A page of those that wait for an administrator, the longest first.
    fn registration_page(
        &mut self,
        now: Timestamp,
        request: &PageRequest<()>,
    ) -> StoreResult<Page<Registration>>;

    /// Writes that its link was used, and for how long it waits from then on.
    fn confirm_registration(
        &mut self,
        id: RegistrationId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> StoreResult<bool>;

    /// Has one wait until then.
    fn prolong_registration(
        &mut self,
        id: RegistrationId,
        expires_at: Timestamp,
    ) -> StoreResult<bool>;

    /// Removes one. Of any number of parallel callers exactly one is told `true`.
    fn delete_registration(&mut self, id: RegistrationId) -> StoreResult<bool>;

    /// Removes those that expired before this instant. Answers how many.
    fn purge_registrations(&mut self, now: Timestamp) -> StoreResult<u64>;

    /// Keeps that somebody agreed; that they did so first, when they did so before.
    fn insert_consent(&mut self, user: UserId, consent: &Consent) -> StoreResult<()>;

    /// What somebody agreed to, the first first.
    fn consents_of(&mut self, user: UserId) -> StoreResult<Vec<Consent>>;
}
