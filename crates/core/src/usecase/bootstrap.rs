//! The first superuser.

use std::time::Duration;

use serde_json::json;

use super::{
    error::{AdminError, AdminResult},
    password::Passwords,
    record::{Target, record},
    users::{NewUser, parse, require_free, taken},
};
use crate::{
    cx::OpCx,
    domain::{
        change::Change,
        rights,
        ticket::{Purpose, Ticket},
        user::User,
    },
    id::UserId,
    ports::store::{Store, StoreError},
    secret::{Secret, TokenDigest},
};

/// The mark that is set when the first superuser is made, and never taken away: whoever deletes
/// all administrators does not open the door to the next visitor (CVE-2023-46249).
pub const FIRST_SUPERUSER_MARK: &str = "first_superuser";

/// For how long the printed link is good.
const LINK_LIFE: Duration = Duration::from_hours(24);

/// Makes the first superuser, once.
pub struct Bootstrap {
    store: Store,
    passwords: Passwords,
}

impl Bootstrap {
    /// Over the store; the password is judged and hashed as all others are.
    pub fn new(store: Store, passwords: Passwords) -> Self {
        Self { store, passwords }
    }

    /// Registers the permissions that Vestibule itself asks for, if any is missing or different.
    pub async fn prepare(&self, cx: &OpCx) -> Result<(), StoreError> {
        let cx = cx.clone();
        let wanted: Vec<_> = rights::all(cx.now()).collect();
        let known = self.store.read::<_, StoreError>(|tx| tx.permissions()).await?;
        let is_known = |p: &crate::domain::permission::Permission| {
            known.iter().any(|k| k.code == p.code && k.description == p.description)
        };
        if wanted.iter().all(is_known) {
            return Ok(());
        }
        self.store
            .write(move |tx| {
                tx.announce(Change::Everyone, cx.now())?;
                for permission in &wanted {
                    tx.put_permission(permission)?;
                }
                Ok(())
            })
            .await
    }

    /// Whether nobody has ever been superuser here.
    pub async fn is_open(&self) -> Result<bool, StoreError> {
        self.store.read(|tx| Ok(tx.instance_mark(FIRST_SUPERUSER_MARK)?.is_none())).await
    }

    /// A fresh one-time token for the link that makes the first superuser; earlier ones are worth
    /// nothing any more. `None` when there has been one.
    pub async fn link_token(&self, cx: &OpCx) -> Result<Option<Secret>, StoreError> {
        let (cx, token) = (cx.clone(), cx.new_token());
        let ticket = Ticket {
            digest: TokenDigest::of(token.expose()),
            purpose: Purpose::FirstSuperuser,
            user: None,
            expires_at: cx.now().plus(LINK_LIFE),
            subject: None,
            email: None,
        };
        let made = self
            .store
            .write::<_, StoreError>(move |tx| {
                if tx.instance_mark(FIRST_SUPERUSER_MARK)?.is_some() {
                    return Ok(false);
                }
                tx.delete_tickets(Purpose::FirstSuperuser)?;
                tx.insert_ticket(&ticket)?;
                Ok(true)
            })
            .await?;
        Ok(made.then_some(token))
    }

    /// Whether the link's token is still good; uses nothing up.
    pub async fn is_good(&self, cx: &OpCx, token: &Secret) -> Result<bool, StoreError> {
        let (now, digest) = (cx.now(), TokenDigest::of(token.expose()));
        self.store
            .read(move |tx| Ok(tx.ticket(&digest, Purpose::FirstSuperuser, now)?.is_some()))
            .await
    }

    /// Makes the first superuser with the link's token, which is used up by it.
    pub async fn redeem(&self, cx: &OpCx, token: &Secret, new: NewUser) -> AdminResult<User> {
        // Nobody without the link has passwords hashed or judged for them.
        if !self.is_good(cx, token).await? {
            return Err(dead_link());
        }
        self.create(cx, Some(token), new).await
    }

    /// Makes a superuser from the command line, the first or a further one.
    pub async fn create_superuser(&self, cx: &OpCx, new: NewUser) -> AdminResult<User> {
        self.create(cx, None, new).await
    }

    async fn create(
        &self,
        cx: &OpCx,
        token: Option<&Secret>,
        mut new: NewUser,
    ) -> AdminResult<User> {
        new.is_superuser = true;
        new.is_staff = true;
        let now = cx.now();
        let user = parse(&new, UserId::generate(now, cx.entropy()), now)?;
        let password = new.password.as_ref().ok_or_else(|| {
            AdminError::field("password", "required", "a superuser needs a password")
        })?;
        let hash = self.passwords.accept(&user, password).await?;
        let (cx, digest) = (cx.clone(), token.map(|token| TokenDigest::of(token.expose())));
        self.store
            .write(move |tx| {
                tx.announce(Change::User(user.id), now)?;
                let right = if let Some(digest) = &digest {
                    let redeemed = tx.redeem_ticket(digest, Purpose::FirstSuperuser, now)?;
                    redeemed.ok_or_else(dead_link)?;
                    if !tx.set_instance_mark(FIRST_SUPERUSER_MARK, &user.id.to_string())? {
                        return Err(dead_link());
                    }
                    "one-time link of the first start"
                } else {
                    tx.set_instance_mark(FIRST_SUPERUSER_MARK, &user.id.to_string())?;
                    tx.delete_tickets(Purpose::FirstSuperuser)?;
                    "command line"
                };
                require_free(tx, &user)?;
                tx.insert_user(&user, &hash).map_err(taken)?;
                let details = json!({ "is_superuser": true });
                record(tx, &cx, "user.added", Target::user(&user), right, details)?;
                Ok(user.clone())
            })
            .await
    }
}

fn dead_link() -> AdminError {
    AdminError::field("token", "dead_link", "the link was used already, or is too old")
}
