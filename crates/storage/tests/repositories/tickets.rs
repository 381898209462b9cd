//! One-time links and the instance's marks.

use std::{sync::Barrier, thread};

use vestibule_core::{
    TokenDigest,
    domain::ticket::{Purpose, Ticket},
    ports::store::StoreError,
};

use crate::support::{NOW, Site, after, on_every_database, wait};

fn ticket(token: &str) -> Ticket {
    Ticket {
        digest: TokenDigest::of(token.as_bytes()),
        purpose: Purpose::FirstSuperuser,
        user: None,
        expires_at: after(60),
        subject: None,
        email: None,
    }
}

fn put(site: &Site, ticket: &Ticket) -> TokenDigest {
    let (digest, stored) = (ticket.digest, ticket.clone());
    site.write(move |tx| tx.insert_ticket(&stored));
    digest
}

on_every_database! {
    fn a_link_is_looked_up_and_used_once(site) {
        let user = site.stored_user("anna").id;
        let made = Ticket { user: Some(user), ..ticket("t") };
        let digest = put(site, &made);
        let look = move || site.lookup(move |tx| tx.ticket(&digest, Purpose::FirstSuperuser, NOW));
        let redeem = move || site.write(move |tx| tx.redeem_ticket(&digest, Purpose::FirstSuperuser, NOW));
        assert_eq!(look(), Some(made.clone()));
        assert_eq!(redeem(), Some(made));
        assert_eq!(look(), None);
        assert_eq!(redeem(), None);
    }

    fn an_expired_link_is_worth_nothing(site) {
        let digest = put(site, &ticket("t"));
        assert_eq!(site.lookup(move |tx| tx.ticket(&digest, Purpose::FirstSuperuser, after(60))), None);
        let redeemed = site.write(move |tx| tx.redeem_ticket(&digest, Purpose::FirstSuperuser, after(60)));
        assert_eq!(redeemed, None);
        assert_eq!(site.write(|tx| tx.purge_tickets(after(59))), 0);
        assert_eq!(site.write(|tx| tx.purge_tickets(after(60))), 1);
    }

    fn links_of_a_purpose_go_together(site) {
        put(site, &ticket("1"));
        put(site, &ticket("2"));
        assert_eq!(site.write(|tx| tx.delete_tickets(Purpose::FirstSuperuser)), 2);
        assert_eq!(site.write(|tx| tx.delete_tickets(Purpose::FirstSuperuser)), 0);
    }

    fn a_redemption_that_is_undone_leaves_the_link(site) {
        let digest = put(site, &ticket("t"));
        let undone = site.try_write(move |tx| {
            assert!(tx.redeem_ticket(&digest, Purpose::FirstSuperuser, NOW)?.is_some());
            Err::<(), _>(StoreError::new(vestibule_core::ports::store::StoreErrorKind::Other))
        });
        assert!(undone.is_err());
        assert!(site.write(move |tx| tx.redeem_ticket(&digest, Purpose::FirstSuperuser, NOW)).is_some());
    }

    fn atk_a221_fifty_at_once_have_one_winner(site) {
        // Two stores, as two server processes would have.
        let stores = [site.store.clone(), site.database.store()];
        let digest = put(site, &ticket("t"));
        let start = Barrier::new(50);
        let winners = thread::scope(|scope| {
            let rivals: Vec<_> = (0..50).map(|number| {
                let (store, start) = (&stores[number % 2], &start);
                scope.spawn(move || {
                    start.wait();
                    wait(store.write(move |tx| tx.redeem_ticket(&digest, Purpose::FirstSuperuser, NOW)))
                })
            }).collect();
            rivals.into_iter().map(|rival| rival.join().unwrap()).collect::<Vec<_>>()
        });
        let won = winners.iter().filter(|result| matches!(result, Ok(Some(_)))).count();
        assert_eq!(won, 1, "{winners:?}");
        // Whoever did not win either came too late or was told to try again.
        let lost = winners.iter().filter(|result| matches!(result, Ok(None))).count();
        assert!(lost >= 40, "{winners:?}");
    }

    fn a_mark_is_set_once(site) {
        let set = |value: &'static str| site.write(move |tx| tx.set_instance_mark("bootstrap", value));
        assert_eq!(site.lookup(|tx| tx.instance_mark("bootstrap")), None);
        assert!(set("one"));
        assert!(!set("two"));
        assert_eq!(site.lookup(|tx| tx.instance_mark("bootstrap")).as_deref(), Some("one"));
    }

    fn a_mark_that_is_there_does_not_end_the_transaction(site) {
        site.write(|tx| tx.set_instance_mark("bootstrap", "one"));
        let user = site.user("anna");
        site.write(move |tx| {
            assert!(!tx.set_instance_mark("bootstrap", "two")?);
            tx.insert_user(&user, &crate::support::hash("x"))
        });
        assert_eq!(site.read(|tx| tx.user_count()), 1);
    }
}
