//! Registrations that an administrator is asked about.

use std::time::Duration;

use serde_json::json;

use super::{
    super::{
        authority::Authority,
        error::{AdminError, AdminResult},
        post::{Post, Postbox},
        record::{Target, record},
    },
    Registrations, forget, make,
};
use crate::{
    cx::OpCx,
    domain::{
        change::Change,
        notice::Notice,
        page::{Page, PageRequest},
        registration::{Consent, Registration, parse_reason},
        rights,
        user::User,
    },
    id::{RegistrationId, UserId},
    ports::store::Tx,
    time::Timestamp,
};

/// For how long a confirmed registration waits for an administrator.
pub const APPROVAL_LIFE: Duration = Duration::from_hours(60 * 24);

impl Registrations {
    /// A page of those that wait for an administrator, the longest first.
    pub async fn list(
        &self,
        cx: &OpCx,
        request: PageRequest<()>,
    ) -> AdminResult<Page<Registration>> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                Authority::load(tx, &cx)?.require(rights::ADD_USER)?;
                Ok(tx.registration_page(cx.now(), &request)?)
            })
            .await
    }

    /// Makes the account that waits, and tells its owner.
    pub async fn approve(&self, cx: &OpCx, id: RegistrationId) -> AdminResult<User> {
        let (cx, postbox) = (cx.clone(), self.postbox.clone());
        self.store
            .write::<_, AdminError>(move |tx| {
                let now = cx.now();
                let user = UserId::generate(now, cx.entropy());
                tx.announce(Change::User(user), now)?;
                let right = Authority::load(tx, &cx)?.require(rights::ADD_USER)?;
                let waiting = confirmed(tx, id, now)?;
                let user = make(tx, &waiting, user, now)?;
                postbox.tell_of_account(tx, &cx, &user)?;
                let username = user.username.as_str().to_owned();
                let notice = Notice::RegistrationApproved { username };
                postbox.post(tx, &cx, Post::to(waiting.email, notice).about(user.id))?;
                let target = Target::user(&user);
                record(tx, &cx, "registration.approved", target, right, json!({}))?;
                Ok(user)
            })
            .await
    }

    /// What somebody agreed to, the first first: one's own always, others' by permission.
    pub async fn consents(&self, cx: &OpCx, user: UserId) -> AdminResult<Vec<Consent>> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                if !authority.is(user) && authority.right(rights::VIEW_USER).is_none() {
                    return Err(AdminError::NotFound("user"));
                }
                tx.user_by_id(user)?.ok_or(AdminError::NotFound("user"))?;
                Ok(tx.consents_of(user)?)
            })
            .await
    }

    /// Refuses the account that waits, and tells whoever registered, with the reason if there is
    /// one.
    pub async fn refuse(&self, cx: &OpCx, id: RegistrationId, reason: &str) -> AdminResult<()> {
        let reason = parse_reason(reason)?;
        let (cx, postbox) = (cx.clone(), self.postbox.clone());
        self.store
            .write::<_, AdminError>(move |tx| {
                let right = Authority::load(tx, &cx)?.require(rights::ADD_USER)?;
                let waiting = confirmed(tx, id, cx.now())?;
                if !tx.delete_registration(id)? {
                    return Err(missing());
                }
                let username = waiting.username.as_str().to_owned();
                let notice = Notice::RegistrationRefused { username, reason: reason.clone() };
                postbox.post(tx, &cx, Post::to(waiting.email, notice))?;
                let target = Target::new("registration", id, &waiting.username);
                let details = json!({ "reason": reason });
                record(tx, &cx, "registration.refused", target, right, details)?;
                Ok(())
            })
            .await
    }
}

/// Has a registration wait for an administrator, and tells those of the site.
pub(super) fn begin(
    tx: &mut dyn Tx,
    cx: &OpCx,
    postbox: &Postbox,
    waiting: &Registration,
) -> AdminResult<()> {
    let now = cx.now();
    forget(tx, &waiting.email, Some(waiting.id))?;
    if !tx.confirm_registration(waiting.id, now, now.plus(APPROVAL_LIFE))? {
        return Err(AdminError::DeadLink);
    }
    let notice = Notice::RegistrationWaits {
        username: waiting.username.as_str().to_owned(),
        email: waiting.email.as_str().to_owned(),
    };
    postbox.post_to_admins(tx, cx, &notice)?;
    Ok(())
}

fn missing() -> AdminError {
    AdminError::NotFound("registration")
}

fn confirmed(tx: &mut dyn Tx, id: RegistrationId, now: Timestamp) -> AdminResult<Registration> {
    let found = tx.registration(id, now)?.filter(|one| one.confirmed_at.is_some());
    found.ok_or_else(missing)
}
