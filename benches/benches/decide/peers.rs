//! casbin with as many policies, made to groups that lie five deep.

use std::hint::black_box;

use casbin::{CachedEnforcer, CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi};
use criterion::{BenchmarkId, Criterion};
use futures_executor::block_on;
use vestibule_benches::world::LEVELS;

/// The object first: a mismatch is found without walking the groups, which is casbin's quickest.
const MODEL: &str = "
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && r.obj == p.obj && g(r.sub, p.sub)
";

/// The policies for this many grants: the last is the one that is asked about.
fn policies(grants: usize) -> Vec<Vec<String>> {
    let policy = |number: usize| {
        vec![
            format!("level{}", number % LEVELS),
            format!("calc{number}"),
            format!("act{}", number % 1000),
        ]
    };
    (0..grants).map(policy).collect()
}

fn groups() -> Vec<Vec<String>> {
    let mut pairs = vec![vec!["ada".to_owned(), "level0".to_owned()]];
    for level in 1..LEVELS {
        pairs.push(vec![format!("level{}", level - 1), format!("level{level}")]);
    }
    pairs
}

pub(super) fn bench(criterion: &mut Criterion, sizes: &[usize]) {
    let mut group = criterion.benchmark_group("casbin");
    group.sample_size(10);
    for grants in sizes {
        let last = grants - 1;
        let question = ("ada", format!("calc{last}"), format!("act{}", last % 1000));
        let enforcer = block_on(async {
            let model = DefaultModel::from_str(MODEL).await?;
            let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await?;
            enforcer.add_policies(policies(*grants)).await?;
            enforcer.add_grouping_policies(groups()).await?;
            Ok::<_, casbin::Error>(enforcer)
        })
        .expect("a model that casbin reads");
        assert!(enforcer.enforce(question.clone()).expect("an answer"));
        group.bench_function(BenchmarkId::new("uncached", grants), |bencher| {
            bencher.iter(|| enforcer.enforce(black_box(question.clone())));
        });
    }
    let grants = 1000;
    let question = ("ada", format!("calc{}", grants - 1), format!("act{}", grants - 1));
    let cached = block_on(async {
        let model = DefaultModel::from_str(MODEL).await?;
        let mut enforcer = CachedEnforcer::new(model, MemoryAdapter::default()).await?;
        enforcer.add_policies(policies(grants)).await?;
        enforcer.add_grouping_policies(groups()).await?;
        Ok::<_, casbin::Error>(enforcer)
    })
    .expect("a model that casbin reads");
    assert!(cached.enforce(question.clone()).expect("an answer"));
    group.bench_function(BenchmarkId::new("cached, hit", grants), |bencher| {
        bencher.iter(|| cached.enforce(black_box(question.clone())));
    });
    group.finish();
}
