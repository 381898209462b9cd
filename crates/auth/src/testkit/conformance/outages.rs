//! What it answers while its service fails.

use std::time::{Duration, Instant};

use vestibule_core::ports::backend::{Groups, Verdict};

use super::{
    Found, OverHttp,
    bench::{Bench, expect_fault, word},
};

pub(super) async fn run(bench: &mut Bench<'_>) {
    let failures = bench.peer.failures();
    if failures.is_empty() {
        return bench.leave_out("outages", "it asks nobody");
    }
    let (name, password) = bench.fixture.right.clone();
    // What it needs to send somebody elsewhere it knows before it fails.
    bench.mend();
    bench.log_in(&name, &password).await;
    for what in failures {
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
    }
    if let Some(service) = bench.service {
        half_way(bench, service).await;
    }
    bench.mend();
    let verdict = bench.log_in(&name, &password).await;
    let found = match &verdict {
        Verdict::Verified(_) => Ok(()),
        other => Err(format!("it answers {}", word(other))),
    };
    bench.note("outages: once they are over, all is as before", found);
}

/// Where several questions make one answer: each of them in turn goes wrong, at a backend that
/// knows nothing yet.
async fn half_way(bench: &mut Bench<'_>, service: &OverHttp<'_>) {
    bench.mend();
    bench.fixture.service.asked();
    let questions = match through(bench).await {
        Ok(_) => bench.fixture.service.asked().len(),
        Err(wrong) => return bench.note("outages: half-way", Err(wrong)),
    };
    if questions < 2 {
        return bench.leave_out("outages: half-way", "it asks a single question");
    }
    for what in bench.peer.failures() {
        let mut found = Ok(());
        for before in 0..questions {
            service.fails_after(before, &what);
            let wrong = through(bench).await.and_then(|verdict| judge(bench, &verdict));
            let place = |wrong| format!("after {before} of {questions} questions {wrong}");
            found = found.and(wrong.map_err(place));
        }
        bench.note(format!("outages: half-way, {what}"), found);
    }
    bench.mend();
}

async fn through(bench: &Bench<'_>) -> Result<Verdict, String> {
    let (name, password) = &bench.fixture.right;
    Ok(bench.log_in_at(&bench.anew()?, name, password).await)
}

/// It may do without some answers, but never make one up.
fn judge(bench: &Bench<'_>, verdict: &Verdict) -> Found {
    match verdict {
        Verdict::Verified(person) if person.subject.as_str() != bench.fixture.subject => {
            Err("it lets in somebody else".to_owned())
        }
        Verdict::Verified(person) if matches!(person.groups, Groups::Known(_)) => {
            Err("it tells groups that it could not know".to_owned())
        }
        Verdict::Verified(_) => Ok(()),
        other => {
            let fault = expect_fault(other)?;
            bench.leak(&format!("{fault:?} {fault}"))
        }
    }
}

/// While the service is away, and after that; leaves it working.
pub(super) async fn probe(bench: &mut Bench<'_>) {
    if bench.backend.probe().is_none() {
        return bench.leave_out("probe", "it has none");
    }
    if bench.peer.failures().is_empty() {
        return bench.leave_out("probe", "what it looks at never fails");
    }
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
        let password = bench.fixture.right.1.as_str();
        let has = |body: &str| !password.is_empty() && body.contains(password);
        let tries = sent.iter().any(|asked| has(&asked.body));
        let wrong = "it tries somebody's password: whoever is probed often is locked out";
        bench.note(
            "outages: its probe takes no password",
            if tries { Err(wrong.to_owned()) } else { Ok(()) },
        );
    }
}

/// Whether somebody may come in, asked meanwhile.
pub(super) async fn entitlement(bench: &mut Bench<'_>) {
    if bench.backend.entitlement().is_none() {
        return;
    }
    for what in bench.peer.failures() {
        bench.peer.fails(&what);
        let verdict = bench.entitle(&bench.fixture.right.0).await;
        let found =
            expect_fault(&verdict).and_then(|fault| bench.leak(&format!("{fault:?} {fault}")));
        bench.note(format!("outages: {what}, asked whether somebody may come in"), found);
    }
    bench.mend();
}
