//! The worker between a real outbox and a transport that does as it is told.

#![expect(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod lanes;
mod standing;
mod support;

use std::{sync::atomic::AtomicBool, time::Duration};

use support::{House, failure, password_changed, reset};
use vestibule_core::{
    domain::{
        notice::{Lane, Notice, NoticeState},
        ticket::Purpose,
    },
    secret::TokenDigest,
    usecase::{delivery::LEASE, post::Posted},
};
use vestibule_mail::classify::Verdict;

pub(crate) fn is_queued(posted: Posted) -> bool {
    matches!(posted, Posted::Queued(_))
}

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn what_is_posted_and_committed_is_sent_once() {
    let house = House::new();
    let id = house.post("anna@example.org", Notice::Test).await;
    assert_eq!(house.round().await.taken, 1);
    assert_eq!(house.round().await.taken, 0);
    let letters = house.transport.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].to.to_string(), "anna@example.org");
    let stored = house.stored(id).await;
    assert_eq!((stored.state, stored.attempts), (NoticeState::Sent, 1));
    assert_eq!(letters[0].message_id, stored.message_id);
}

#[tokio::test]
async fn what_is_rolled_back_is_never_sent() {
    let house = House::new();
    house.post_and_fail("anna@example.org").await;
    assert_eq!(house.round().await.taken, 0);
    assert_eq!(house.transport.tried(), 0);
}

#[tokio::test]
async fn flt_f20_a_server_that_is_down_costs_no_mail_an_attempt_and_is_asked_once_a_round() {
    let house = House::new();
    for number in 0..20 {
        house.post(&format!("u{number}@example.org"), Notice::Test).await;
    }
    house.transport.set_down(Some(failure(Verdict::ServerDown, "connection refused")));
    for round in 1..=5 {
        assert!(house.round().await.is_down);
        // At most as many as there are lines were on their way when the first came back.
        assert!(house.transport.tried() <= round * 4, "{}", house.transport.tried());
    }
    for stored in house.all().await {
        assert_eq!((stored.state, stored.attempts), (NoticeState::Waiting, 0));
    }
    house.transport.set_down(None);
    house.drain().await;
    assert_eq!(house.transport.letters().len(), 20);
}

#[tokio::test]
async fn flt_f22_a_refusal_for_now_waits_longer_each_time_and_holds_back_what_came_after() {
    let house = House::new();
    let first = house.post("anna@example.org", Notice::Test).await;
    house.post("anna@example.org", password_changed("anna", house.now())).await;
    house.post("bert@example.org", Notice::Test).await;
    house.transport.then([Some(failure(Verdict::Later, "451 try again"))]);
    house.drain().await;
    let sent: Vec<String> = house.transport.letters().iter().map(|l| l.to.to_string()).collect();
    assert_eq!(sent, ["bert@example.org"]);
    let stored = house.stored(first).await;
    assert_eq!(
        (stored.state, stored.attempts, &*stored.reason),
        (NoticeState::Waiting, 1, "451 try again")
    );
    let wait = stored.due_at.since(house.now());
    assert!(wait > Duration::from_secs(40) && wait < Duration::from_secs(80), "{wait:?}");
    house.clock.advance(Duration::from_mins(2));
    house.drain().await;
    let subjects: Vec<String> =
        house.letters_to("anna@example.org").iter().map(|l| l.subject.clone()).collect();
    assert_eq!(subjects, ["[Hall] Mail works", "[Hall] Your password was changed"]);
}

