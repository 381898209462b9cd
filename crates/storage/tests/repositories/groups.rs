//! Groups, memberships and nestings.

use vestibule_core::{
    domain::{
        grant::{Scope, Subject},
        group::{Group, GroupName, Membership, Nesting},
        level::Level,
        object::Object,
        page::PageRequest,
        user::User,
    },
    ports::{
        groups::GroupOrder,
        store::{Constraint, StoreErrorKind},
    },
};

use crate::support::{NOW, Site, after, object, on_every_database};

fn member(group: &Group, user: &User) -> Membership {
    Membership { group: group.id, user: user.id, is_manager: false, expires_at: None, since: NOW }
}

fn nested(parent: &Group, child: &Group) -> Nesting {
    Nesting { parent: parent.id, child: child.id }
}

fn search(site: &Site, text: &'static str) -> Vec<String> {
    let page = site.read(move |tx| tx.group_page(Some(text), &PageRequest::default()));
    page.items.iter().map(|group| group.name.to_string()).collect()
}

on_every_database! {
    fn what_is_stored_comes_back(site) {
        let mut group = Group { level: Level::ReadWrite, ..site.group("Labor \u{dc}") };
        let (id, stored) = (group.id, group.clone());
        site.write(move |tx| tx.insert_group(&stored));
        let key = group.name.key().to_owned();
        assert_eq!(site.lookup(move |tx| tx.group_by_id(id)), Some(group.clone()));
        assert_eq!(site.lookup(move |tx| tx.group_by_name_key(&key)), Some(group.clone()));
        group.name = GroupName::parse("Anders").unwrap();
        group.level = Level::Private;
        let stored = group.clone();
        assert!(site.write(move |tx| tx.update_group(&stored)));
        assert_eq!(site.read(move |tx| tx.groups_by_ids(&[id])), [group]);
    }

    fn a_name_is_taken_whatever_its_case(site) {
        site.stored_group("Lab");
        let mut other = site.stored_group("Other");
        let again = site.group("lAB");
        assert!(site.try_write(move |tx| tx.insert_group(&again)).unwrap_err().is_duplicate());
        other.name = GroupName::parse("LAB").unwrap();
        assert!(site.try_write(move |tx| tx.update_group(&other)).unwrap_err().is_duplicate());
    }

    fn atk_a240_a_search_is_literal_and_ignores_case(site) {
        for name in ["Beamline 1", "beam_2", "100%"] {
            site.stored_group(name);
        }
        assert_eq!(search(site, "BEAM"), ["beam_2", "Beamline 1"]);
        assert_eq!(search(site, "_"), ["beam_2"]);
        assert_eq!(search(site, "%"), ["100%"]);
    }

    fn a_list_comes_in_pages_and_orders(site) {
        for (name, created) in [("carl", 1), ("anna", 2), ("bert", 3)] {
            let group = Group { created_at: after(created), ..site.group(name) };
            site.write(move |tx| tx.insert_group(&group));
        }
        let page = |order, descending, page| {
            let request = PageRequest { page, size: 2, order, descending };
            let page = site.read(move |tx| tx.group_page(None, &request));
            let names: Vec<_> = page.items.iter().map(|g| g.name.to_string()).collect();
            (page.count, names.join(" "))
        };
        assert_eq!(page(GroupOrder::Name, false, 1), (3, "anna bert".to_owned()));
        assert_eq!(page(GroupOrder::Name, false, 2), (3, "carl".to_owned()));
        assert_eq!(page(GroupOrder::CreatedAt, true, 1), (3, "bert anna".to_owned()));
    }

    fn a_membership_is_put_once_and_then_replaced(site) {
        let (group, user) = (site.stored_group("lab"), site.stored_user("anna"));
        let first = member(&group, &user);
        assert!(site.write(move |tx| tx.put_membership(&first)));
        let second = Membership { is_manager: true, expires_at: Some(after(9)), since: after(1), ..first };
        assert!(!site.write(move |tx| tx.put_membership(&second)));
        assert_eq!(site.read(move |tx| tx.membership(group.id, user.id)), Some(second));
        assert_eq!(site.read(move |tx| tx.memberships_of(user.id)), [second]);
        let third = Membership { expires_at: None, ..second };
        assert!(!site.write(move |tx| tx.put_membership(&third)));
        assert_eq!(site.read(move |tx| tx.membership(group.id, user.id)), Some(third));
        assert!(site.write(move |tx| tx.delete_membership(group.id, user.id)));
        assert!(!site.write(move |tx| tx.delete_membership(group.id, user.id)));
    }

    fn a_membership_of_nobody_is_refused_and_undone(site) {
        let group = site.stored_group("lab");
        let nobody = site.user("nobody");
        let wrong = member(&group, &nobody);
        site.write(move |tx| {
            let error = tx.put_membership(&wrong).unwrap_err();
            assert_eq!(error.kind, StoreErrorKind::Conflict(Constraint::Reference));
            // The transaction goes on all the same.
            tx.group_by_id(group.id)
        });
        assert_eq!(site.read(move |tx| tx.membership(group.id, nobody.id)), None);
    }

    fn members_are_listed_by_name_with_their_accounts(site) {
        let group = site.stored_group("lab");
        for name in ["carl", "anna", "Bert"] {
            let membership = member(&group, &site.stored_user(name));
            site.write(move |tx| tx.put_membership(&membership));
        }
        site.stored_user("outsider");
        let page = |page, descending| {
            let request = PageRequest { page, size: 2, order: (), descending };
            let page = site.read(move |tx| tx.member_page(group.id, &request));
            assert!(page.items.iter().all(|(m, user)| m.user == user.id && m.group == group.id));
            let names: Vec<_> = page.items.iter().map(|(_, u)| u.username.to_string()).collect();
            (page.count, names.join(" "))
        };
        assert_eq!(page(1, false), (3, "anna Bert".to_owned()));
        assert_eq!(page(2, false), (3, "carl".to_owned()));
        assert_eq!(page(1, true), (3, "carl Bert".to_owned()));
    }

    fn nestings_are_kept_once(site) {
        let (outer, inner) = (site.stored_group("outer"), site.stored_group("inner"));
        let nesting = nested(&outer, &inner);
        site.write(move |tx| tx.insert_nesting(nesting));
        assert_eq!(site.read(|tx| tx.nestings()), [nesting]);
        site.write(move |tx| {
            assert!(tx.insert_nesting(nesting).unwrap_err().is_duplicate());
            tx.nestings()
        });
        assert!(site.write(move |tx| tx.delete_nesting(nesting)));
        assert!(!site.write(move |tx| tx.delete_nesting(nesting)));
        assert_eq!(site.read(|tx| tx.nestings()), []);
    }

    fn removing_a_group_takes_along_what_is_its_own(site) {
        let (outer, inner) = (site.stored_group("outer"), site.stored_group("inner"));
        let user = site.stored_user("anna");
        let code = site.stored_permission("app.view");
        let membership = member(&inner, &user);
        let grant = site.grant(Subject::Group(inner.id), &code, Scope::Whole);
        let (grant_id, nesting) = (grant.id, nested(&outer, &inner));
        site.write(move |tx| {
            tx.put_membership(&membership)?;
            tx.insert_nesting(nesting)?;
            tx.insert_grant(&grant)
        });
        assert!(site.write(move |tx| tx.delete_group(inner.id)));
        assert_eq!(site.read(move |tx| tx.memberships_of(user.id)), []);
        assert_eq!(site.read(|tx| tx.nestings()), []);
        assert_eq!(site.read(move |tx| tx.grant_by_id(grant_id)), None);
        assert!(site.read(move |tx| tx.group_by_id(outer.id)).is_some());
    }

    fn a_group_with_objects_stays(site) {
        let (group, user) = (site.stored_group("lab"), site.stored_user("anna"));
        let owned = Object { group: Some(group.id), ..object("1", &user) };
        site.write(move |tx| tx.insert_object(&owned));
        let error = site.try_write(move |tx| tx.delete_group(group.id)).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Conflict(Constraint::Reference));
        assert!(site.read(move |tx| tx.group_by_id(group.id)).is_some());
    }
}
