//! What a proxy says in headers, and what others try to say beside it.

use vestibule_core::ports::backend::{Assertion, Verdict};

use super::{
    Found,
    bench::{Bench, headers, word},
};

type Said = Vec<(String, Vec<u8>)>;

/// Headers by which proxies here and there say who somebody is.
const USUAL: &[&str] = &[
    "remote-user",
    "x-remote-user",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-auth-request-user",
    "x-webauth-user",
    "x-authenticated-user",
    "x-user",
    "user",
    "x-original-user",
    "cookie",
    "authorization",
];

pub(super) async fn run(bench: &mut Bench<'_>) {
    bench.mend();
    let right = bench.fixture.right.0.clone();
    let said = bench.vouched(&right);
    let person = match bench.ask(&headers(said.clone())).await {
        Verdict::Verified(person) => *person,
        // What is wrong has been said by then.
        _ => return,
    };
    let others = bench.vouched(&bench.fixture.other.0);
    let found = nothing(bench).await;
    bench.note("headers: without any there is nobody", found);
    let found = usual(bench, &person, &said, &others).await;
    bench.note("headers: what a visitor sends beside is not believed", found);
    let found = alone(bench, &said).await;
    bench.note("headers: what a visitor sends alone is not believed", found);
    let found = lookalikes(bench, &person, &said, &others).await;
    bench.note("headers: names that read alike are not taken for each other", found);
    let found = came_twice(bench, &person, &said, &others).await;
    bench.note("headers: of two values none is picked", found);
    let found = lists(bench, &person, &said, &others).await;
    bench.note("headers: of a list of values none is picked", found);
    let found = in_capitals(bench, &person, &said).await;
    bench.note("headers: their names are the same in capitals", found);
    secrets(bench, &said).await;
}

/// Whether nobody else came in, and nobody as more than the proxy said.
fn unchanged(person: &Assertion, verdict: &Verdict) -> Found {
    let now = match verdict {
        Verdict::Verified(now) => now,
        Verdict::Fault(fault) => return Err(format!("it answers with a fault ({fault})")),
        _ => return Ok(()),
    };
    let differs = if now.subject != person.subject {
        "who somebody is"
    } else if now.account != person.account || now.username != person.username {
        "their name"
    } else if now.groups != person.groups {
        "their groups"
    } else if now.emails != person.emails {
        "their mail addresses"
    } else {
        return Ok(());
    };
    Err(format!("it says {differs}: whoever gets a header past the proxy is anybody"))
}

fn nobody(verdict: &Verdict) -> Found {
    match verdict {
        Verdict::Verified(_) => Err("it lets somebody in".to_owned()),
        Verdict::Fault(fault) => Err(format!("it answers with a fault ({fault})")),
        _ => Ok(()),
    }
}

async fn nothing(bench: &Bench<'_>) -> Found {
    nobody(&bench.ask(&headers(Vec::new())).await)?;
    let host = vec![("host".to_owned(), b"hall.example".to_vec())];
    nobody(&bench.ask(&headers(host)).await)
}

/// Names that the proxy does not set, with what it would say of somebody else.
fn strangers<'a>(said: &'a Said, others: &'a Said) -> impl Iterator<Item = (String, Vec<u8>)> + 'a {
    let is_set = |name: &str| said.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let names = USUAL.iter().filter(move |name| !is_set(name));
    names.flat_map(|name| others.iter().map(|(_, value)| ((*name).to_owned(), value.clone())))
}

async fn usual(bench: &Bench<'_>, person: &Assertion, said: &Said, others: &Said) -> Found {
    for header in strangers(said, others) {
        let name = header.0.clone();
        let verdict = bench.ask(&headers([said.clone(), vec![header]].concat())).await;
        unchanged(person, &verdict).map_err(|wrong| format!("by {name:?} {wrong}"))?;
    }
    Ok(())
}

async fn alone(bench: &Bench<'_>, said: &Said) -> Found {
    for header in strangers(said, said) {
        let name = header.0.clone();
        let verdict = bench.ask(&headers(vec![header])).await;
        nobody(&verdict).map_err(|wrong| format!("by {name:?} {wrong}"))?;
    }
    Ok(())
}

