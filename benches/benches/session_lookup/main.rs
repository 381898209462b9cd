//! From the token in a cookie to its session while it is remembered, beside the maps that one
//! would otherwise take (moka with `--features peers`).

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to show")]

use std::{
    collections::HashMap,
    hint::black_box,
    sync::{Arc, RwLock},
};

use criterion::{
    BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime,
};
use dashmap::DashMap;
use futures_executor::block_on;
use vestibule_benches::memory::{Remembering, fill};
use vestibule_core::{SystemClock, TokenDigest};

#[cfg(feature = "peers")]
mod peers;

const SESSIONS: usize = 100_000;
const USERS: usize = 10_000;

/// What the other maps hold in a session's place.
#[derive(Debug)]
struct Known {
    user: [u8; 16],
    permissions: [u64; 16],
}

/// Tokens in an order in which none is near the one before, as they come in.
struct Tokens {
    all: Vec<String>,
    at: usize,
}

impl Tokens {
    fn next(&mut self) -> &[u8] {
        // A prime far from any power of two.
        self.at = (self.at + 48_611) % self.all.len();
        self.all[self.at].as_bytes()
    }
}

fn session_lookup(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    fill(directory.path(), USERS, SESSIONS, 1000).expect("a site with its sessions");
    let site = Remembering::open(directory.path()).expect("a site with its sessions");
    block_on(site.remember_all()).expect("sessions that are open");
    assert_eq!(site.principals.remembered(), SESSIONS);
    // Time stands still from here on, or what is remembered would have to be confirmed.
    block_on(site.principals.sync(&SystemClock)).expect("a store that answers");
    let now = site.now();
    let mut tokens = Tokens { all: site.tokens.clone(), at: 0 };

    let mut group = criterion.benchmark_group("token to session");
    group.bench_function("Principals::recall", |bencher| {
        bencher.iter(|| {
            let digest = TokenDigest::of(black_box(tokens.next()));
            let found = site.principals.recall(&digest, now);
            debug_assert!(found.is_some());
            found
        });
    });
    let digest = TokenDigest::of(tokens.next());
    assert!(site.principals.recall(&digest, now).is_some());
    group.bench_function("SHA-256 alone", |bencher| {
        bencher.iter(|| TokenDigest::of(black_box(tokens.next())));
    });
    std_maps(&mut group, &mut tokens);
    #[cfg(feature = "peers")]
    peers::moka(&mut group, &mut tokens);
    group.finish();
}

fn known() -> Arc<Known> {
    Arc::new(Known { user: [7; 16], permissions: [u64::MAX; 16] })
}

fn std_maps(group: &mut BenchmarkGroup<'_, WallTime>, tokens: &mut Tokens) {
    let keys = || tokens.all.iter().map(|token| TokenDigest::of(token.as_bytes()));
    let dash: DashMap<TokenDigest, Arc<Known>> = keys().map(|key| (key, known())).collect();
    let plain: HashMap<TokenDigest, Arc<Known>> = keys().map(|key| (key, known())).collect();
    group.bench_function("SHA-256 and DashMap", |bencher| {
        bencher.iter(|| {
            let digest = TokenDigest::of(black_box(tokens.next()));
            dash.get(&digest).map(|found| Arc::clone(&found))
        });
    });
    let locked = RwLock::new(plain);
    group.bench_function("SHA-256 and RwLock<HashMap>", |bencher| {
        bencher.iter(|| {
            let digest = TokenDigest::of(black_box(tokens.next()));
            let map = locked.read().expect("a lock that nobody poisoned");
            map.get(&digest).cloned()
        });
    });
    let some = locked.into_inner().expect("a lock that nobody poisoned");
    let first = some.values().next().expect("a session");
    assert!(first.user[0] == 7 && first.permissions[0] == u64::MAX);
}

criterion_group!(benches, session_lookup);
criterion_main!(benches);
