//! What it answers while its service fails.

use std::time::{Duration, Instant};

use vestibule_core::ports::backend::Verdict;

use super::{Bench, expect_fault, word};

pub(super) async fn run(bench: &mut Bench<'_>) {
    let (name, password) = bench.fixture.right.clone();
    for what in bench.peer.failures() {
        bench.peer.fails(&what);
        let began = Instant::now();
        let verdict = bench.log_in(&name, &password).await;
        let took = began.elapsed();
        let found =
            expect_fault(&verdict).and_then(|fault| bench.leak(&format!("{fault:?} {fault}")));
        bench.note(format!("outages: {what}"), found);
        if took > bench.extras.patience + Duration::from_secs(1) {
            bench.note(format!("outages: {what}, in time"), Err(format!("it took {took:?}")));
        }
        entitlement(bench, &what).await;
    }
    probe(bench).await;
    let verdict = bench.log_in(&name, &password).await;
    let found = match &verdict {
        Verdict::Verified(_) => Ok(()),
        other => Err(format!("it answers {}", word(other))),
    };
    bench.note("outages: once they are over, all is as before", found);
}

/// While the service is away, and after that; leaves it working.
async fn probe(bench: &mut Bench<'_>) {
    bench.away();
    if let Some(probe) = bench.backend.probe() {
        let looked = probe.look().await;
        let found = match looked {
            Ok(_) => Err("it says that all is well".to_owned()),
            Err(fault) => bench.leak(&format!("{fault:?} {fault}")),
        };
        bench.note("outages: its probe notices", found);
    }
    bench.mend();
    bench.fixture.service.asked();
    if let Some(probe) = bench.backend.probe() {
        let looked = probe.look().await;
        let found = looked.map_err(|fault| fault.to_string()).and_then(|said| bench.leak(&said));
        bench.note("outages: its probe notices the end", found);
        let sent: Vec<_> = bench.fixture.service.asked();
        let tries = sent.iter().any(|asked| asked.body.contains(&bench.fixture.right.1));
        let wrong = "it tries somebody's password: whoever is probed often is locked out";
        bench.note(
            "outages: its probe takes no password",
            if tries { Err(wrong.to_owned()) } else { Ok(()) },
        );
    }
}

async fn entitlement(bench: &mut Bench<'_>, what: &str) {
    if bench.backend.entitlement().is_none() {
        return;
    }
    let verdict = bench.entitle(&bench.fixture.right.0).await;
    let found = expect_fault(&verdict).and_then(|fault| bench.leak(&format!("{fault:?} {fault}")));
    bench.note(format!("outages: {what}, asked whether somebody may come in"), found);
}
