//! The kit that tries backends, on the one whose accounts are here.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use vestibule_auth::{
    backends::LocalFactory,
    hashing::{HashPool, Scheme},
    testkit::{
        Reply, Service,
        conformance::{self, Asks, Extras, Fixture, Peer},
    },
};
use vestibule_core::{
    OpCx, Secret,
    domain::username::Username,
    id::UserId,
    ports::{
        backend::{Attempt, Backend, BackendCx, NotMine, Section, Verdict},
        hasher::PasswordHasher,
        store::{
            ChangeObserver, Mode, Store, StoreError, StoreErrorKind, StorePort, StoreResult, Work,
        },
    },
    usecase::users::NewUser,
};
use vestibule_storage::SqlStore;

use crate::support::{Db, TestSite, block_on, on_every_database};

on_every_database!(the_local_backend_does_what_is_expected_of_one);

const RIGHT: &str = "liquid helium at 4 kelvin";
const OTHER: &str = "liquid nitrogen at 77 kelvin";

const WORKS: u8 = 0;
const AWAY: u8 = 1;
const HANGS: u8 = 2;

/// A store that a test takes away.
struct Switched {
    inner: SqlStore,
    state: Arc<AtomicU8>,
}

impl StorePort for Switched {
    fn run(&self, mode: Mode, work: Work) -> BoxFuture<'static, StoreResult<()>> {
        match self.state.load(Ordering::SeqCst) {
            WORKS => self.inner.run(mode, work),
            AWAY => Box::pin(async { Err(StoreError::new(StoreErrorKind::Unavailable)) }),
            _ => Box::pin(std::future::pending()),
        }
    }

    fn observe(&self, observer: Arc<dyn ChangeObserver>) {
        self.inner.observe(observer);
    }
}

struct Switch(Arc<AtomicU8>);

impl Peer for Switch {
    fn works(&self) {
        self.0.store(WORKS, Ordering::SeqCst);
    }

    fn failures(&self) -> Vec<String> {
        vec!["a store that is away".to_owned(), "a store that is silent".to_owned()]
    }

    fn fails(&self, how: &str) {
        let state = if how == "a store that is silent" { HANGS } else { AWAY };
        self.0.store(state, Ordering::SeqCst);
    }

    fn hangs(&self) -> bool {
        self.0.store(HANGS, Ordering::SeqCst);
        true
    }
}

/// Asks as the login does: it looks up whose name was typed, and does the same work for nobody's.
struct Hall {
    op: OpCx,
    names: Store,
    lent: Store,
    hasher: Arc<HashPool>,
}

#[async_trait]
impl Asks for Hall {
    async fn ask(&self, backend: &dyn Backend, attempt: &Attempt) -> Verdict {
        let mut account = None;
        if let Attempt::Password { username, .. } = attempt {
            let key = Username::key_of(username.trim());
            let found = self.names.lookup::<_, StoreError>(move |tx| tx.user_by_username_key(&key));
            account = found.await.unwrap().map(|user| user.id);
        }
        let cx = BackendCx {
            op: &self.op,
            store: &self.lent,
            hasher: &*self.hasher,
            account,
            known_as: None,
        };
        let verdict = backend.authenticate(attempt, &cx).await;
        if let (Verdict::NotMine(NotMine::UnknownSubject), Attempt::Password { password, .. }) =
            (&verdict, attempt)
        {
            self.hasher.verify(password, None).await.unwrap();
        }
        verdict
    }
}

fn the_local_backend_does_what_is_expected_of_one(db: Db) {
    let site = TestSite::start(db);
    let pool = HashPool::builder().scheme(Scheme::weak_for_tests()).threads(2).queue(300).build();
    let hasher = Arc::new(pool.unwrap());
    let store = site.database.store();
    let account = |name: &str, password: &str, is_disabled: bool| {
        let username = name.to_owned();
        let id = site.account(NewUser { username, is_disabled, ..NewUser::default() });
        let hash = block_on(hasher.hash(&Secret::new(password))).unwrap();
        let user: UserId = id.parse().unwrap();
        let now = Some(site.operator().now());
        block_on(store.write::<_, StoreError>(move |tx| tx.update_user_password(user, &hash, now)))
            .unwrap();
        id
    };
    let subject = account("ann", RIGHT, false);
    account("bert", OTHER, false);
    account("carl", "dry ice", true);
    let state = Arc::new(AtomicU8::new(WORKS));
    let switched = Switched { inner: site.database.open(), state: Arc::clone(&state) };
    let pair = |name: &str, password: &str| (name.to_owned(), password.to_owned());
    let fixture = Fixture {
        factory: Box::new(LocalFactory),
        section: Section::default(),
        // It asks nobody but the store.
        service: Service::start(|_| Reply::Cut).unwrap(),
        script: Arc::new(|_| Reply::Cut),
        right: pair("ann", RIGHT),
        subject,
        spellings: vec!["Ann".to_owned(), " ANN".to_owned()],
        other: pair("bert", OTHER),
        unknown: "nobody".to_owned(),
        disabled: Some(pair("carl", "dry ice")),
        secrets: Vec::new(),
    };
    let extras = Extras {
        peer: Some(Box::new(Switch(state))),
        host: Some(Box::new(Hall {
            op: site.operator(),
            names: store.clone(),
            lent: Store::new(Arc::new(switched)),
            hasher: Arc::clone(&hasher),
        })),
        ..Extras::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let report = runtime.block_on(conformance::run_with(&fixture, &extras));
    assert!(report.findings.len() > 50, "{report}");
    report.expect_all_well();
}
