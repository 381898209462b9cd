//! Many at once, and those who do not wait.

use std::time::{Duration, Instant};

use vestibule_core::ports::backend::Verdict;

use super::bench::{Bench, Way, expect_fault, expect_no_entry, no_entry, word};
use crate::runner::Guarded;

pub(super) async fn run(bench: &mut Bench<'_>) {
    bench.mend();
    let found = two_hundred(bench).await;
    bench.note("crowds: two hundred at once are each answered about themselves", found);
    let found = those_who_hang_up(bench).await;
    bench.note("crowds: whoever hangs up disturbs nobody", found);
    if bench.peer.hangs() {
        let found = those_who_give_up_a_silent_service(bench).await;
        bench.note("crowds: a question that is given up half-way gives its place back", found);
        bench.peer.hangs();
        let found = two_hundred_in_vain(bench).await;
        bench.note("crowds: two hundred at once at a silent service are told so in time", found);
    } else {
        bench.leave_out("crowds: a silent service", "what it asks cannot be made silent");
    }
    bench.mend();
}

async fn two_hundred(bench: &Bench<'_>) -> Result<(), String> {
    let fixture = bench.fixture;
    let guarded = bench.guarded();
    let asks = (0..200).map(|number| {
        let guarded = &guarded;
        async move {
            let (kind, password) = (number % 4, fixture.right.1.as_str());
            let verdict = match kind {
                0 => bench.log_in_at(guarded, &fixture.right.0, password).await,
                1 => bench.log_in_at(guarded, &fixture.other.0, &fixture.other.1).await,
                2 => bench.mixed_up_at(guarded).await,
                _ => bench.log_in_at(guarded, &fixture.unknown, password).await,
            };
            (kind, verdict)
        }
    });
    for (kind, verdict) in futures_util::future::join_all(asks).await {
        match (&verdict, kind) {
            (Verdict::Verified(person), 0) if person.subject.as_str() == fixture.subject => {}
            (Verdict::Verified(person), 1) if person.subject.as_str() != fixture.subject => {}
            (Verdict::Verified(_), _) => return Err("somebody was taken for another".to_owned()),
            (_, 2 | 3) if bench.way == Way::Password => expect_no_entry(&verdict)?,
            (_, 2 | 3) => no_entry(&verdict)?,
            (other, _) => return Err(format!("somebody who is known is answered {}", word(other))),
        }
    }
    Ok(())
}

async fn those_who_hang_up(bench: &Bench<'_>) -> Result<(), String> {
    let (name, password) = &bench.fixture.right;
    let guarded = bench.guarded();
    for micros in [0, 100, 1000, 5000] {
        let asks = (0..20).map(|_| {
            let asked = bench.log_in_at(&guarded, name, password);
            tokio::time::timeout(Duration::from_micros(micros), asked)
        });
        futures_util::future::join_all(asks).await;
    }
    still_works(bench, &guarded).await
}

/// More than may be under way at once, each while its question is.
async fn those_who_give_up_a_silent_service(bench: &Bench<'_>) -> Result<(), String> {
    let (name, password) = &bench.fixture.right;
    let guarded = bench.guarded();
    for _ in 0..4 {
        let asks = (0..20).map(|_| {
            let asked = bench.log_in_at(&guarded, name, password);
            tokio::time::timeout(Duration::from_millis(20), asked)
        });
        futures_util::future::join_all(asks).await;
    }
    bench.mend();
    still_works(bench, &guarded).await
}

async fn two_hundred_in_vain(bench: &Bench<'_>) -> Result<(), String> {
    let (name, password) = &bench.fixture.right;
    let guarded = bench.guarded();
    let began = Instant::now();
    let asks = (0..200).map(|_| bench.log_in_at(&guarded, name, password));
    for verdict in futures_util::future::join_all(asks).await {
        expect_fault(&verdict)?;
    }
    let took = began.elapsed();
    if took > bench.extras.patience * 2 + Duration::from_secs(1) {
        return Err(format!("it took {took:?}"));
    }
    Ok(())
}

async fn still_works(bench: &Bench<'_>, guarded: &Guarded) -> Result<(), String> {
    let (name, password) = &bench.fixture.right;
    match bench.log_in_at(guarded, name, password).await {
        Verdict::Verified(_) => Ok(()),
        other => Err(format!("afterwards it answers {}", word(&other))),
    }
}
