//! What one verification costs, for each scheme that a login may meet.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to show")]

use criterion::{Criterion, criterion_group, criterion_main};
use vestibule_auth::hashing::{Scheme, hash_blocking, verify_blocking};
use vestibule_core::{Secret, SystemEntropy, ports::hasher::PasswordHash};

const PASSWORD: &str = "drawn-otter-lamp-27";

/// Made by Django 5.2 and by the C library from [`PASSWORD`].
const FROM_ELSEWHERE: &[(&str, &str)] = &[
    (
        "Django PBKDF2-SHA256, 1,000,000 rounds",
        "pbkdf2_sha256$1000000$Rdddvj7KoC00eiaz0RfRhs$XtJK5rqkBYQs7hyKghJgranQuo9JJ/7j9KS2jhbufNc=",
    ),
    (
        "Django PBKDF2-SHA1, 1,000,000 rounds",
        "pbkdf2_sha1$1000000$vP8xvcsqoGVdr8z9HPYaTr$Q6O0mvbHX5FtO/jeydwktApuZC8=",
    ),
    (
        "Django Argon2id, 100 MiB, 2 passes, 8 lanes",
        "argon2$argon2id$v=19$m=102400,t=2,p=8$dHdmUEI4YzRWNmY4VVZJOENwdFdJNw$TVjlfU98gRIf9NdTQBDQ1pyx2iJtHuCFngl37Uq+u2M",
    ),
    (
        "Django bcrypt over SHA-256, cost 12",
        "bcrypt_sha256$$2b$12$jaSQAKMbX/KxxZTgT2fQw.IPDSVPrrbNAdZR1uTd7TfERxeNfUUKG",
    ),
    (
        "Django bcrypt, cost 12",
        "bcrypt$$2b$12$64NRb6pgNcs52sdaO5ZpuuSIjHQU0LOgxJBw02JzMUwGy6qq5nMhm",
    ),
    (
        "Django scrypt, N = 16384, r = 8, p = 5",
        "scrypt$16384$EgfbGbvfy8Xv0fgE6yJOpk$8$5$ujRJe0vHN9aqeCxPUjYIsn3YFeMhkvGfwwxEs0wOxhBkLHbJw9QtDNsdjxJRfyx6pYiFunLz63coThwzv/1GrA==",
    ),
    ("Django salted MD5", "md5$4viQVErOCheTbB6g0EeAxt$dfe89284ce6815852eeb04ea22a499b8"),
    (
        "SHA-512 crypt, 5,000 rounds",
        "$6$jMYUEJilOwLVacSB$HQB6SffLxIYC5wu0gsgYDzp39wHaFeA0wuybkq.jtDCsKEWNBmTvvv0Ngv.vLP9uWklEzTIFNFtXnoOr.uchc1",
    ),
];

fn verify(criterion: &mut Criterion) {
    let password = Secret::new(PASSWORD);
    let ours = |scheme| {
        hash_blocking(scheme, &password, None, &SystemEntropy).expect("a password that is hashed")
    };
    let own = [
        ("Argon2id, 19 MiB, 2 passes", ours(Scheme::default())),
        ("bcrypt, cost 10", ours(Scheme::Bcrypt { cost: 10 })),
        ("bcrypt, cost 12", ours(Scheme::BCRYPT)),
    ];
    let elsewhere =
        FROM_ELSEWHERE.iter().map(|(name, text)| (*name, PasswordHash::from_stored(*text)));
    let mut group = criterion.benchmark_group("verify");
    group.sample_size(10);
    for (name, stored) in own.into_iter().chain(elsewhere) {
        let matches = verify_blocking(&password, &stored, None);
        assert!(matches.expect("a hash that is read"), "{name}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| verify_blocking(&password, &stored, None));
        });
    }
    group.finish();
}

criterion_group!(benches, verify);
criterion_main!(benches);
