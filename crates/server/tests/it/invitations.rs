//! Invitations, by mail, into accounts and groups.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{
    Answer, Db, PASSWORD, Post, TestSite, Visitor, group, join, on_every_database, site::Plan,
    with_address,
};

on_every_database!(
    seed_cn_28_whoever_is_invited_comes_into_the_groups_or_declines,
    seed_cn_28_what_says_nothing_new_is_refused_with_the_field,
    seed_cn_29_an_invitation_is_mailed_and_a_stale_one_says_so,
    seed_cn_30_two_accepts_at_once_make_one_membership,
    asvs_v2_3_4_of_fifty_accepts_one_makes_the_account,
    asvs_v2_3_4_of_invitations_into_one_group_at_once_one_is_made,
    atk_a216_an_invitation_ends_at_its_time_and_is_used_once,
    atk_a035_a_link_of_an_invitation_does_nothing_else,
    atk_a045_an_address_gets_three_invitations_an_hour,
    whoever_has_an_account_joins_with_it_and_stays_what_they_are,
);

pub(crate) fn plan(db: Db) -> (Plan, Post) {
    let (plan, post) = Post::plan(db);
    (plan.set("registration.mode", "invite"), post)
}

pub(crate) fn site(db: Db) -> (TestSite, Post, Visitor) {
    let (plan, post) = plan(db);
    let site = plan.start();
    let admin = site.admin();
    (site, post, admin)
}

pub(crate) fn invite(by: &mut Visitor, name: &str, groups: &[&str]) -> Answer {
    let who = json!({ "email": format!("{name}@example.org"), "groups": groups });
    by.post("/api/v1/invitations", &who)
}

pub(crate) fn accept(visitor: &mut Visitor, token: &str, name: &str) -> Answer {
    let body = json!({ "token": token, "username": name, "password": PASSWORD });
    visitor.post("/api/v1/invitations/accept", &body)
}

pub(crate) fn accept_own(visitor: &mut Visitor, token: &str) -> Answer {
    visitor.post("/api/v1/invitations/accept", &json!({ "token": token }))
}

pub(crate) fn waiting(by: &mut Visitor) -> Vec<Value> {
    let list = by.get("/api/v1/invitations").expect(200).json();
    assert_eq!(list["count"], list["results"].as_array().unwrap().len());
    list["results"].as_array().unwrap().clone()
}

pub(crate) fn logged_in(site: &TestSite, name: &str) -> Visitor {
    let mut visitor = site.visitor();
    visitor.log_in(name, PASSWORD).expect(200);
    visitor
}

pub(crate) fn groups_of(visitor: &mut Visitor) -> Value {
    visitor.get("/api/v1/session").expect(200).json()["groups"].clone()
}

fn seed_cn_28_whoever_is_invited_comes_into_the_groups_or_declines(db: Db) {
    let (site, post, mut admin) = site(db);
    let (lab, hall) = (group(&mut admin, "lab", "private"), group(&mut admin, "hall", "private"));
    let made = invite(&mut admin, "anna", &[&lab, &hall, &lab]).expect(202).json();
    assert_eq!(made["email"], "anna@example.org");
    assert_eq!(made["groups"].as_array().unwrap().len(), 2, "{made}");
    assert_eq!(waiting(&mut admin), [made]);
    let token = post.token(&site, "anna@example.org");
    // Whatever is refused leaves the invitation as it is.
    accept(&mut site.visitor(), &token, "admin").expect_problem(422, "invalid");
    let weak = json!({ "token": token, "username": "anna", "password": "short" });
    site.visitor().post("/api/v1/invitations/accept", &weak).expect_problem(422, "invalid");
    accept(&mut site.visitor(), &token, "anna").expect(204);
    let mut anna = logged_in(&site, "anna");
    assert_eq!(groups_of(&mut anna), json!(["hall", "lab"]));
    let user = anna.get("/api/v1/session").expect(200).json()["user"].clone();
    let expected = (json!("anna@example.org"), json!(true), json!(false));
    let verified =
        (user["email"].clone(), user["email_verified"].clone(), user["is_staff"].clone());
    assert_eq!(verified, expected);
    assert!(waiting(&mut admin).is_empty());
    let rights = site.audit_texts("group.member_added");
    assert_eq!(rights.len(), 2);
    assert!(rights[0].starts_with("invited by admin: "), "{rights:?}");
    // Declined and taken back ones lead nowhere.
    invite(&mut admin, "bert", &[&lab]).expect(202);
    let token = post.token(&site, "bert@example.org");
    let decline = json!({ "token": token });
    site.visitor().post("/api/v1/invitations/decline", &decline).expect(204);
    site.visitor().post("/api/v1/invitations/decline", &decline).expect_problem(400, "dead_link");
    accept(&mut site.visitor(), &token, "bert").expect_problem(400, "dead_link");
    let id = invite(&mut admin, "bert", &[&lab]).expect(202).id();
    let token = post.token(&site, "bert@example.org");
    admin.delete(&format!("/api/v1/invitations/{id}")).expect(204);
    admin.delete(&format!("/api/v1/invitations/{id}")).expect_problem(404, "not_found");
    accept(&mut site.visitor(), &token, "bert").expect_problem(400, "dead_link");
    assert_eq!(site.audit_texts("invitation.declined").len(), 1);
    assert_eq!(site.audit_texts("invitation.withdrawn").len(), 1);
}

