//! What a decision costs: the whole one with its reason, and the remembered one of the warm path,
//! beside a bare bit set and casbin (with `--features peers`).

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to show")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use futures_executor::block_on;
use vestibule_benches::{
    memory::{Remembering, fill},
    world,
};
use vestibule_core::{
    OpCx, Timestamp,
    domain::{
        grant::{Grant, Scope, Subject},
        group::Group,
        object::{ObjectPrefix, ObjectRef},
        permission::Permission,
    },
    policy::{
        bits::Bits,
        catalogue::Catalogue,
        decide::{Question, decide},
        facts::Facts,
    },
};

#[cfg(feature = "peers")]
mod peers;

/// How many grants reach the user, directly or through groups.
const GRANTS: [usize; 3] = [10, 1_000, 100_000];
/// How many permissions there are.
const PERMISSIONS: usize = 1000;

fn code(number: usize) -> String {
    format!("bench.act{}", number % PERMISSIONS)
}

/// The id of the object that the grant with this number is about.
fn object(number: usize) -> ObjectRef {
    let path = format!("/base{}/t{number}", number % 97);
    ObjectRef::from_stored("calc".to_owned(), path)
}

/// A user who is in the innermost of five groups, with grants to the user and to all five: a third
/// of them whole, a third on one object, a third below a path.
fn facts(grants: usize, cx: &OpCx) -> (Facts, Catalogue) {
    let user = world::user(0, cx);
    let (groups, nestings) = world::nested_groups(cx);
    let permissions: Vec<Permission> =
        (0..PERMISSIONS).map(|number| world::permission(&code(number), cx)).collect();
    let catalogue = Catalogue::new(permissions, Vec::new(), &nestings);
    let inner = groups.first().map(|group: &Group| group.id);
    let memberships: Vec<_> =
        inner.map(|group| world::membership(group, user.id, cx)).into_iter().collect();
    let subjects: Vec<Subject> = [Subject::User(user.id)]
        .into_iter()
        .chain(groups.iter().map(|group| Subject::Group(group.id)))
        .collect();
    let grants: Vec<Grant> = (0..grants)
        .map(|number| {
            let scope = match number % 3 {
                0 => Scope::Whole,
                1 => Scope::Object(object(number)),
                _ => Scope::Prefix(ObjectPrefix {
                    kind: object(number).kind,
                    path: format!("{}/", object(number).id).into(),
                }),
            };
            let subject = subjects[number % subjects.len()];
            world::grant(subject, &code(number), scope, cx)
        })
        .collect();
    let facts = Facts::new(user, &memberships, &groups, grants, &catalogue, cx.now());
    (facts, catalogue)
}

fn ask(
    facts: &Facts,
    catalogue: &Catalogue,
    permission: &str,
    object: Option<&ObjectRef>,
    now: Timestamp,
) -> bool {
    let question =
        Question { permission: black_box(permission), object: black_box(object), known: None };
    decide(facts, catalogue, question, now).allowed
}

fn whole_decision(criterion: &mut Criterion) {
    let cx = world::cx();
    let now = cx.now();
    let mut group = criterion.benchmark_group("decide");
    for grants in GRANTS {
        let (facts, catalogue) = facts(grants, &cx);
        // The last of each kind, so that a walk through all of them would show.
        let last = grants - 1;
        let number_of = |kind: usize| last - (last + 3 - kind) % 3;
        let (whole, single, below) = (number_of(0), number_of(1), number_of(2));
        let leaf = ObjectRef::from_stored("calc".to_owned(), format!("{}/run/1", object(below).id));
        let elsewhere = ObjectRef::from_stored("calc".to_owned(), "/other/t1/run/1".to_owned());
        let deep = code(below);
        // Wholly granted permissions would answer for their objects too.
        let questions = [
            ("whole", code(whole), None, true),
            ("object", code(single), Some(object(single)), true),
            ("prefix", deep.clone(), Some(leaf), true),
            ("unknown", "bench.unheard".to_owned(), Some(elsewhere), false),
        ];
        for (name, permission, object, expected) in &questions {
            let allowed = ask(&facts, &catalogue, permission, object.as_ref(), now);
            assert_eq!(allowed, *expected, "{name} among {grants}");
            group.bench_function(BenchmarkId::new(*name, grants), |bencher| {
                bencher.iter(|| ask(&facts, &catalogue, permission, object.as_ref(), now));
            });
        }
    }
    group.finish();
}

/// With the session at hand: what [`CurrentUser::has`] does, beside the least it could be.
///
/// [`CurrentUser::has`]: https://docs.rs/vestibule-server
fn remembered_decision(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    fill(directory.path(), 10, 10, PERMISSIONS).expect("a site with ten sessions");
    let site = Remembering::open(directory.path()).expect("a site with ten sessions");
    let session =
        block_on(site.recognise(0)).expect("a store that answers").expect("a session that is open");
    let held = world::PERMISSION;
    assert!(session.principal.has(held) && !session.principal.has("bench.other7"));
    let mut group = criterion.benchmark_group("session at hand");
    group.bench_function("held", |bencher| {
        bencher.iter(|| session.principal.has(black_box(held)));
    });
    group.bench_function("not held", |bencher| {
        bencher.iter(|| session.principal.has(black_box("bench.other7")));
    });
    let bits = Bits::collect(PERMISSIONS, |number| number % 3 == 0);
    group.bench_function("bare bit set, number known", |bencher| {
        bencher.iter(|| bits.contains(black_box(999)));
    });
    group.finish();
}

#[cfg(feature = "peers")]
fn beside(criterion: &mut Criterion) {
    peers::bench(criterion, &GRANTS);
}

#[cfg(not(feature = "peers"))]
fn beside(_: &mut Criterion) {}

criterion_group!(benches, whole_decision, remembered_decision, beside);
criterion_main!(benches);