#[tokio::test]
async fn flt_f22_a_link_does_not_wait_behind_a_refusal_until_it_is_dead() {
    let house = House::new();
    house.transport.set_down(Some(failure(Verdict::Later, "452 mailbox full")));
    house.post("anna@example.org", password_changed("anna", house.now())).await;
    // Refused so often that its next attempt is a day away.
    for _ in 0..13 {
        house.round().await;
        house.clock.advance(DAY);
    }
    house.round().await;
    // There is room again, which nobody here can know.
    house.transport.set_down(None);
    house.post("anna@example.org", password_changed("anna", house.now())).await;
    house.post_for("anna@example.org", reset("anna"), Duration::from_hours(1)).await;
    house.drain().await;
    let subjects = |house: &House| -> Vec<String> {
        house.letters_to("anna@example.org").iter().map(|l| l.subject.clone()).collect()
    };
    assert_eq!(subjects(&house), ["[Hall] Set a new password"]);
    house.clock.advance(DAY);
    house.drain().await;
    assert_eq!(subjects(&house).len(), 3);
}

#[tokio::test]
async fn flt_f22_who_asks_again_after_a_refusal_gets_one_mail_with_one_link() {
    let house = House::new();
    house.transport.then([Some(failure(Verdict::Later, "451 try again"))]);
    house.try_post("anna@example.org", reset("anna")).await;
    house.round().await;
    house.clock.advance(Duration::from_secs(1));
    house.try_post("anna@example.org", reset("anna")).await;
    house.clock.advance(DAY);
    house.drain().await;
    let letters = house.letters_to("anna@example.org");
    assert_eq!(letters.len(), 1);
    assert!(house.ticket(&letters[0].text, Purpose::Reset).await);
    let states: Vec<NoticeState> = house.all().await.iter().map(|stored| stored.state).collect();
    assert_eq!(states, [NoticeState::Sent, NoticeState::Expired], "the newest first");
}

#[tokio::test]
async fn flt_f22_what_is_refused_for_days_is_given_up() {
    let house = House::new();
    let id = house.post("anna@example.org", reset("anna")).await;
    house.transport.set_down(Some(failure(Verdict::Later, "451 try again")));
    let mut attempts = 0;
    while house.stored(id).await.state == NoticeState::Waiting {
        assert!(attempts < 40, "never given up");
        house.round().await;
        house.clock.advance(DAY);
        attempts += 1;
    }
    let stored = house.stored(id).await;
    assert_eq!((stored.state, stored.attempts), (NoticeState::Dead, 15));
    assert!(stored.reason.contains("451 try again (tried 15 times)"), "{}", stored.reason);
}

#[tokio::test]
async fn flt_f23_a_refusal_for_good_is_given_up_at_once_and_administrators_are_told_once() {
    let house = House::new();
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(house.post(&format!("u{number}@example.org"), reset("x")).await);
    }
    house.transport.then((0..5).map(|_| Some(failure(Verdict::ForGood, "550 no such user"))));
    house.drain().await;
    for id in &ids {
        assert_eq!(house.stored(*id).await.state, NoticeState::Dead);
    }
    let told = house.letters_to("admin@example.org");
    assert_eq!(told.len(), 1, "once within the hour, not five times");
    assert!(told[0].text.contains("550 no such user"), "{}", told[0].text);
    assert!(told[0].text.contains("(reset)"), "{}", told[0].text);
    assert!(!told[0].text.contains("@example.org\n"), "{}", told[0].text);
    assert_eq!(house.transport.tried(), 6, "none is tried again");
    assert_eq!(house.audited("mail.given_up").await, 5);
}

#[tokio::test]
async fn flt_f23_that_a_mail_to_administrators_was_given_up_is_told_to_nobody() {
    let house = House::new();
    house.post("u@example.org", reset("x")).await;
    house.transport.then([Some(failure(Verdict::ForGood, "550 no"))]);
    house.transport.set_down(Some(failure(Verdict::Later, "451 not now")));
    house.drain().await;
    house.transport.set_down(Some(failure(Verdict::ForGood, "550 no")));
    // Long after, so that it is not the hour that keeps the news back.
    house.clock.advance(DAY);
    house.drain().await;
    let all = house.all().await;
    assert_eq!(all.len(), 2, "the mail and the news of it");
    assert!(all.iter().all(|stored| stored.state == NoticeState::Dead));
}