#[track_caller]
pub(crate) fn refused(answer: Answer, field: &str, code: &str) {
    let problem = answer.expect_problem(422, "invalid").json();
    assert_eq!(problem["errors"][field][0]["code"], code, "{problem}");
}

fn seed_cn_28_what_says_nothing_new_is_refused_with_the_field(db: Db) {
    let (site, post, mut admin) = site(db);
    let lab = group(&mut admin, "lab", "private");
    let anna = with_address(&site, "anna");
    join(&mut admin, &lab, &anna, false);
    refused(invite(&mut admin, "anna", &[&lab]), "groups", "member");
    invite(&mut admin, "bert", &[&lab]).expect(202);
    refused(invite(&mut admin, "BERT", &[&lab]), "groups", "invited");
    invite(&mut admin, "carl", &[]).expect(202);
    refused(invite(&mut admin, "carl", &[]), "email", "invited");
    let unknown = "018f0000-0000-7000-8000-000000000000";
    refused(invite(&mut admin, "dora", &[unknown]), "groups", "unknown");
    invite(&mut admin, "dora", &["lab"]).expect_problem(400, "malformed");
    let ask = |admin: &mut Visitor, email: &str, expires_at: &str| {
        let body = json!({ "email": email, "expires_at": expires_at });
        admin.post("/api/v1/invitations", &body)
    };
    for email in ["", "a@b@c", "a, b@example.org", "a@example.org\r\nBcc: b@example.org"] {
        let answer = ask(&mut admin, email, "2026-01-02T00:00:00Z");
        assert!(answer.expect_problem(422, "invalid").json()["errors"]["email"].is_array());
    }
    refused(ask(&mut admin, "a@example.org", "2025-12-31T00:00:00Z"), "expires_at", "past");
    refused(ask(&mut admin, "a@example.org", "2027-01-01T00:00:00Z"), "expires_at", "too_far");
    assert_eq!(post.letters(&site).len(), 2, "to Bert and to Carl");
}

fn seed_cn_29_an_invitation_is_mailed_and_a_stale_one_says_so(db: Db) {
    let (site, post, mut admin) = site(db);
    let lab = group(&mut admin, "lab & hall", "private");
    invite(&mut admin, "anna", &[&lab]).expect(202);
    let letters = post.letters(&site);
    assert_eq!(letters.len(), 1);
    assert!(letters[0].text.contains("admin invites you"), "{}", letters[0].text);
    assert!(letters[0].text.contains("lab & hall"), "{}", letters[0].text);
    let token = post.token(&site, "anna@example.org");
    let link = format!("/invitation/{token}");
    assert!(letters[0].text.contains(&format!("{}{link}", site.origin)));
    for _ in 0..5 {
        site.visitor().get(&link).expect(303);
    }
    let mut anna = site.visitor();
    assert_eq!(anna.get(&link).expect(303).header("location"), Some("/invitation"));
    let page = anna.get("/invitation").expect(200).text;
    assert!(page.contains("lab &amp; hall") && page.contains("anna@example.org"), "{page}");
    assert!(!page.contains(&token));
    let fields = |again| [("username", "anna"), ("password", PASSWORD), ("password_again", again)];
    let differ = anna.form("/invitation", &fields("another")).expect(422).text;
    assert!(differ.contains("differ") && differ.contains("value=\"anna\""), "{differ}");
    let done = anna.form("/invitation", &fields(PASSWORD)).expect(303);
    assert_eq!(done.header("location"), Some("/login"));
    assert_eq!(groups_of(&mut logged_in(&site, "anna")), json!(["lab & hall"]));
    // Used, declined, taken back: the page says so, and not that something broke.
    let stale = |visitor: &mut Visitor| {
        visitor.get(&link).expect(303);
        let page = visitor.get("/invitation").expect(404).text;
        assert!(page.contains("counts no more") && page.contains("Ask them for another"), "{page}");
    };
    stale(&mut anna);
    stale(&mut site.visitor());
    site.visitor().get("/invitation").expect(404);
    site.visitor().form("/invitation", &fields(PASSWORD)).expect(404);
    let mut bert = site.visitor();
    invite(&mut admin, "bert", &[&lab]).expect(202);
    bert.get(&format!("/invitation/{}", post.token(&site, "bert@example.org"))).expect(303);
    assert!(bert.form("/invitation/decline", &[]).expect(200).text.contains("Declined"));
    bert.form("/invitation/decline", &[]).expect(404);
    assert!(waiting(&mut admin).is_empty());
}

