//! A store on a database of the test's own, and things to put into it.

use std::sync::Arc;

use futures_util::FutureExt;
use vestibule_core::{
    Email, Timestamp, TokenDigest, Username,
    domain::{
        announcement::{Announcement, Audience, Progress, Words},
        audit::AuditEvent,
        grant::{Effect, Grant, Scope, Subject},
        group::{Group, GroupName},
        level::Level,
        notice::{Lane, Notice, NoticeState, StoredNotice},
        object::{Object, ObjectRef},
        permission::{Permission, PermissionCode},
        session::Session,
        user::{PersonName, User},
    },
    entropy::Entropy,
    id::{AnnouncementId, AuditId, GrantId, GroupId, NoticeId, RequestId, SessionId, UserId},
    ports::{
        hasher::PasswordHash,
        store::{Store, StoreError, Tx},
    },
    testkit::SeededEntropy,
};
use vestibule_storage::testkit::{Database, TestDatabase};

/// Makes of each function a test on each database of the build.
macro_rules! on_every_database {
    ($($(#[$meta:meta])* fn $name:ident($site:ident) $body:block)*) => {
        $($(#[$meta])* fn $name($site: &crate::support::Site) $body)*

        mod sqlite {
            $(#[test] fn $name() {
                super::$name(&crate::support::Site::on(vestibule_storage::testkit::Database::Sqlite));
            })*
        }
        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[test] fn $name() {
                super::$name(&crate::support::Site::on(vestibule_storage::testkit::Database::Postgres));
            })*
        }
        #[cfg(feature = "mysql")]
        mod mysql {
            $(#[test] fn $name() {
                super::$name(&crate::support::Site::on(vestibule_storage::testkit::Database::Mysql));
            })*
        }
    };
}
pub(crate) use on_every_database;

/// Midnight, 1 January 2026.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

pub(crate) fn after(seconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW.as_micros() + seconds * 1_000_000)
}

/// A database, its store and a source of ids.
pub(crate) struct Site {
    // The store is closed before its database is dropped.
    pub(crate) store: Store,
    pub(crate) database: TestDatabase,
    entropy: Arc<SeededEntropy>,
}

impl Site {
    pub(crate) fn on(kind: Database) -> Self {
        let database = TestDatabase::fresh(kind);
        Self { store: database.store(), database, entropy: Arc::new(SeededEntropy::new(7)) }
    }

    pub(crate) fn chance(&self) -> &dyn Entropy {
        &*self.entropy
    }

