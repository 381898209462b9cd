//! What the caches of every replica must hear of.

use crate::id::UserId;

/// Whose cached rights and sessions are out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// One user's: an account, a membership, a session, a grant to that user.
    User(UserId),
    /// Everybody's: groups within groups, grants to groups, registered permissions.
    Everyone,
    /// Nobody's: there is mail to send. Told of where it was committed, and never numbered.
    Mail,
}

/// A change and its place in the order in which changes were committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberedChange {
    /// One more than the number of the change committed before it.
    pub number: i64,
    /// Whose.
    pub change: Change,
}
