//! moka, which would also forget sessions by itself.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkGroup, measurement::WallTime};
use vestibule_core::TokenDigest;

use super::{Tokens, known};

pub(super) fn moka(group: &mut BenchmarkGroup<'_, WallTime>, tokens: &mut Tokens) {
    let cache = moka::sync::Cache::builder()
        .max_capacity(1_000_000)
        .time_to_live(Duration::from_hours(24))
        .build();
    for token in &tokens.all {
        cache.insert(TokenDigest::of(token.as_bytes()), known());
    }
    group.bench_function("SHA-256 and moka with a time to live", |bencher| {
        bencher.iter(|| {
            let digest = TokenDigest::of(black_box(tokens.next()));
            cache.get(&digest)
        });
    });
}
