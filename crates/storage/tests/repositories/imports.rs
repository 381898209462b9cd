//! Many rows at once.

use std::collections::HashSet;

use vestibule_core::{
    domain::{
        grant::{Scope, Subject},
        group::Membership,
        object::ObjectRef,
        user::User,
    },
    ports::{
        imports::{ImportLink, LinksOf, TakenKeys},
        store::{Constraint, StoreErrorKind},
    },
};

use crate::support::{NOW, Site, email, hash, on_every_database};

const USERS: LinksOf<'_> = LinksOf { source: "django:a", kind: "user" };
const GROUPS: LinksOf<'_> = LinksOf { source: "django:a", kind: "group" };
const ELSEWHERE: LinksOf<'_> = LinksOf { source: "django:b", kind: "user" };

fn link(key: &str, mark: u8) -> ImportLink {
    ImportLink { foreign_key: key.to_owned(), local_id: [mark; 16], fingerprint: [mark; 32] }
}

fn many_users(site: &Site, count: usize) -> Vec<User> {
    let users = (0..count).map(|number| User {
        email: (number % 2 == 0).then(|| email(&format!("u{number}@example.org"))),
        is_staff: number % 3 == 0,
        ..site.user(&format!("user {number} \u{e9}\\\""))
    });
    users.collect()
}

on_every_database! {
    fn thousands_of_rows_come_back_as_they_went_in(site) {
        let users = many_users(site, 1300);
        let groups: Vec<_> = (0..600).map(|number| site.group(&format!("group {number}"))).collect();
        let code = site.stored_permission("app.view");
        let memberships: Vec<_> = users.iter().zip(groups.iter().cycle()).map(|(user, group)| Membership {
            group: group.id, user: user.id, is_manager: false, expires_at: None, since: NOW,
        }).collect();
        let grants: Vec<_> = users.iter().map(|user| {
            let scope = Scope::Object(ObjectRef::new("calc", "\u{e9} \\ 1").unwrap());
            site.grant(Subject::User(user.id), &code, scope)
        }).collect();
        let rows: Vec<_> = users.iter().map(|user| (user.clone(), hash("x"))).collect();
        let (g, m, r) = (groups.clone(), memberships.clone(), grants.clone());
        site.write(move |tx| {
            tx.insert_users(&rows)?;
            tx.insert_groups(&g)?;
            tx.insert_memberships(&m)?;
            tx.insert_grants(&r)
        });
        let ids: Vec<_> = users.iter().map(|user| user.id).collect();
        let mut stored = site.read(move |tx| tx.users_by_ids(&ids));
        stored.sort_by_key(|user| user.id);
        let mut expected = users.clone();
        expected.sort_by_key(|user| user.id);
        assert!(stored == expected);
        let ids: Vec<_> = groups.iter().map(|group| group.id).collect();
        assert_eq!(site.read(move |tx| tx.groups_by_ids(&ids)).len(), 600);
        let subjects: Vec<_> = users.iter().map(|user| Subject::User(user.id)).collect();
        let mut stored = site.read(move |tx| tx.grants_to(&subjects));
        stored.sort_by_key(|grant| grant.id);
        let mut expected = grants;
        expected.sort_by_key(|grant| grant.id);
        assert!(stored == expected);
        let first = users[0].id;
        assert_eq!(site.read(move |tx| tx.memberships_of(first)), [memberships[0]]);
        assert_eq!(site.read(move |tx| tx.user_password(first)), Some(hash("x")));
    }

    fn where_one_of_many_rows_is_refused_nothing_of_the_transaction_is_kept(site) {
        site.stored_user("user 1250 \u{e9}\\\"");
        let rows: Vec<_> = many_users(site, 1300).into_iter().map(|user| (user, hash("x"))).collect();
        let group = site.group("before");
        let refused = StoreErrorKind::Conflict(Constraint::Unique);
        let expected = refused.clone();
        let error = site.try_write(move |tx| {
            tx.insert_group(&group)?;
            assert_eq!(tx.insert_users(&rows).unwrap_err().kind, expected);
            // Whoever goes on all the same cannot.
            assert_eq!(tx.user_count().unwrap_err().kind, expected);
            Ok(())
        });
        assert_eq!(error.unwrap_err().kind, refused);
        assert_eq!(site.read(|tx| tx.user_count()), 1);
        assert_eq!(site.read(|tx| tx.group_by_name_key("before")), None);
    }

    fn nothing_is_added_of_nothing(site) {
        site.write(|tx| {
            tx.insert_users(&[])?;
            tx.insert_groups(&[])?;
            tx.insert_memberships(&[])?;
            tx.insert_grants(&[])?;
            tx.put_import_links(USERS, &[])
        });
        assert_eq!(site.read(|tx| tx.user_count()), 0);
    }

    fn links_are_put_and_replaced(site) {
        let mut links: Vec<_> = (0..1200).map(|number| link(&number.to_string(), 1)).collect();
        links.push(link("7", 2));
        site.write(move |tx| tx.put_import_links(USERS, &links));
        site.write(|tx| tx.put_import_links(GROUPS, &[link("7", 9)]));
        site.write(|tx| tx.put_import_links(USERS, &[link("8", 3)]));
        let mut stored = site.read(|tx| tx.import_links(USERS));
        stored.sort_by_key(|link| link.foreign_key.parse::<u32>().unwrap());
        assert_eq!(stored.len(), 1200);
        assert_eq!(stored[6..10], [link("6", 1), link("7", 2), link("8", 3), link("9", 1)]);
        assert_eq!(site.read(|tx| tx.import_links(GROUPS)), [link("7", 9)]);
        assert_eq!(site.read(|tx| tx.import_links(ELSEWHERE)), []);
    }

    fn links_that_are_there_are_not_inserted_again(site) {
        site.write(|tx| tx.insert_import_links(USERS, &[link("7", 1)]));
        let error = site
            .try_write(|tx| tx.insert_import_links(USERS, &[link("8", 1), link("7", 2)]))
            .unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Conflict(Constraint::Unique));
        assert_eq!(site.read(|tx| tx.import_links(USERS)), [link("7", 1)]);
    }

    fn taken_names_are_told_with_their_owners(site) {
        let anna = User { email: Some(email("Anna@example.org")), ..site.user("Anna") };
        site.put_user(&anna);
        let bert = site.stored_user("bert");
        let taken: HashSet<_> = site.read(|tx| tx.taken_keys()).into_iter()
            .map(|TakenKeys { username, email, user }| (username, email, user)).collect();
        let expected = HashSet::from([
            ("anna".to_owned(), Some("anna@example.org".to_owned()), anna.id),
            ("bert".to_owned(), None, bert.id),
        ]);
        assert_eq!(taken, expected);
    }
}
