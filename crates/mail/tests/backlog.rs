//! Ten thousand mails, and a mail server that is away for a day.

#![expect(clippy::unwrap_used, reason = "what a test relies on fails the test")]

#[path = "worker/support.rs"]
#[expect(dead_code, reason = "made for the larger suite")]
mod support;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use support::{House, failure, password_changed, reset};
use vestibule_core::{
    domain::{notice::NoticeState, ticket::Purpose},
    entropy::SystemEntropy,
    usecase::post::Post,
};
use vestibule_mail::{backoff, classify::Verdict};
use vestibule_storage::testkit::Statements;

const DAY: Duration = Duration::from_hours(24);
const MAILS: usize = 10_000;
/// So many to each, one right after the other.
const EACH: usize = 4;
/// How many mails a round takes on when there is no end of them.
const ROUND: usize = 32;

fn address(person: usize) -> String {
    format!("u{person}@example.org")
}

/// The mails, in their order: those that last, links that die within the day, links that do not.
fn posts(house: &House) -> Vec<Post> {
    let now = house.now();
    let to = |person: usize| vestibule_core::Email::parse(&address(person)).unwrap();
    let mut posts = Vec::new();
    for number in 0..MAILS {
        let person = number / EACH;
        posts.push(Post::to(to(person), password_changed(&format!("n{number}"), now)));
        if number % 25 == 0 {
            let dead = reset("dead");
            posts.push(Post::to(to(person), dead).until(now.plus(DAY / 2)));
        }
        if number % 100 == 0 {
            posts.push(Post::to(to(person), reset("live")).until(now.plus(DAY * 3)));
        }
    }
    posts
}

/// Whom a mail greets.
fn name(text: &str) -> String {
    text.split("Hello ").nth(1).unwrap().split(',').next().unwrap().to_owned()
}

#[tokio::test]
async fn flt_f28_after_a_day_without_a_server_ten_thousand_go_out_in_order_but_what_has_died() {
    let statements = Statements::listen();
    let (house, began) = (House::new(), Instant::now());
    house.put_all(posts(&house)).await;

    // The day, at the pace at which a worker asks whether the server is there again.
    house.transport.set_down(Some(failure(Verdict::ServerDown, "connection refused")));
    let (mut past, mut rounds) = (Duration::ZERO, 0);
    while past < DAY {
        assert!(house.round().await.is_down);
        rounds += 1;
        let pause = backoff::pause(rounds, &SystemEntropy);
        house.clock.advance(pause);
        past += pause;
    }
    assert!(rounds < 200, "the server was asked {rounds} times");
    let tried = u32::try_from(house.transport.tried()).unwrap();
    assert!(tried <= rounds * 4, "{tried} attempts");

    house.transport.set_down(None);
    // One of fifty is refused for now; what is behind it waits, and nobody else does.
    let refused = || failure(Verdict::Later, "451 try again");
    house.transport.then((0..MAILS).map(|number| (number % 50 == 0).then(refused)));
    let count = |state: NoticeState| {
        let query = format!("SELECT count(*) AS answer FROM outbox WHERE state = '{state}'");
        usize::try_from(house.connection().number(&query)).unwrap()
    };
    let mut costs = Vec::new();
    loop {
        statements.take();
        match house.round().await.taken {
            0 if count(NoticeState::Waiting) == 0 => break,
            0 => house.clock.advance(Duration::from_mins(1)),
            taken => costs.push((taken, statements.take().len())),
        }
        assert!(costs.len() < MAILS, "it never ends");
    }

    let mut got: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut live, letters) = (0, house.transport.letters());
    for letter in &letters {
        match name(&letter.text).as_str() {
            "dead" => panic!("a link that has died was sent"),
            "live" => live += 1,
            name => got.entry(letter.to.to_string()).or_default().push(name.to_owned()),
        }
    }
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for number in 0..MAILS {
        expected.entry(address(number / EACH)).or_default().push(format!("n{number}"));
    }
    assert_eq!(got, expected);
    assert_eq!(live, MAILS / 100);
    let last = letters.iter().rev().find(|letter| name(&letter.text) == "live").unwrap();
    assert!(house.ticket(&last.text, Purpose::Reset).await);
    assert_eq!(count(NoticeState::Sent), MAILS + MAILS / 100);
    assert_eq!(count(NoticeState::Expired), MAILS / 25);
    assert_eq!(count(NoticeState::Waiting), 0);

    // What a mail costs does not depend on how many wait: the first rounds and the last alike.
    let full: Vec<usize> =
        costs.iter().filter(|(taken, _)| *taken == ROUND).map(|(_, cost)| *cost).collect();
    assert!(full.len() > MAILS / ROUND / 2, "{costs:?}");
    let dearest = full.iter().max().unwrap();
    assert!(*dearest <= 6 * ROUND, "{dearest} statements for {ROUND} mails");
    let mean = |some: &[usize]| some.iter().sum::<usize>() / some.len();
    let (first, last) = (mean(&full[..20]), mean(&full[full.len() - 20..]));
    assert!(first.abs_diff(last) <= ROUND / 2, "{first} at first, {last} at last");
    let took = began.elapsed();
    assert!(took < Duration::from_mins(2), "{took:?}");
}
