//! An account that is entered by a backend from now on instead of by a password here, and back:
//! what an administrator decides, where the owner links what is theirs ([`super::link`]).

use std::sync::Arc;

use serde_json::json;

use super::{Door, LoginError, door::is_entered, settle};
use crate::{
    cx::OpCx,
    domain::{
        change::Change,
        identity::{BackendName, Identity, Subject},
        notice::Notice,
        rights,
        user::User,
    },
    id::UserId,
    policy::facts::Facts,
    ports::{
        backend::{Assertion, BackendCx, Verdict},
        hasher::{PasswordHash, PasswordHasher},
        store::{Store, Tx},
    },
    secret::Secret,
    usecase::{
        authority::Authority,
        error::{AdminError, AdminResult},
        links::cut,
        password::Passwords,
        post::{Post, Postbox},
        record::{Target, record},
        recovery::WELCOME_LIFE,
    },
};

/// Has accounts be entered another way.
pub struct Conversions {
    store: Store,
    hasher: Arc<dyn PasswordHasher>,
    doors: Vec<Door>,
    passwords: Passwords,
    postbox: Postbox,
}

/// Who the owner of an account is elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Person {
    /// By the login name there: the backend is asked who that is.
    Named(String),
    /// By what the backend knows them for good, byte by byte: it is not asked.
    Known(String),
}

/// What the owner of an account does for a password here.
#[derive(Debug)]
pub enum NewPassword {
    /// They have one, or get this one.
    Given(Secret),
    /// They have one already, or choose one by a link that is mailed.
    Chosen,
}

/// By what right, and over whom.
struct Reach {
    right: String,
    owner: User,
}

impl Conversions {
    /// Over the store, with the ways in.
    pub fn new(
        store: Store,
        hasher: Arc<dyn PasswordHasher>,
        doors: Vec<Door>,
        passwords: Passwords,
        postbox: Postbox,
    ) -> Self {
        Self { store, hasher, doors, passwords, postbox }
    }

