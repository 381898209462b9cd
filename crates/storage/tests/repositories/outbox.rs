//! The outbox.

use std::thread;

use vestibule_core::{
    Timestamp,
    domain::{
        notice::{Lane, Notice, NoticeState, StoredNotice},
        page::PageRequest,
    },
    id::{LeaseId, NoticeId, UserId},
    ports::outbox::{Claim, NoticeCounts, NoticeFilter, Settlement},
};

use crate::support::{NOW, Site, after, email, on_every_database, wait};

fn notice(site: &Site, to: &str, at: Timestamp) -> StoredNotice {
    site.notice(to, at)
}

fn put(site: &Site, notice: StoredNotice) -> NoticeId {
    let id = notice.id;
    site.write(move |tx| tx.insert_notice(&notice));
    id
}

fn post(site: &Site, to: &str, at: Timestamp) -> NoticeId {
    put(site, notice(site, to, at))
}

fn lease(site: &Site) -> LeaseId {
    LeaseId::generate(NOW, site.chance())
}

/// Takes on what is due; answers which.
fn claim(site: &Site, lease: LeaseId, now: Timestamp, limit: u32) -> Vec<NoticeId> {
    let claim = Claim { now, lease, until: now.plus(MINUTE), limit, lane: None, only: None };
    site.write(move |tx| tx.claim_notices(&claim)).into_iter().map(|notice| notice.id).collect()
}

fn settle(site: &Site, id: NoticeId, lease: LeaseId, settlement: Settlement) -> bool {
    site.write(move |tx| tx.settle_notice(id, lease, after(5), &settlement))
}

fn stored(site: &Site, id: NoticeId) -> StoredNotice {
    site.read(move |tx| tx.notice_by_id(id)).unwrap()
}

const MINUTE: std::time::Duration = std::time::Duration::from_mins(1);

