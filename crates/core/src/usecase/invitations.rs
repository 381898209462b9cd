//! Invitations: by a link that comes by mail into an account and into groups.

mod accept;

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;

pub use self::accept::Invited;
use super::{
    authority::Authority,
    error::{AdminError, AdminResult, Forbidden},
    members::addable,
    password::Passwords,
    post::{Post, Postbox, Posted},
    record::{Target, record},
    registration::RegistrationRules,
};
use crate::{
    cx::OpCx,
    domain::{
        change::Change,
        email::Email,
        group::Group,
        invitation::Invitation,
        notice::Notice,
        page::{Page, PageRequest},
        rights,
        ticket::Subject,
    },
    id::{GroupId, InvitationId, UserId},
    ports::store::{Store, Tx},
    time::Timestamp,
};

/// The longest that an invitation may wait.
pub const LONGEST_LIFE: Duration = Duration::from_hours(90 * 24);
/// The most groups that one may lead into.
const MOST_GROUPS: usize = 50;

/// Whether people are invited, and how.
#[derive(Clone)]
pub struct InvitationRules {
    /// Whether anybody is.
    pub is_open: bool,
    /// For how long an invitation waits, where nothing else is said.
    pub life: Duration,
    /// What whoever makes an account has to agree to.
    pub registration: RegistrationRules,
}

/// An invitation, as somebody typed it.
#[derive(Clone, Debug, Default)]
pub struct NewInvitation {
    /// The mail address.
    pub email: String,
    /// The groups that it is to lead into.
    pub groups: Vec<GroupId>,
    /// Until when it is to wait.
    pub expires_at: Option<Timestamp>,
}

/// Invites people.
pub struct Invitations {
    store: Store,
    passwords: Passwords,
    postbox: Postbox,
    rules: InvitationRules,
}

impl Invitations {
    /// With the site's rules; passwords are judged and hashed as all others are.
    pub fn new(
        store: Store,
        passwords: Passwords,
        postbox: Postbox,
        rules: InvitationRules,
    ) -> Self {
        Self { store, passwords, postbox, rules }
    }

    fn require_open(&self) -> Result<(), Forbidden> {
        if self.rules.is_open {
            return Ok(());
        }
        Err(Forbidden::RegistrationClosed("nobody is invited here: `registration.mode` is closed"))
    }

    /// Invites whoever reads mail at an address, into groups that the actor could bring anybody
    /// into. Whether the address has an account is told in no answer, but for a member of one of
    /// these groups, whom the actor could see there.
    pub async fn invite(&self, cx: &OpCx, new: NewInvitation) -> AdminResult<Invitation> {
        self.require_open()?;
        let now = cx.now();
        let email = Email::parse(&new.email)?;
        let groups: BTreeSet<GroupId> = new.groups.into_iter().collect();
        if groups.len() > MOST_GROUPS {
            let message = format!("are more than {MOST_GROUPS}");
            return Err(AdminError::field("groups", "too_many", message));
        }
        let invitation = Invitation {
            id: InvitationId::generate(now, cx.entropy()),
            email,
            groups: groups.into_iter().collect(),
            invited_by: cx.actor.user_id(),
            created_at: now,
            expires_at: end(new.expires_at, now, self.rules.life)?,
        };
        let (cx, postbox) = (cx.clone(), self.postbox.clone());
        self.store
            .write::<_, AdminError>(move |tx| {
                // One after the other, so that of two for the same group one is refused.
                tx.announce(own_change(&cx), now)?;
                let authority = Authority::load(tx, &cx)?;
                let right = authority.require(rights::INVITE_USER)?;
                let groups = groups_of(tx, &authority, &invitation)?;
                require_news(tx, &invitation, &groups, now)?;
                tx.insert_invitation(&invitation)?;
                send(tx, &cx, &postbox, &invitation, &groups)?;
                let target = Target::new("invitation", invitation.id, invitation.email.as_str());
                let names: Vec<_> = groups.iter().map(|group| group.name.as_str()).collect();
                let details = json!({
                    "groups": names, "expires_at": invitation.expires_at.to_string(),
                });
                record(tx, &cx, "invitation.sent", target, right, details)?;
                Ok(invitation.clone())
            })
            .await
    }

    /// A page of the invitations that wait: the actor's own, and for whoever may see accounts
    /// everybody's.
    pub async fn list(&self, cx: &OpCx, request: PageRequest<()>) -> AdminResult<Page<Invitation>> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                authority.require(rights::INVITE_USER)?;
                let only = if sees_all(&authority) { None } else { cx.actor.user_id() };
                Ok(tx.invitation_page(only, cx.now(), &request)?)
            })
            .await
    }

    /// Takes an invitation back, with its link.
    pub async fn withdraw(&self, cx: &OpCx, id: InvitationId) -> AdminResult<()> {
        let cx = cx.clone();
        self.store
            .write::<_, AdminError>(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                let right = authority.require(rights::INVITE_USER)?;
                let invitation = visible(tx, &authority, id, cx.now())?;
                end_of(tx, id)?;
                let target = Target::new("invitation", id, invitation.email.as_str());
                record(tx, &cx, "invitation.withdrawn", target, right, json!({}))?;
                Ok(())
            })
            .await
    }

    /// Mails the link once more; from then on the one in this mail is the one that works.
    pub async fn resend(&self, cx: &OpCx, id: InvitationId) -> AdminResult<()> {
        let (cx, postbox, open) = (cx.clone(), self.postbox.clone(), self.require_open());
        self.store
            .write::<_, AdminError>(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                let right = authority.require(rights::INVITE_USER)?;
                let invitation = visible(tx, &authority, id, cx.now())?;
                open.clone()?;
                let groups = tx.groups_by_ids(&invitation.groups)?;
                send(tx, &cx, &postbox, &invitation, &groups)?;
                let target = Target::new("invitation", id, invitation.email.as_str());
                record(tx, &cx, "invitation.resent", target, right, json!({}))?;
                Ok(())
            })
            .await
    }
}

