//! Visits elsewhere: what a browser brings back may be anybody's.

use vestibule_core::{
    Secret,
    ports::backend::{RejectReason, Verdict},
};

use super::{
    Found,
    bench::{Bench, Sent, coming, expect_fault, expect_no_entry, no_entry, word},
};

/// More visits than the host takes faults in a row.
const MANY: usize = 10;

pub(super) async fn run(bench: &mut Bench<'_>) {
    bench.mend();
    let sent = leave(bench).await;
    bench.note(
        "visits: a visitor is sent elsewhere with the token",
        match &sent {
            Ok(Sent { url, token, .. }) if !url.contains(token.as_str()) => {
                Err("the token is not in the address: who comes back could be anybody".to_owned())
            }
            Ok(Sent { url, .. }) => bench.leak(url),
            Err(wrong) => Err(wrong.clone()),
        },
    );
    if sent.is_err() {
        return;
    }
    for what in FOREIGN {
        let found = foreign(bench, what).await;
        bench.note(format!("visits: {what} lets nobody in"), found);
    }
    let found = turned_back(bench).await;
    bench.note("visits: who turned back there is refused, and did not guess", found);
    let found = twice(bench).await;
    bench.note("visits: who comes back a second time is not let in", found);
    let found = unheard(bench).await;
    bench.note("visits: one that cannot be judged is a fault", found);
    bench.mend();
    let found = made_up(bench).await;
    bench.note("visits: what some make up closes the door to nobody", found);
}

/// What does not belong together.
const FOREIGN: [&str; 7] = [
    "another visit's state",
    "a made-up state",
    "an empty state",
    "another visit's parameters",
    "no parameters",
    "each parameter twice",
    "what another person brought, beside one's own,",
];

async fn leave(bench: &Bench<'_>) -> Result<Sent, String> {
    let sent = bench.send_at(&bench.guarded()).await;
    sent.map_err(|other| format!("it answers {}", word(&other)))
}

/// Each with visits of its own: what was brought once is used up.
async fn foreign(bench: &Bench<'_>, what: &str) -> Found {
    let (one, two) = (leave(bench).await?, leave(bench).await?);
    let own = bench.come_back(&one.url, &bench.fixture.right.0);
    let attempt = match what {
        "another visit's state" => two.back(own),
        "a made-up state" => coming(own, &Secret::new("made-up")),
        "an empty state" => coming(own, &Secret::new("")),
        "another visit's parameters" => one.back(bench.come_back(&two.url, &bench.fixture.right.0)),
        "no parameters" => one.back(Vec::new()),
        "each parameter twice" => one.back(own.iter().chain(&own).cloned().collect()),
        _ => {
            let others = bench.come_back(&two.url, &bench.fixture.other.0);
            one.back(own.into_iter().chain(others).collect())
        }
    };
    let verdict = bench.ask(&attempt).await;
    // What was kept comes sealed from the host: a state that cannot be read is a bug of somebody's.
    let is_odd_state = ["a made-up state", "an empty state"].contains(&what);
    match &verdict {
        Verdict::Fault(_) if is_odd_state => Ok(()),
        other => no_entry(other),
    }
    .and_then(|()| bench.leak(&format!("{verdict:?}")))
}

async fn turned_back(bench: &Bench<'_>) -> Found {
    let sent = leave(bench).await?;
    let denied = [("error", "access_denied"), ("state", sent.token.as_str())];
    let denied = denied.map(|(key, value)| (key.to_owned(), value.to_owned()));
    match bench.ask(&sent.back(denied.into())).await {
        Verdict::Rejected(rejection) if rejection.reason == RejectReason::Bad => {
            Err("it reads as a wrong guess; answer `Cancelled`".to_owned())
        }
        other => expect_no_entry(&other),
    }
}

async fn twice(bench: &Bench<'_>) -> Found {
    let sent = leave(bench).await?;
    let parameters = bench.come_back(&sent.url, &bench.fixture.right.0);
    match bench.ask(&sent.back(parameters.clone())).await {
        Verdict::Verified(_) => {}
        other => return Err(format!("the first time it answers {}", word(&other))),
    }
    let same = bench.ask(&sent.back(parameters.clone())).await;
    no_entry(&same)?;
    // Whoever saw the address has a visit of their own to bring it to.
    let verdict = bench.ask(&leave(bench).await?.back(parameters)).await;
    no_entry(&verdict).map_err(|wrong| format!("in another visit {wrong}"))
}

async fn unheard(bench: &Bench<'_>) -> Found {
    if bench.peer.failures().is_empty() {
        return Ok(());
    }
    let sent = leave(bench).await?;
    let parameters = bench.come_back(&sent.url, &bench.fixture.right.0);
    bench.away();
    let verdict = bench.ask(&sent.back(parameters)).await;
    bench.mend();
    expect_fault(&verdict).map(drop)
}

/// The host leaves a backend alone that fails several times in a row: no visitor may bring that
/// about for all others.
async fn made_up(bench: &Bench<'_>) -> Found {
    let guarded = bench.with_breaker();
    for number in 0..MANY {
        let sent = leave(bench).await?;
        let mut parameters = bench.come_back(&sent.url, &bench.fixture.right.0);
        for (name, value) in &mut parameters {
            if name != "state" {
                *value = format!("made-up-{number}");
            }
        }
        no_entry(&bench.ask_at(&guarded, &sent.back(parameters)).await)?;
    }
    let (name, password) = &bench.fixture.right;
    match bench.log_in_at(&guarded, name, password).await {
        Verdict::Verified(_) => Ok(()),
        other => Err(format!(
            "after {MANY} of them it answers {}: what a visitor brought is `Fault::Reported` at \
             most, and no fault of the service's",
            word(&other)
        )),
    }
}
