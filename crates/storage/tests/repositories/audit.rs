//! Audit events.

use serde_json::json;
use vestibule_core::{
    domain::{
        audit::{AuditEvent, StoredAuditEvent},
        page::PageRequest,
    },
    id::UserId,
    ports::audit::AuditFilter,
};

use crate::support::{NOW, Site, after, on_every_database};

fn put(site: &Site, event: &AuditEvent) {
    let event = event.clone();
    site.write(move |tx| tx.insert_audit(&event));
}

fn actions(site: &Site, filter: &AuditFilter) -> Vec<String> {
    let filter = filter.clone();
    let page = site.read(move |tx| tx.audit_page(&filter, &PageRequest::default()));
    page.items.into_iter().map(|event| event.action).collect()
}

on_every_database! {
    fn what_is_stored_comes_back(site) {
        let event = AuditEvent {
            actor_id: Some(UserId::generate(NOW, site.chance())),
            actor: "anna".to_owned(),
            address: "2001:db8::7".to_owned(),
            user_agent: "curl/8 \u{1F98A}".to_owned(),
            target_id: "calc:/a/".to_owned(),
            target: "Caf\u{e9} 'x' \\ \"y\"".to_owned(),
            right: "superuser".to_owned(),
            details: json!({"from": null, "to": ["\u{20ac}", 1.5, {"deep": true}]}),
            ..site.event("group.member_added", NOW)
        };
        put(site, &event);
        let page = site.read(|tx| tx.audit_page(&AuditFilter::default(), &PageRequest::default()));
        let stored = StoredAuditEvent {
            id: event.id,
            at: event.at,
            actor_id: event.actor_id,
            actor: event.actor,
            address: event.address,
            user_agent: event.user_agent,
            request: event.request,
            action: event.action.to_owned(),
            target_kind: event.target_kind.to_owned(),
            target_id: event.target_id,
            target: event.target,
            right: event.right,
            details: event.details,
        };
        assert_eq!((page.count, page.items), (1, vec![stored]));
    }

    fn a_list_is_newest_first_and_filtered(site) {
        let anna = site.stored_user("anna").id;
        put(site, &AuditEvent { actor_id: Some(anna), ..site.event("login.succeeded", after(1)) });
        put(site, &AuditEvent { target_id: "7".to_owned(), ..site.event("login.failed", after(2)) });
        put(site, &AuditEvent { target_kind: "group", ..site.event("loginx.odd", after(3)) });
        put(site, &site.event("login", after(4)));
        let all = AuditFilter::default();
        assert_eq!(actions(site, &all), ["login", "loginx.odd", "login.failed", "login.succeeded"]);
        let by = |filter: AuditFilter| actions(site, &filter);
        assert_eq!(by(AuditFilter { action: Some("login.".into()), ..all.clone() }), ["login.failed", "login.succeeded"]);
        assert_eq!(by(AuditFilter { action: Some("login".into()), ..all.clone() }), ["login"]);
        assert_eq!(by(AuditFilter { action: Some("%".into()), ..all.clone() }), Vec::<String>::new());
        assert_eq!(by(AuditFilter { actor: Some(anna), ..all.clone() }), ["login.succeeded"]);
        assert_eq!(by(AuditFilter { target_kind: Some("group".into()), ..all.clone() }), ["loginx.odd"]);
        assert_eq!(by(AuditFilter { target_id: Some("7".into()), ..all.clone() }), ["login.failed"]);
        let window = AuditFilter { since: Some(after(2)), until: Some(after(4)), ..all };
        assert_eq!(by(window), ["loginx.odd", "login.failed"]);
    }

    fn an_export_walks_from_the_oldest_on(site) {
        for second in 0..5 {
            put(site, &site.event("user.created", after(second)));
        }
        let mut walked = Vec::new();
        let mut last = None;
        loop {
            let some = site.read(move |tx| tx.audit_after(&AuditFilter::default(), last, 2));
            let Some(newest) = some.last() else { break };
            last = Some(newest.id);
            walked.extend(some.into_iter().map(|event| event.at));
        }
        assert_eq!(walked, (0..5).map(after).collect::<Vec<_>>());
    }

    fn the_log_outlives_its_actor(site) {
        let anna = site.stored_user("anna").id;
        put(site, &AuditEvent { actor_id: Some(anna), ..site.event("login.succeeded", NOW) });
        site.write(move |tx| tx.delete_user(anna));
        assert_eq!(actions(site, &AuditFilter { actor: Some(anna), ..AuditFilter::default() }).len(), 1);
    }
}
