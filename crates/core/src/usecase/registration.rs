//! Accounts that people make for themselves.

mod approval;
mod dead;

use std::{sync::Arc, time::Duration};

use serde_json::json;

pub use self::{approval::APPROVAL_LIFE, dead::DeadWhy};
use super::{
    error::{AdminError, AdminResult, Forbidden},
    password::Passwords,
    post::{Post, Postbox, Posted},
    record::{Target, record},
    users::{NewUser, parse, require_free, taken},
};
use crate::{
    cx::OpCx,
    domain::{
        change::Change,
        email::Email,
        notice::Notice,
        registration::{Consent, Registration},
        ticket::{Purpose, Subject, Ticket},
        user::User,
    },
    id::{RegistrationId, UserId},
    ports::store::{Store, StoreResult, Tx},
    secret::{Secret, TokenDigest},
    time::Timestamp,
};

/// For how long it is worth telling somebody why they got no link.
const NEWS_LIFE: Duration = Duration::from_hours(24);

/// Who may make an account for themselves, and how.
#[derive(Clone)]
pub struct RegistrationRules {
    /// Whether anybody may.
    pub is_open: bool,
    /// For how long a registration waits for its owner.
    pub life: Duration,
    /// Whether somebody with this address may.
    pub admits: Arc<dyn Fn(&Email) -> bool + Send + Sync>,
    /// Whether an administrator is asked before an account is made.
    pub is_approved: bool,
    /// The version of the policy that people have to agree to, where the site has one.
    pub policy: Option<Arc<str>>,
}

impl RegistrationRules {
    /// What somebody agreed to; refuses who agreed to nothing, or to what counts no more.
    pub(super) fn agreed(&self, said: Option<&str>) -> AdminResult<Option<String>> {
        match &self.policy {
            None => Ok(None),
            Some(policy) if said == Some(&**policy) => Ok(Some((**policy).to_owned())),
            Some(policy) => {
                let message = format!("say that you agree to the policy of this site: {policy:?}");
                Err(AdminError::field("policy", "required", message))
            }
        }
    }
}

/// What the link of a registration led to.
#[derive(Debug)]
pub enum Activated {
    /// The account is made.
    Made(Box<User>),
    /// It is made when an administrator says so.
    Waits,
}

/// Accounts that people make for themselves.
pub struct Registrations {
    store: Store,
    passwords: Passwords,
    postbox: Postbox,
    rules: RegistrationRules,
}

impl Registrations {
    /// With the site's rules; passwords are judged and hashed as all others are.
    pub fn new(
        store: Store,
        passwords: Passwords,
        postbox: Postbox,
        rules: RegistrationRules,
    ) -> Self {
        Self { store, passwords, postbox, rules }
    }

    /// Refuses where nobody may register.
    pub fn require_open(&self) -> Result<(), Forbidden> {
        if self.rules.is_open {
            return Ok(());
        }
        Err(Forbidden::RegistrationClosed("nobody can make an account for themselves here"))
    }

