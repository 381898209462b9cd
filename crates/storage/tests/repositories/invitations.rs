//! Invitations, what people agreed to, and the browsers that they came by.

use std::{sync::Barrier, thread};

use vestibule_core::{
    TokenDigest,
    domain::{
        group::Group, invitation::Invitation, page::PageRequest, registration::Consent,
        session::KnownBrowser,
    },
    id::{InvitationId, UserId},
};

use crate::support::{NOW, Site, after, email, on_every_database};

fn invitation(site: &Site, to: &str, by: Option<UserId>, groups: &[&Group]) -> Invitation {
    let mut groups: Vec<_> = groups.iter().map(|group| group.id).collect();
    groups.sort();
    Invitation {
        id: InvitationId::generate(NOW, site.chance()),
        email: email(to),
        groups,
        invited_by: by,
        created_at: NOW,
        expires_at: after(60),
    }
}

fn put(site: &Site, invitation: &Invitation) {
    let stored = invitation.clone();
    site.write(move |tx| tx.insert_invitation(&stored));
}

on_every_database! {
    fn an_invitation_is_read_back_as_it_was_until_it_expires(site) {
        let anna = site.stored_user("anna").id;
        let (lab, hall) = (site.stored_group("lab"), site.stored_group("hall"));
        let made = invitation(site, "B\u{e9}rt@Example.org", Some(anna), &[&lab, &hall]);
        put(site, &made);
        let (id, key) = (made.id, made.email.key().to_owned());
        assert_eq!(site.read(move |tx| tx.invitation(id, after(59))), Some(made.clone()));
        assert_eq!(site.read(move |tx| tx.invitation(id, after(60))), None);
        let at = key.clone();
        assert_eq!(site.read(move |tx| tx.invitations_to(&at, NOW)), [made]);
        assert_eq!(site.read(move |tx| tx.invitations_to(&key, after(60))), []);
        assert_eq!(site.read(|tx| tx.invitations_to("a\0b", NOW)), []);
        assert_eq!(site.write(|tx| tx.purge_invitations(after(59))), 0);
        assert_eq!(site.write(|tx| tx.purge_invitations(after(60))), 1);
    }

    fn a_page_holds_all_or_those_of_one_person(site) {
        let (anna, bert) = (site.stored_user("anna").id, site.stored_user("bert").id);
        let lab = site.stored_group("lab");
        let of = |to: &str, by| invitation(site, to, by, &[&lab]);
        let all = [of("1@a.org", Some(anna)), of("2@a.org", Some(bert)), of("3@a.org", None)];
        for one in &all {
            put(site, one);
        }
        let page = |by| site.read(move |tx| tx.invitation_page(by, NOW, &PageRequest::default()));
        let (whole, own) = (page(None), page(Some(bert)));
        assert_eq!((whole.count, own.count), (3, 1));
        assert_eq!(own.items, [all[1].clone()]);
        assert!(all.iter().all(|one| whole.items.contains(one)));
        let late = site.read(|tx| tx.invitation_page(None, after(60), &PageRequest::default()));
        assert_eq!((late.count, late.items.len()), (0, 0));
    }

    fn an_invitation_goes_with_its_maker_and_loses_groups_that_go(site) {
        let (anna, lab) = (site.stored_user("anna").id, site.stored_group("lab"));
        let hall = site.stored_group("hall");
        let made = invitation(site, "b@a.org", Some(anna), &[&lab, &hall]);
        put(site, &made);
        let (id, gone) = (made.id, lab.id);
        site.write(move |tx| tx.delete_group(gone));
        let left = site.read(move |tx| tx.invitation(id, NOW));
        assert_eq!(left.map(|one| one.groups), Some(vec![hall.id]));
        site.write(move |tx| tx.delete_user(anna));
        assert_eq!(site.read(move |tx| tx.invitation(id, NOW)), None);
    }

    fn of_parallel_removals_of_an_invitation_one_counts(site) {
        let made = invitation(site, "b@a.org", None, &[]);
        put(site, &made);
        let (id, barrier) = (made.id, Barrier::new(8));
        let removed: usize = thread::scope(|scope| {
            let removing: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| {
                    barrier.wait();
                    usize::from(site.write(move |tx| tx.delete_invitation(id)))
                }))
                .collect();
            removing.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(removed, 1);
    }

    fn a_consent_is_kept_as_it_was_first_given(site) {
        let anna = site.stored_user("anna").id;
        let consent = |version: &str, at| Consent { version: version.to_owned(), at };
        for given in [consent("2", after(2)), consent("1", NOW), consent("1", after(9))] {
            site.write(move |tx| tx.insert_consent(anna, &given));
        }
        let kept = site.read(move |tx| tx.consents_of(anna));
        assert_eq!(kept, [consent("1", NOW), consent("2", after(2))]);
    }

    fn a_browser_is_new_once_and_forgotten_when_nobody_comes_by_it(site) {
        let (anna, bert) = (site.stored_user("anna").id, site.stored_user("bert").id);
        let seen = |name: &str, at| KnownBrowser { digest: TokenDigest::of(name.as_bytes()), seen_at: at };
        let put = |user, browser: KnownBrowser| site.write(move |tx| tx.put_browser(user, &browser));
        assert!(put(anna, seen("one", after(5))));
        assert!(put(anna, seen("two", NOW)));
        assert!(put(bert, seen("one", NOW)));
        assert!(!put(anna, seen("two", after(7))));
        let known = site.read(move |tx| tx.browsers_of(anna));
        assert_eq!(known, [seen("one", after(5)), seen("two", after(7))]);
        assert_eq!(site.write(|tx| tx.purge_browsers(after(5))), 1);
        assert!(site.read(move |tx| tx.browsers_of(bert)).is_empty());
        let digest = known[0].digest;
        assert!(site.write(move |tx| tx.delete_browser(anna, &digest)));
        assert!(!site.write(move |tx| tx.delete_browser(anna, &digest)));
    }
}
