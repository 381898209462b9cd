//! A button that many presses, and people whose mail is put off.

use std::time::{Duration, Instant};

use serde_json::json;
use vestibule_mail::classify::{Failure, Verdict};

use super::{PATH, addresses, numbered, people, recipients, send, sent, site, to};
use crate::support::{Db, on_every_database};

on_every_database!(
    of_ten_presses_of_one_button_one_sends,
    those_whose_mail_is_put_off_hold_up_nobody_else,
);

fn of_ten_presses_of_one_button_one_sends(db: Db) {
    let (site, post) = site(db);
    let admin = site.admin();
    people(&site, numbered(5));
    let answers: Vec<_> = std::thread::scope(|scope| {
        let press = || {
            let mut own = admin.clone();
            scope.spawn(move || own.post(PATH, &to(&json!({ "everyone": true }))))
        };
        let pressed: Vec<_> = (0..10).map(|_| press()).collect();
        pressed.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let (first, others): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((first.len(), others.len()), (1, 9));
    for other in others {
        other.expect_problem(409, "just_sent");
    }
    sent(&mut admin.clone(), &first[0].json());
    assert_eq!(recipients(&post.letters(&site)), addresses(numbered(5)));
}

fn those_whose_mail_is_put_off_hold_up_nobody_else(db: Db) {
    let (site, post) = site(db);
    let mut admin = site.admin();
    people(&site, numbered(400));
    let later = Failure::new(Verdict::Later, "451 4.7.1 greylisted");
    post.0.then(vec![Some(later); 200]);
    let announcement = send(&mut admin, &json!({ "everyone": true }));
    let wait_for = |count: usize| {
        let began = Instant::now();
        while post.0.letters().len() < count {
            let so_far = post.0.letters().len();
            assert!(began.elapsed() < Duration::from_secs(30), "only {so_far} of {count} sent");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    wait_for(200);
    let path = format!("{PATH}/{}", announcement["id"].as_str().unwrap());
    let progress = admin.get(&path).expect(200).json()["progress"].clone();
    assert_eq!((&progress["sent"], &progress["waiting"]), (&json!(200), &json!(200)));
    // Their own time comes.
    site.clock.advance(Duration::from_mins(2));
    wait_for(400);
    assert_eq!(recipients(&post.letters(&site)), addresses(numbered(400)));
}