#[tokio::test]
async fn flt_f25_what_was_committed_before_a_crash_goes_out_after_it() {
    let house = House::new();
    let id = house.post("anna@example.org", Notice::Test).await;
    let next = house.restarted();
    assert_eq!(next.round().await.taken, 1);
    assert_eq!(next.stored(id).await.state, NoticeState::Sent);
}

#[tokio::test]
async fn flt_f26_what_was_sent_and_not_written_down_goes_out_once_more_under_the_same_id() {
    let house = House::new();
    let id = house.post("anna@example.org", reset("anna")).await;
    // Taken on and handed over; then the process is gone before it says so.
    let parcel = house.delivery.take(&house.cx(), Lane::Personal, 1).await.unwrap().pop().unwrap();
    let letter = house.office.letter(&parcel, house.now()).unwrap();
    house.office.hand_over(&letter).await.unwrap();
    drop(parcel);
    let next = house.restarted();
    assert_eq!(next.round().await.taken, 0, "it is still another's");
    next.clock.advance(LEASE);
    assert_eq!(next.round().await.taken, 1);
    assert_eq!(next.round().await.taken, 0);
    let (first, second) = (house.transport.letters(), next.transport.letters());
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_eq!(first[0].message_id, second[0].message_id);
    assert_eq!(next.stored(id).await.state, NoticeState::Sent);
    // Whichever of the two is read, its link works.
    for letter in first.iter().chain(&second) {
        assert!(next.ticket(&letter.text, Purpose::Reset).await, "{}", letter.text);
    }
}

#[tokio::test(start_paused = true)]
async fn flt_f28_mails_leave_at_the_rate_that_was_set() {
    let house = House::with_pace(Duration::from_millis(500));
    for number in 0..10 {
        house.post(&format!("u{number}@example.org"), Notice::Test).await;
    }
    let began = tokio::time::Instant::now();
    house.drain().await;
    assert_eq!(house.transport.letters().len(), 10);
    assert!(began.elapsed() >= Duration::from_millis(4500), "{:?}", began.elapsed());
}

#[tokio::test]
async fn flt_f29_what_cannot_be_written_is_given_up_after_three_attempts_and_holds_up_nobody() {
    let house = House::new();
    let poison = house.post_to_stored("nobody", reset("x")).await;
    let fine = house.post("anna@example.org", Notice::Test).await;
    for _ in 0..3 {
        house.round().await;
        assert_eq!(house.stored(fine).await.state, NoticeState::Sent);
        house.clock.advance(DAY);
    }
    let stored = house.stored(poison).await;
    assert_eq!((stored.state, stored.attempts), (NoticeState::Dead, 3));
    assert!(stored.reason.contains("the address has no @"), "{}", stored.reason);
}

#[tokio::test]
async fn flt_f29_a_notice_of_a_newer_release_is_left_to_it_for_a_while() {
    let house = House::new();
    let id = house.post("anna@example.org", Notice::Test).await;
    house.connection().execute("UPDATE outbox SET data = '{\"kind\":\"from_the_future\"}'");
    for attempt in 1..=5 {
        assert_eq!(house.stored(id).await.attempts, attempt - 1);
        house.round().await;
        house.clock.advance(Duration::from_mins(5));
    }
    assert_eq!(house.stored(id).await.state, NoticeState::Dead);
    assert_eq!(house.transport.tried(), 0);
}

#[tokio::test]
async fn two_replicas_send_each_of_a_thousand_once() {
    let one = House::new();
    let two = one.restarted();
    one.post_many(1000).await;
    // A round each before they race: a short race may be over before SQLite lets both of them in.
    tokio::join!(one.round(), two.round());
    tokio::join!(one.drain(), two.drain());
    let mut all: Vec<String> = one
        .transport
        .letters()
        .into_iter()
        .chain(two.transport.letters())
        .map(|l| l.message_id)
        .collect();
    assert_eq!(all.len(), 1000);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 1000);
    assert!(one.transport.tried() > 0 && two.transport.tried() > 0);
}

