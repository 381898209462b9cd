//! Names that nobody has, and that have done harm elsewhere.

use super::{Bench, expect_no_entry};

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

pub(super) async fn run(bench: &mut Bench<'_>) {
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
