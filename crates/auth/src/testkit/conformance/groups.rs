//! The groups that it tells, as they come and go at its service.

use std::collections::BTreeSet;

use vestibule_core::ports::backend::{Groups, Verdict};

use super::{
    Found,
    bench::{Bench, word},
};

pub(super) async fn run(bench: &mut Bench<'_>) {
    let Some(tell) = &bench.extras.tell_groups else {
        return bench.leave_out("groups", "the fixture's service tells none");
    };
    bench.mend();
    let steps: [(&str, &[&str]); 5] = [
        ("groups: all that the service tells are told", &["alpha", "beta"]),
        ("groups: one that was added is told at the next login", &["alpha", "beta", "gamma"]),
        ("groups: one that was removed is told no more", &["beta", "gamma"]),
        ("groups: who is in none is in none", &[]),
        ("groups: and comes back", &["alpha"]),
    ];
    for (case, groups) in steps {
        tell(Some(groups));
        let found = told(bench).await.and_then(|told| known(&told, groups));
        bench.note(case, found);
    }
    if tell(None) {
        let found = unknown(bench).await;
        bench.note("groups: what it cannot find out takes nobody out of anything", found);
    } else {
        let why = "the fixture's service always says which there are";
        bench.leave_out("groups: what it cannot find out", why);
    }
    tell(Some(&["alpha", "beta"]));
    let found = match told(bench).await {
        Ok(told) => known(&told, &["alpha", "beta"]),
        Err(wrong) => Err(wrong),
    };
    bench.note("groups: once it can be found out again, it is told", found);
    let found = of_the_other(bench).await;
    bench.note("groups: nobody has another person's", found);
}

async fn told(bench: &Bench<'_>) -> Result<Groups, String> {
    let (name, password) = &bench.fixture.right;
    match bench.log_in(name, password).await {
        Verdict::Verified(person) => Ok(person.groups.clone()),
        other => Err(format!("it answers {}", word(&other))),
    }
}

fn known(told: &Groups, expected: &[&str]) -> Found {
    let Groups::Known(names) = told else {
        return Err(format!("the groups are {told:?} and not all that the service tells"));
    };
    let (names, expected): (BTreeSet<&str>, BTreeSet<&str>) =
        (names.iter().map(String::as_str).collect(), expected.iter().copied().collect());
    if names == expected {
        return Ok(());
    }
    let more: Vec<_> = names.difference(&expected).collect();
    let missing: Vec<_> = expected.difference(&names).collect();
    Err(format!("too many: {more:?}; missing: {missing:?}"))
}

async fn unknown(bench: &Bench<'_>) -> Found {
    let (name, password) = &bench.fixture.right;
    match bench.log_in(name, password).await {
        Verdict::Verified(person) => match &person.groups {
            Groups::Unknown | Groups::Unchanged => Ok(()),
            Groups::Known(_) => Err(
                "it says which groups there are where it does not know: that takes people out of \
                 their groups; answer `Groups::Unknown`"
                    .to_owned(),
            ),
        },
        // Whoever may come in by a group alone cannot be judged.
        Verdict::Fault(_) => Ok(()),
        other => Err(format!("it answers {} where it could not know", word(&other))),
    }
}

async fn of_the_other(bench: &Bench<'_>) -> Found {
    let (name, password) = &bench.fixture.other;
    match bench.log_in(name, password).await {
        Verdict::Verified(person) => match &person.groups {
            Groups::Known(names) if names.iter().any(|name| name == "alpha" || name == "beta") => {
                Err("the other person has the first one's groups".to_owned())
            }
            _ => Ok(()),
        },
        other => Err(format!("it answers {}", word(&other))),
    }
}