async fn lookalikes(bench: &Bench<'_>, person: &Assertion, said: &Said, others: &Said) -> Found {
    for (name, value) in others {
        for alike in [
            name.replace('-', "_"),
            name.replace('_', "-"),
            format!("HTTP_{name}"),
            format!("X-{name}"),
            format!("{name}_"),
            format!("{name} "),
        ] {
            if said.iter().any(|(known, _)| known.eq_ignore_ascii_case(&alike)) {
                continue;
            }
            let header = vec![(alike.clone(), value.clone())];
            for all in [[said.clone(), header.clone()].concat(), [header, said.clone()].concat()] {
                let verdict = bench.ask(&headers(all)).await;
                unchanged(person, &verdict).map_err(|wrong| format!("by {alike:?} {wrong}"))?;
            }
        }
    }
    Ok(())
}

/// A proxy that adds instead of setting lets the visitor's value through, before its own or after.
async fn came_twice(bench: &Bench<'_>, person: &Assertion, said: &Said, others: &Said) -> Found {
    for header in others.iter().filter(|header| !said.contains(header)) {
        let (name, header) = (header.0.as_str(), vec![header.clone()]);
        for all in [[said.clone(), header.clone()].concat(), [header, said.clone()].concat()] {
            let verdict = bench.ask(&headers(all)).await;
            unchanged(person, &verdict).map_err(|wrong| format!("by {name:?} {wrong}"))?;
        }
    }
    Ok(())
}

/// Some proxies join what comes twice.
async fn lists(bench: &Bench<'_>, person: &Assertion, said: &Said, others: &Said) -> Found {
    for between in [", ", ",", ";"] {
        for at in 0..said.len() {
            let mut joined = said.clone();
            let (name, value) = &mut joined[at];
            let Some((_, other)) = others.iter().find(|(known, _)| known == name) else { continue };
            if other == value {
                continue;
            }
            *value = [other.as_slice(), between.as_bytes(), value.as_slice()].concat();
            let name = name.clone();
            let verdict = bench.ask(&headers(joined)).await;
            let found = match &verdict {
                Verdict::Verified(now) if now.subject != person.subject => {
                    Err("it says who somebody is: whoever gets a header past the proxy is anybody")
                }
                _ => Ok(()),
            };
            found.map_err(|wrong| format!("by {name:?} {wrong}"))?;
        }
    }
    Ok(())
}

async fn in_capitals(bench: &Bench<'_>, person: &Assertion, said: &Said) -> Found {
    let ways: [fn(&str) -> String; 2] = [str::to_uppercase, str::to_lowercase];
    for letters in ways {
        let other = said.iter().map(|(name, value)| (letters(name), value.clone())).collect();
        match bench.ask(&headers(other)).await {
            Verdict::Verified(now) if now.subject == person.subject => {}
            other => return Err(format!("it answers {}", word(&other))),
        }
    }
    Ok(())
}

/// Where the proxy shows that it is the one.
async fn secrets(bench: &mut Bench<'_>, said: &Said) {
    let secrets = &bench.fixture.secrets;
    let shown = |(_, value): &&(String, Vec<u8>)| secrets.iter().any(|s| s.as_bytes() == &**value);
    let Some((name, value)) = said.iter().find(shown).cloned() else {
        return bench.leave_out("headers: the proxy's secret", "the fixture's proxy has none");
    };
    let without: Said = said.iter().filter(|(known, _)| *known != name).cloned().collect();
    let with = |value: Vec<u8>| [without.clone(), vec![(name.clone(), value)]].concat();
    let mut longer = value.clone();
    longer.push(b'x');
    let wrong = [
        ("without the proxy's secret", without.clone()),
        ("with an empty secret", with(Vec::new())),
        ("with a wrong secret", with(b"surely not the secret".to_vec())),
        ("with half of the secret", with(value[..value.len() / 2].to_vec())),
        ("with more than the secret", with(longer)),
    ];
    for (what, said) in wrong {
        let verdict = bench.ask(&headers(said)).await;
        let found = nobody(&verdict).and_then(|()| bench.leak(&format!("{verdict:?}")));
        bench.note(format!("headers: {what} there is nobody"), found);
    }
}