    /// Takes an account down that its owner has yet to confirm, and mails them the link. Nobody
    /// is told whether the name or the address has an account here, but for whoever reads mail at
    /// that address: the answer is the same, and so is the work.
    ///
    /// `policy` is the version of the site's policy that they agreed to.
    pub async fn register(&self, cx: &OpCx, new: NewUser, policy: Option<&str>) -> AdminResult<()> {
        self.require_open()?;
        let policy = self.rules.agreed(policy)?;
        let now = cx.now();
        let user = parse(&new, UserId::generate(now, cx.entropy()), now)?;
        let missing = |field, what| AdminError::field(field, "required", what);
        let email = user.email.clone().ok_or_else(|| missing("email", "an address is needed"))?;
        if !(self.rules.admits)(&email) {
            let what = "addresses of this domain are not taken";
            return Err(AdminError::field("email", "domain", what));
        }
        let password =
            new.password.as_ref().ok_or_else(|| missing("password", "a password is needed"))?;
        let waiting = Registration {
            id: RegistrationId::generate(now, cx.entropy()),
            username: user.username.clone(),
            email,
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            password: self.passwords.accept(&user, password).await?,
            created_at: now,
            expires_at: now.plus(self.rules.life),
            confirmed_at: None,
            policy,
        };
        let (cx, postbox) = (cx.clone(), self.postbox.clone());
        self.store
            .write::<_, AdminError>(move |tx| {
                let (why, post, is_free) = match obstacle(tx, &user, now)? {
                    Obstacle::None => ("a link was sent", Some(link(&waiting)), true),
                    Obstacle::Told(why, post) => (why, Some(*post), false),
                    Obstacle::Silent(why) => (why, None, false),
                };
                let posted = post.map(|post| postbox.post(tx, &cx, post)).transpose()?;
                let right = match posted {
                    // Floods leave no trail that is as long as they are.
                    Some(Posted::OverBudget { is_first: false }) => return Ok(()),
                    Some(Posted::OverBudget { is_first: true }) => "over budget",
                    Some(Posted::Queued(_)) | None => why,
                };
                // Without a mail nobody could ever confirm it.
                if is_free && matches!(posted, Some(Posted::Queued(_))) {
                    tx.insert_registration(&waiting)?;
                }
                // No name: what strangers type is kept for a week, and this for years.
                let target = Target::new("registration", waiting.id, "");
                record(tx, &cx, "registration.requested", target, right, json!({}))?;
                Ok(())
            })
            .await
    }

    /// Mails the link once more to whoever waits with this address, and to all who do: nobody can
    /// tell which of them reads mail there. Nobody is told whether somebody does; accounts that are
    /// there already, or disabled, are none that wait.
    pub async fn resend(&self, cx: &OpCx, typed: &str) -> AdminResult<()> {
        self.require_open()?;
        let email = Email::parse(typed)?;
        let (cx, postbox) = (cx.clone(), self.postbox.clone());
        self.store
            .write::<_, AdminError>(move |tx| {
                let all = tx.registrations_at(email.key())?;
                for waiting in all.into_iter().filter(|one| waits(one, cx.now())) {
                    postbox.post(tx, &cx, link(&waiting))?;
                }
                Ok(())
            })
            .await
    }

    /// What the link opens; uses nothing up.
    pub async fn look(&self, cx: &OpCx, token: &Secret) -> AdminResult<Registration> {
        let (now, digest) = (cx.now(), TokenDigest::of(token.expose()));
        self.store
            .read::<_, AdminError>(move |tx| {
                let ticket = tx.ticket(&digest, Purpose::Activate, now)?;
                waiting(tx, ticket, now)
            })
            .await
    }

    /// Makes the account that a link is for, or has it wait for an administrator; the link is used
    /// up by it, and whatever else waits with the address is forgotten.
    ///
    /// A link shows that somebody reads mail at the address, and not that it was they who
    /// registered: with a `password` it must be the one that was chosen then. A wrong one leaves the
    /// link as it is.
    pub async fn activate(
        &self,
        cx: &OpCx,
        token: &Secret,
        password: Option<&Secret>,
    ) -> AdminResult<Activated> {
        if let Some(password) = password {
            let waiting = self.look(cx, token).await?;
            self.passwords.prove_chosen(cx, &waiting, password).await?;
        }
        let (cx, digest) = (cx.clone(), TokenDigest::of(token.expose()));
        let (is_approved, postbox) = (self.rules.is_approved, self.postbox.clone());
        self.store
            .write::<_, AdminError>(move |tx| {
                let now = cx.now();
                let id = UserId::generate(now, cx.entropy());
                tx.announce(Change::User(id), now)?;
                let ticket = tx.redeem_ticket(&digest, Purpose::Activate, now)?;
                let waiting = waiting(tx, ticket, now)?;
                let right = "link sent by mail";
                if is_approved {
                    approval::begin(tx, &cx, &postbox, &waiting)?;
                    let subject = Some(Subject::Registration(waiting.id));
                    dead::keep(tx, digest, None, subject, &waiting.email, now)?;
                    let target = Target::new("registration", waiting.id, &waiting.username);
                    record(tx, &cx, "registration.confirmed", target, right, json!({}))?;
                    return Ok(Activated::Waits);
                }
                let user = make(tx, &waiting, id, now)?;
                postbox.tell_of_account(tx, &cx, &user)?;
                dead::keep(tx, digest, Some(id), None, &waiting.email, now)?;
                let target = Target::user(&user);
                record(tx, &cx, "registration.confirmed", target, right, json!({}))?;
                Ok(Activated::Made(Box::new(user)))
            })
            .await
    }
}

