//! What becomes of an invitation by its link.

use serde_json::json;

use super::{
    super::{
        authority::Authority,
        error::{AdminError, AdminResult, Forbidden},
        members::{self, Wanted, addable},
        record::{Target, record},
        registration::forget,
        users::{NewUser, parse, require_free, taken},
    },
    Invitations, end_of,
};
use crate::{
    cx::{Actor, OpCx},
    domain::{
        change::Change,
        group::Group,
        invitation::Invitation,
        registration::Consent,
        rights,
        ticket::{Purpose, Subject, Ticket},
        user::User,
    },
    id::UserId,
    ports::store::Tx,
    secret::{Secret, TokenDigest},
    time::Timestamp,
};

/// What a link invites to.
#[derive(Clone, Debug)]
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// The names of the groups that it leads into.
    pub groups: Vec<String>,
    /// The login name of whoever invites.
    pub by: String,
    /// The account that has the address already, and is to join; without one, one is made.
    pub account: Option<UserId>,
}

impl Invitations {
    /// What a link invites to; uses nothing up.
    pub async fn look(&self, cx: &OpCx, token: &Secret) -> AdminResult<Invited> {
        self.require_open()?;
        let (cx, digest) = (cx.clone(), TokenDigest::of(token.expose()));
        self.store
            .read::<_, AdminError>(move |tx| {
                let ticket = tx.ticket(&digest, Purpose::Invitation, cx.now())?;
                let invitation = invitation(tx, ticket, cx.now())?;
                let (by, groups) = offer(tx, &cx, &invitation)?;
                let account = tx.user_by_email_key(invitation.email.key())?.map(|user| user.id);
                let groups = groups.into_iter().map(|(group, _)| group.name.to_string()).collect();
                Ok(Invited { invitation, groups, by, account })
            })
            .await
    }

    /// Makes the account of whoever was invited, in the groups; the invitation is used up by it.
    /// What is refused leaves it as it is. `policy` is the version of the site's policy that they
    /// agreed to.
    pub async fn accept(
        &self,
        cx: &OpCx,
        token: &Secret,
        new: NewUser,
        policy: Option<&str>,
    ) -> AdminResult<User> {
        // Nobody without a link has passwords hashed or judged for them.
        let invited = self.look(cx, token).await?;
        if invited.account.is_some() {
            return Err(log_in_first());
        }
        let now = cx.now();
        let id = UserId::generate(now, cx.entropy());
        let policy = self.rules.registration.agreed(policy)?;
        let email = Some(invited.invitation.email.as_str().to_owned());
        let mut user = parse(&NewUser { email, ..new_user(&new) }, id, now)?;
        user.email_verified = true;
        user.password_changed_at = Some(now);
        let password = new
            .password
            .as_ref()
            .ok_or_else(|| AdminError::field("password", "required", "a password is needed"))?;
        let hash = self.passwords.accept(&user, password).await?;
        let (cx, digest) = (cx.clone(), TokenDigest::of(token.expose()));
        let postbox = self.postbox.clone();
        self.store
            .write::<_, AdminError>(move |tx| {
                tx.announce(Change::User(id), now)?;
                let invitation = redeem(tx, &digest, now)?;
                require_free(tx, &user)?;
                tx.insert_user(&user, &hash).map_err(taken)?;
                if let Some(version) = &policy {
                    tx.insert_consent(id, &Consent { version: version.clone(), at: now })?;
                }
                forget(tx, &invitation.email, None)?;
                join(tx, &cx, &invitation, &user)?;
                postbox.tell_of_account(tx, &cx, &user)?;
                Ok(user.clone())
            })
            .await
    }

    /// Brings the actor, whose address was invited, into the groups; the invitation is used up by
    /// it. One to another address stays as it is.
    pub async fn join(&self, cx: &OpCx, token: &Secret) -> AdminResult<User> {
        self.require_open()?;
        let Actor::User { id, .. } = cx.actor else { return Err(log_in_first()) };
        let (cx, digest) = (cx.clone(), TokenDigest::of(token.expose()));
        self.store
            .write::<_, AdminError>(move |tx| {
                let now = cx.now();
                tx.announce(Change::User(id), now)?;
                Authority::load(tx, &cx)?;
                let invitation = redeem(tx, &digest, now)?;
                let mut user = tx.user_by_id(id)?.ok_or(Forbidden::NotAuthenticated)?;
                let own = user.email.as_ref().map(crate::domain::email::Email::key);
                if own != Some(invitation.email.key()) {
                    let message = "the invitation is for another mail address than your account's";
                    return Err(AdminError::conflict("other_address", message));
                }
                if !user.email_verified {
                    user.email_verified = true;
                    tx.update_user(&user)?;
                }
                join(tx, &cx, &invitation, &user)?;
                Ok(user)
            })
            .await
    }

