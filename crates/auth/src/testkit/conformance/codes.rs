//! One-time codes.

use vestibule_core::{
    Secret,
    ports::backend::{Answer, Attempt, Challenge, Step, Verdict},
};

use super::{
    Code,
    bench::{Bench, expect_fault, no_entry, word},
};

pub(super) async fn run(bench: &mut Bench<'_>) {
    match &bench.extras.code {
        Some(code) => codes(bench, code).await,
        None => bench.leave_out("codes", "the fixture's service asks nobody for one"),
    }
}

fn with_code(who: &(String, String), code: &str, state: Option<&Secret>) -> Attempt {
    let answer = Answer { code: Secret::new(code), state: state.cloned() };
    Attempt::Password {
        username: who.0.clone(),
        password: Secret::new(who.1.as_str()),
        answer: Some(answer),
    }
}

async fn codes(bench: &mut Bench<'_>, code: &Code) {
    bench.mend();
    let asked = bench.log_in(&code.person.0, &code.person.1).await;
    let others = bench.log_in(&code.other.0, &code.other.1).await;
    let challenges = (code_wanted(&asked), code_wanted(&others));
    bench.note(
        "codes: the right password alone is asked for a code",
        match &challenges.0 {
            Ok(_) => bench.leak(&format!("{asked:?}")),
            Err(wrong) => Err(wrong.clone()),
        },
    );
    let (Ok(own), Ok(foreign)) = challenges else { return };
    let wrong = bench.log_in(&code.person.0, "surely not the password").await;
    bench.note(
        "codes: a wrong password is asked for none",
        match &wrong {
            Verdict::Challenge(_) => {
                Err("whoever guesses a password learns which are right".to_owned())
            }
            other => no_entry(other),
        },
    );
    let not_theirs = (code.person.0.clone(), "surely not the password".to_owned());
    let refused = [
        ("a wrong code", with_code(&code.person, "000000", Some(&own.state))),
        ("no code", with_code(&code.person, "", Some(&own.state))),
        ("another one's code", with_code(&code.person, &code.other_code, Some(&own.state))),
        ("the code with a wrong password", with_code(&not_theirs, &code.right, Some(&own.state))),
    ];
    for (what, attempt) in refused {
        let verdict = bench.ask(&attempt).await;
        bench.note(format!("codes: {what} lets nobody in"), no_entry(&verdict));
    }
    // A backend that has nothing to keep has nothing that could be foreign.
    if !own.state.is_empty() {
        let made_up = Secret::new("made-up");
        for (what, state) in
            [("another one's state", &foreign.state), ("a made-up state", &made_up)]
        {
            let verdict = bench.ask(&with_code(&code.person, &code.right, Some(state))).await;
            bench.note(format!("codes: {what} lets nobody in"), no_entry(&verdict));
        }
    }
    // What was wrong before may have used it up.
    let verdict = bench.log_in(&code.person.0, &code.person.1).await;
    let found = match code_wanted(&verdict) {
        Ok(own) => {
            let verdict = bench.ask(&with_code(&code.person, &code.right, Some(&own.state))).await;
            match &verdict {
                Verdict::Verified(_) => bench.leak(&format!("{verdict:?}")),
                other => Err(format!("it answers {}", word(other))),
            }
        }
        Err(wrong) => Err(wrong),
    };
    bench.note("codes: the right code lets its owner in", found);
    bench.away();
    let verdict = bench.ask(&with_code(&code.person, &code.right, Some(&own.state))).await;
    let found = expect_fault(&verdict).map(drop);
    bench.note("codes: a code that cannot be judged is a fault", found);
    bench.mend();
}

fn code_wanted(verdict: &Verdict) -> Result<&Challenge, String> {
    match verdict {
        Verdict::Challenge(challenge) if matches!(challenge.step, Step::Code { .. }) => {
            Ok(challenge)
        }
        other => Err(format!("it answers {}", word(other))),
    }
}
