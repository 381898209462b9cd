//! What many are told, beside what one person each waits for.

use std::time::Duration;

use vestibule_core::{
    domain::notice::{Lane, Notice, NoticeState},
    usecase::delivery::LEASE,
};
use vestibule_mail::WorkerOptions;

use crate::support::{House, reset};

/// How many of the announced went out before the reset link that was posted after the fifth.
async fn overtaken_by(options: WorkerOptions) -> usize {
    let house = House::with(options);
    house.announce(120).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let work = house.worker.run(async {
        let _ = stopped.await;
    });
    let play = async {
        while house.transport.letters().len() < 5 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        house.post("anna@example.org", reset("anna")).await;
        let posted_at = house.transport.letters().len();
        let place = loop {
            let letters = house.transport.letters();
            let of_anna = |to: &str| to == "anna@example.org";
            if let Some(place) = letters.iter().position(|letter| of_anna(letter.to.as_ref())) {
                break place;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        };
        drop(stop);
        place - posted_at
    };
    let both = async { tokio::join!(work, play).1 };
    tokio::time::timeout(Duration::from_mins(1), both).await.unwrap()
}

#[tokio::test]
async fn a_reset_link_overtakes_an_announcement_whatever_paces_are_set() {
    let slow = Duration::from_millis(100);
    for options in [
        WorkerOptions { bulk_pace: slow, ..WorkerOptions::default() },
        WorkerOptions { pace: slow, ..WorkerOptions::default() },
        WorkerOptions { pace: slow, lines: 1, ..WorkerOptions::default() },
        WorkerOptions { bulk_pace: slow, lines: 1, ..WorkerOptions::default() },
    ] {
        // Those that left while the link was written into the database and read from it.
        let overtaken = overtaken_by(options).await;
        assert!(overtaken <= 4, "{overtaken} went before it: {options:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_many_are_told_leaves_at_a_rate_of_its_own() {
    let options = WorkerOptions { bulk_pace: Duration::from_secs(1), ..WorkerOptions::default() };
    let house = House::with(options);
    house.announce(6).await;
    house.post_many(20).await;
    let began = tokio::time::Instant::now();
    house.drain().await;
    assert_eq!(house.transport.letters().len(), 20);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let round = house.round_of(Lane::Bulk).await;
    assert_eq!((round.taken, round.begun), (6, 6));
    assert!(began.elapsed() >= Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(house.letters_to("many5@example.org")[0].text.lines().next(), Some("On Monday."));
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_comes_too_late_is_left_to_another_and_nobody_elses_turn_waits_for_it() {
    let options = WorkerOptions { bulk_pace: Duration::from_hours(1), ..WorkerOptions::default() };
    let house = House::with(options);
    house.announce(2).await;
    assert_eq!(house.round_of(Lane::Bulk).await.begun, 1);
    assert_eq!(house.round_of(Lane::Bulk).await.taken, 0, "it would only be given back");
    house.post("anna@example.org", Notice::Test).await;
    assert_eq!(house.round().await.begun, 1);
    assert_eq!(house.transport.letters().len(), 2);
    assert!(house.all().await.iter().all(|stored| stored.lease.is_none()));
}

#[tokio::test]
async fn what_comes_back_after_it_was_taken_back_is_not_sent() {
    let house = House::new();
    let id = house.announce(3).await;
    let taken = house.delivery.take(&house.cx(), Lane::Bulk, 8).await.unwrap();
    assert_eq!(taken.len(), 3);
    house.take_back(id).await;
    assert!(house.all().await.iter().all(|stored| stored.state == NoticeState::Waiting));
    house.clock.advance(LEASE);
    assert_eq!(house.round_of(Lane::Bulk).await.taken, 0);
    assert_eq!(house.transport.tried(), 0);
    assert!(house.all().await.iter().all(|stored| stored.state == NoticeState::Expired));
}

#[tokio::test]
async fn lanes_are_served_apart() {
    let house = House::new();
    house.announce(1).await;
    house.post("anna@example.org", Notice::Test).await;
    assert_eq!(house.round_of(Lane::Bulk).await.taken, 1);
    assert_eq!(house.letters_to("anna@example.org").len(), 0);
    assert_eq!(house.round().await.taken, 1);
}
