//! People, nested groups, grants and sessions to measure with.

use std::sync::Arc;

use vestibule_core::{
    Clock, Email, Entropy, OpCx, SystemClock, SystemEntropy, Username,
    domain::{
        change::Change,
        grant::{Effect, Grant, Scope, Subject},
        group::{Group, GroupName, Membership, Nesting},
        level::Level,
        permission::{Permission, PermissionCode},
        session::Session,
        user::{PersonName, User},
    },
    id::{GrantId, GroupId, SessionId, UserId},
    ports::{
        hasher::PasswordHash,
        store::{Store, StoreError},
    },
    usecase::session_token::{TokenSeal, digest},
};

use crate::Result;

/// The permission that everybody in the world holds, by way of the outermost group.
pub const PERMISSION: &str = "bench.view";
/// How many groups lie in each other between a user and the grant.
pub const LEVELS: usize = 5;
/// How many rows are written in one transaction.
const BATCH: usize = 1000;
const DAY: std::time::Duration = std::time::Duration::from_hours(24);

/// The context of work that nobody in particular does.
pub fn cx() -> OpCx {
    OpCx::for_job("bench", Arc::new(SystemClock), Arc::new(SystemEntropy))
}

/// The login name of the user with this number.
pub fn username(number: usize) -> String {
    format!("user{number}")
}

/// An account like many.
pub fn user(number: usize, cx: &OpCx) -> User {
    let now = cx.now();
    let name = username(number);
    let email = format!("{name}@example.org");
    User {
        id: UserId::generate(now, cx.entropy()),
        username: Username::from_stored(name.clone(), Username::key_of(&name)),
        email: Some(Email::from_stored(email)),
        email_verified: true,
        first_name: PersonName::from_stored("Ada".to_owned()),
        last_name: PersonName::from_stored("Lovelace".to_owned()),
        is_active: true,
        is_staff: false,
        is_superuser: false,
        expires_at: None,
        created_at: now,
        last_login_at: None,
        password_changed_at: None,
    }
}

/// A group.
pub fn group(name: &str, cx: &OpCx) -> Group {
    Group {
        id: GroupId::generate(cx.now(), cx.entropy()),
        name: GroupName::from_stored(name.to_owned(), GroupName::key_of(name)),
        description: String::new(),
        level: Level::Private,
        created_at: cx.now(),
    }
}

/// A registered permission.
pub fn permission(code: &str, cx: &OpCx) -> Permission {
    Permission {
        code: PermissionCode::from_stored(code.to_owned()),
        description: "measured".to_owned(),
        service: "bench".to_owned(),
        on: None,
        registered_at: cx.now(),
    }
}

/// An allowance.
pub fn grant(subject: Subject, code: &str, scope: Scope, cx: &OpCx) -> Grant {
    Grant {
        id: GrantId::generate(cx.now(), cx.entropy()),
        subject,
        permission: PermissionCode::from_stored(code.to_owned()),
        effect: Effect::Allow,
        scope,
        expires_at: None,
        granted_by: None,
        granted_at: cx.now(),
    }
}

/// A membership without end.
pub fn membership(group: GroupId, user: UserId, cx: &OpCx) -> Membership {
    Membership { group, user, is_manager: false, expires_at: None, since: cx.now() }
}

/// [`LEVELS`] groups, each in the next.
pub fn nested_groups(cx: &OpCx) -> (Vec<Group>, Vec<Nesting>) {
    let groups: Vec<Group> =
        (0..LEVELS).map(|level| group(&format!("level {level}"), cx)).collect();
    let nestings = groups.windows(2).map(|pair| Nesting { child: pair[0].id, parent: pair[1].id });
    let nestings = nestings.collect();
    (groups, nestings)
}

/// Fills an empty store: users with this password who hold [`PERMISSION`] through [`LEVELS`]
/// groups, and so many more permissions that nobody holds.
pub async fn settle(
    store: &Store,
    users: usize,
    password: &PasswordHash,
    other_permissions: usize,
) -> Result<Vec<UserId>> {
    let cx = cx();
    let (groups, nestings) = nested_groups(&cx);
    let mut permissions = vec![permission(PERMISSION, &cx)];
    for number in 0..other_permissions {
        permissions.push(permission(&format!("bench.other{number}"), &cx));
    }
    let (Some(inner), Some(outer)) = (groups.first(), groups.last()) else {
        return Err("no groups".into());
    };
    let (inner, outer) = (inner.id, outer.id);
    let granted = grant(Subject::Group(outer), PERMISSION, Scope::Whole, &cx);
    write(store, move |tx| {
        for permission in &permissions {
            tx.put_permission(permission)?;
        }
        for group in &groups {
            tx.insert_group(group)?;
        }
        for nesting in &nestings {
            tx.insert_nesting(*nesting)?;
        }
        tx.insert_grant(&granted)
    })
    .await?;

    let accounts: Vec<User> = (0..users).map(|number| user(number, &cx)).collect();
    let ids = accounts.iter().map(|user| user.id).collect();
    for batch in accounts.chunks(BATCH) {
        let (batch, password, cx) = (batch.to_vec(), password.clone(), cx.clone());
        write(store, move |tx| {
            for user in &batch {
                tx.insert_user(user, &password)?;
                tx.put_membership(&membership(inner, user.id, &cx))?;
            }
            Ok(())
        })
        .await?;
    }
    let now = cx.now();
    write(store, move |tx| tx.announce(Change::Everyone, now)).await?;
    Ok(ids)
}

/// Opens so many sessions, dealt out to the users in turn; answers what stands in their cookies.
pub async fn open_sessions(
    store: &Store,
    seal: &TokenSeal,
    users: &[UserId],
    count: usize,
) -> Result<Vec<String>> {
    let cx = cx();
    let mut tokens = Vec::with_capacity(count);
    let mut owners = users.iter().cycle();
    while tokens.len() < count {
        let mut batch = Vec::with_capacity(BATCH);
        for owner in owners.by_ref().take(BATCH.min(count - tokens.len())) {
            let token = seal.issue(&cx);
            tokens.push(token.expose_str().unwrap_or_default().to_owned());
            batch.push(session(*owner, digest(&token), &cx));
        }
        write(store, move |tx| batch.iter().try_for_each(|one| tx.insert_session(one))).await?;
    }
    Ok(tokens)
}

/// A session that began just now.
pub fn session(user: UserId, digest: vestibule_core::TokenDigest, cx: &OpCx) -> Session {
    let now = cx.now();
    Session {
        id: SessionId::generate(now, cx.entropy()),
        digest,
        user,
        created_at: now,
        last_seen_at: now,
        expires_at: now.plus(DAY),
        address: "192.0.2.1".to_owned(),
        user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
            .to_owned(),
        backend: "local".to_owned(),
    }
}

async fn write(
    store: &Store,
    work: impl FnMut(&mut dyn vestibule_core::ports::store::Tx) -> Result<(), StoreError>
    + Send
    + 'static,
) -> Result<()> {
    Ok(store.write::<(), StoreError>(work).await?)
}

/// The seal of the site whose store this is.
pub async fn seal(store: &Store) -> Result<TokenSeal> {
    let cx = cx();
    Ok(store.write::<_, StoreError>(move |tx| TokenSeal::load(tx, &cx)).await?)
}

/// The machine's clock and its chance, for what wants them as arguments.
pub fn surroundings() -> (Arc<dyn Clock>, Arc<dyn Entropy>) {
    (Arc::new(SystemClock), Arc::new(SystemEntropy))
}
