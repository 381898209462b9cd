//! What it answers while its service fails.

use std::time::{Duration, Instant};

use vestibule_core::ports::backend::Verdict;

use super::{Bench, Reply, expect_fault, word};

fn failing() -> Vec<(&'static str, Reply)> {
    let page = "<html><body>Welcome! Pay for wireless here.</body></html>";
    vec![
        ("500", Reply::status(500)),
        ("502 with a page", Reply::of(502, "text/html", page)),
        ("503", Reply::status(503)),
        ("404", Reply::of(404, "text/html", page)),
        ("a portal's page with 200", Reply::of(200, "text/html", page)),
        ("a page that calls itself JSON", Reply::of(200, "application/json", page)),
        ("a redirect", Reply::status(302).with_header("location", "/elsewhere")),
        ("a redirect that keeps the method", Reply::status(307).with_header("location", "/")),
        ("JSON that is cut off", Reply::of(200, "application/json", "{\"id\": 4")),
        ("a list", Reply::of(200, "application/json", "[]")),
        ("null", Reply::of(200, "application/json", "null")),
        ("a body that is shorter than promised", Reply::CutInBody),
        ("a connection that is cut", Reply::Cut),
        ("bytes that are no HTTP", Reply::Noise),
        ("silence", Reply::Hang),
        ("silence in the body", Reply::HangInBody),
        ("one byte now and then", Reply::Drip(Duration::from_millis(50), vec![b' '; 10_000])),
        ("a body without end", Reply::Endless),
    ]
}

pub(super) async fn run(bench: &mut Bench<'_>) {
    let (name, password) = bench.fixture.right.clone();
    for (what, reply) in failing() {
        bench.fixture.service.always(reply.clone());
        let began = Instant::now();
        let verdict = bench.log_in(&name, &password).await;
        let took = began.elapsed();
        let found =
            expect_fault(&verdict).and_then(|fault| bench.leak(&format!("{fault:?} {fault}")));
        bench.note(format!("outages: {what}"), found);
        if took > Duration::from_secs(3) {
            bench.note(format!("outages: {what}, in time"), Err(format!("it took {took:?}")));
        }
        entitlement(bench, what).await;
    }
    bench.fixture.service.always(Reply::Cut);
    if let Some(probe) = bench.backend.probe() {
        let looked = probe.look().await;
        let found =
            if looked.is_err() { Ok(()) } else { Err("it says that all is well".to_owned()) };
        bench.note("outages: its probe notices", found);
    }
    bench.mend();
    if let Some(probe) = bench.backend.probe() {
        let looked = probe.look().await;
        bench.note(
            "outages: its probe notices the end",
            looked.map(drop).map_err(|f| f.to_string()),
        );
    }
    let verdict = bench.log_in(&name, &password).await;
    let found = match &verdict {
        Verdict::Verified(_) => Ok(()),
        other => Err(format!("it answers {}", word(other))),
    };
    bench.note("outages: once they are over, all is as before", found);
}

async fn entitlement(bench: &mut Bench<'_>, what: &str) {
    if bench.backend.entitlement().is_none() {
        return;
    }
    let verdict = bench.host.entitle(&bench.guarded(), &bench.fixture.right.0).await;
    let found = expect_fault(&verdict).and_then(|fault| bench.leak(&format!("{fault:?} {fault}")));
    bench.note(format!("outages: {what}, asked whether somebody may come in"), found);
}
