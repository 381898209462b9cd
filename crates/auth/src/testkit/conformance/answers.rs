//! What it answers while its service works.

use vestibule_core::{
    Secret,
    ports::backend::{Attempt, NotMine, ProxyHeaders, RejectReason, Verdict},
};

use super::{
    Found,
    bench::{Bench, Way, expect_no_entry, word},
};

/// What it answers about what it says it does not take.
pub(super) async fn kinds(bench: &mut Bench<'_>) {
    bench.mend();
    let callback = || "https://hall.example/back".to_owned();
    let parameters = vec![("code".to_owned(), "abc".to_owned())];
    let all = [
        ("a password", Attempt::password("ann", "a password")),
        (
            "a visit",
            Attempt::Visit { callback: callback(), token: "token".to_owned(), again: None },
        ),
        (
            "a return",
            Attempt::Return { callback: callback(), parameters, state: Secret::new("state") },
        ),
        ("a proxy's header", {
            let name = |name: &str| (name.to_owned(), b"ann".to_vec());
            Attempt::Headers(ProxyHeaders::new(["remote-user", "x-remote-user", "uid"].map(name)))
        }),
    ];
    for (what, attempt) in all {
        if bench.takes(attempt.kind()) {
            continue;
        }
        let verdict = bench.ask(&attempt).await;
        let found = match &verdict {
            Verdict::NotMine(NotMine::WrongKind) => Ok(()),
            other => Err(format!(
                "it answers {} to what it says it does not take; answer `NotMine::WrongKind`",
                word(other)
            )),
        };
        bench.note(format!("answers: {what} is not its own to judge"), found);
    }
}

pub(super) async fn run(bench: &mut Bench<'_>) {
    bench.mend();
    let fixture = bench.fixture;
    let (name, password) = (fixture.right.0.as_str(), fixture.right.1.as_str());
    let first = bench.log_in(name, password).await;
    bench.note(
        match bench.way {
            Way::Password => "answers: the right password is verified",
            Way::Visit | Way::Headers => "answers: whom the service knows is let in",
        },
        match &first {
            Verdict::Verified(_) => Ok(()),
            other => Err(format!("it answers {}", word(other))),
        },
    );
    bench.note(
        "answers: the subject is what the service knows the person by",
        subject(bench, &first),
    );
    bench.note("answers: what it asserts holds no secret", bench.leak(&format!("{first:?}")));
    bench.note(
        "answers: it says how the person proved who they are",
        match &first {
            Verdict::Verified(assertion) if assertion.factors.is_empty() => {
                Err("`factors` is empty: add `with_factor(Method::Password, cx.op.now())`, or \
                     `Method::Unknown`"
                    .to_owned())
            }
            _ => Ok(()),
        },
    );
    let again = bench.log_in(name, password).await;
    bench.note("answers: the same person is the same subject again", subject(bench, &again));
    for spelling in &fixture.spellings {
        let verdict = bench.log_in(spelling, password).await;
        let found = subject(bench, &verdict).map_err(|wrong| {
            format!("{wrong}: the subject has to come from the service, not from what was typed")
        });
        bench.note(format!("answers: {spelling:?} is the same subject"), found);
    }
    let other = bench.log_in(&fixture.other.0, &fixture.other.1).await;
    bench.note(
        "answers: another person is another subject",
        match &other {
            Verdict::Verified(person) if person.subject.as_str() != fixture.subject => Ok(()),
            Verdict::Verified(_) => Err("two people are one".to_owned()),
            other => Err(format!("it answers {}", word(other))),
        },
    );
    if bench.way != Way::Password {
        let verdict = bench.log_in(&fixture.unknown, "").await;
        bench.note("answers: whom the service does not know is refused", expect_no_entry(&verdict));
        bench.note("answers: the refusal shows no secret", bench.leak(&format!("{verdict:?}")));
    }
    if let Some((name, password)) = &fixture.disabled {
        let verdict = bench.log_in(name, password).await;
        bench
            .note("answers: an account that is switched off is refused", expect_no_entry(&verdict));
        let is_named = matches!(&verdict, Verdict::Rejected(rejection)
            if !matches!(rejection.reason, RejectReason::Bad));
        bench.note("answers: and not for a wrong password", {
            let advice = "it reads as a wrong guess; answer `Disabled`, `Locked` or `Expired`";
            if is_named { Ok(()) } else { Err(advice.to_owned()) }
        });
    } else {
        bench.leave_out("answers: an account that is switched off", "the fixture has none");
    }
}

/// Where it can tell who may come in.
pub(super) async fn entitlement(bench: &mut Bench<'_>) {
    if bench.backend.entitlement().is_none() {
        return bench.leave_out("entitlement", "it judges nobody's");
    }
    bench.mend();
    let verdict = bench.entitle(&bench.fixture.right.0).await;
    bench.note(
        "answers: whoever may come in is let in without a password",
        match &verdict {
            Verdict::Verified(person) if person.factors.is_empty() => Ok(()),
            Verdict::Verified(_) => {
                Err("it says how they proved who they are, and nobody asked them".to_owned())
            }
            other => Err(format!("it answers {}", word(other))),
        },
    );
    let verdict = bench.entitle(&bench.fixture.unknown).await;
    let found = expect_no_entry(&verdict).and_then(|()| bench.leak(&format!("{verdict:?}")));
    bench.note("answers: a name that nobody has may not come in", found);
}

fn subject(bench: &Bench<'_>, verdict: &Verdict) -> Found {
    let expected = bench.fixture.subject.as_str();
    match verdict {
        Verdict::Verified(person) if person.subject.as_str() == expected => Ok(()),
        Verdict::Verified(person) => {
            Err(format!("the subject is {:?} and not {expected:?}", person.subject.as_str()))
        }
        other => Err(format!("it answers {}", word(other))),
    }
}
