//! Failed logins.

use std::thread;

use vestibule_core::ports::throttle::WindowCount;

use crate::support::{NOW, after, on_every_database, wait};

const KEY: [u8; 32] = [7; 32];

on_every_database! {
    fn failures_are_counted_within_a_window(site) {
        assert_eq!(site.lookup(|tx| tx.window_count(&KEY)), None);
        assert_eq!(site.write(|tx| tx.count_one(&KEY, NOW, after(-60))), 1);
        assert_eq!(site.write(|tx| tx.count_one(&KEY, after(30), after(-30))), 2);
        let expected = WindowCount { since: NOW, count: 2 };
        assert_eq!(site.lookup(|tx| tx.window_count(&KEY)), Some(expected));
        assert_eq!(site.write(|tx| tx.count_one(&KEY, after(70), after(10))), 1);
        let expected = WindowCount { since: after(70), count: 1 };
        assert_eq!(site.lookup(|tx| tx.window_count(&KEY)), Some(expected));
        assert_eq!(site.lookup(|tx| tx.window_count(&[8; 32])), None);
    }

    fn failures_are_forgotten(site) {
        site.write(|tx| tx.count_one(&KEY, NOW, NOW));
        assert!(site.write(|tx| tx.forget_count(&KEY)));
        assert!(!site.write(|tx| tx.forget_count(&KEY)));
        site.write(|tx| tx.count_one(&KEY, NOW, NOW));
        assert_eq!(site.write(|tx| tx.purge_counts(NOW)), 0);
        assert_eq!(site.write(|tx| tx.purge_counts(after(1))), 1);
        assert_eq!(site.lookup(|tx| tx.window_count(&KEY)), None);
    }

    fn failures_at_the_same_time_are_all_counted(site) {
        let counts: Vec<u32> = thread::scope(|scope| {
            let guesses: Vec<_> = (0..20).map(|_| {
                let store = &site.store;
                scope.spawn(move || wait(store.write(|tx| tx.count_one(&KEY, NOW, after(-60)))))
            }).collect();
            guesses.into_iter().map(|guess| guess.join().unwrap().unwrap()).collect()
        });
        let mut counts = counts;
        counts.sort_unstable();
        assert_eq!(counts, (1..=20).collect::<Vec<_>>());
    }
}