on_every_database! {
    fn what_is_stored_comes_back(site) {
        let mut whole = notice(site, "Änna@bücher.example", NOW);
        whole.user = Some(UserId::generate(NOW, site.chance()));
        whole.lane = Lane::Bulk;
        whole.expires_at = Some(after(60));
        whole.data = serde_json::to_string(&Notice::Reset { username: "Änna 🦊".to_owned() }).unwrap();
        let id = put(site, whole.clone());
        assert_eq!(stored(site, id), whole);
        let page = site.read(|tx| tx.notice_page(&NoticeFilter::default(), &PageRequest::default()));
        assert_eq!((page.count, page.items), (1, vec![whole]));
        let nobody = NoticeId::generate(NOW, site.chance());
        assert_eq!(site.read(move |tx| tx.notice_by_id(nobody)), None);
    }

    fn the_oldest_of_each_recipient_comes_first_and_alone(site) {
        // All of one microsecond, so that nothing but their places tells their order.
        let [a1, b1, a2, a3] =
            ["a@example.org", "b@example.org", "A@example.org", "a@example.org"]
                .map(|to| post(site, to, NOW));
        let lease = lease(site);
        let mut first = claim(site, lease, NOW, 10);
        first.sort();
        let mut expected = [a1, b1];
        expected.sort();
        assert_eq!(first, expected);
        assert_eq!(claim(site, lease, NOW, 10), []);
        assert!(settle(site, a1, lease, Settlement::Sent("250 ok".to_owned())));
        assert_eq!(claim(site, lease, NOW, 10), [a2]);
        assert!(settle(site, a2, lease, Settlement::Dead("550 no".to_owned())));
        assert_eq!(claim(site, lease, NOW, 10), [a3]);
    }

    fn flt_f22_one_that_is_tried_later_keeps_those_behind_it_waiting(site) {
        let (first, second) = (post(site, "a@example.org", NOW), post(site, "a@example.org", after(1)));
        let other = post(site, "b@example.org", after(2));
        let lease = lease(site);
        assert_eq!(claim(site, lease, after(2), 1), [first]);
        let retry = Settlement::Retry(after(600), "451 later".to_owned());
        assert!(settle(site, first, lease, retry));
        assert_eq!(claim(site, lease, after(3), 10), [other]);
        assert!(settle(site, other, lease, Settlement::Sent(String::new())));
        let back = stored(site, first);
        assert_eq!((back.attempts, back.lease, back.state), (1, None, NoticeState::Waiting));
        assert_eq!((back.due_at, &*back.reason), (after(600), "451 later"));
        assert_eq!(claim(site, lease, after(600), 10), [first]);
        assert!(settle(site, first, lease, Settlement::Sent(String::new())));
        assert_eq!(claim(site, lease, after(600), 10), [second]);
    }

    fn flt_f22_what_dies_is_not_held_up_by_what_was_refused_for_now(site) {
        let a = "a@example.org";
        let dying = |at| StoredNotice { expires_at: Some(after(3600)), ..notice(site, a, at) };
        let (first, second) = (post(site, a, NOW), post(site, a, after(1)));
        let (link, later) = (put(site, dying(after(2))), put(site, dying(after(3))));
        let last = post(site, a, after(4));
        let lease = lease(site);
        // As long as nothing was refused, all keep their places; so does what is being sent.
        assert_eq!(claim(site, lease, after(9), 10), [first]);
        assert_eq!(claim(site, lease, after(9), 10), []);
        let refused = || Settlement::Retry(after(600), "451 later".to_owned());
        assert!(settle(site, first, lease, refused()));
        assert_eq!(claim(site, lease, after(9), 10), [link]);
        assert_eq!(claim(site, lease, after(9), 10), [], "among those that die the order holds");
        assert!(settle(site, link, lease, refused()));
        assert_eq!(claim(site, lease, after(9), 10), [later], "each has its attempt");
        assert!(settle(site, later, lease, Settlement::Sent(String::new())));
        assert_eq!(claim(site, lease, after(9), 10), []);
        // What lasts keeps to its order whatever comes.
        for id in [first, second, last] {
            let mut got = claim(site, lease, after(600), 10);
            got.retain(|id| *id != link);
            assert_eq!(got, [id]);
            assert!(settle(site, id, lease, Settlement::Sent(String::new())));
            if id == first {
                assert!(settle(site, link, lease, Settlement::Sent(String::new())));
            }
        }
    }

    fn a_mail_takes_the_place_of_one_that_says_the_same_and_was_refused_for_now(site) {
        let (a, lease) = ("a@example.org", lease(site));
        let reset = |to: &str, name: &str| {
            let notice = Notice::Reset { username: name.to_owned() };
            StoredNotice {
                kind: "reset".to_owned(),
                data: serde_json::to_string(&notice).unwrap(),
                expires_at: Some(after(3600)),
                ..site.notice(to, NOW)
            }
        };
        let refused = put(site, reset(a, "anna"));
        assert_eq!(claim(site, lease, NOW, 1), [refused]);
        let replace = |notice: &StoredNotice| {
            let notice = notice.clone();
            site.write(move |tx| tx.replace_notices(&notice))
        };
        let newer = reset("A@example.org", "anna");
        assert_eq!(replace(&newer), 0, "it is being sent");
        assert!(settle(site, refused, lease, Settlement::Retry(after(60), "451".to_owned())));
        let untried = put(site, reset(a, "anna"));
        for other in [reset(a, "bert"), reset("b@example.org", "anna"), notice(site, a, NOW)] {
            assert_eq!(replace(&other), 0);
        }
        assert_eq!(replace(&newer), 1);
        let gone = stored(site, refused);
        assert_eq!((gone.state, gone.settled_at), (NoticeState::Expired, Some(NOW)));
        assert_eq!(gone.reason, "a newer one takes its place");
        assert_eq!(stored(site, untried).state, NoticeState::Waiting);
    }

    fn what_one_person_waits_for_goes_before_what_many_are_told(site) {
        let bulk = StoredNotice { lane: Lane::Bulk, ..notice(site, "a@example.org", NOW) };
        let bulk = put(site, bulk);
        let personal = post(site, "a@example.org", after(9));
        assert_eq!(claim(site, lease(site), after(9), 1), [personal]);
        assert_eq!(claim(site, lease(site), after(9), 1), [bulk]);
    }

    fn what_is_given_back_was_never_tried(site) {
        let id = post(site, "a@example.org", NOW);
        let lease = lease(site);
        assert_eq!(claim(site, lease, after(1), 1), [id]);
        assert!(settle(site, id, lease, Settlement::Back(NOW, String::new())));
        let back = stored(site, id);
        assert_eq!((back.attempts, back.due_at, back.lease), (0, NOW, None));
        assert_eq!(claim(site, lease, after(1), 1), [id]);
    }

    fn a_lease_that_ran_out_is_anothers(site) {
        let id = post(site, "a@example.org", NOW);
        let (dead, alive) = (lease(site), lease(site));
        assert_eq!(claim(site, dead, NOW, 1), [id]);
        assert_eq!(claim(site, alive, after(59), 1), []);
        assert_eq!(claim(site, alive, after(60), 1), [id]);
        assert_eq!(stored(site, id).attempts, 2);
        assert!(!settle(site, id, dead, Settlement::Retry(after(1), String::new())));
        assert!(!settle(site, id, dead, Settlement::Dead(String::new())));
        assert_eq!(stored(site, id).lease, Some(alive));
        // That it was sent is true whoever has it now.
        assert!(settle(site, id, dead, Settlement::Sent("250 ok".to_owned())));
        assert!(!settle(site, id, alive, Settlement::Dead(String::new())));
        assert_eq!(stored(site, id).state, NoticeState::Sent);
    }

    fn of_many_senders_at_once_one_gets_each(site) {
        for number in 0..60 {
            post(site, &format!("u{number}@example.org"), NOW);
        }
        // Two stores, as two server processes would have.
        let stores = [site.store.clone(), site.database.store()];
        let leases: Vec<LeaseId> = (0..4).map(|_| lease(site)).collect();
        let mut all: Vec<NoticeId> = thread::scope(|scope| {
            let senders: Vec<_> = leases.iter().enumerate().map(|(number, lease)| {
                let store = &stores[number % 2];
                scope.spawn(move || {
                    let mut mine = Vec::new();
                    loop {
                        let until = NOW.plus(MINUTE);
                        let claim = Claim { now: NOW, lease: *lease, until, limit: 7, lane: None, only: None };
                        let got = wait(store.write(move |tx| tx.claim_notices(&claim)));
                        match got {
                            Ok(got) if got.is_empty() => {
                                let due = wait(store.read(|tx| tx.next_notice_due(Lane::Personal)));
                                if due.is_ok_and(|due| due.is_none_or(|due| due > NOW)) {
                                    return mine;
                                }
                            }
                            Ok(got) => mine.extend(got.into_iter().map(|notice| notice.id)),
                            Err(_) => {}
                        }
                    }
                })
            }).collect();
            senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
        });
        assert_eq!(all.len(), 60);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 60, "each once");
    }

    fn what_is_due_next_is_told(site) {
        let next_of = |lane| site.read(move |tx| tx.next_notice_due(lane));
        let next = || next_of(Lane::Personal);
        assert_eq!(next(), None);
        post(site, "a@example.org", after(9));
        assert_eq!(next(), Some(after(9)));
        let bulk = StoredNotice { lane: Lane::Bulk, ..notice(site, "b@example.org", after(3)) };
        put(site, bulk);
        assert_eq!((next(), next_of(Lane::Bulk)), (Some(after(9)), Some(after(3))));
        claim(site, lease(site), after(3), 1);
        assert_eq!((next(), next_of(Lane::Bulk)), (Some(after(9)), Some(after(63))));
    }

    fn flt_f28_what_is_not_worth_sending_any_more_expires(site) {
        let late = StoredNotice { expires_at: Some(after(10)), ..notice(site, "a@example.org", NOW) };
        let under_way = StoredNotice { id: NoticeId::generate(NOW, site.chance()), recipient: email("b@example.org"), ..late.clone() };
        let (late, stays) = (put(site, late), post(site, "c@example.org", NOW));
        let under_way = put(site, under_way);
        let lease = lease(site);
        let only = Claim { now: NOW, lease, until: after(60), limit: 1, lane: None, only: Some(under_way) };
        assert_eq!(site.write(move |tx| tx.claim_notices(&only)).len(), 1);
        assert_eq!(site.write(|tx| tx.expire_notices(after(9))), 0);
        assert_eq!(site.write(|tx| tx.expire_notices(after(10))), 1);
        assert_eq!(stored(site, late).state, NoticeState::Expired);
        assert_eq!(stored(site, late).settled_at, Some(after(10)));
        for id in [under_way, stays] {
            assert_eq!(stored(site, id).state, NoticeState::Waiting);
        }
    }

    fn mails_about_an_account_are_taken_back_by_kind(site) {
        let user = UserId::generate(NOW, site.chance());
        let of_user = |kind: &str, to: &str| StoredNotice {
            user: Some(user), kind: kind.to_owned(), ..notice(site, to, NOW)
        };
        let reset = put(site, of_user("reset", "a@example.org"));
        let changed = put(site, of_user("password_changed", "a@example.org"));
        let other = post(site, "b@example.org", NOW);
        assert_eq!(site.write(move |tx| tx.expire_notices_about(user, &["reset", "activate"], NOW)), 1);
        assert_eq!(stored(site, reset).state, NoticeState::Expired);
        for id in [changed, other] {
            assert_eq!(stored(site, id).state, NoticeState::Waiting);
        }
    }

    fn the_dead_are_raised_and_removed(site) {
        let ids = ["a@example.org", "b@example.org", "c@example.org"].map(|to| post(site, to, NOW));
        let [dead, sent, waiting] = ids;
        let lease = lease(site);
        claim(site, lease, NOW, 10);
        settle(site, dead, lease, Settlement::Dead("550 no\r\nsuch user".to_owned()));
        settle(site, sent, lease, Settlement::Sent("250 ok".to_owned()));
        settle(site, waiting, lease, Settlement::Back(NOW, String::new()));
        let counts = site.read(|tx| tx.notice_counts());
        assert_eq!(counts, NoticeCounts { waiting: 1, sent: 1, dead: 1, expired: 0 });
        assert_eq!(stored(site, dead).reason, "550 nosuch user");
        assert!(!site.write(move |tx| tx.retry_notice(sent, after(9))));
        assert!(site.write(move |tx| tx.retry_notice(dead, after(9))));
        let raised = stored(site, dead);
        assert_eq!((raised.state, raised.attempts, raised.due_at), (NoticeState::Waiting, 0, after(9)));
        assert_eq!(raised.settled_at, None);
        assert_eq!(site.write(|tx| tx.purge_notices(None, after(4), 10)), 0);
        assert_eq!(site.write(|tx| tx.purge_notices(Some(NoticeState::Dead), after(5), 10)), 0);
        assert_eq!(site.write(|tx| tx.purge_notices(None, after(5), 10)), 1);
        assert_eq!(site.read(move |tx| tx.notice_by_id(sent)), None);
        assert!(site.write(move |tx| tx.delete_notice(waiting, NOW)));
        assert!(!site.write(move |tx| tx.delete_notice(waiting, NOW)));
        assert_eq!(site.write(|tx| tx.retry_dead_notices(NOW)), 0);
    }

    fn a_mail_under_way_is_neither_removed_nor_begun_again(site) {
        let id = post(site, "a@example.org", NOW);
        claim(site, lease(site), NOW, 1);
        assert!(!site.write(move |tx| tx.delete_notice(id, after(9))));
        assert!(!site.write(move |tx| tx.retry_notice(id, after(9))));
        assert!(site.write(move |tx| tx.delete_notice(id, after(60))));
    }

    fn a_list_is_picked_by_state_kind_and_address(site) {
        let (a, b) = (post(site, "a@example.org", NOW), post(site, "B@example.org", after(1)));
        let ids = |filter: NoticeFilter| -> Vec<NoticeId> {
            let page = site.read(move |tx| tx.notice_page(&filter, &PageRequest::default()));
            page.items.into_iter().map(|notice| notice.id).collect()
        };
        assert_eq!(ids(NoticeFilter::default()), [b, a]);
        let to = |key: &str| NoticeFilter { recipient: Some(key.to_owned()), ..NoticeFilter::default() };
        assert_eq!(ids(to("b@example.org")), [b]);
        assert_eq!(ids(to("b\0")), []);
        let kind = |kind: &str| NoticeFilter { kind: Some(kind.to_owned()), ..NoticeFilter::default() };
        assert_eq!((ids(kind("test")).len(), ids(kind("reset")).len()), (2, 0));
        let state = |state| NoticeFilter { state: Some(state), ..NoticeFilter::default() };
        assert_eq!(ids(state(NoticeState::Waiting)), [b, a]);
        assert_eq!(ids(state(NoticeState::Dead)), []);
    }
}
