//! Invitations.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_core::{
    Secret,
    domain::invitation::Invitation,
    id::GroupId,
    usecase::{invitations::NewInvitation, users::NewUser},
};

use super::{id, optional_time};
use crate::problem::Problem;

/// An invitation that waits. Whether its address has an account is not told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(crate) struct InvitationOut {
    id: uuid::Uuid,
    email: String,
    /// The ids of the groups that it leads into.
    groups: Vec<uuid::Uuid>,
    /// The account of whoever invites; null when it was the operator.
    invited_by: Option<uuid::Uuid>,
    created_at: String,
    expires_at: String,
}

impl From<Invitation> for InvitationOut {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id.as_uuid(),
            email: invitation.email.to_string(),
            groups: invitation.groups.iter().map(GroupId::as_uuid).collect(),
            invited_by: invitation.invited_by.map(|by| by.as_uuid()),
            created_at: invitation.created_at.to_string(),
            expires_at: invitation.expires_at.to_string(),
        }
    }
}

/// Whom to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInvitation)]
pub(crate) struct InvitationIn {
    email: String,
    /// The ids of the groups that it is to lead into.
    #[serde(default)]
    groups: Vec<String>,
    /// Until when it is to wait; `registration.invitation_days` when nothing is said.
    expires_at: Option<String>,
}

impl InvitationIn {
    pub(crate) fn parse(self) -> Result<NewInvitation, Problem> {
        let groups: Result<_, Problem> =
            self.groups.iter().map(|group| id("groups", group)).collect();
        Ok(NewInvitation {
            email: self.email,
            groups: groups?,
            expires_at: optional_time("expires_at", self.expires_at.as_ref())?,
        })
    }
}

/// How an invitation is accepted: with a name and a password by whoever is to have an account, by
/// the link alone by whoever is logged in to theirs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Acceptance)]
pub(crate) struct AcceptIn {
    pub(crate) token: String,
    username: Option<String>,
    password: Option<String>,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    /// The version of the site's policy that one agrees to, where there is one.
    pub(crate) policy: Option<String>,
}

impl AcceptIn {
    /// The account that is to be made, if one is.
    pub(crate) fn account(&mut self) -> Option<NewUser> {
        let username = self.username.take()?;
        Some(NewUser {
            username,
            password: self.password.take().map(Secret::from),
            first_name: std::mem::take(&mut self.first_name),
            last_name: std::mem::take(&mut self.last_name),
            ..NewUser::default()
        })
    }
}
