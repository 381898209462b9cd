//! The order in which rights changed.

use std::sync::{Arc, Mutex};

use vestibule_core::{
    domain::change::{Change, NumberedChange},
    ports::store::{ChangeObserver, StoreError, StoreErrorKind},
};

use crate::support::{NOW, Site, after, hash, on_every_database, wait};

#[derive(Default)]
struct Notebook(Mutex<Vec<Change>>);

impl ChangeObserver for Notebook {
    fn committed(&self, changes: &[Change]) {
        self.0.lock().unwrap().extend(changes);
    }
}

fn observed(site: &Site) -> Arc<Notebook> {
    let notebook = Arc::new(Notebook::default());
    site.store.observe(Arc::clone(&notebook) as Arc<dyn ChangeObserver>);
    notebook
}

on_every_database! {
    fn changes_are_numbered_in_their_order(site) {
        let user = site.user("anna").id;
        assert_eq!(site.read(|tx| tx.last_change()), 0);
        assert_eq!(site.read(|tx| tx.oldest_change()), None);
        site.write(move |tx| tx.announce(Change::User(user), NOW));
        site.write(|tx| tx.announce(Change::Everyone, NOW));
        let expected = [
            NumberedChange { number: 1, change: Change::User(user) },
            NumberedChange { number: 2, change: Change::Everyone },
        ];
        assert_eq!(site.read(|tx| tx.changes_after(0, 10)), expected);
        assert_eq!(site.read(|tx| tx.changes_after(0, 1)), expected[..1]);
        assert_eq!(site.read(|tx| tx.changes_after(1, 10)), expected[1..]);
        assert_eq!(site.read(|tx| tx.last_change()), 2);
    }

    fn old_changes_are_forgotten_and_numbers_go_on(site) {
        site.write(|tx| tx.announce(Change::Everyone, after(1)));
        site.write(|tx| tx.announce(Change::Everyone, after(2)));
        assert_eq!(site.write(|tx| tx.purge_changes(after(2))), 1);
        assert_eq!(site.read(|tx| tx.oldest_change()), Some(2));
        assert_eq!(site.write(|tx| tx.purge_changes(after(9))), 1);
        site.write(|tx| tx.announce(Change::Everyone, after(10)));
        assert_eq!(site.read(|tx| tx.oldest_change()), Some(3));
    }

    fn observers_hear_of_what_was_committed_before_the_caller_does(site) {
        let notebook = observed(site);
        let user = site.user("anna").id;
        site.write(move |tx| {
            tx.announce(Change::User(user), NOW)?;
            tx.announce(Change::Everyone, NOW)?;
            tx.announce(Change::User(user), NOW)
        });
        assert_eq!(*notebook.0.lock().unwrap(), [Change::User(user), Change::Everyone]);
    }

    fn observers_hear_nothing_of_what_was_undone(site) {
        let notebook = observed(site);
        let error = site.try_write(|tx| {
            tx.announce(Change::Everyone, NOW)?;
            Err::<(), _>(StoreError::new(StoreErrorKind::Other))
        });
        assert!(error.is_err());
        assert_eq!(*notebook.0.lock().unwrap(), []);
        assert_eq!(site.read(|tx| tx.last_change()), 0);
    }

    fn a_panicking_observer_does_no_harm(site) {
        struct Clumsy;
        impl ChangeObserver for Clumsy {
            fn committed(&self, _: &[Change]) {
                panic!("observer");
            }
        }
        site.store.observe(Arc::new(Clumsy));
        let notebook = observed(site);
        site.write(|tx| tx.announce(Change::Everyone, NOW));
        assert_eq!(*notebook.0.lock().unwrap(), [Change::Everyone]);
        assert_eq!(site.read(|tx| tx.last_change()), 1);
    }

    fn flt_f11_whoever_announces_first_decides_upon_what_is_true(site) {
        // Sixteen units each add a superuser only while there are fewer than three: without the
        // counter's lock more than three would get in.
        let units = (0..16).map(|number| {
            let mut user = site.user(&format!("user{number}"));
            user.is_superuser = true;
            let store = site.store.clone();
            std::thread::spawn(move || {
                wait(store.write(move |tx| {
                    tx.announce(Change::Everyone, NOW)?;
                    if tx.other_live_superusers(user.id, NOW)? < 3 {
                        tx.insert_user(&user, &hash("x"))?;
                    }
                    Ok::<_, StoreError>(())
                }))
            })
        });
        for unit in units.collect::<Vec<_>>() {
            unit.join().unwrap().unwrap();
        }
        assert_eq!(site.read(|tx| tx.user_count()), 3);
        let numbers: Vec<_> = site.read(|tx| tx.changes_after(0, 99)).iter().map(|c| c.number).collect();
        assert_eq!(numbers, (1..=16).collect::<Vec<_>>());
    }
}
