//! Registered permissions.

use vestibule_core::domain::{
    grant::{Scope, Subject},
    level::Action,
    object::{DeleteRule, ObjectType},
    permission::{Permission, PermissionCode},
};

use crate::support::{after, on_every_database, permission};

on_every_database! {
    fn registering_again_tells_whether_anything_changed(site) {
        let kind = ObjectType::parse("calc").unwrap();
        let first = Permission { on: Some((kind, Action::View)), ..permission("app.view") };
        let put = |permission: &Permission| {
            let permission = permission.clone();
            site.write(move |tx| tx.put_permission(&permission))
        };
        assert!(put(&first));
        assert!(!put(&Permission { registered_at: after(5), ..first.clone() }));
        let second = Permission { description: "other words".to_owned(), on: None, ..first.clone() };
        assert!(put(&Permission { registered_at: after(9), ..second.clone() }));
        // It stays registered since it was first.
        let code = first.code.clone();
        assert_eq!(site.lookup(move |tx| tx.permission(&code)), Some(second));
    }

    fn permissions_are_listed_by_code(site) {
        for code in ["b.view", "a.view", "B.view", "a.view_secret"] {
            site.stored_permission(code);
        }
        let codes: Vec<_> = site.read(|tx| tx.permissions()).iter().map(|p| p.code.to_string()).collect();
        assert_eq!(codes, ["B.view", "a.view", "a.view_secret", "b.view"]);
    }

    fn codes_differ_in_case(site) {
        site.stored_permission("app.view");
        let other = PermissionCode::parse("app.View").unwrap();
        assert_eq!(site.lookup(move |tx| tx.permission(&other)), None);
    }

    fn removing_a_permission_takes_its_grants_along(site) {
        let code = site.stored_permission("app.view");
        let grant = site.grant(Subject::Authenticated, &code, Scope::Whole);
        let id = grant.id;
        site.write(move |tx| tx.insert_grant(&grant));
        let gone = code.clone();
        assert!(site.write(move |tx| tx.delete_permission(&gone)));
        assert!(!site.write(move |tx| tx.delete_permission(&code)));
        assert_eq!(site.read(move |tx| tx.grant_by_id(id)), None);
    }

    fn a_delete_rule_is_kept_for_a_kind(site) {
        let kind = ObjectType::parse("calc").unwrap();
        let put = |rule| {
            let kind = kind.clone();
            site.write(move |tx| tx.put_delete_rule(&kind, rule))
        };
        assert!(!put(DeleteRule::ByLevel), "that is the rule without any");
        assert!(put(DeleteRule::OwnerOnly));
        assert!(!put(DeleteRule::OwnerOnly));
        assert_eq!(site.read(|tx| tx.delete_rules()), [(kind.clone(), DeleteRule::OwnerOnly)]);
        assert!(put(DeleteRule::ByLevel));
        assert_eq!(site.read(|tx| tx.delete_rules()), [(kind.clone(), DeleteRule::ByLevel)]);
    }
}