    /// By whom an account is entered elsewhere.
    pub async fn identities(&self, cx: &OpCx, user: UserId) -> AdminResult<Vec<Identity>> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                if !authority.is(user) && authority.right(rights::VIEW_USER).is_none() {
                    return Err(AdminError::NotFound("user"));
                }
                tx.user_by_id(user)?.ok_or(AdminError::NotFound("user"))?;
                Ok(tx.identities_of(user)?)
            })
            .await
    }

    /// Has an account be entered by a backend: whoever knows its password here does not get in by
    /// that any more, and all its sessions end.
    pub async fn convert(
        &self,
        cx: &OpCx,
        user: UserId,
        backend: &str,
        person: &Person,
    ) -> Result<Identity, LoginError> {
        // Nobody has a backend asked about people whose accounts they may not touch.
        let own = cx.clone();
        self.store.read(move |tx| reach(tx, &own, user).map(drop)).await?;
        let says_who = |door: &&Door| !door.is_local() && !door.only_entitles();
        let door = self.doors.iter().find(|door| door.name().as_str() == backend);
        let door = door.filter(says_who).ok_or_else(|| {
            let message = "there is no such backend that says who somebody is";
            AdminError::field("backend", "unknown", message)
        })?;
        let assertion = match person {
            Person::Named(name) => self.ask(cx, user, door, name).await?,
            Person::Known(subject) => {
                let subject = Subject::parse(subject)
                    .map_err(|error| AdminError::field("subject", error.code, error.message))?;
                Box::new(Assertion::new(subject))
            }
        };
        let said = Arc::new(settle::Asserted::of(door, assertion));
        let (passwords, cx) = (self.passwords.clone(), cx.clone());
        let write = move |tx: &mut dyn Tx| {
            let now = cx.now();
            tx.announce(Change::User(user), now)?;
            let Reach { right, owner } = reach(tx, &cx, user)?;
            let (backend, subject) = (&said.backend, &said.assertion.subject);
            match tx.identity(backend, subject)? {
                Some(known) if known.user != user => return Err(taken()),
                Some(_) => {}
                None if tx.identities_of(user)?.iter().any(|other| other.backend == *backend) => {
                    let message = "it is entered by somebody else there: end that link first";
                    return Err(AdminError::conflict("linked_already", message));
                }
                None => settle::link(tx, &cx, &owner, &said, &right)?,
            }
            settle::follow_groups(tx, &cx, &owner, &said)?;
            tx.update_user_password(user, &PasswordHash::unusable(), Some(now))?;
            tx.delete_sessions_of(user, None)?;
            passwords.tell(tx, &cx, &owner)?;
            note(tx, &cx, &owner, &right, backend.as_str(), subject)?;
            tx.identity(backend, subject)?.ok_or(AdminError::NotFound("identity"))
        };
        Ok(self.store.write(write).await?)
    }

    /// Who it is that goes by this name at the backend.
    async fn ask(
        &self,
        cx: &OpCx,
        user: UserId,
        door: &Door,
        name: &str,
    ) -> Result<Box<Assertion>, LoginError> {
        let Some(entitlement) = door.backend.entitlement() else {
            let message = "this backend cannot be asked who somebody is: give the subject";
            return Err(AdminError::field("username", "not_asked", message).into());
        };
        let bcx = BackendCx {
            op: cx,
            store: &self.store,
            hasher: &*self.hasher,
            account: Some(user),
            known_as: None,
        };
        match entitlement.judge(name, &bcx).await {
            Verdict::Verified(assertion) => Ok(assertion),
            Verdict::Fault(fault) => {
                Err(LoginError::Unavailable { retry_after: fault.retry_after() })
            }
            Verdict::Rejected(_) | Verdict::NotMine(_) | Verdict::Challenge(_) => {
                let message = "is nobody there who may come in";
                Err(AdminError::field("username", "unknown", message).into())
            }
        }
    }

    /// Ends such a link, with the memberships that came by it; all sessions of the account end. If
    /// it was the last way in, its owner needs a password here.
    pub async fn convert_back(
        &self,
        cx: &OpCx,
        user: UserId,
        backend: &str,
        subject: &str,
        password: NewPassword,
    ) -> AdminResult<()> {
        let missing = || AdminError::NotFound("identity");
        let (backend, subject): (BackendName, Subject) = (
            backend.parse().map_err(|_| missing())?,
            Subject::parse(subject).map_err(|_| missing())?,
        );
        let own = cx.clone();
        let Reach { owner, .. } = self.store.read(move |tx| reach(tx, &own, user)).await?;
        let hash = match password {
            NewPassword::Given(password) => Some(self.passwords.accept(&owner, &password).await?),
            NewPassword::Chosen => None,
        };
        let has_local = self.doors.iter().any(Door::is_local);
        let (passwords, postbox, cx) = (self.passwords.clone(), self.postbox.clone(), cx.clone());
        let doors = self.doors.clone();
        self.store
            .write(move |tx| {
                let now = cx.now();
                tx.announce(Change::User(user), now)?;
                let Reach { right, owner } = reach(tx, &cx, user)?;
                let known = tx.identity(&backend, &subject)?.filter(|known| known.user == user);
                known.ok_or_else(missing)?;
                let all = tx.identities_of(user)?;
                tx.delete_identity(&backend, &subject)?;
                if all.iter().filter(|other| other.backend == backend).count() < 2 {
                    settle::sync_groups(tx, &cx, &owner, &backend, &[])?;
                }
                if let Some(hash) = &hash {
                    tx.update_user_password(user, hash, Some(now))?;
                }
                let has_password = tx.user_password(user)?.is_some_and(|hash| hash.is_usable());
                tx.delete_sessions_of(user, None)?;
                let details = json!({ "backend": backend.as_str(), "subject": subject.as_str() });
                let target = Target::user(&owner);
                record(tx, &cx, "identity.unlinked", target, &right, details)?;
                if hash.is_some() {
                    passwords.tell(tx, &cx, &owner)?;
                } else {
                    cut(tx, user, now)?;
                }
                let is_left =
                    |other: &&Identity| other.backend != backend || other.subject != subject;
                let left = all.iter().filter(is_left).map(|other| &other.backend);
                if !is_entered(&doors, has_password, left) {
                    let email = owner.email.clone().filter(|_| has_local && owner.is_live(now));
                    let email = email.ok_or_else(last_way_in)?;
                    let notice = Notice::Welcome { username: owner.username.as_str().to_owned() };
                    let post = Post::to(email, notice).about(user).until(now.plus(WELCOME_LIFE));
                    postbox.post(tx, &cx, post)?;
                }
                note(tx, &cx, &owner, &right, "", &subject)
            })
            .await
    }
}

/// It is as much as setting a password: whoever may do it decides who enters the account.
fn reach(tx: &mut dyn Tx, cx: &OpCx, user: UserId) -> AdminResult<Reach> {
    let authority = Authority::load(tx, cx)?;
    let right = authority.require(rights::SET_PASSWORD)?;
    authority.require_fresh()?;
    let facts = Facts::load(tx, &authority.catalogue, user, cx.now())?;
    let facts = facts.ok_or(AdminError::NotFound("user"))?;
    if authority.is(user) {
        let message = "one's own account is linked by both proofs: POST /api/v1/identities";
        return Err(AdminError::conflict("self", message));
    }
    authority.require_not_outranked(&facts)?;
    Ok(Reach { right, owner: facts.user().clone() })
}

fn note(
    tx: &mut dyn Tx,
    cx: &OpCx,
    owner: &User,
    right: &str,
    backend: &str,
    subject: &Subject,
) -> AdminResult<()> {
    let kept = if backend.is_empty() { "here" } else { backend };
    let details = json!({ "kept": kept, "subject": subject.as_str() });
    record(tx, cx, "user.converted", Target::user(owner), right, details)?;
    Ok(())
}

fn taken() -> AdminError {
    AdminError::conflict("identity_taken", "that person has another account here")
}

fn last_way_in() -> AdminError {
    let message = "it is the only way into the account, and there is no address to mail a link \
                   to: set a password first";
    AdminError::conflict("last_way_in", message)
}