/// Until when it waits.
fn end(wanted: Option<Timestamp>, now: Timestamp, life: Duration) -> AdminResult<Timestamp> {
    let Some(wanted) = wanted else { return Ok(now.plus(life)) };
    if wanted <= now {
        return Err(AdminError::field("expires_at", "past", "is not in the future"));
    }
    if wanted > now.plus(LONGEST_LIFE) {
        let message = format!("is more than {} days ahead", LONGEST_LIFE.as_secs() / 86_400);
        return Err(AdminError::field("expires_at", "too_far", message));
    }
    Ok(wanted)
}

/// Nothing changes yet by what is sent; its place in the row of changes is what counts.
pub(super) fn own_change(cx: &OpCx) -> Change {
    cx.actor.user_id().map_or(Change::Everyone, Change::User)
}

/// The groups that it leads into, if the actor could bring anybody into each of them.
fn groups_of(
    tx: &mut dyn Tx,
    authority: &Authority,
    invitation: &Invitation,
) -> AdminResult<Vec<Group>> {
    let mut groups = Vec::with_capacity(invitation.groups.len());
    for &id in &invitation.groups {
        match addable(tx, authority, id) {
            Ok((group, _)) => groups.push(group),
            Err(AdminError::NotFound(_)) => {
                let message = format!("there is no such group: {id}");
                return Err(AdminError::field("groups", "unknown", message));
            }
            Err(error) => return Err(error),
        }
    }
    groups.sort_by(|one, other| one.name.key().cmp(other.name.key()));
    Ok(groups)
}

/// Refuses an invitation to where its recipient is, or is invited to, already.
fn require_news(
    tx: &mut dyn Tx,
    invitation: &Invitation,
    groups: &[Group],
    now: Timestamp,
) -> AdminResult<()> {
    let owner = tx.user_by_email_key(invitation.email.key())?;
    for group in groups {
        let member = match &owner {
            Some(owner) => tx.membership(group.id, owner.id)?,
            None => None,
        };
        if member.is_some_and(|member| member.is_live(now)) {
            let message = format!("whoever has this address is in {} already", group.name);
            return Err(AdminError::field("groups", "member", message));
        }
    }
    let waiting = tx.invitations_to(invitation.email.key(), now)?;
    let is_waiting = |group: &Group| waiting.iter().any(|one| one.groups.contains(&group.id));
    if let Some(group) = groups.iter().find(|group| is_waiting(group)) {
        let message = format!("this address is invited into {} already", group.name);
        return Err(AdminError::field("groups", "invited", message));
    }
    if groups.is_empty() && !waiting.is_empty() {
        return Err(AdminError::field("email", "invited", "is invited already"));
    }
    Ok(())
}

/// Posts the link, unless the account with the address may not be used: which no answer tells, so
/// that mail to it is counted all the same.
fn send(
    tx: &mut dyn Tx,
    cx: &OpCx,
    postbox: &Postbox,
    invitation: &Invitation,
    groups: &[Group],
) -> AdminResult<()> {
    let owner = tx.user_by_email_key(invitation.email.key())?;
    let is_silent = owner.is_some_and(|owner| !owner.is_live(cx.now()));
    let notice = Notice::Invitation {
        invitation: invitation.id,
        by: cx.actor.name().to_owned(),
        groups: groups.iter().map(|group| group.name.as_str().to_owned()).collect(),
    };
    let post = Post::to(invitation.email.clone(), notice).until(invitation.expires_at);
    let posted =
        if is_silent { postbox.count(tx, cx, &post)? } else { Some(postbox.post(tx, cx, post)?) };
    match posted {
        None | Some(Posted::Queued(_)) => Ok(()),
        Some(Posted::OverBudget { .. }) => {
            let message = "this address had as much mail as it may get; try again later";
            Err(AdminError::conflict("enough_mail", message))
        }
    }
}

fn sees_all(authority: &Authority) -> bool {
    authority.right(rights::VIEW_USER).is_some()
}

/// One that the actor may know of.
fn visible(
    tx: &mut dyn Tx,
    authority: &Authority,
    id: InvitationId,
    now: Timestamp,
) -> AdminResult<Invitation> {
    let is_own = |by: Option<UserId>| by.is_some_and(|by| authority.is(by));
    let found = tx.invitation(id, now)?;
    let found = found.filter(|one| is_own(one.invited_by) || sees_all(authority));
    found.ok_or(AdminError::NotFound("invitation"))
}

/// Removes an invitation with its links: it counts no more, however many use it at once.
fn end_of(tx: &mut dyn Tx, id: InvitationId) -> AdminResult<()> {
    tx.delete_tickets_about(Subject::Invitation(id))?;
    if tx.delete_invitation(id)? { Ok(()) } else { Err(AdminError::DeadLink) }
}