fn seed_cn_30_two_accepts_at_once_make_one_membership(db: Db) {
    let (site, post, mut admin) = site(db);
    let other = post.replica(&site);
    with_address(&site, "anna");
    for round in 0..5 {
        let lab = group(&mut admin, &format!("lab{round}"), "private");
        site.clock.advance(Duration::from_hours(1));
        invite(&mut admin, "anna", &[&lab]).expect(202);
        let token = post.token(&site, "anna@example.org");
        let (own, theirs) = (logged_in(&site, "anna"), logged_in(&other, "anna"));
        let won = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for mut visitor in [own.clone(), theirs.clone(), own.clone(), theirs.clone()] {
                let (won, token) = (&won, &token);
                scope.spawn(move || match accept_own(&mut visitor, token).status {
                    204 => drop(won.fetch_add(1, Ordering::SeqCst)),
                    400 | 503 => {}
                    status => panic!("{status}"),
                });
            }
        });
        assert_eq!(won.into_inner(), 1, "round {round}");
    }
    let rows = "select count(*) as answer from memberships";
    assert_eq!(site.database.connection().number(rows), 5);
    assert_eq!(site.audit_texts("invitation.accepted").len(), 5);
    assert_eq!(site.audit_texts("group.member_added").len(), 5);
}

fn asvs_v2_3_4_of_fifty_accepts_one_makes_the_account(db: Db) {
    let (site, post, mut admin) = site(db);
    let lab = group(&mut admin, "lab", "private");
    invite(&mut admin, "anna", &[&lab]).expect(202);
    let token = post.token(&site, "anna@example.org");
    let (other, won) = (post.replica(&site), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..50 {
            let (site, won, token) = (if number % 2 == 0 { &site } else { &other }, &won, &token);
            scope.spawn(move || {
                let answer = accept(&mut site.visitor(), token, &format!("anna{number}"));
                match answer.status {
                    204 => drop(won.fetch_add(1, Ordering::SeqCst)),
                    400 | 409 | 422 | 503 => {}
                    status => panic!("{status}"),
                }
            });
        }
    });
    assert_eq!(won.into_inner(), 1);
    let count = |table: &str| {
        site.database.connection().number(&format!("select count(*) as answer from {table}"))
    };
    assert_eq!((count("users"), count("memberships"), count("invitations")), (2, 1, 0));
}

fn asvs_v2_3_4_of_invitations_into_one_group_at_once_one_is_made(db: Db) {
    let (site, post, mut admin) = site(db);
    let lab = group(&mut admin, "lab", "private");
    let other = post.replica(&site);
    let mut there = admin.clone();
    there.origin.clone_from(&other.origin);
    let made = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for number in 0..16 {
            let mut by = if number % 2 == 0 { admin.clone() } else { there.clone() };
            let (lab, made) = (&lab, &made);
            scope.spawn(move || match invite(&mut by, "anna", &[lab]).status {
                202 => drop(made.fetch_add(1, Ordering::SeqCst)),
                422 | 503 => {}
                status => panic!("{status}"),
            });
        }
    });
    assert_eq!(made.into_inner(), 1);
    assert_eq!((waiting(&mut admin).len(), post.letters(&site).len()), (1, 1));
}

fn atk_a216_an_invitation_ends_at_its_time_and_is_used_once(db: Db) {
    let (site, post, mut admin) = site(db);
    for name in ["anna", "bert"] {
        let until =
            json!({ "email": format!("{name}@example.org"), "expires_at": "2026-01-02T00:00:00Z" });
        admin.post("/api/v1/invitations", &until).expect(202);
    }
    let of_bert = waiting(&mut admin).into_iter().find(|one| one["email"] == "bert@example.org");
    let late_one = format!("/api/v1/invitations/{}", of_bert.unwrap()["id"].as_str().unwrap());
    let early = post.token(&site, "anna@example.org");
    let late = post.token(&site, "bert@example.org");
    let end: vestibule_core::Timestamp =
        vestibule_core::Timestamp::parse_rfc3339("2026-01-02T00:00:00Z").unwrap();
    let left = end.since(site.operator().now());
    site.clock.advance(left.saturating_sub(Duration::from_secs(1)));
    accept(&mut site.visitor(), &early, "anna").expect(204);
    accept(&mut site.visitor(), &early, "anna2").expect_problem(400, "dead_link");
    site.clock.advance(Duration::from_secs(1));
    accept(&mut site.visitor(), &late, "bert").expect_problem(400, "dead_link");
    assert!(waiting(&mut logged_in(&site, "admin")).is_empty());
    let mut admin = logged_in(&site, "admin");
    admin.post(&format!("{late_one}/resend"), &json!({})).expect_problem(404, "not_found");
    admin.delete(&late_one).expect_problem(404, "not_found");
    invite(&mut admin, "bert", &[]).expect(202);
    // Without an end of its own it waits for two weeks.
    let made = invite(&mut admin, "carl", &[]).expect(202).json();
    assert_eq!(made["expires_at"], "2026-01-16T00:00:00Z", "{made}");
}

