//! What must hold though somebody asks for much, something fails, or a link is taken back meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use vestibule_core::{
    Clock, Timestamp,
    domain::{
        notice::{Lane, Notice, NoticeState},
        ticket::Purpose,
    },
    ports::outbox::Settlement,
    testkit::ManualClock,
    usecase::post::Posted,
};
use vestibule_mail::classify::Verdict;

use super::{
    is_queued,
    support::{House, failure, reset},
};

const HOUR: Duration = Duration::from_hours(1);

fn known(username: &str) -> Notice {
    Notice::AddressKnown { username: username.to_owned() }
}

#[tokio::test]
async fn atk_a045_mails_that_lead_nowhere_do_not_use_up_what_links_are_given() {
    let house = House::new();
    let mut posted = Vec::new();
    for number in 0..6 {
        let notice = match number % 2 {
            0 => known("anna"),
            _ => Notice::NameTaken { username: format!("a{number}") },
        };
        posted.push(house.try_post("anna@example.org", notice).await);
    }
    assert!(is_queued(posted[0]));
    assert_eq!(posted[1], Posted::OverBudget { is_first: true });
    assert!(posted[2..].iter().all(|one| *one == Posted::OverBudget { is_first: false }));
    for _ in 0..2 {
        assert!(is_queued(house.try_post("anna@example.org", reset("anna")).await));
    }
    let fourth = house.try_post("anna@example.org", reset("anna")).await;
    assert_eq!(fourth, Posted::OverBudget { is_first: true }, "three in all, as before");
}

#[tokio::test]
async fn atk_a045_spellings_of_one_mailbox_share_what_it_is_given() {
    let house = House::new();
    let mut sent = 0;
    for to in ["a@b\u{fc}cher.example", "a@xn--bcher-kva.example", "a+1@B\u{dc}CHER.example"] {
        for _ in 0..2 {
            sent += usize::from(is_queued(house.try_post(to, reset("x")).await));
        }
    }
    assert_eq!(sent, 3);
}

#[tokio::test]
async fn what_is_over_the_budget_of_the_site_is_counted_and_told_once_a_window() {
    let house = House::new();
    for number in 0..30 {
        house.try_post(&format!("u{number}@example.org"), reset("x")).await;
    }
    assert_eq!(house.audited("mail.over_budget").await, 1);
    assert_eq!(house.over_budget(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_pace_slower_than_anybody_may_hold_a_mail_leaves_the_next_one_alone() {
    let house = House::with_pace(Duration::from_mins(10));
    for number in 0..2 {
        house.post(&format!("u{number}@example.org"), Notice::Test).await;
    }
    assert_eq!(house.round().await.taken, 1);
    assert_eq!(house.round().await.taken, 0, "it would only be given back");
    tokio::time::advance(Duration::from_mins(9)).await;
    assert_eq!(house.round().await.taken, 1);
    assert_eq!(house.transport.letters().len(), 2);
}

/// A clock that cannot be read once.
struct FailsOnce {
    clock: Arc<ManualClock>,
    has_failed: AtomicBool,
}

impl Clock for FailsOnce {
    fn now(&self) -> Timestamp {
        assert!(self.has_failed.swap(true, Ordering::SeqCst), "the clock cannot be read");
        self.clock.now()
    }
}

#[tokio::test(start_paused = true)]
async fn a_round_that_ends_in_a_panic_is_not_the_last_one() {
    let house = House::new();
    house.post("anna@example.org", Notice::Test).await;
    let clock = FailsOnce { clock: Arc::clone(&house.clock), has_failed: AtomicBool::new(false) };
    let worker = house.worker_by(Arc::new(clock));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let work = worker.run(async {
        let _ = stopped.await;
    });
    let watch = async {
        let began = Instant::now();
        while house.transport.letters().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(20), "no mail goes out any more");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        drop(stop);
    };
    tokio::join!(work, watch);
}

#[tokio::test]
async fn atk_a033_the_older_link_works_until_the_newer_mail_is_on_its_way() {
    let house = House::new();
    let user = house.user("anna").await;
    house.post_about(user, "anna@example.org", reset("anna"), HOUR).await;
    house.drain().await;
    house.clock.advance(Duration::from_mins(1));
    house.transport.then([Some(failure(Verdict::ForGood, "550 mailbox full"))]);
    house.post_about(user, "anna@example.org", reset("anna"), HOUR).await;
    house.drain().await;
    let letters = house.letters_to("anna@example.org");
    assert_eq!(letters.len(), 1);
    assert!(house.ticket(&letters[0].text, Purpose::Reset).await, "the only one that arrived");
    house.clock.advance(Duration::from_mins(1));
    house.post_about(user, "anna@example.org", reset("anna"), HOUR).await;
    house.drain().await;
    let letters = house.letters_to("anna@example.org");
    assert!(!house.ticket(&letters[0].text, Purpose::Reset).await);
    assert!(house.ticket(&letters[1].text, Purpose::Reset).await);
}

#[tokio::test]
async fn atk_a034_a_mail_that_is_refused_while_its_link_is_taken_back_is_not_tried_again() {
    let house = House::new();
    let user = house.user("anna").await;
    let id = house.post_about(user, "anna@example.org", reset("anna"), HOUR).await;
    let parcel = house.delivery.take(&house.cx(), Lane::Personal, 1).await.unwrap().pop().unwrap();
    house.cut(user).await;
    let later = Settlement::Retry(house.now().plus(Duration::from_mins(1)), "451 later".to_owned());
    assert!(house.delivery.settle(&house.cx(), &parcel, later).await.unwrap());
    house.clock.advance(Duration::from_mins(2));
    house.drain().await;
    assert_eq!(house.transport.tried(), 0);
    assert_eq!(house.stored(id).await.state, NoticeState::Expired);
    assert_eq!(house.connection().number("SELECT count(*) AS answer FROM tickets"), 0);
}

#[tokio::test]
async fn a_mail_whose_link_was_taken_back_takes_the_place_of_no_other() {
    let house = House::new();
    let user = house.user("anna").await;
    let change = || Notice::EmailChange { username: "anna".to_owned() };
    house.post_about(user, "old@example.org", change(), HOUR).await;
    let parcel = house.delivery.take(&house.cx(), Lane::Personal, 1).await.unwrap().pop().unwrap();
    house.cut(user).await;
    house.post_about(user, "new@example.org", change(), HOUR).await;
    house.drain().await;
    let sent = Settlement::Sent("250 taken".to_owned());
    assert!(house.delivery.settle(&house.cx(), &parcel, sent).await.unwrap());
    let letters = house.letters_to("new@example.org");
    assert!(house.ticket(&letters[0].text, Purpose::EmailChange).await);
}
