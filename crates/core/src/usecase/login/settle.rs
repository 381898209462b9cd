//! Whose account a verified person enters: found by their identity, or made.

use serde_json::json;

use super::{door::Door, refresh, tell};
use crate::{
    cx::OpCx,
    domain::{
        change::Change,
        email::Email,
        group::{GroupName, Membership},
        identity::{BackendName, Identity, Source},
        user::User,
        username::Username,
    },
    id::{GroupId, UserId},
    ports::{
        backend::{Assertion, Groups},
        hasher::PasswordHash,
        store::{StoreError, Tx},
    },
    usecase::{
        error::AdminError,
        post::Postbox,
        record::{Target, record},
        users::{NewUser, parse, require_free},
    },
};

/// Why a verified person enters no account.
#[derive(Debug)]
pub(super) enum Unsettled {
    /// The account is disabled, has expired, or is gone.
    NotLive(Option<Box<User>>),
    /// They have none, and none is made.
    NoAccount,
    /// Others would have to be asked by a name that they may have chosen: that of their account, if
    /// they have one.
    ChosenName(Option<Box<User>>),
    /// One would be made, but its name is somebody's.
    NameTaken(String),
    /// One would be made, but its name cannot be one.
    BadName,
    /// They are bound to another account than the one that the backend names.
    Drifted,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for Unsettled {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a backend said, and where from: all that the transaction needs, which may run twice.
pub(super) struct Asserted {
    pub(super) backend: BackendName,
    /// What the login page calls it.
    way: String,
    pub(super) is_local: bool,
    pub(super) create_users: bool,
    pub(super) assertion: Box<Assertion>,
    /// The groups here that the person is in there; `None` where nothing was told.
    groups: Option<Vec<String>>,
    /// Whether it is the kind that says who may come in.
    pub(super) entitles: bool,
}

impl Asserted {
    pub(super) fn of(door: &Door, assertion: Box<Assertion>) -> Self {
        let groups = match &assertion.groups {
            Groups::Known(theirs) => {
                let mut ours: Vec<String> =
                    theirs.iter().filter_map(|name| door.groups.get(name).cloned()).collect();
                ours.sort();
                ours.dedup();
                Some(ours)
            }
            Groups::Unchanged | Groups::Unknown => None,
        };
        Self {
            backend: door.name().clone(),
            way: door.called().to_owned(),
            is_local: door.is_local(),
            create_users: door.create_users,
            entitles: door.only_entitles(),
            assertion,
            groups,
        }
    }

    /// The account, where there is nothing to find out and nothing to write down: it is ours, and
    /// nobody else has said anything.
    pub(super) fn is_all_there_is(&self, others: &[Self]) -> Option<UserId> {
        if self.is_local && self.groups.is_none() && others.is_empty() {
            self.assertion.subject.as_str().parse().ok()
        } else {
            None
        }
    }
}

/// The account that a verified person enters already, if there is one.
pub(super) fn existing(
    tx: &mut dyn Tx,
    backend: &BackendName,
    is_local: bool,
    assertion: &Assertion,
) -> Result<Option<User>, StoreError> {
    if is_local {
        let id = assertion.subject.as_str().parse::<UserId>().ok();
        return id.map_or(Ok(None), |id| tx.user_by_id(id));
    }
    match tx.identity(backend, &assertion.subject)? {
        Some(identity) => tx.user_by_id(identity.user),
        None => Ok(None),
    }
}

/// Finds or makes the account, and brings its groups in step with what was asserted. `first` said
/// who the person is; `others` add what they know; what is known by those who are `silent` is old.
pub(super) fn settle(
    tx: &mut dyn Tx,
    cx: &OpCx,
    postbox: &Postbox,
    first: &Asserted,
    others: &[Asserted],
    silent: &[BackendName],
) -> Result<User, Unsettled> {
    let now = cx.now();
    let user = match existing(tx, &first.backend, first.is_local, &first.assertion)? {
        Some(user) => match &first.assertion.account {
            Some(named) if !is_name_of(&user, named) => return Err(Unsettled::Drifted),
            _ => user,
        },
        None if first.is_local => return Err(Unsettled::NotLive(None)),
        None if let Some(user) = named(tx, first)? => {
            tx.announce(Change::User(user.id), now)?;
            link(tx, cx, &user, first, &format!("named by {}", first.backend))?;
            tell::changed(tx, cx, postbox, &user, &first.way, true)?;
            user
        }
        None if first.create_users => make(tx, cx, postbox, first)?,
        None => return Err(Unsettled::NoAccount),
    };
    if !user.is_live(now) {
        return Err(Unsettled::NotLive(Some(Box::new(user))));
    }
    if !first.is_local {
        let groups_at = first.groups.as_ref().map(|_| now);
        tx.touch_identity(&first.backend, &first.assertion.subject, now, groups_at)?;
    }
    for asserted in std::iter::once(first).chain(others) {
        follow_groups(tx, cx, &user, asserted)?;
        if asserted.entitles {
            tx.put_entitled_at(&asserted.backend, user.id, Some(now))?;
        }
        let was_stale = tx.backend_check(&asserted.backend, user.id)?;
        if was_stale.is_some_and(|check| check.stale_since.is_some()) {
            refresh::fresh(tx, cx, &asserted.backend, user.id)?;
        }
    }
    for backend in silent {
        refresh::mark_stale(tx, cx, backend, user.id, now)?;
    }
    Ok(user)
}

/// The account that the backend itself names, where the operator has told it to find out. Names
/// that differ in case may be two people there, and nobody becomes a superuser by another's word:
/// such an account is linked by its owner.
fn named(tx: &mut dyn Tx, first: &Asserted) -> Result<Option<User>, Unsettled> {
    let Some(name) = &first.assertion.account else { return Ok(None) };
    match tx.user_by_username_key(&Username::key_of(name))? {
        Some(user) if user.is_superuser || !is_name_of(&user, name) => {
            Err(Unsettled::NameTaken(name.clone()))
        }
        found => Ok(found),
    }
}

/// Whether a backend means this account, letter by letter.
pub(super) fn is_name_of(user: &User, named: &str) -> bool {
    Username::from_elsewhere(named).is_ok_and(|named| named.as_str() == user.username.as_str())
}

/// Makes the account of somebody who comes for the first time. What the backend calls them is
/// a proposal: a name that is taken is somebody else's.
fn make(
    tx: &mut dyn Tx,
    cx: &OpCx,
    postbox: &Postbox,
    first: &Asserted,
) -> Result<User, Unsettled> {
    let (now, assertion) = (cx.now(), &first.assertion);
    let id = UserId::generate(now, cx.entropy());
    // Waits for whoever makes one at the same moment, who may be the same person.
    tx.announce(Change::User(id), now)?;
    if let Some(made) = existing(tx, &first.backend, false, assertion)? {
        return Ok(made);
    }
    let name = assertion.username.as_deref().unwrap_or_else(|| assertion.subject.as_str());
    let mut new = NewUser {
        username: name.to_owned(),
        first_name: assertion.first_name.clone(),
        last_name: assertion.last_name.clone(),
        ..NewUser::default()
    };
    // An address that somebody here has, or that was not made sure of, is left out: it would let
    // one person be found under another's.
    let verified = assertion.emails.iter().find(|email| email.is_verified);
    if let Some(email) = verified.and_then(|email| Email::parse(&email.address).ok())
        && tx.user_by_email_key(email.key())?.is_none()
    {
        new.email = Some(email.as_str().to_owned());
    }
    let mut user = parse(&new, id, now).map_err(|_| Unsettled::BadName)?;
    user.email_verified = user.email.is_some();
    require_free(tx, &user).map_err(|error| match error {
        AdminError::Store(error) => Unsettled::Store(error),
        _ => Unsettled::NameTaken(name.to_owned()),
    })?;
    tx.insert_user(&user, &PasswordHash::unusable())?;
    let right = format!("create_users of {}", first.backend);
    let details = json!({ "is_staff": false, "is_superuser": false, "has_password": false });
    record(tx, cx, "user.added", Target::user(&user), &right, details)?;
    link(tx, cx, &user, first, &right)?;
    postbox.tell_of_account(tx, cx, &user)?;
    Ok(user)
}

/// Binds who somebody is elsewhere to an account.
pub(super) fn link(
    tx: &mut dyn Tx,
    cx: &OpCx,
    user: &User,
    asserted: &Asserted,
    right: &str,
) -> Result<(), StoreError> {
    let (now, backend) = (cx.now(), &asserted.backend);
    tx.insert_identity(&Identity {
        backend: backend.clone(),
        subject: asserted.assertion.subject.clone(),
        user: user.id,
        linked_at: now,
        used_at: now,
        groups_at: None,
    })?;
    let subject = asserted.assertion.subject.as_str();
    let details = json!({ "backend": backend.as_str(), "subject": subject });
    record(tx, cx, "identity.linked", Target::user(user), right, details)
}

/// Brings the memberships that come from a backend in step with what it told, if it did.
pub(super) fn follow_groups(
    tx: &mut dyn Tx,
    cx: &OpCx,
    user: &User,
    asserted: &Asserted,
) -> Result<(), StoreError> {
    match &asserted.groups {
        Some(groups) => sync_groups(tx, cx, user, &asserted.backend, groups),
        None => Ok(()),
    }
}

/// The same, of what a backend told about all that it knows somebody by; of nothing where it said
/// of one of them that it cannot tell.
pub(super) fn follow_all_groups(
    tx: &mut dyn Tx,
    cx: &OpCx,
    user: &User,
    backend: &BackendName,
    told: &[Asserted],
) -> Result<(), StoreError> {
    let groups: Option<Vec<&Vec<String>>> = told.iter().map(|one| one.groups.as_ref()).collect();
    let Some(groups) = groups else { return Ok(()) };
    let mut names: Vec<String> = groups.into_iter().flatten().cloned().collect();
    names.sort();
    names.dedup();
    sync_groups(tx, cx, user, backend, &names)
}

/// Puts the user into the groups that the backend names, and takes them out of those that it
/// named before: of its own memberships alone.
pub(super) fn sync_groups(
    tx: &mut dyn Tx,
    cx: &OpCx,
    user: &User,
    backend: &BackendName,
    names: &[String],
) -> Result<(), StoreError> {
    let source = Source::Backend(backend.clone());
    let before = tx.groups_from(user.id, &source)?;
    let mut wanted = Vec::with_capacity(names.len());
    for name in names {
        // A group that is not there any more is nobody's to be in.
        if let Some(group) = tx.group_by_name_key(&GroupName::key_of(name))? {
            wanted.push(group.id);
        }
    }
    let gone: Vec<GroupId> = before.iter().filter(|id| !wanted.contains(id)).copied().collect();
    let come: Vec<GroupId> = wanted.iter().filter(|id| !before.contains(id)).copied().collect();
    if gone.is_empty() && come.is_empty() {
        return Ok(());
    }
    tx.announce(Change::User(user.id), cx.now())?;
    for group in come {
        join(tx, cx, user, group, &source)?;
    }
    for group in gone {
        leave(tx, cx, user, group, &source)?;
    }
    Ok(())
}

fn join(
    tx: &mut dyn Tx,
    cx: &OpCx,
    user: &User,
    group: GroupId,
    source: &Source,
) -> Result<(), StoreError> {
    match tx.membership(group, user.id)? {
        None => {
            tx.put_membership(&Membership {
                group,
                user: user.id,
                is_manager: false,
                expires_at: None,
                since: cx.now(),
            })?;
            note(tx, cx, "group.member_added", user, group, source)?;
        }
        // One that was made by hand stays when the backend takes its own back.
        Some(_) if tx.membership_sources(group, user.id)?.is_empty() => {
            tx.put_membership_source(group, user.id, &Source::ByHand)?;
        }
        Some(_) => {}
    }
    tx.put_membership_source(group, user.id, source)?;
    Ok(())
}

fn leave(
    tx: &mut dyn Tx,
    cx: &OpCx,
    user: &User,
    group: GroupId,
    source: &Source,
) -> Result<(), StoreError> {
    tx.delete_membership_source(group, user.id, source)?;
    if tx.membership_sources(group, user.id)?.is_empty() {
        tx.delete_membership(group, user.id)?;
        note(tx, cx, "group.member_removed", user, group, source)?;
    }
    Ok(())
}

fn note(
    tx: &mut dyn Tx,
    cx: &OpCx,
    action: &'static str,
    user: &User,
    group: GroupId,
    source: &Source,
) -> Result<(), StoreError> {
    let Some(group) = tx.group_by_id(group)? else { return Ok(()) };
    let details = json!({ "user": user.username.as_str(), "user_id": user.id });
    let right = format!("groups of {}", source.as_str());
    record(tx, cx, action, Target::group(&group), right, details)
}
