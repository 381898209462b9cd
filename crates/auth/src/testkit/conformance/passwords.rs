//! Passwords that are wrong.

use super::bench::{Bench, expect_no_entry};

pub(super) async fn run(bench: &mut Bench<'_>) {
    bench.mend();
    let fixture = bench.fixture;
    let (name, password) = (fixture.right.0.as_str(), fixture.right.1.as_str());
    let wrong = [
        ("a wrong password", name, format!("not {password}")),
        ("another person's password", name, fixture.other.1.clone()),
        ("no password", name, String::new()),
        ("a blank for a password", name, " ".to_owned()),
        ("the password with a blank behind it", name, format!("{password} ")),
        ("the password in capitals", name, password.to_uppercase()),
        ("the password twice", name, format!("{password}{password}")),
        ("the login name as the password", name, name.to_owned()),
        ("a name that nobody has", &fixture.unknown, password.to_owned()),
        ("a name that nobody has, and no password", &fixture.unknown, String::new()),
        ("neither name nor password", "", String::new()),
    ];
    for (what, name, password) in wrong {
        if password == fixture.right.1 && name == fixture.right.0 {
            continue;
        }
        let verdict = bench.log_in(name, &password).await;
        bench.note(format!("answers: {what} is refused"), expect_no_entry(&verdict));
        bench.note(
            format!("answers: the refusal of {what} shows no secret"),
            bench.leak(&format!("{verdict:?}")),
        );
    }
}
