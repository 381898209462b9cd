//! Further steps: one-time codes, and visits elsewhere.

use vestibule_core::{
    Secret,
    ports::backend::{Answer, Attempt, Challenge, Step, Verdict},
};

use super::{Bench, Code, Found, Visits, expect_fault, word};

const CALLBACK: &str = "https://hall.example/back";

pub(super) async fn run(bench: &mut Bench<'_>) {
    if let Some(code) = &bench.extras.code {
        codes(bench, code).await;
    }
    if let Some(visits) = &bench.extras.visits {
        visit(bench, visits).await;
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
        "steps: the right password alone is asked for a code",
        match &challenges.0 {
            Ok(_) => bench.leak(&format!("{asked:?}")),
            Err(wrong) => Err(wrong.clone()),
        },
    );
    let (Ok(own), Ok(foreign)) = challenges else { return };
    let wrong = bench.log_in(&code.person.0, "surely not the password").await;
    bench.note(
        "steps: a wrong password is asked for none",
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
        bench.note(format!("steps: {what} lets nobody in"), no_entry(&verdict));
    }
    // A backend that has nothing to keep has nothing that could be foreign.
    if !own.state.is_empty() {
        let made_up = Secret::new("made-up");
        for (what, state) in
            [("another one's state", &foreign.state), ("a made-up state", &made_up)]
        {
            let verdict = bench.ask(&with_code(&code.person, &code.right, Some(state))).await;
            bench.note(format!("steps: {what} lets nobody in"), no_entry(&verdict));
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
    bench.note("steps: the right code lets its owner in", found);
    bench.away();
    let verdict = bench.ask(&with_code(&code.person, &code.right, Some(&own.state))).await;
    let found = expect_fault(&verdict).map(drop);
    bench.note("steps: a code that cannot be judged is a fault", found);
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

/// A fault is as good as a refusal here: what was brought is none of its own.
fn no_entry(verdict: &Verdict) -> Found {
    match verdict {
        Verdict::Verified(_) => Err("it lets somebody in".to_owned()),
        Verdict::Fault(fault) if fault.as_str() == "bug" => Err(format!("it fails: {fault}")),
        _ => Ok(()),
    }
}

fn going(token: &str) -> Attempt {
    Attempt::Visit { callback: CALLBACK.to_owned(), token: token.to_owned(), again: None }
}

fn coming(parameters: &[(String, String)], state: &Secret) -> Attempt {
    Attempt::Return {
        callback: CALLBACK.to_owned(),
        parameters: parameters.to_vec(),
        state: state.clone(),
    }
}

/// Where a visitor is sent, and what is kept meanwhile.
async fn send(bench: &Bench<'_>, token: &str) -> Result<(String, Secret), String> {
    match bench.ask(&going(token)).await {
        Verdict::Challenge(Challenge { step: Step::Redirect { url }, state }) => Ok((url, state)),
        other => Err(format!("it answers {}", word(&other))),
    }
}

async fn visit(bench: &mut Bench<'_>, visits: &Visits) {
    bench.mend();
    let sent = (send(bench, "token-of-one").await, send(bench, "token-of-two").await);
    bench.note(
        "steps: a visitor is sent elsewhere with the token",
        match &sent.0 {
            Ok((url, _)) if !url.contains("token-of-one") => {
                Err("the token is not in the address: who comes back could be anybody".to_owned())
            }
            Ok((url, _)) => bench.leak(url),
            Err(wrong) => Err(wrong.clone()),
        },
    );
    let (Ok((url, state)), Ok((other_url, other_state))) = sent else { return };
    let come_back = &visits.come_back;
    let own = come_back(&url);
    let twice: Vec<_> = own.iter().chain(&own).cloned().collect();
    let denied = [("error", "access_denied"), ("state", "token-of-one")];
    let denied = denied.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let made_up = Secret::new("made-up");
    let refused = [
        ("another visit's state", coming(&own, &other_state)),
        ("a made-up state", coming(&own, &made_up)),
        ("another visit's parameters", coming(&come_back(&other_url), &state)),
        ("no parameters", coming(&[], &state)),
        ("each parameter twice", coming(&twice, &state)),
        ("a visit that was refused elsewhere", coming(&denied, &state)),
    ];
    for (what, attempt) in refused {
        let verdict = bench.ask(&attempt).await;
        bench.note(format!("steps: {what} lets nobody in"), no_entry(&verdict));
    }
    bench.away();
    let found = match send(bench, "token-of-three").await {
        // Whoever needs nothing of the service to send somebody there needs it afterwards.
        Ok(_) => expect_fault(&bench.ask(&coming(&own, &state)).await).map(drop),
        Err(_) => Ok(()),
    };
    bench.note("steps: a visit that cannot be judged is a fault", found);
    bench.mend();
    comes_back(bench, visits).await;
}

async fn comes_back(bench: &mut Bench<'_>, visits: &Visits) {
    let (url, state) = match send(bench, "token-of-four").await {
        Ok(sent) => sent,
        Err(wrong) => return bench.note("steps: who comes back is let in", Err(wrong)),
    };
    let parameters = (visits.come_back)(&url);
    let verdict = bench.ask(&coming(&parameters, &state)).await;
    bench.note(
        "steps: who comes back is let in",
        match &verdict {
            Verdict::Verified(person) if person.subject.as_str() == visits.subject => {
                bench.leak(&format!("{verdict:?}"))
            }
            Verdict::Verified(person) => {
                Err(format!("the subject is {:?}", person.subject.as_str()))
            }
            other => Err(format!("it answers {}", word(other))),
        },
    );
    let verdict = bench.ask(&coming(&parameters, &state)).await;
    bench.note("steps: who comes back a second time is not", no_entry(&verdict));
}