/// Makes the account, and forgets whatever else waits with its address.
fn make(tx: &mut dyn Tx, waiting: &Registration, id: UserId, now: Timestamp) -> AdminResult<User> {
    let user = account(waiting, id, now);
    // Somebody else may have come to the name or the address meanwhile.
    require_free(tx, &user)?;
    tx.insert_user(&user, &waiting.password).map_err(taken)?;
    if let Some(version) = &waiting.policy {
        let consent = Consent { version: version.clone(), at: waiting.created_at };
        tx.insert_consent(id, &consent)?;
    }
    forget(tx, &waiting.email, None)?;
    Ok(user)
}

/// Forgets what waits with an address, with its links, but for one that is spared.
pub(super) fn forget(
    tx: &mut dyn Tx,
    email: &Email,
    spared: Option<RegistrationId>,
) -> StoreResult<()> {
    for other in tx.registrations_at(email.key())? {
        tx.delete_tickets_about(Subject::Registration(other.id))?;
        if Some(other.id) != spared {
            tx.delete_registration(other.id)?;
        }
    }
    Ok(())
}

/// Whether it waits for its owner.
fn waits(one: &Registration, now: Timestamp) -> bool {
    now < one.expires_at && one.confirmed_at.is_none()
}

/// What keeps a registration from waiting for its owner.
enum Obstacle {
    None,
    /// The owner of the address is told.
    Told(&'static str, Box<Post>),
    /// Nobody is: the account with the address may not be used.
    Silent(&'static str),
}

fn obstacle(tx: &mut dyn Tx, user: &User, now: Timestamp) -> AdminResult<Obstacle> {
    let Some(email) = &user.email else { return Ok(Obstacle::Silent("no address")) };
    if let Some(owner) = tx.user_by_email_key(email.key())? {
        let why = "the address has an account";
        return Ok(match owner.email.clone().filter(|_| owner.is_live(now)) {
            Some(address) => {
                let username = owner.username.as_str().to_owned();
                let post = Post::to(address, Notice::AddressKnown { username }).about(owner.id);
                Obstacle::Told(why, Box::new(post.until(now.plus(NEWS_LIFE))))
            }
            None => Obstacle::Silent(why),
        });
    }
    match require_free(tx, user) {
        Ok(()) => Ok(Obstacle::None),
        Err(AdminError::Invalid(what)) if what.names("username") => {
            let username = user.username.as_str().to_owned();
            let post = Post::to(email.clone(), Notice::NameTaken { username });
            Ok(Obstacle::Told("the name is taken", Box::new(post.until(now.plus(NEWS_LIFE)))))
        }
        Err(AdminError::Invalid(_)) => Ok(Obstacle::Silent("the address is a login name")),
        Err(error) => Err(error),
    }
}

fn link(waiting: &Registration) -> Post {
    let username = waiting.username.as_str().to_owned();
    let notice = Notice::Activate { username, registration: waiting.id };
    Post::to(waiting.email.clone(), notice).until(waiting.expires_at)
}

fn waiting(tx: &mut dyn Tx, ticket: Option<Ticket>, now: Timestamp) -> AdminResult<Registration> {
    let id = ticket.and_then(|ticket| ticket.subject).and_then(Subject::registration);
    let found: StoreResult<_> = id.map_or(Ok(None), |id| tx.registration(id, now));
    found?.filter(|one| waits(one, now)).ok_or(AdminError::DeadLink)
}

fn account(waiting: &Registration, id: UserId, now: Timestamp) -> User {
    User {
        id,
        username: waiting.username.clone(),
        email: Some(waiting.email.clone()),
        email_verified: true,
        first_name: waiting.first_name.clone(),
        last_name: waiting.last_name.clone(),
        is_active: true,
        is_staff: false,
        is_superuser: false,
        expires_at: None,
        created_at: now,
        last_login_at: None,
        password_changed_at: Some(now),
    }
}