fn atk_a035_a_link_of_an_invitation_does_nothing_else(db: Db) {
    let (site, post, mut admin) = site(db);
    with_address(&site, "carl");
    invite(&mut admin, "anna", &[]).expect(202);
    let invitation = post.token(&site, "anna@example.org");
    let mut carl = logged_in(&site, "carl");
    carl.post("/api/v1/password/forgot", &json!({ "email": "carl@example.org" })).expect(202);
    let reset = post.token(&site, "carl@example.org");
    for path in ["activate", "password/reset", "email/confirm"] {
        let mut body = json!({ "token": invitation });
        if path == "password/reset" {
            body["password"] = json!("another long sentence");
        }
        carl.post(&format!("/api/v1/{path}"), &body).expect_problem(400, "dead_link");
    }
    accept(&mut site.visitor(), &reset, "mallory").expect_problem(400, "dead_link");
    accept_own(&mut carl, &reset).expect_problem(400, "dead_link");
    let decline = json!({ "token": reset });
    carl.post("/api/v1/invitations/decline", &decline).expect_problem(400, "dead_link");
    accept(&mut site.visitor(), &invitation, "anna").expect(204);
}

fn atk_a045_an_address_gets_three_invitations_an_hour(db: Db) {
    let (site, post, mut admin) = site(db);
    let id = invite(&mut admin, "anna", &[]).expect(202).id();
    let first = post.token(&site, "anna@example.org");
    let again = format!("/api/v1/invitations/{id}/resend");
    for _ in 0..2 {
        admin.post(&again, &json!({})).expect(202);
    }
    for _ in 0..3 {
        admin.post(&again, &json!({})).expect_problem(409, "enough_mail");
    }
    assert_eq!(post.letters(&site).len(), 3);
    let last = post.token(&site, "anna@example.org");
    accept(&mut site.visitor(), &first, "anna").expect_problem(400, "dead_link");
    accept(&mut site.visitor(), &last, "anna").expect(204);
    admin.post(&again, &json!({})).expect_problem(404, "not_found");
}

fn whoever_has_an_account_joins_with_it_and_stays_what_they_are(db: Db) {
    let (site, post, mut admin) = site(db);
    let (lab, hall) = (group(&mut admin, "lab", "private"), group(&mut admin, "hall", "private"));
    let anna = with_address(&site, "anna");
    invite(&mut admin, "anna", &[&lab, &hall]).expect(202);
    // Meanwhile she became a manager of one of them.
    join(&mut admin, &lab, &anna, true);
    let token = post.token(&site, "anna@example.org");
    let link = format!("/invitation/{token}");
    let mut visitor = site.visitor();
    visitor.get(&link).expect(303);
    let to_login = visitor.get("/invitation").expect(303);
    assert_eq!(to_login.header("location"), Some("/login?next=%2Finvitation"));
    // Somebody else's account is no way in, and the invitation stays.
    let mut bert = site.logged_in("bert");
    bert.get(&link).expect(303);
    assert!(bert.get("/invitation").expect(409).text.contains("another mail address"));
    accept_own(&mut bert, &token).expect_problem(409, "other_address");
    let mut forged = bert.clone();
    forged.csrf = None;
    accept_own(&mut forged, &token).expect_problem(403, "csrf_token_missing");
    visitor.log_in("anna", PASSWORD).expect(200);
    let page = visitor.get("/invitation").expect(200).text;
    assert!(page.contains("hall, lab"), "{page}");
    visitor.form("/invitation/join", &[("csrf_token", "wrong")]).expect(403);
    let csrf = visitor.csrf.clone().unwrap();
    let done = visitor.form("/invitation/join", &[("csrf_token", &csrf)]).expect(303);
    assert_eq!(done.header("location"), Some("/"));
    assert_eq!(groups_of(&mut visitor), json!(["hall", "lab"]));
    let session = visitor.get("/api/v1/session").expect(200).json();
    assert_eq!(session["managed_groups"], json!(["lab"]), "{session}");
    assert_eq!(session["user"]["email_verified"], true, "she reads mail there");
    accept_own(&mut visitor, &token).expect_problem(400, "dead_link");
}