    /// Ends an invitation that whoever was invited does not want.
    pub async fn decline(&self, cx: &OpCx, token: &Secret) -> AdminResult<()> {
        let (cx, digest) = (cx.clone(), TokenDigest::of(token.expose()));
        self.store
            .write::<_, AdminError>(move |tx| {
                let invitation = redeem(tx, &digest, cx.now())?;
                let target = Target::new("invitation", invitation.id, invitation.email.as_str());
                let right = "link sent by mail";
                record(tx, &cx, "invitation.declined", target, right, json!({}))?;
                Ok(())
            })
            .await
    }
}

fn log_in_first() -> AdminError {
    let message = "there is an account with this mail address: log in to it, and accept then";
    AdminError::conflict("log_in_first", message)
}

/// What whoever is invited may choose for themselves.
fn new_user(typed: &NewUser) -> NewUser {
    NewUser {
        username: typed.username.clone(),
        first_name: typed.first_name.clone(),
        last_name: typed.last_name.clone(),
        ..NewUser::default()
    }
}

fn invitation(tx: &mut dyn Tx, ticket: Option<Ticket>, now: Timestamp) -> AdminResult<Invitation> {
    let id = ticket.and_then(|ticket| ticket.subject).and_then(Subject::invitation);
    let Some(id) = id else { return Err(AdminError::DeadLink) };
    tx.invitation(id, now)?.ok_or(AdminError::DeadLink)
}

/// Uses the link and the invitation up.
fn redeem(tx: &mut dyn Tx, digest: &TokenDigest, now: Timestamp) -> AdminResult<Invitation> {
    let ticket = tx.redeem_ticket(digest, Purpose::Invitation, now)?;
    let invitation = invitation(tx, ticket, now)?;
    end_of(tx, invitation.id)?;
    Ok(invitation)
}

/// What whoever invited can still give: an invitation is worth no more than their rights are now.
fn offer(
    tx: &mut dyn Tx,
    cx: &OpCx,
    invitation: &Invitation,
) -> AdminResult<(String, Vec<(Group, String)>)> {
    let stale = |error| match error {
        AdminError::Store(error) => AdminError::Store(error),
        _ => AdminError::DeadLink,
    };
    let sender = match invitation.invited_by {
        None => Actor::System("the operator"),
        Some(id) => {
            let user = tx.user_by_id(id)?.ok_or(AdminError::DeadLink)?;
            Actor::User {
                id,
                username: user.username.as_str().into(),
                session: None,
                authenticated_at: invitation.created_at,
            }
        }
    };
    let name = sender.name().to_owned();
    let authority = Authority::load(tx, &cx.clone().acting_as(sender));
    let authority = authority.map_err(|error| stale(error.into()))?;
    authority.require(rights::INVITE_USER).map_err(|error| stale(error.into()))?;
    let mut groups = Vec::with_capacity(invitation.groups.len());
    for &group in &invitation.groups {
        groups.push(addable(tx, &authority, group).map_err(stale)?);
    }
    groups.sort_by(|(one, _), (other, _)| one.name.key().cmp(other.name.key()));
    Ok((name, groups))
}

/// Puts an account into the groups of an invitation that was used up just now.
fn join(tx: &mut dyn Tx, cx: &OpCx, invitation: &Invitation, user: &User) -> AdminResult<()> {
    let (by, groups) = offer(tx, cx, invitation)?;
    let mut names = Vec::with_capacity(groups.len());
    for (group, right) in groups {
        let before = tx.membership(group.id, user.id)?;
        // Whoever is in it as a manager, or for good, stays so.
        if !before.is_some_and(|before| before.is_live(cx.now())) {
            let right = format!("invited by {by}: {right}");
            let wanted =
                Wanted { group: group.id, user: user.id, is_manager: false, expires_at: None };
            members::write(tx, cx, &group, &right, wanted)?;
        }
        names.push(group.name.to_string());
    }
    let details = json!({ "invitation": invitation.id, "groups": names, "invited_by": by });
    let right = "link sent by mail";
    record(tx, cx, "invitation.accepted", Target::user(user), right, details)?;
    Ok(())
}
