//! The pool: bounded, patient with callers who go away, and mute about what it compared with.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_executor::block_on;
use vestibule_auth::hashing::{HashPool, HashPoolBuilder, PoolError, Scheme};
use vestibule_core::{
    Clock, Entropy, Secret, SystemEntropy, Timestamp,
    ports::hasher::{HashError, PasswordHash, PasswordHasher, Verification},
    testkit::ManualClock,
};

fn weak() -> HashPoolBuilder {
    HashPool::builder().scheme(Scheme::weak_for_tests()).threads(1)
}

/// Holds the hashing thread inside a hash until it is let go.
struct Gate {
    entered: mpsc::Receiver<()>,
    pass: mpsc::Sender<()>,
    salts: Arc<AtomicUsize>,
}

struct GateEntropy {
    entered: mpsc::Sender<()>,
    pass: std::sync::Mutex<mpsc::Receiver<()>>,
    salts: Arc<AtomicUsize>,
}

impl Entropy for GateEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        SystemEntropy.fill(buffer);
        // The pool's own decoy is made on the thread that builds it.
        if std::thread::current().name().is_some_and(|name| name.starts_with("vestibule-hash")) {
            self.salts.fetch_add(1, Ordering::SeqCst);
            self.entered.send(()).ok();
            self.pass.lock().unwrap().recv().ok();
        }
    }
}

fn gated(queue: usize) -> (HashPool, Gate) {
    let (entered_tx, entered) = mpsc::channel();
    let (pass, pass_rx) = mpsc::channel();
    let salts = Arc::new(AtomicUsize::new(0));
    let entropy =
        GateEntropy { entered: entered_tx, pass: pass_rx.into(), salts: Arc::clone(&salts) };
    let pool = weak().queue(queue).entropy(Arc::new(entropy)).build().unwrap();
    (pool, Gate { entered, pass, salts })
}

type Hashing<'a> = Pin<Box<dyn Future<Output = Result<PasswordHash, HashError>> + 'a>>;

/// Asks for a hash and goes as far as the queue.
fn ask<'a>(pool: &'a HashPool, password: &'a Secret) -> (Hashing<'a>, bool) {
    let mut hashing: Hashing<'a> = pool.hash(password);
    let waits = poll(&mut hashing).is_pending();
    (hashing, waits)
}

