//! An outbox on a database of the test's own, and everything around it.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use vestibule_core::{
    Clock, Email, Entropy, OpCx, Timestamp, Username,
    domain::{
        announcement::{Announcement, Audience, Progress, Words},
        notice::{Lane, Notice, StoredNotice},
        page::PageRequest,
        ticket::{Purpose, Ticket},
        user::{PersonName, User},
    },
    id::{AnnouncementId, NoticeId, UserId},
    ports::{
        audit::AuditFilter,
        hasher::PasswordHash,
        outbox::NoticeFilter,
        store::{Store, StoreError, StoreErrorKind},
    },
    secret::TokenDigest,
    testkit::{ManualClock, SeededEntropy},
    usecase::{
        delivery::Delivery,
        links,
        post::{Post, PostRules, Postbox, Posted},
        throttle::FailureLimit,
    },
};
use vestibule_mail::{
    Office, SiteFacts, Worker, WorkerOptions,
    classify::{Failure, Verdict},
    message::Correspondent,
    office::Style,
    render::Address,
    transport::memory::MemoryTransport,
    worker::Round,
};
use vestibule_storage::testkit::{Database, TestConnection, TestDatabase};

/// One process's worth of a house that sends mail.
pub(crate) struct House {
    pub(crate) worker: Worker,
    pub(crate) delivery: Delivery,
    pub(crate) office: Office,
    pub(crate) transport: MemoryTransport,
    pub(crate) clock: Arc<ManualClock>,
    entropy: Arc<SeededEntropy>,
    postbox: Postbox,
    store: Store,
    database: Arc<TestDatabase>,
    options: WorkerOptions,
}

pub(crate) fn failure(verdict: Verdict, reason: &str) -> Failure {
    Failure::new(verdict, reason)
}

pub(crate) fn reset(username: &str) -> Notice {
    Notice::Reset { username: username.to_owned() }
}

pub(crate) fn password_changed(username: &str, at: Timestamp) -> Notice {
    Notice::PasswordChanged { username: username.to_owned(), at, address: String::new() }
}

/// What a link in the text opens with.
pub(crate) fn token(text: &str) -> String {
    let line = text.lines().find(|line| line.starts_with("https://hall.example/")).unwrap();
    line.rsplit('/').next().unwrap().to_owned()
}

/// Who posts past the budgets.
fn unlimited() -> Postbox {
    Postbox::new(PostRules {
        domain: "hall.example".into(),
        language: "en".into(),
        ..PostRules::default()
    })
}

