//! Invitations: who may come in by a link, and into which groups.

use super::email::Email;
use crate::{
    id::{GroupId, InvitationId, UserId},
    time::Timestamp,
};

/// That somebody may come in. Like a [registration](super::registration::Registration) it is no
/// account, and keeps no address from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its id; ordered by time.
    pub id: InvitationId,
    /// To whom the link goes; it is good for this address alone.
    pub email: Email,
    /// The groups that it leads into.
    pub groups: Vec<GroupId>,
    /// By whose right; none when it was the operator.
    pub invited_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}