fn poll(hashing: &mut Hashing<'_>) -> Poll<Result<PasswordHash, HashError>> {
    hashing.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_full_queue_answers_at_once() {
    let (pool, gate) = gated(2);
    let password = Secret::new("right");
    let (running, _) = ask(&pool, &password);
    gate.entered.recv().unwrap();
    let waiting: Vec<_> = (0..2).map(|_| ask(&pool, &password)).collect();
    assert!(waiting.iter().all(|(_, waits)| *waits));
    assert_eq!((pool.depth(), pool.busy_threads(), pool.threads()), (2, 1, 1));

    let mut refused: Hashing<'_> = pool.hash(&password);
    match poll(&mut refused) {
        Poll::Ready(Err(HashError::Busy { retry_after })) => {
            assert!((1..=60).contains(&retry_after));
        }
        other => panic!("{other:?}"),
    }
    let verifying = block_on(pool.verify(&password, None));
    assert!(matches!(verifying, Err(HashError::Busy { .. })));

    (0..3).for_each(|_| gate.pass.send(()).unwrap());
    assert!(block_on(running).is_ok());
    for (hashing, _) in waiting {
        assert!(block_on(hashing).is_ok());
    }
    assert_eq!(pool.depth(), 0);
}

#[test]
fn a_caller_who_goes_away_neither_frees_nor_leaks_a_place() {
    let (pool, gate) = gated(2);
    let password = Secret::new("right");
    for round in 1..=50 {
        let (running, _) = ask(&pool, &password);
        gate.entered.recv().unwrap();
        let (queued, _) = ask(&pool, &password);
        let (last, _) = ask(&pool, &password);
        drop(running);
        drop(queued);
        // Both places are still taken, so going away and coming back gains nothing.
        assert_eq!((pool.busy_threads(), pool.depth()), (1, 2));
        let mut refused: Hashing<'_> = pool.hash(&password);
        assert!(matches!(poll(&mut refused), Poll::Ready(Err(HashError::Busy { .. }))));
        gate.pass.send(()).unwrap();
        gate.entered.recv().unwrap();
        // The one at work now is the last: the other, whom nobody waits for, was passed over.
        assert_eq!(pool.depth(), 0);
        gate.pass.send(()).unwrap();
        assert!(block_on(last).is_ok());
        // Begun work was finished; what nobody waited for was never begun.
        assert_eq!(gate.salts.load(Ordering::SeqCst), 2 * round);
        assert_eq!((pool.busy_threads(), pool.depth()), (0, 0));
    }
}

#[test]
fn a_panic_is_an_error_and_the_thread_lives_on() {
    struct Panics(AtomicUsize);
    impl Entropy for Panics {
        fn fill(&self, buffer: &mut [u8]) {
            // Twice for the decoy, then once for a hash.
            assert_ne!(self.0.fetch_add(1, Ordering::SeqCst), 2, "no chance left");
            buffer.fill(7);
        }
    }
    let pool = weak().entropy(Arc::new(Panics(AtomicUsize::new(0)))).build().unwrap();
    let password = Secret::new("right");
    assert!(matches!(block_on(pool.hash(&password)), Err(HashError::Failed(_))));
    assert!(block_on(pool.hash(&password)).is_ok());
    assert_eq!(pool.busy_threads(), 0);
}

#[test]
fn shutting_down_finishes_what_was_begun_and_sends_the_rest_away() {
    let (pool, gate) = gated(8);
    let password = Secret::new("right");
    let (running, _) = ask(&pool, &password);
    gate.entered.recv().unwrap();
    let (queued, _) = ask(&pool, &password);
    std::thread::scope(|scope| {
        let closing = scope.spawn(|| pool.shutdown());
        // The queue is closed first, which answers the one who waits.
        assert!(matches!(block_on(queued), Err(HashError::Busy { .. })));
        gate.pass.send(()).unwrap();
        closing.join().unwrap();
    });
    assert!(block_on(running).is_ok());
    assert!(matches!(block_on(pool.hash(&password)), Err(HashError::Busy { .. })));
}

#[test]
fn atk_a003_every_refusal_is_held_back_to_the_same_instant() {
    let clock = Arc::new(ManualClock::default());
    let pool = weak().clock(clock.clone()).build().unwrap();
    pool.set_floor(Duration::from_millis(900));
    let current = block_on(pool.hash(&Secret::new("right"))).unwrap();
    let stored = [
        None,
        Some(current),
        Some(PasswordHash::unusable()),
        Some(PasswordHash::from_stored("")),
        Some(PasswordHash::from_stored("no hash at all")),
        Some(PasswordHash::from_stored("5f4dcc3b5aa765d61d8327deb882cf99")),
        Some(PasswordHash::from_stored("pbkdf2_sha256$24000$salt$c2Vhc2FsdHNlYXNhbHQ=")),
    ];
    let wrong = |password: &str, stored: &Option<PasswordHash>| -> Verification {
        let found = block_on(pool.verify(&Secret::new(password), stored.as_ref())).unwrap();
        assert!(!found.matches && !found.outdated);
        found
    };
    let begun: Timestamp = clock.now();
    for stored in &stored {
        assert_eq!(wrong("wrong", stored).not_before, begun.plus(Duration::from_millis(900)));
        // A password in two forms may be tried twice; how long that takes depends on it alone.
        let twice = begun.plus(Duration::from_millis(1800));
        assert_eq!(wrong("a\u{308}", stored).not_before, twice);
    }
    pool.set_floor(Duration::from_mins(1));
    for password in ["wrong", "a\u{308}"] {
        let cap = begun.plus(Duration::from_secs(2));
        assert_eq!(wrong(password, &None).not_before, cap, "{password}");
    }
}

#[test]
fn atk_a003_the_floor_rises_to_the_dearest_hash_in_the_store() {
    let dear = "pbkdf2_sha256$1000000$a8GAF0wAwaIINYNvDMbZoOl$OmlaUz3WMyged4foeAZdbVHtrMcaiTXnJHMz1\
                AmYKFo=";
    let samples: Vec<_> = [dear, "!", "gibberish", "5f4dcc3b5aa765d61d8327deb882cf99", dear]
        .map(PasswordHash::from_stored)
        .into();
    let pool = weak().build().unwrap();
    assert!(pool.floor() < Duration::from_millis(1), "{:?}", pool.floor());
    // No machine does a million rounds of HMAC in ten milliseconds.
    let floor = block_on(pool.calibrate(&samples)).unwrap();
    assert!(floor > Duration::from_millis(10), "{floor:?}");
    assert!(pool.floor() >= floor.min(Duration::from_secs(2)));
    // Learned in passing as well, when nobody calibrated.
    let pool = weak().build().unwrap();
    let dear = PasswordHash::from_stored(dear);
    block_on(pool.verify(&Secret::new("wrong"), Some(&dear))).unwrap();
    assert!(pool.floor() > Duration::from_millis(10), "{:?}", pool.floor());
}

#[test]
fn atk_a028_the_pool_is_not_built_over_hashes_of_another_pepper() {
    let pepper = |byte: u8| Some(Secret::new(vec![byte; 32]));
    let peppered = weak().pepper(pepper(1)).build().unwrap();
    let stored = block_on(peppered.hash(&Secret::new("right"))).unwrap();
    let plain = block_on(weak().build().unwrap().hash(&Secret::new("right"))).unwrap();
    for (now, may_start) in [(pepper(1), true), (pepper(2), false), (None, false)] {
        let built = weak().pepper(now).check_against(vec![plain.clone(), stored.clone()]).build();
        match built {
            Ok(_) => assert!(may_start),
            Err(error) => {
                assert!(!may_start && matches!(error, PoolError::OtherPepper));
                assert!(error.to_string().starts_with("password.pepper: "));
            }
        }
    }
    // Hashes from before there was a pepper are no obstacle.
    assert!(weak().pepper(pepper(1)).check_against(vec![plain]).build().is_ok());
    let found = block_on(weak().build().unwrap().verify(&Secret::new("wrong"), Some(&stored)));
    assert!(matches!(found, Err(HashError::Failed(_))), "{found:?}");
}

#[test]
fn atk_a014_the_pool_refuses_4097_bytes_before_the_queue() {
    let (pool, gate) = gated(1);
    let long = Secret::new(vec![b'x'; 4097]);
    let stored = PasswordHash::unusable();
    for found in [
        block_on(pool.verify(&long, None)).map(|_| ()),
        block_on(pool.verify(&long, Some(&stored))).map(|_| ()),
        block_on(pool.hash(&long)).map(|_| ()),
    ] {
        assert!(matches!(found, Err(HashError::TooLong { max: 4096 })));
    }
    assert_eq!(gate.salts.load(Ordering::SeqCst), 0);
}

#[test]
fn seed_cn_16_an_imported_hash_is_outdated_at_login_and_its_successor_is_not() {
    let pool = weak().build().unwrap();
    let password = Secret::new("pässwörd 🔬 1");
    let vectors = include_str!("data/django-5.2.tsv").lines().filter(|line| !line.starts_with('#'));
    let mut imported = 0;
    for line in vectors.filter(|line| line.ends_with("pässwörd 🔬 1")) {
        let stored = PasswordHash::from_stored(line.split('\t').nth(1).unwrap());
        let found = block_on(pool.verify(&password, Some(&stored))).unwrap();
        assert!(found.matches && found.outdated, "{line}");
        imported += 1;
    }
    assert!(imported > 25, "{imported}");
    let successor = block_on(pool.hash(&password)).unwrap();
    let found = block_on(pool.verify(&password, Some(&successor))).unwrap();
    assert!(found.matches && !found.outdated);
}

#[test]
fn settings_out_of_range_name_their_key() {
    let short = weak().pepper(Some(Secret::new("short")));
    for (builder, key) in [
        (weak().threads(0), "password.hash_threads"),
        (weak().queue(0), "password.hash_queue"),
        (weak().scheme(Scheme::Bcrypt { cost: 9 }), "password.scheme"),
        (weak().scheme(Scheme::Argon2id { memory_kib: 1024, passes: 1 }), "password.scheme"),
        (short, "password.pepper"),
    ] {
        let error = builder.build().expect_err(key).to_string();
        assert!(error.starts_with(key), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_threads_yield_to_all_others() {
    let pool = weak().nice(7).build().unwrap();
    // The priority is set before the first work.
    block_on(pool.hash(&Secret::new("right"))).unwrap();
    let priorities: Vec<i32> = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("stat")).ok())
        .filter(|stat| stat.contains("(vestibule-hash"))
        // Behind the name in brackets, nice is the seventeenth field.
        .map(|stat| stat.rsplit(')').next().unwrap().split_whitespace().nth(16).unwrap().parse())
        .collect::<Result<_, _>>()
        .unwrap();
    // Other tests in this process have pools of their own, at the default of ten.
    assert!(priorities.contains(&7), "{priorities:?}");
    assert!(!format!("{pool:?}").is_empty());
}