fn style() -> Style {
    let from = |address: &str| Correspondent { from: address.parse().unwrap(), reply_to: None };
    Style {
        site: SiteFacts {
            name: "Hall".to_owned(),
            url: Address::fixed("https://hall.example"),
            subject_prefix: "[Hall] ".to_owned(),
            has_logo: false,
        },
        folders: Vec::new(),
        to_people: from("hall@example.org"),
        to_admins: from("server@example.org"),
        logo: None,
    }
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(WorkerOptions::default())
    }

    pub(crate) fn with_pace(pace: Duration) -> Self {
        Self::with(WorkerOptions { pace, ..WorkerOptions::default() })
    }

    pub(crate) fn with_long_looks() -> Self {
        let look_every = Duration::from_hours(1);
        Self::with(WorkerOptions { look_every, ..WorkerOptions::default() })
    }

    pub(crate) fn with(options: WorkerOptions) -> Self {
        let database = Arc::new(TestDatabase::fresh(Database::Sqlite));
        Self::on(database, Arc::new(ManualClock::default()), 1, options)
    }

    fn on(
        database: Arc<TestDatabase>,
        clock: Arc<ManualClock>,
        seed: u64,
        options: WorkerOptions,
    ) -> Self {
        let store = database.store();
        let entropy = Arc::new(SeededEntropy::new(seed));
        let limit = |count| Some(FailureLimit { count, window: Duration::from_hours(1) });
        let postbox = Postbox::new(PostRules {
            domain: "hall.example".into(),
            language: "en".into(),
            per_address: limit(3),
            per_site: limit(20),
            admins: Arc::new([Email::parse("admin@example.org").unwrap()]),
            ..PostRules::default()
        });
        let transport = MemoryTransport::default();
        let office = Office::new(style(), Box::new(transport.clone()));
        let delivery = Delivery::new(store.clone(), postbox.clone());
        let worker = Worker::new(
            delivery.clone(),
            office.clone(),
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::clone(&entropy) as Arc<dyn Entropy>,
            options,
        );
        store.observe(Arc::new(worker.bell()));
        Self {
            worker,
            delivery,
            office,
            transport,
            clock,
            entropy,
            postbox,
            store,
            database,
            options,
        }
    }

    /// Another process on the same database: the same process after a crash, or a replica.
    pub(crate) fn restarted(&self) -> Self {
        Self::on(Arc::clone(&self.database), Arc::clone(&self.clock), 2, self.options)
    }

    pub(crate) fn cx(&self) -> OpCx {
        let (clock, entropy) = (Arc::clone(&self.clock), Arc::clone(&self.entropy));
        OpCx::for_job("test", clock, entropy)
    }

    pub(crate) fn over_budget(&self) -> u64 {
        self.postbox.over_budget()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn connection(&self) -> TestConnection {
        self.database.connection()
    }

    async fn send(&self, post: Post) -> Posted {
        let (postbox, cx) = (self.postbox.clone(), self.cx());
        let posted =
            self.store.write::<_, StoreError>(move |tx| postbox.post(tx, &cx, post.clone())).await;
        posted.unwrap()
    }

    pub(crate) async fn try_post(&self, to: &str, notice: Notice) -> Posted {
        let until = self.now().plus(Duration::from_hours(24 * 365));
        self.send(Post::to(Email::parse(to).unwrap(), notice).until(until)).await
    }

    /// Posts by hand, past the budgets: they have a test of their own.
    async fn put(&self, post: Post) -> NoticeId {
        let (unlimited, cx) = (unlimited(), self.cx());
        let posted = self
            .store
            .write::<_, StoreError>(move |tx| unlimited.post(tx, &cx, post.clone()))
            .await;
        match posted.unwrap() {
            Posted::Queued(id) => id,
            Posted::OverBudget { .. } => panic!("over budget"),
        }
    }

    /// One with a link is good for a year, all else for ever.
    pub(crate) async fn post(&self, to: &str, notice: Notice) -> NoticeId {
        if notice.link().is_some() {
            return self.post_for(to, notice, Duration::from_hours(24 * 365)).await;
        }
        self.put(Post::to(Email::parse(to).unwrap(), notice)).await
    }

    pub(crate) async fn post_for(&self, to: &str, notice: Notice, life: Duration) -> NoticeId {
        let until = self.now().plus(life);
        self.put(Post::to(Email::parse(to).unwrap(), notice).until(until)).await
    }

    pub(crate) async fn post_about(
        &self,
        user: UserId,
        to: &str,
        notice: Notice,
        life: Duration,
    ) -> NoticeId {
        let until = self.now().plus(life);
        self.put(Post::to(Email::parse(to).unwrap(), notice).about(user).until(until)).await
    }

    /// To an address as it might stand in a database that was written to by hand.
    pub(crate) async fn post_to_stored(&self, to: &str, notice: Notice) -> NoticeId {
        let until = self.now().plus(Duration::from_hours(24 * 365));
        self.put(Post::to(Email::from_stored(to.to_owned()), notice).until(until)).await
    }

    /// All in one transaction, past the budgets.
    pub(crate) async fn put_all(&self, posts: Vec<Post>) {
        let (postbox, cx) = (unlimited(), self.cx());
        let posted = self.store.write::<_, StoreError>(move |tx| {
            for post in &posts {
                postbox.post(tx, &cx, post.clone())?;
            }
            Ok(())
        });
        posted.await.unwrap();
    }

    pub(crate) async fn post_many(&self, count: usize) {
        let to = |number| Email::parse(&format!("u{number}@example.org")).unwrap();
        self.put_all((0..count).map(|number| Post::to(to(number), Notice::Test)).collect()).await;
    }

    /// What many are told, posted to so many of them.
    pub(crate) async fn announce(&self, count: usize) -> AnnouncementId {
        let (postbox, cx) = (self.postbox.clone(), self.cx());
        let id = AnnouncementId::generate(self.now(), &*self.entropy);
        let announcement = Announcement {
            id,
            words: Words { subject: "Maintenance".to_owned(), text: "On Monday.".to_owned() },
            audience: Audience::Everyone,
            include_inactive: false,
            author_id: None,
            author: "test".to_owned(),
            created_at: self.now(),
            cancelled_at: None,
            progress: Progress::default(),
        };
        let posted = self.store.write::<_, StoreError>(move |tx| {
            tx.insert_announcement(&announcement, &[])?;
            for number in 0..count {
                let to = Email::parse(&format!("many{number}@example.org")).unwrap();
                let notice = Notice::Announcement { announcement: id };
                postbox.post(tx, &cx, Post::to(to, notice).of(id))?;
            }
            Ok(())
        });
        posted.await.unwrap();
        id
    }

    pub(crate) async fn take_back(&self, id: AnnouncementId) {
        let now = self.now();
        let done =
            self.store.write::<_, StoreError>(move |tx| tx.cancel_announcement(id, now)).await;
        assert!(done.unwrap());
    }

    pub(crate) async fn post_and_fail(&self, to: &str) {
        let (postbox, cx, to) = (self.postbox.clone(), self.cx(), Email::parse(to).unwrap());
        let undone = self.store.write::<(), StoreError>(move |tx| {
            postbox.post(tx, &cx, Post::to(to.clone(), Notice::Test))?;
            Err(StoreError::new(StoreErrorKind::Other))
        });
        assert!(undone.await.is_err());
    }

    pub(crate) async fn round(&self) -> Round {
        self.round_of(Lane::Personal).await
    }

    pub(crate) async fn round_of(&self, lane: Lane) -> Round {
        self.worker.round(lane, &AtomicBool::new(false)).await.unwrap()
    }

    /// Rounds until nothing is due.
    pub(crate) async fn drain(&self) {
        while self.round().await.taken > 0 {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn stored(&self, id: NoticeId) -> StoredNotice {
        self.store.read::<_, StoreError>(move |tx| tx.notice_by_id(id)).await.unwrap().unwrap()
    }

    pub(crate) async fn all(&self) -> Vec<StoredNotice> {
        let request = PageRequest { size: 10_000, ..PageRequest::default() };
        let page = self
            .store
            .read::<_, StoreError>(move |tx| tx.notice_page(&NoticeFilter::default(), &request))
            .await;
        page.unwrap().items
    }

    pub(crate) fn letters_to(&self, to: &str) -> Vec<vestibule_mail::message::Letter> {
        self.transport.letters().into_iter().filter(|l| l.to.to_string() == to).collect()
    }

    pub(crate) async fn audited(&self, action: &str) -> u64 {
        let filter = AuditFilter { action: Some(action.to_owned()), ..AuditFilter::default() };
        let page = self
            .store
            .read::<_, StoreError>(move |tx| tx.audit_page(&filter, &PageRequest::default()))
            .await;
        page.unwrap().count
    }

    /// Whether the link in a text is live.
    pub(crate) async fn ticket(&self, text: &str, purpose: Purpose) -> bool {
        let (digest, now) = (TokenDigest::of(token(text).as_bytes()), self.now());
        let found =
            self.store.read::<_, StoreError>(move |tx| tx.ticket(&digest, purpose, now)).await;
        found.unwrap().is_some()
    }

    pub(crate) async fn redeem(&self, digest: TokenDigest, purpose: Purpose) -> Option<Ticket> {
        let now = self.now();
        let redeemed = self
            .store
            .write::<_, StoreError>(move |tx| tx.redeem_ticket(&digest, purpose, now))
            .await;
        redeemed.unwrap()
    }

    pub(crate) async fn user(&self, name: &str) -> UserId {
        let user = User {
            id: UserId::generate(self.now(), &*self.entropy),
            username: Username::parse(name).unwrap(),
            email: Some(Email::parse(&format!("{name}@example.org")).unwrap()),
            email_verified: false,
            first_name: PersonName::default(),
            last_name: PersonName::default(),
            is_active: true,
            is_staff: false,
            is_superuser: false,
            expires_at: None,
            created_at: self.now(),
            last_login_at: None,
            password_changed_at: None,
        };
        let id = user.id;
        let hash = PasswordHash::unusable();
        let added = self.store.write::<_, StoreError>(move |tx| tx.insert_user(&user, &hash)).await;
        added.unwrap();
        id
    }

    /// Somebody else who works on the outbox, by another clock.
    pub(crate) fn worker_by(&self, clock: Arc<dyn Clock>) -> Worker {
        let (delivery, office) = (self.delivery.clone(), self.office.clone());
        Worker::new(delivery, office, clock, Arc::clone(&self.entropy) as _, self.options)
    }

    /// Takes back the links of an account, as every change of its password does.
    pub(crate) async fn cut(&self, user: UserId) {
        let now = self.now();
        let cut = self.store.write::<_, StoreError>(move |tx| links::cut(tx, user, now)).await;
        cut.unwrap();
    }

    pub(crate) async fn delete_user(&self, user: UserId) {
        let gone = self.store.write::<_, StoreError>(move |tx| tx.delete_user(user)).await;
        assert!(gone.unwrap());
    }
}