#[tokio::test]
async fn a_link_is_made_when_it_is_sent_and_kept_nowhere() {
    let house = House::new();
    let user = house.user("anna").await;
    house.post_about(user, "anna@example.org", reset("anna"), DAY).await;
    let rows = house.connection().texts("SELECT data AS answer FROM outbox");
    assert_eq!(rows, ["{\"kind\":\"reset\",\"username\":\"anna\"}"]);
    assert_eq!(house.connection().number("SELECT count(*) AS answer FROM tickets"), 0);
    house.drain().await;
    let letter = house.transport.letters().pop().unwrap();
    let token = support::token(&letter.text);
    assert_eq!(token.len(), 43);
    for column in ["data", "reason", "message_id", "kind"] {
        let kept = house.connection().texts(&format!("SELECT {column} AS answer FROM outbox"));
        assert!(!kept[0].contains(&token), "{column}");
    }
    assert!(house.ticket(&letter.text, Purpose::Reset).await);
    let digest = TokenDigest::of(token.as_bytes());
    assert!(house.redeem(digest, Purpose::Activate).await.is_none(), "for one purpose alone");
    let ticket = house.redeem(digest, Purpose::Reset).await.unwrap();
    assert_eq!((ticket.user, ticket.expires_at), (Some(user), house.now().plus(DAY)));
    assert!(house.redeem(digest, Purpose::Reset).await.is_none(), "once");
}

#[tokio::test]
async fn a_link_to_an_account_that_is_gone_is_not_sent() {
    let house = House::new();
    let user = house.user("anna").await;
    let id = house.post_about(user, "anna@example.org", reset("anna"), DAY).await;
    house.delete_user(user).await;
    house.drain().await;
    assert_eq!(house.stored(id).await.state, NoticeState::Expired);
    assert_eq!(house.transport.tried(), 0);
}

#[tokio::test]
async fn strangers_have_only_so_many_mails_sent() {
    let house = House::new();
    let mut posted = Vec::new();
    for _ in 0..5 {
        posted.push(house.try_post("Anna@example.org", reset("anna")).await);
    }
    assert_eq!(posted.iter().filter(|one| matches!(one, Posted::Queued(_))).count(), 3);
    assert!(is_queued(house.try_post("anna@example.org", Notice::Test).await));
    assert!(is_queued(house.try_post("bert@example.org", reset("bert")).await));
    house.clock.advance(Duration::from_mins(61));
    assert!(is_queued(house.try_post("anna@example.org", reset("anna")).await));
    let mut sent = 0;
    for number in 0..40 {
        let to = format!("u{number}@example.org");
        sent += usize::from(is_queued(house.try_post(&to, reset("x")).await));
    }
    assert_eq!(sent, 19, "twenty an hour for all");
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_gives_back_what_it_has_not_begun() {
    let house = House::new();
    for number in 0..20 {
        house.post(&format!("u{number}@example.org"), Notice::Test).await;
    }
    let stopping = AtomicBool::new(true);
    assert_eq!(house.worker.round(Lane::Personal, &stopping).await.unwrap().taken, 20);
    assert_eq!(house.transport.tried(), 0);
    assert!(house.all().await.iter().all(|s| s.attempts == 0 && s.lease.is_none()));
    assert_eq!(house.round().await.taken, 20);
}

#[tokio::test]
async fn a_worker_sleeps_until_the_bell_rings_and_stops_when_told() {
    let house = House::with_long_looks();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let work = house.worker.run(async {
        let _ = stopped.await;
    });
    let play = async {
        // It has looked once, found nothing, and would look again in an hour.
        tokio::task::yield_now().await;
        house.post("anna@example.org", Notice::Test).await;
        while house.transport.letters().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop(stop);
    };
    let both = async { tokio::join!(work, play) };
    tokio::time::timeout(Duration::from_secs(10), both).await.unwrap();
}
