//! Announcements.

use std::{sync::Barrier, thread};

use vestibule_core::{
    domain::{
        announcement::{Announcement, Progress},
        group::Membership,
        notice::{Lane, Notice, NoticeState, StoredNotice},
        page::PageRequest,
        user::User,
    },
    id::{LeaseId, NoticeId, UserId},
    ports::{
        announcements::{Batch, People, Person},
        outbox::{Claim, Settlement},
        store::{StoreError, Tx},
    },
};

use crate::support::{NOW, Site, after, email, on_every_database, wait};

fn put(site: &Site, people: &[UserId], batch: usize) -> Announcement {
    let waiting = u64::try_from(people.len()).unwrap();
    let new = site.announcement(Progress { waiting, without_address: 2, ..Progress::default() });
    let batches: Vec<Vec<UserId>> = people.chunks(batch).map(<[_]>::to_vec).collect();
    let stored = new.clone();
    site.write(move |tx| tx.insert_announcement(&stored, &batches));
    new
}

fn stored(site: &Site, of: &Announcement) -> Announcement {
    let id = of.id;
    site.read(move |tx| tx.announcement(id)).unwrap()
}

fn next(site: &Site) -> Option<Batch> {
    site.read(|tx| tx.next_announcement_batch())
}

fn take(site: &Site, batch: &Batch) -> Option<bool> {
    let batch = batch.clone();
    site.write(move |tx| tx.take_announcement_batch(&batch))
}

/// Ids that grow, as those of people who came one after the other.
fn ids(site: &Site, count: i64) -> Vec<UserId> {
    (0..count).map(|n| UserId::generate(after(n), site.chance())).collect()
}

/// A mail of an announcement.
fn post(site: &Site, of: &Announcement, to: &str) -> NoticeId {
    let id = NoticeId::generate(NOW, site.chance());
    let notice = StoredNotice {
        id,
        message_id: format!("{id}@example.org"),
        recipient: email(to),
        user: None,
        announcement: Some(of.id),
        language: "en".to_owned(),
        lane: Lane::Bulk,
        kind: "announcement".to_owned(),
        data: serde_json::to_string(&Notice::Announcement { announcement: of.id }).unwrap(),
        created_at: NOW,
        expires_at: None,
        state: NoticeState::Waiting,
        attempts: 0,
        due_at: NOW,
        lease: None,
        settled_at: None,
        reason: String::new(),
    };
    let kept = notice.clone();
    site.write(move |tx| tx.insert_notice(&kept));
    assert_eq!(site.read(move |tx| tx.notice_by_id(id)), Some(notice));
    id
}

fn claim(site: &Site, only: NoticeId) -> LeaseId {
    let lease = LeaseId::generate(NOW, site.chance());
    let claim = Claim { now: NOW, lease, until: after(60), limit: 1, lane: None, only: Some(only) };
    assert_eq!(site.write(move |tx| tx.claim_notices(&claim)).len(), 1);
    lease
}

fn settle(site: &Site, id: NoticeId, settlement: Settlement) {
    let lease = claim(site, id);
    assert!(site.write(move |tx| tx.settle_notice(id, lease, after(5), &settlement)));
}

fn people(site: &Site, which: People, only_live: bool) -> Vec<UserId> {
    let found = site.read(move |tx| tx.people(&which, NOW, only_live));
    let mut ids: Vec<UserId> = found.iter().map(|person| person.id).collect();
    ids.sort();
    ids
}

fn sorted(users: &[&User]) -> Vec<UserId> {
    let mut ids: Vec<UserId> = users.iter().map(|user| user.id).collect();
    ids.sort();
    ids
}

fn with(site: &Site, name: &str, change: fn(&mut User)) -> User {
    let mut user = site.user(name);
    change(&mut user);
    site.put_user(&user);
    user
}

