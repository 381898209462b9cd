//! Links of registrations that open nothing any more, and why.

use super::{
    super::error::{AdminError, AdminResult},
    Registrations, link,
};
use crate::{
    cx::OpCx,
    domain::{
        email::Email,
        ticket::{Purpose, Subject, Ticket},
    },
    id::UserId,
    ports::store::{StoreResult, Tx},
    secret::{Secret, TokenDigest},
    time::Timestamp,
};

/// Why a link opens nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadWhy {
    /// It was used, and the account is there.
    Used,
    /// It was used, and an administrator is to say something.
    Waits,
    /// It is too old.
    Expired,
    /// It never was, or counts no more since another one does.
    Unknown,
}

impl Registrations {
    /// Why a link that is [dead](AdminError::DeadLink) is.
    pub async fn why_dead(&self, cx: &OpCx, token: &Secret) -> AdminResult<DeadWhy> {
        let (now, digest) = (cx.now(), TokenDigest::of(token.expose()));
        self.store
            .read::<_, AdminError>(move |tx| {
                let Some(ticket) = tx.spent_ticket(&digest, Purpose::Activate)? else {
                    return Ok(DeadWhy::Unknown);
                };
                if ticket.user.is_some() {
                    return Ok(DeadWhy::Used);
                }
                let id = ticket.subject.and_then(Subject::registration);
                let waiting = id.map_or(Ok(None), |id| tx.registration(id, now))?;
                let is_asked = waiting.is_some_and(|waiting| waiting.confirmed_at.is_some());
                Ok(if is_asked { DeadWhy::Waits } else { DeadWhy::Expired })
            })
            .await
    }

    /// Has what was registered wait anew, and mails another link to the address that the expired
    /// one went to.
    pub async fn resend_expired(&self, cx: &OpCx, token: &Secret) -> AdminResult<()> {
        self.require_open()?;
        let digest = TokenDigest::of(token.expose());
        let (cx, postbox, life) = (cx.clone(), self.postbox.clone(), self.rules.life);
        self.store
            .write::<_, AdminError>(move |tx| {
                let now = cx.now();
                let ticket = tx.spent_ticket(&digest, Purpose::Activate)?;
                let ticket = ticket.filter(|one| one.user.is_none() && one.expires_at <= now);
                let id =
                    ticket.as_ref().and_then(|one| one.subject.and_then(Subject::registration));
                let email = ticket.and_then(|ticket| ticket.email).ok_or(AdminError::DeadLink)?;
                let found = tx.registrations_at(email.key())?;
                let found = found.into_iter().find(|one| Some(one.id) == id);
                let waiting = found.filter(|one| one.confirmed_at.is_none());
                if let Some(mut waiting) = waiting {
                    waiting.expires_at = now.plus(life);
                    tx.prolong_registration(waiting.id, waiting.expires_at)?;
                    postbox.post(tx, &cx, link(&waiting))?;
                }
                Ok(())
            })
            .await
    }
}

/// Keeps a link that was used as one that is dead, so that whoever opens it again is told what
/// became of it.
pub(super) fn keep(
    tx: &mut dyn Tx,
    digest: TokenDigest,
    user: Option<UserId>,
    subject: Option<Subject>,
    email: &Email,
    now: Timestamp,
) -> StoreResult<()> {
    tx.insert_ticket(&Ticket {
        digest,
        purpose: Purpose::Activate,
        user,
        expires_at: now,
        subject,
        email: Some(email.clone()),
    })
}
