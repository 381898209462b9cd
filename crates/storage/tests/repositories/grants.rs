//! Grants.

use vestibule_core::{
    domain::{
        grant::{Effect, Grant, Scope, Subject},
        object::{ObjectPrefix, ObjectRef},
        page::PageRequest,
        permission::PermissionCode,
    },
    ports::{
        grants::GrantFilter,
        store::{Constraint, StoreErrorKind},
    },
};

use crate::support::{NOW, Site, after, on_every_database};

fn on_object(id: &str) -> Scope {
    Scope::Object(ObjectRef::new("calc", id).unwrap())
}

fn below(path: &str) -> Scope {
    Scope::Prefix(ObjectPrefix::new("calc", path).unwrap())
}

fn put(site: &Site, grant: &Grant) -> Grant {
    let stored = grant.clone();
    site.write(move |tx| tx.insert_grant(&stored));
    grant.clone()
}

on_every_database! {
    fn what_is_stored_comes_back(site) {
        let (user, group) = (site.stored_user("anna"), site.stored_group("lab"));
        let code = site.stored_permission("app.view");
        let subjects = [Subject::User(user.id), Subject::Group(group.id), Subject::Authenticated];
        for subject in subjects {
            for scope in [Scope::Whole, on_object("1"), below("/a/")] {
                for effect in [Effect::Allow, Effect::Deny] {
                    let grant = put(site, &Grant {
                        effect,
                        expires_at: Some(after(9)),
                        granted_by: Some(user.id),
                        ..site.grant(subject, &code, scope.clone())
                    });
                    let id = grant.id;
                    assert_eq!(site.lookup(move |tx| tx.grant_by_id(id)), Some(grant));
                }
            }
        }
        assert_eq!(site.read(move |tx| tx.grants_to(&subjects)).len(), 18);
    }

    fn the_same_grant_is_made_once(site) {
        let code = site.stored_permission("app.view");
        for scope in [Scope::Whole, on_object("1"), below("/a/")] {
            let grant = put(site, &site.grant(Subject::Authenticated, &code, scope.clone()));
            let again = Grant {
                expires_at: Some(after(1)),
                granted_at: after(2),
                ..site.grant(Subject::Authenticated, &code, scope)
            };
            let like = again.clone();
            assert_eq!(site.read(move |tx| tx.grant_like(&like)), Some(grant));
            let denial = Grant { effect: Effect::Deny, ..again.clone() };
            let like = denial.clone();
            assert_eq!(site.read(move |tx| tx.grant_like(&like)), None);
            site.write(move |tx| {
                assert!(tx.insert_grant(&again).unwrap_err().is_duplicate());
                tx.insert_grant(&denial)
            });
        }
    }

    fn a_grant_needs_its_subject_and_permission(site) {
        let code = site.stored_permission("app.view");
        let nobody = site.user("nobody").id;
        let unregistered = PermissionCode::parse("app.edit").unwrap();
        for grant in [
            site.grant(Subject::User(nobody), &code, Scope::Whole),
            site.grant(Subject::Authenticated, &unregistered, Scope::Whole),
        ] {
            let error = site.try_write(move |tx| tx.insert_grant(&grant)).unwrap_err();
            assert_eq!(error.kind, StoreErrorKind::Conflict(Constraint::Reference));
        }
    }

    fn only_grants_to_these_subjects_are_found(site) {
        let code = site.stored_permission("app.view");
        let (anna, bert) = (site.stored_user("anna"), site.stored_user("bert"));
        let own = put(site, &site.grant(Subject::User(anna.id), &code, Scope::Whole));
        put(site, &site.grant(Subject::User(bert.id), &code, Scope::Whole));
        put(site, &site.grant(Subject::Authenticated, &code, Scope::Whole));
        assert_eq!(site.read(move |tx| tx.grants_to(&[Subject::User(anna.id)])), [own]);
        assert_eq!(site.read(|tx| tx.grants_to(&[])), []);
    }

    fn thousands_of_subjects_are_looked_up_at_once(site) {
        let code = site.stored_permission("app.view");
        let grant = put(site, &site.grant(Subject::Authenticated, &code, Scope::Whole));
        let mut subjects: Vec<_> = (0..40_000).map(|_| Subject::User(site.user("x").id)).collect();
        subjects.push(Subject::Authenticated);
        assert_eq!(site.read(move |tx| tx.grants_to(&subjects)), [grant]);
    }

    fn a_list_is_filtered_and_comes_in_pages(site) {
        let (view, edit) = (site.stored_permission("app.view"), site.stored_permission("app.edit"));
        let user = site.stored_user("anna");
        let subject = Subject::User(user.id);
        let made: Vec<Grant> = [
            site.grant(subject, &view, Scope::Whole),
            site.grant(subject, &edit, on_object("1")),
            site.grant(Subject::Authenticated, &view, on_object("1")),
            site.grant(Subject::Authenticated, &view, below("/a/")),
        ].iter().map(|grant| put(site, grant)).collect();
        let count = |filter: GrantFilter| {
            site.read(move |tx| tx.grant_page(&filter, &PageRequest::default())).count
        };
        assert_eq!(count(GrantFilter::default()), 4);
        assert_eq!(count(GrantFilter { subject: Some(subject), ..GrantFilter::default() }), 2);
        assert_eq!(count(GrantFilter { permission: Some(view), ..GrantFilter::default() }), 3);
        let one = ObjectRef::new("calc", "1").unwrap();
        assert_eq!(count(GrantFilter { object: Some(one), ..GrantFilter::default() }), 2);
        let path = ObjectRef::new("calc", "/a/").unwrap();
        assert_eq!(count(GrantFilter { object: Some(path), ..GrantFilter::default() }), 0);
        let mut ids: Vec<_> = made.iter().map(|grant| grant.id).collect();
        ids.sort();
        let request = PageRequest { page: 2, size: 3, order: (), descending: false };
        let page = site.read(move |tx| tx.grant_page(&GrantFilter::default(), &request));
        assert_eq!(page.items.iter().map(|grant| grant.id).collect::<Vec<_>>(), ids[3..]);
    }

    fn expiry_and_maker_are_rewritten(site) {
        let user = site.stored_user("anna");
        let code = site.stored_permission("app.view");
        let before = put(site, &Grant {
            expires_at: Some(after(1)),
            ..site.grant(Subject::Authenticated, &code, Scope::Whole)
        });
        let written = Grant {
            expires_at: None,
            granted_by: Some(user.id),
            granted_at: after(3),
            ..before
        };
        let (id, stored) = (written.id, written.clone());
        assert!(site.write(move |tx| tx.update_grant(&stored)));
        assert_eq!(site.read(move |tx| tx.grant_by_id(id)), Some(written));
        assert!(site.write(move |tx| tx.delete_grant(id)));
        assert!(!site.write(move |tx| tx.delete_grant(id)));
    }

    fn grants_on_an_object_go_with_it_and_no_others(site) {
        let code = site.stored_permission("app.view");
        put(site, &site.grant(Subject::Authenticated, &code, on_object("/a/")));
        let path = put(site, &site.grant(Subject::Authenticated, &code, below("/a/")));
        let object = ObjectRef::new("calc", "/a/").unwrap();
        let denial = Grant {
            effect: Effect::Deny,
            ..site.grant(Subject::Authenticated, &code, on_object("/a/"))
        };
        let denial = put(site, &denial);
        let there = object.clone();
        assert_eq!(site.read(move |tx| tx.denials_on(&there)), [denial]);
        assert_eq!(site.write(move |tx| tx.delete_grants_on(&object)), 2);
        let id = path.id;
        assert_eq!(site.read(move |tx| tx.grant_by_id(id)), Some(path));
    }

    fn a_maker_may_go_and_is_still_named(site) {
        let maker = site.stored_user("maker");
        let code = site.stored_permission("app.view");
        let grant = put(site, &Grant {
            granted_by: Some(maker.id),
            granted_at: NOW,
            ..site.grant(Subject::Authenticated, &code, Scope::Whole)
        });
        site.write(move |tx| tx.delete_user(maker.id));
        let id = grant.id;
        assert_eq!(site.read(move |tx| tx.grant_by_id(id)), Some(grant));
    }
}
