use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use vestibule_core::{
    Actor, Clock, Email, Entropy, OpCx,
    id::RequestId,
    ports::store::{
        ChangeObserver, Mode, Store, StoreError, StoreErrorKind, StorePort, StoreResult, Work,
    },
    testkit::{ManualClock, SeededEntropy},
    usecase::{
        error_report::{ErrorReports, FailedRequest},
        post::{PostRules, Postbox},
    },
};

use super::{ELSEWHERE, Failures, MOST_PLACES, MOST_REQUESTS, MOST_WAITING, TRY_AGAIN, lock};

/// A database that cannot be reached, and counts how often somebody tried.
struct Away(Arc<AtomicU32>);

impl StorePort for Away {
    fn run(&self, _: Mode, _: Work) -> BoxFuture<'static, StoreResult<()>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Err(StoreError::new(StoreErrorKind::Unavailable)) })
    }

    fn observe(&self, _: Arc<dyn ChangeObserver>) {}
}

struct World {
    failures: Failures,
    tried: Arc<AtomicU32>,
    clock: Arc<ManualClock>,
    chance: Arc<SeededEntropy>,
}

impl World {
    fn new(admins: &[&str]) -> Self {
        let tried = Arc::new(AtomicU32::new(0));
        let postbox = Postbox::new(PostRules {
            domain: "hall.example".into(),
            language: "en".into(),
            admins: admins.iter().map(|admin| Email::parse(admin).unwrap()).collect(),
            ..PostRules::default()
        });
        let store = Store::new(Arc::new(Away(Arc::clone(&tried))));
        let reports = ErrorReports::new(store, postbox);
        let failures = Failures::new(reports, Some(Duration::from_hours(1)));
        let (clock, chance) = (Arc::default(), Arc::new(SeededEntropy::new(1)));
        Self { failures, tried, clock, chance }
    }

    fn fail(&self, place: &str) {
        let now = self.clock.now();
        let request = RequestId::generate(now, &*self.chance);
        self.failures.add(FailedRequest {
            place: place.to_owned(),
            code: "internal",
            actor: Actor::Anonymous,
            address: String::new(),
            request,
            at: now,
        });
    }

    fn tell(&self) -> u32 {
        let (clock, chance) = (Arc::clone(&self.clock), Arc::clone(&self.chance));
        let cx = OpCx::for_job("test", clock as Arc<dyn Clock>, chance as Arc<dyn Entropy>);
        futures_executor::block_on(self.failures.tell(&cx));
        self.tried.swap(0, Ordering::SeqCst)
    }
}

#[test]
fn a_database_that_is_away_is_tried_again_later_and_nothing_is_forgotten() {
    let world = World::new(&["ann@example.org"]);
    world.fail("GET /a");
    world.fail("GET /b");
    assert_eq!(world.tell(), 1, "not for each place");
    for _ in 0..3 {
        world.fail("GET /a");
        assert_eq!(world.tell(), 0, "not in every round");
    }
    world.clock.advance(TRY_AGAIN);
    assert_eq!(world.tell(), 1);
    let places = lock(&world.failures.places);
    let tally = places["GET /a"].untold.as_ref().unwrap();
    assert_eq!((tally.count, tally.requests.len()), (4, 4));
    assert_eq!(lock(&world.failures.waiting).failed.len(), 5);
}

#[test]
fn what_is_kept_of_failures_is_bounded() {
    let world = World::new(&["ann@example.org"]);
    for number in 0..5000 {
        world.fail(&format!("GET /{number}"));
        world.fail("GET /0");
    }
    let places = lock(&world.failures.places);
    assert_eq!(places.len(), MOST_PLACES + 1);
    let requests = |name: &str| places[name].untold.as_ref().unwrap().requests.len();
    assert_eq!((requests("GET /0"), requests(ELSEWHERE)), (MOST_REQUESTS, MOST_REQUESTS));
    assert_eq!(lock(&world.failures.waiting).failed.len(), MOST_WAITING);
    let counted: u64 = places.values().map(|place| place.untold.as_ref().unwrap().count).sum();
    assert_eq!(counted, 10_000);
}

#[test]
fn where_nobody_is_to_be_told_nothing_waits_for_a_mail() {
    let world = World::new(&[]);
    world.fail("GET /a");
    assert_eq!((world.tell(), lock(&world.failures.places).len()), (1, 0), "the audit log alone");
    assert_eq!(world.tell(), 0);
}
