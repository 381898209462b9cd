//! Identities from elsewhere, and which memberships come from where.

use std::thread;

use vestibule_core::{
    domain::identity::{BackendName, Identity, Source, Subject},
    id::{GroupId, UserId},
    ports::{checks::BackendCheck, store::Tx},
};

use crate::support::{NOW, Site, after, on_every_database, wait};

fn name(text: &str) -> BackendName {
    BackendName::parse(text).unwrap()
}

fn subject(text: &str) -> Subject {
    Subject::parse(text).unwrap()
}

fn identity(backend: &str, of: &str, user: UserId) -> Identity {
    Identity {
        backend: name(backend),
        subject: subject(of),
        user,
        linked_at: NOW,
        used_at: NOW,
        groups_at: None,
    }
}

fn someone(site: &Site, login: &str) -> UserId {
    site.stored_user(login).id
}

fn somewhere(site: &Site, called: &str) -> GroupId {
    site.stored_group(called).id
}

fn join(site: &Site, group: GroupId, user: UserId) {
    let membership = vestibule_core::domain::group::Membership {
        group,
        user,
        is_manager: false,
        expires_at: None,
        since: NOW,
    };
    site.write(move |tx| tx.put_membership(&membership));
}

on_every_database! {
    fn an_identity_is_kept_and_ends_with_its_account(site) {
        let user = someone(site, "anna");
        let stored = identity("unix", "anna", user);
        let copy = stored.clone();
        site.write(move |tx| tx.insert_identity(&copy));
        let known = site.lookup(|tx| tx.identity(&name("unix"), &subject("anna")));
        assert_eq!(known, Some(stored.clone()));
        site.write(|tx| tx.touch_identity(&name("unix"), &subject("anna"), after(5), Some(after(4))));
        site.write(|tx| tx.touch_identity(&name("unix"), &subject("anna"), after(9), None));
        let touched = Identity { used_at: after(9), groups_at: Some(after(4)), ..stored };
        assert_eq!(site.lookup(move |tx| tx.identities_of(user)), [touched]);
        assert!(!site.write(|tx| tx.touch_identity(&name("ldap"), &subject("anna"), NOW, None)));
        site.write(move |tx| tx.delete_user(user));
        assert_eq!(site.lookup(|tx| tx.identity(&name("unix"), &subject("anna"))), None);
    }

    fn whoever_was_left_over_is_asked_about_before_those_who_were_not(site) {
        for (number, login) in ["anna", "bert", "carla"].into_iter().enumerate() {
            let user = someone(site, login);
            // By name and by number the one who waits longest is the last.
            let used = after(10 - i64::try_from(number).unwrap());
            let one = Identity { used_at: used, ..identity("unix", login, user) };
            site.write(move |tx| tx.insert_identity(&one));
            site.write(move |tx| tx.put_entitled_at(&name("unix"), user, Some(used)));
        }
        let users = |logins: &[&str]| -> Vec<UserId> {
            let of = |login: &&str| {
                let login = (*login).to_owned();
                site.lookup(move |tx| tx.user_by_username_key(&login)).unwrap().id
            };
            logins.iter().map(of).collect()
        };
        let due = |now: i64, limit: u32| {
            let all = site.lookup(move |tx| tx.identities_due(&name("unix"), after(now), limit));
            let linked: Vec<UserId> = all.into_iter().map(|one| one.user).collect();
            let all = site.lookup(move |tx| tx.entitled_due(&name("unix"), after(now), limit));
            assert_eq!(all, linked);
            linked
        };
        assert_eq!(due(60, 3), users(&["carla", "bert", "anna"]));
        let check = |login: &str, second: i64| {
            let user = users(&[login])[0];
            let check = BackendCheck { checked_at: after(second), stale_since: None };
            site.write(move |tx| tx.put_backend_check(&name("unix"), user, &check));
        };
        check("carla", 60);
        assert_eq!(due(120, 2), users(&["bert", "anna"]), "who was never asked about is first");
        check("bert", 70);
        check("anna", 65);
        assert_eq!(due(120, 3), users(&["carla", "anna", "bert"]));
        check("carla", 121);
        assert_eq!(due(120, 3), users(&["anna", "bert"]));
    }

    fn atk_a106_subjects_differ_by_case_by_blanks_and_by_backend(site) {
        let user = someone(site, "anna");
        let all = [
            ("unix", "anna"), ("unix", "Anna"), ("unix", "anna "), ("unix", "\u{e9}"),
            ("unix", "e\u{301}"), ("ldap", "anna"), ("unix", "1"), ("unix", "1.0"),
        ];
        for (backend, of) in all {
            let one = identity(backend, of, user);
            site.write(move |tx| tx.insert_identity(&one));
        }
        assert_eq!(site.lookup(move |tx| tx.identities_of(user)).len(), all.len());
        assert!(site.write(|tx| tx.delete_identity(&name("unix"), &subject("anna"))));
        assert!(!site.write(|tx| tx.delete_identity(&name("unix"), &subject("anna"))));
        assert!(site.lookup(|tx| tx.identity(&name("unix"), &subject("Anna"))).is_some());
    }

    fn atk_a119_of_two_accounts_that_link_one_identity_at_once_one_has_it(site) {
        let users: Vec<_> = (0..8).map(|n| someone(site, &format!("user{n}"))).collect();
        let won: usize = thread::scope(|scope| {
            let links: Vec<_> = users.iter().map(|&user| {
                let store = &site.store;
                scope.spawn(move || {
                    let one = identity("unix", "anna", user);
                    let linked = wait(store.write(move |tx: &mut dyn Tx| tx.insert_identity(&one)));
                    match linked {
                        Ok(()) => 1,
                        Err(error) => { assert!(error.is_duplicate(), "{error:?}"); 0 }
                    }
                })
            }).collect();
            links.into_iter().map(|link| link.join().unwrap()).sum()
        });
        assert_eq!(won, 1);
    }

    fn memberships_remember_where_they_come_from(site) {
        let (user, other) = (someone(site, "anna"), someone(site, "bert"));
        let (lab, team) = (somewhere(site, "lab"), somewhere(site, "team"));
        for (group, user) in [(lab, user), (team, user), (lab, other)] {
            join(site, group, user);
        }
        let (unix, hand) = (Source::Backend(name("unix")), Source::ByHand);
        for (group, user, source) in
            [(lab, user, &unix), (lab, user, &hand), (team, user, &unix), (lab, other, &unix)]
        {
            let put = |source: Source| site.write(move |tx| tx.put_membership_source(group, user, &source));
            assert!(put(source.clone()));
            assert!(!put(source.clone()), "twice");
        }
        let asked = unix.clone();
        let mut both = site.lookup(move |tx| tx.groups_from(user, &asked));
        both.sort();
        let mut expected = [lab, team];
        expected.sort();
        assert_eq!(both, expected);
        let sources = site.lookup(move |tx| tx.membership_sources(lab, user));
        assert_eq!(sources, [hand, unix.clone()]);
        let gone = unix.clone();
        assert!(site.write(move |tx| tx.delete_membership_source(lab, user, &gone)));
        site.write(move |tx| tx.delete_membership(team, user));
        let asked = unix.clone();
        assert!(site.lookup(move |tx| tx.groups_from(user, &asked)).is_empty());
        let other_source = unix.clone();
        assert_eq!(site.lookup(move |tx| tx.groups_from(other, &other_source)), [lab]);
    }

    fn when_somebody_was_let_in_is_remembered_and_forgotten(site) {
        let user = someone(site, "anna");
        let at = |site: &Site| site.lookup(move |tx| tx.entitled_at(&name("uo"), user));
        assert_eq!(at(site), None);
        for moment in [NOW, after(60)] {
            site.write(move |tx| tx.put_entitled_at(&name("uo"), user, Some(moment)));
            assert_eq!(at(site), Some(moment));
        }
        assert_eq!(site.lookup(move |tx| tx.entitled_at(&name("uo2"), user)), None);
        site.write(move |tx| tx.put_entitled_at(&name("uo"), user, None));
        assert_eq!(at(site), None);
        site.write(move |tx| tx.put_entitled_at(&name("uo"), user, None));
    }
}
