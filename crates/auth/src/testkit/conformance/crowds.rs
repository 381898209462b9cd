//! Many at once, and those who do not wait.

use std::time::{Duration, Instant};

use vestibule_core::ports::backend::Verdict;

use super::{Bench, expect_no_entry, word};

pub(super) async fn run(bench: &mut Bench<'_>) {
    bench.mend();
    let found = two_hundred(bench).await;
    bench.note("crowds: two hundred at once are each answered about themselves", found);
    let found = those_who_hang_up(bench).await;
    bench.note("crowds: whoever hangs up disturbs nobody", found);
    let found = timing(bench).await;
    bench.note("crowds: a name that nobody has takes as long as a wrong password", found);
}

async fn two_hundred(bench: &Bench<'_>) -> Result<(), String> {
    let fixture = bench.fixture;
    let guarded = bench.guarded();
    let asks = (0..200).map(|number| {
        let (name, password) = match number % 4 {
            0 => (&fixture.right.0, &fixture.right.1),
            1 => (&fixture.other.0, &fixture.other.1),
            2 => (&fixture.right.0, &fixture.other.1),
            _ => (&fixture.unknown, &fixture.right.1),
        };
        let (host, guarded) = (&bench.host, &guarded);
        async move { (number % 4, host.log_in(guarded, name, password).await) }
    });
    for (kind, verdict) in futures_util::future::join_all(asks).await {
        match (&verdict, kind) {
            (Verdict::Verified(person), 0) if person.subject.as_str() == fixture.subject => {}
            (Verdict::Verified(person), 1) if person.subject.as_str() != fixture.subject => {}
            (Verdict::Verified(_), _) => return Err("somebody was taken for another".to_owned()),
            (_, 2 | 3) => expect_no_entry(&verdict)?,
            (other, _) => return Err(format!("a right password is answered {}", word(other))),
        }
    }
    Ok(())
}

async fn those_who_hang_up(bench: &Bench<'_>) -> Result<(), String> {
    let (name, password) = &bench.fixture.right;
    for micros in [0, 100, 1000, 5000] {
        let asks = (0..20).map(|_| {
            tokio::time::timeout(Duration::from_micros(micros), bench.log_in(name, password))
        });
        futures_util::future::join_all(asks).await;
    }
    match bench.log_in(name, password).await {
        Verdict::Verified(_) => Ok(()),
        other => Err(format!("afterwards it answers {}", word(&other))),
    }
}

/// On one machine, against a service that takes no time: what is left is the backend's own.
async fn timing(bench: &Bench<'_>) -> Result<(), String> {
    let fixture = bench.fixture;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..31 {
        for (name, times) in [(&fixture.right.0, &mut known), (&fixture.unknown, &mut unknown)] {
            let began = Instant::now();
            bench.log_in(name, "surely not the password").await;
            times.push(began.elapsed());
        }
    }
    known.sort();
    unknown.sort();
    let (known, unknown) = (known[15], unknown[15]);
    let slack = Duration::from_millis(2);
    if known > unknown * 2 + slack || unknown > known * 2 + slack {
        return Err(format!("a wrong password takes {known:?}, an unknown name {unknown:?}"));
    }
    Ok(())
}
