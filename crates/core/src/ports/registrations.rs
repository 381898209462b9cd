//! Where accounts wait for their owner.

use super::store::StoreResult;
use crate::{domain::registration::Registration, id::RegistrationId, time::Timestamp};

/// Where accounts wait for their owner.
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

    /// Removes one.
    fn delete_registration(&mut self, id: RegistrationId) -> StoreResult<bool>;

    /// Removes those that expired before this instant. Answers how many.
    fn purge_registrations(&mut self, now: Timestamp) -> StoreResult<u64>;
}