    /// Writes, and fails the test when that fails.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.try_write(work).unwrap()
    }

    pub(crate) fn try_write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        wait(self.store.write(work))
    }

    pub(crate) fn read<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.try_read(work).unwrap()
    }

    pub(crate) fn try_read<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        wait(self.store.read(work))
    }

    pub(crate) fn lookup<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        wait(self.store.lookup(work)).unwrap()
    }

    pub(crate) fn user(&self, name: &str) -> User {
        User {
            id: UserId::generate(NOW, self.chance()),
            username: Username::from_elsewhere(name).unwrap(),
            email: None,
            email_verified: false,
            first_name: PersonName::default(),
            last_name: PersonName::default(),
            is_active: true,
            is_staff: false,
            is_superuser: false,
            expires_at: None,
            created_at: NOW,
            last_login_at: None,
            password_changed_at: None,
        }
    }

    /// An account that is in the database.
    pub(crate) fn stored_user(&self, name: &str) -> User {
        let user = self.user(name);
        self.put_user(&user);
        user
    }

    pub(crate) fn put_user(&self, user: &User) {
        let user = user.clone();
        self.write(move |tx| tx.insert_user(&user, &hash("one")));
    }

    pub(crate) fn announcement(&self, progress: Progress) -> Announcement {
        Announcement {
            id: AnnouncementId::generate(NOW, self.chance()),
            words: Words {
                subject: "Wartung 🦊".to_owned(), text: "Eins\n\nПривет".to_owned()
            },
            audience: Audience::Everyone,
            include_inactive: true,
            author_id: None,
            author: "command line".to_owned(),
            created_at: NOW,
            cancelled_at: None,
            progress,
        }
    }

    pub(crate) fn group(&self, name: &str) -> Group {
        Group {
            id: GroupId::generate(NOW, self.chance()),
            name: GroupName::parse(name).unwrap(),
            description: format!("about {name}"),
            level: Level::ReadOnly,
            created_at: NOW,
        }
    }

    pub(crate) fn stored_group(&self, name: &str) -> Group {
        let group = self.group(name);
        let stored = group.clone();
        self.write(move |tx| tx.insert_group(&stored));
        group
    }

    pub(crate) fn stored_permission(&self, code: &str) -> PermissionCode {
        let permission = permission(code);
        let code = permission.code.clone();
        self.write(move |tx| tx.put_permission(&permission));
        code
    }

    /// A mail that waits; it says that mail works.
    pub(crate) fn notice(&self, to: &str, at: Timestamp) -> StoredNotice {
        let id = NoticeId::generate(at, self.chance());
        StoredNotice {
            id,
            message_id: format!("{id}@example.org"),
            recipient: email(to),
            user: None,
            announcement: None,
            language: "de-CH".to_owned(),
            lane: Lane::Personal,
            kind: "test".to_owned(),
            data: serde_json::to_string(&Notice::Test).unwrap(),
            created_at: at,
            expires_at: None,
            state: NoticeState::Waiting,
            attempts: 0,
            due_at: at,
            lease: None,
            settled_at: None,
            reason: String::new(),
        }
    }

    pub(crate) fn grant(&self, subject: Subject, code: &PermissionCode, scope: Scope) -> Grant {
        Grant {
            id: GrantId::generate(NOW, self.chance()),
            subject,
            permission: code.clone(),
            effect: Effect::Allow,
            scope,
            expires_at: None,
            granted_by: None,
            granted_at: NOW,
        }
    }

    pub(crate) fn session(&self, user: &User, token: &str) -> Session {
        Session {
            id: SessionId::generate(NOW, self.chance()),
            digest: TokenDigest::of(token.as_bytes()),
            user: user.id,
            created_at: NOW,
            last_seen_at: NOW,
            expires_at: after(3600),
            address: "192.0.2.7".to_owned(),
            user_agent: "Mozilla \u{1F98A}".to_owned(),
            backend: "local".to_owned(),
        }
    }

    pub(crate) fn event(&self, action: &'static str, at: Timestamp) -> AuditEvent {
        AuditEvent {
            id: AuditId::generate(at, self.chance()),
            at,
            actor_id: None,
            actor: "command line".to_owned(),
            address: String::new(),
            user_agent: String::new(),
            request: RequestId::generate(at, self.chance()),
            action,
            target_kind: "user",
            target_id: String::new(),
            target: String::new(),
            right: String::new(),
            details: serde_json::Value::Null,
        }
    }
}

pub(crate) fn permission(code: &str) -> Permission {
    Permission {
        code: PermissionCode::parse(code).unwrap(),
        description: format!("may {code}"),
        service: "test".to_owned(),
        on: None,
        registered_at: NOW,
    }
}

pub(crate) fn object(id: &str, owner: &User) -> Object {
    Object {
        object: ObjectRef::new("calc", id).unwrap(),
        owner: owner.id,
        group: None,
        level: None,
        created_at: NOW,
    }
}

pub(crate) fn email(address: &str) -> Email {
    Email::parse(address).unwrap()
}

pub(crate) fn hash(salt: &str) -> PasswordHash {
    PasswordHash::from_stored(format!("pbkdf2_sha256$1000${salt}$digest"))
}

/// Runs a future to its end on this thread.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    use std::{
        pin::pin,
        sync::mpsc,
        task::{Context, Poll, Wake, Waker},
    };

    struct Bell(mpsc::Sender<()>);
    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(());
        }
    }

    let (bell, rung) = mpsc::channel();
    let waker = Waker::from(Arc::new(Bell(bell)));
    let mut future = pin!(future.fuse());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        rung.recv().unwrap();
    }
}