on_every_database! {
    fn what_is_stored_comes_back(site) {
        let new = put(site, &ids(site, 5), 2);
        assert_eq!(stored(site, &new), new);
        let id = new.id;
        assert_eq!(site.read(move |tx| tx.announcement_words(id)), Some(new.words.clone()));
        let later = put(site, &ids(site, 1), 2);
        let page = site.read(|tx| tx.announcement_page(&PageRequest::default()));
        let mut both = [new, later];
        both.sort_by_key(|one| std::cmp::Reverse(one.id));
        assert_eq!((page.count, page.items), (2, both.to_vec()));
    }

    fn batches_are_taken_in_order_and_once(site) {
        let people = ids(site, 5);
        let new = put(site, &people, 2);
        let (mut got, mut number) = (Vec::new(), 0);
        while let Some(batch) = next(site) {
            assert_eq!((batch.announcement, batch.number), (new.id, number));
            assert_eq!(take(site, &batch), Some(true));
            assert_eq!(take(site, &batch), None, "somebody else has it");
            got.extend(batch.people);
            number += 1;
            let left = u64::try_from(people.len() - got.len()).unwrap();
            assert_eq!(stored(site, &new).progress.waiting, left);
        }
        assert_eq!(got, people);
    }

    fn of_many_who_post_at_once_one_gets_each_batch(site) {
        let everybody = ids(site, 60);
        put(site, &everybody, 3);
        let stores = [site.store.clone(), site.database.store()];
        let mut all: Vec<UserId> = thread::scope(|scope| {
            let posters: Vec<_> = (0..4).map(|number| {
                let store = &stores[number % 2];
                scope.spawn(move || {
                    let mut mine = Vec::new();
                    loop {
                        let next = wait(store.read(|tx| tx.next_announcement_batch()));
                        let Ok(next) = next else { continue };
                        let Some(batch) = next else { return mine };
                        let wanted = batch.clone();
                        let taken = wait(store.write(move |tx| tx.take_announcement_batch(&wanted)));
                        if taken.is_ok_and(|taken| taken.is_some()) {
                            mine.extend(batch.people);
                        }
                    }
                })
            }).collect();
            posters.into_iter().flat_map(|poster| poster.join().unwrap()).collect()
        });
        all.sort();
        assert_eq!(all, everybody, "each once");
    }

    fn progress_is_what_became_of_the_mails_also_when_the_outbox_forgets_them(site) {
        let new = put(site, &ids(site, 1), 10);
        let [sent, dead, waiting, expired, gone] =
            [1, 2, 3, 4, 5].map(|n| post(site, &new, &format!("a{n}@example.org")));
        settle(site, sent, Settlement::Sent("250 ok".to_owned()));
        settle(site, dead, Settlement::Dead("550 no".to_owned()));
        settle(site, expired, Settlement::Expired(String::new()));
        let expected =
            Progress { waiting: 3, sent: 1, failed: 1, without_address: 2, left_out: 0, cancelled: 1 };
        assert_eq!(stored(site, &new).progress, expected);
        // One that is removed before it was sent was taken back.
        assert!(site.write(move |tx| tx.delete_notice(gone, NOW)));
        let expected = Progress { waiting: 2, cancelled: 2, ..expected };
        assert_eq!(stored(site, &new).progress, expected);
        assert_eq!(site.write(|tx| tx.purge_notices(None, after(9), 100)), 3);
        assert_eq!(stored(site, &new).progress, expected);
        settle(site, waiting, Settlement::Sent(String::new()));
        let id = new.id;
        site.write(move |tx| tx.count_unreached(id, 3, 4));
        let expected = Progress { waiting: 1, sent: 2, without_address: 5, left_out: 4, ..expected };
        assert_eq!(stored(site, &new).progress, expected);
    }

    fn of_two_who_clear_the_outbox_at_once_one_counts_each_mail(site) {
        let new = put(site, &ids(site, 1), 10);
        let stores = [site.store.clone(), site.database.store()];
        for round in 1..=8 {
            for n in 0..12 {
                let mail = post(site, &new, &format!("a{n}@example.org"));
                settle(site, mail, Settlement::Sent(String::new()));
            }
            let begin = Barrier::new(4);
            let gone: u64 = thread::scope(|scope| {
                let clearing: Vec<_> = (0..4).map(|number| {
                    let (store, begin) = (&stores[number % 2], &begin);
                    scope.spawn(move || {
                        begin.wait();
                        let purge = |tx: &mut dyn Tx| tx.purge_notices(None, after(9), 100);
                        wait(store.write::<_, StoreError>(purge)).unwrap()
                    })
                }).collect();
                clearing.into_iter().map(|one| one.join().unwrap()).sum()
            });
            assert_eq!(gone, 12);
            assert_eq!(stored(site, &new).progress.sent, 12 * round, "round {round}");
        }
    }

    fn what_is_taken_back_waits_no_more_but_what_is_under_way_goes_on(site) {
        let new = put(site, &ids(site, 7), 2);
        let [waiting, under_way, sent] =
            [1, 2, 3].map(|n| post(site, &new, &format!("a{n}@example.org")));
        settle(site, sent, Settlement::Sent(String::new()));
        let lease = claim(site, under_way);
        let batch = next(site).unwrap();
        let other = put(site, &ids(site, 1), 2);
        let stays = post(site, &other, "a4@example.org");
        let id = new.id;
        assert!(site.write(move |tx| tx.cancel_announcement(id, after(3))));
        assert!(!site.write(move |tx| tx.cancel_announcement(id, after(4))));
        let after_it = stored(site, &new);
        assert_eq!(after_it.cancelled_at, Some(after(3)));
        let expected =
            Progress { waiting: 1, sent: 1, failed: 0, without_address: 2, left_out: 0, cancelled: 8 };
        assert_eq!(after_it.progress, expected);
        assert_eq!(site.read(move |tx| tx.announcement_words(id)), None);
        assert_eq!(take(site, &batch), None);
        assert_eq!(next(site).unwrap().announcement, other.id);
        let state = |id| site.read(move |tx| tx.notice_by_id(id)).unwrap().state;
        let states = [NoticeState::Expired, NoticeState::Waiting, NoticeState::Waiting];
        assert_eq!([waiting, under_way, stays].map(state), states);
        let done = Settlement::Sent(String::new());
        assert!(site.write(move |tx| tx.settle_notice(under_way, lease, NOW, &done)));
        assert_eq!(stored(site, &new).progress.sent, 2);
    }

    fn people_are_found_by_what_they_are_in(site) {
        let anna = with(site, "anna", |user| user.email = Some(email("anna@example.org")));
        let disabled = with(site, "bert", |user| user.is_active = false);
        let ended = with(site, "carl", |user| user.expires_at = Some(NOW));
        let root = with(site, "root", |user| user.is_superuser = true);
        let group = site.stored_group("lab").id;
        for (user, expires_at) in [(&anna, None), (&disabled, None), (&root, Some(NOW))] {
            let user = user.id;
            let membership =
                Membership { group, user, is_manager: false, expires_at, since: NOW };
            site.write(move |tx| tx.put_membership(&membership));
        }
        let all = [&anna, &disabled, &ended, &root];
        assert_eq!(people(site, People::All, false), sorted(&all));
        assert_eq!(people(site, People::All, true), sorted(&[&anna, &root]));
        assert_eq!(people(site, People::Superusers, true), sorted(&[&root]));
        let members = || People::MembersOf(vec![group]);
        assert_eq!(people(site, members(), true), sorted(&[&anna]));
        assert_eq!(people(site, members(), false), sorted(&[&anna, &disabled]));
        let stranger = UserId::generate(NOW, site.chance());
        let some = || People::These(vec![anna.id, ended.id, stranger]);
        assert_eq!(people(site, some(), true), sorted(&[&anna]));
        assert_eq!(people(site, some(), false), sorted(&[&anna, &ended]));
        assert_eq!(people(site, People::MembersOf(Vec::new()), false), []);
        let found = site.read(|tx| tx.people(&People::All, NOW, true));
        let has_address = |user: &User| found.contains(&Person { id: user.id, has_address: true });
        assert!(has_address(&anna) && !has_address(&root));
    }
}
