//! Names that nobody has, and that have done harm elsewhere.

use vestibule_core::ports::backend::Verdict;

use super::{
    Found,
    bench::{Bench, expect_no_entry, headers, no_entry},
};

/// What it is, and the name. The host itself keeps control characters and names of more than 255
/// characters away from a backend; what is left has to do no harm.
const ODD: &[(&str, &str)] = &[
    ("blanks", "   "),
    ("a path", "../../admin"),
    ("an encoded path", "%2e%2e%2fadmin"),
    ("a query", "ann?x=1&y=2#z"),
    ("a wildcard", "*"),
    ("an LDAP filter", "*)(uid=*))(|(uid=*"),
    ("SQL", "' or '1'='1"),
    ("JSON", "\",\"admin\":true,\"x\":\""),
    ("a template", "{{7*7}}${7*7}"),
    ("a format", "%s%n{}{0}"),
    ("a header", "ann: x"),
    ("an option", "--help"),
    ("backslashes", "DOMAIN\\ann"),
    ("emoji", "👩‍🔬"),
    ("letters that look alike", "аnn"),
    ("letters that turn the line around", "\u{202e}nna"),
    ("letters in two pieces", "e\u{301}lodie"),
    ("a number", "0"),
    ("a word of the language", "null"),
];

pub(super) async fn typed(bench: &mut Bench<'_>) {
    bench.mend();
    let password = bench.fixture.right.1.clone();
    for (what, name) in ODD {
        let verdict = bench.log_in(name, &password).await;
        let found = expect_no_entry(&verdict).and_then(|()| bench.leak(&format!("{verdict:?}")));
        bench.note(format!("names: {what}"), found);
    }
    let long = "a".repeat(255);
    let verdict = bench.log_in(&long, &password).await;
    bench.note("names: the longest there is", expect_no_entry(&verdict));
}

/// In what a visitor comes back with: anybody can write an address.
pub(super) async fn brought(bench: &mut Bench<'_>) {
    bench.mend();
    let long = "a".repeat(10_000);
    for (what, odd) in ODD.iter().copied().chain([("a very long one", long.as_str())]) {
        let found = as_parameter(bench, odd).await;
        bench.note(format!("names: {what}"), found);
    }
}

/// The odd value in the place of each parameter, and of all but the token, which the host looks at
/// itself. A backend may have no use for one of them, but not for all.
async fn as_parameter(bench: &Bench<'_>, odd: &str) -> Found {
    let guarded = bench.guarded();
    let mut at = 0;
    loop {
        let Ok(sent) = bench.send_at(&guarded).await else {
            return Err("it sends nobody anywhere".to_owned());
        };
        let mut parameters = bench.come_back(&sent.url, &bench.fixture.right.0);
        let own = |(name, _): &&mut (String, String)| name != "state";
        let Some((name, value)) = parameters.iter_mut().filter(own).nth(at) else { break };
        odd.clone_into(value);
        let name = name.clone();
        let verdict = bench.ask_at(&guarded, &sent.back(parameters)).await;
        let found = no_one_else(bench, &verdict);
        found.map_err(|wrong| format!("in {name:?}: {wrong}"))?;
        at += 1;
    }
    let Ok(sent) = bench.send_at(&guarded).await else {
        return Err("it sends nobody anywhere".to_owned());
    };
    let mut parameters = bench.come_back(&sent.url, &bench.fixture.right.0);
    for (_, value) in parameters.iter_mut().filter(|(name, _)| name != "state") {
        odd.clone_into(value);
    }
    let verdict = bench.ask_at(&guarded, &sent.back(parameters)).await;
    no_entry(&verdict).map_err(|wrong| format!("in all of them: {wrong}"))
}

fn no_one_else(bench: &Bench<'_>, verdict: &Verdict) -> Found {
    match verdict {
        Verdict::Verified(person) if person.subject.as_str() == bench.fixture.subject => Ok(()),
        other => no_entry(other).and_then(|()| bench.leak(&format!("{other:?}"))),
    }
}

/// In what a proxy says of somebody.
pub(super) async fn vouched(bench: &mut Bench<'_>) {
    bench.mend();
    let long = "a".repeat(20_000);
    let others = [("a very long one", long.as_bytes()), ("bytes that are no text", b"ann\xff\xfe")];
    let all = ODD.iter().map(|(what, odd)| (*what, odd.as_bytes())).chain(others);
    for (what, odd) in all {
        let found = as_header(bench, odd).await;
        bench.note(format!("names: {what}"), found);
    }
}

/// The odd value in the place of each header's: whoever comes in is the person that the others
/// name.
async fn as_header(bench: &Bench<'_>, odd: &[u8]) -> Found {
    let said = bench.vouched(&bench.fixture.right.0);
    for at in 0..said.len() {
        let mut said = said.clone();
        odd.clone_into(&mut said[at].1);
        let name = said[at].0.clone();
        let verdict = bench.ask(&headers(said)).await;
        // Nobody but the proxy says this: it is no fault of the service's.
        let found = match &verdict {
            Verdict::Fault(_) => expect_no_entry(&verdict),
            other => no_one_else(bench, other),
        };
        found.map_err(|wrong| format!("in {name:?}: {wrong}"))?;
    }
    Ok(())
}
