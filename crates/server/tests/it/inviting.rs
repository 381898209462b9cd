//! Who may invite, and what is told to whom.

use std::time::Duration;

use serde_json::json;
use vestibule_core::usecase::users::NewUser;

use crate::{
    invitations::{accept, accept_own, groups_of, invite, logged_in, plan, refused, site, waiting},
    support::{
        Answer, Db, PASSWORD, Post, Visitor, grant, group, id_of, join, on_every_database,
        with_address,
    },
};

on_every_database!(
    atk_a222_nobody_invites_to_where_they_could_bring_nobody,
    atk_a005_no_answer_tells_who_has_an_account,
    an_invitation_is_worth_what_its_maker_may,
    whoever_is_in_a_group_no_more_is_invited_into_it_again,
    of_an_accept_and_a_withdrawal_at_once_one_happens,
    invitations_are_for_those_who_made_them_and_who_see_accounts,
    nobody_is_invited_where_it_is_closed,
);

fn atk_a222_nobody_invites_to_where_they_could_bring_nobody(db: Db) {
    let (site, post, mut admin) = site(db);
    let (lab, hall) = (group(&mut admin, "lab", "private"), group(&mut admin, "hall", "private"));
    let mut anna = site.logged_in("anna");
    let id = id_of(&mut anna);
    invite(&mut anna, "bert", &[]).expect_problem(403, "permission_denied");
    anna.get("/api/v1/invitations").expect_problem(403, "permission_denied");
    join(&mut admin, &lab, &id, true);
    invite(&mut anna, "bert", &[&lab]).expect_problem(403, "permission_denied");
    grant(&mut admin, &id, "vestibule.invite_user");
    // A group that she may not know of is none.
    refused(invite(&mut anna, "bert", &[&hall]), "groups", "unknown");
    join(&mut admin, &hall, &id, false);
    invite(&mut anna, "bert", &[&hall]).expect_problem(403, "permission_denied");
    invite(&mut anna, "bert", &[&lab, &hall]).expect_problem(403, "permission_denied");
    // Nor one that gives more than she holds.
    let more = json!({ "group": lab, "permission": "app.view_secret" });
    let grant = admin.post("/api/v1/grants", &more).expect(201).id();
    let deny = json!({ "user": id, "permission": "app.view_secret", "effect": "deny" });
    admin.post("/api/v1/grants", &deny).expect(201);
    invite(&mut anna, "bert", &[&lab]).expect_problem(403, "more_than_held");
    admin.delete(&format!("/api/v1/grants/{grant}")).expect(204);
    assert_eq!(post.letters(&site).len(), 0);
    invite(&mut anna, "bert", &[&lab]).expect(202);
    assert_eq!(post.letters(&site).len(), 1);
}

fn atk_a005_no_answer_tells_who_has_an_account(db: Db) {
    let (site, post, mut admin) = site(db);
    with_address(&site, "known");
    let email = Some("gone@example.org".to_owned());
    site.account(NewUser { username: "gone".into(), email, is_disabled: true, ..<_>::default() });
    let shape = |answer: Answer| {
        let answer = answer.expect(202);
        let mut body = answer.json();
        let of_request = |(name, _): &(String, String)| {
            !matches!(name.as_str(), "date" | "x-request-id" | "content-length")
        };
        let headers: Vec<_> = answer.headers.iter().filter(|h| of_request(h)).cloned().collect();
        body["id"] = json!(null);
        body["email"] = json!(null);
        (headers, body)
    };
    let fresh = shape(invite(&mut admin, "fresh", &[]));
    for name in ["known", "gone"] {
        assert_eq!(shape(invite(&mut admin, name, &[])), fresh, "{name}");
    }
    assert_eq!(post.letters(&site).len(), 2, "whoever may not log in gets none");
    // By the link it is told, to whoever reads mail there.
    let token = post.token(&site, "known@example.org");
    accept(&mut site.visitor(), &token, "other").expect_problem(409, "log_in_first");
    accept_own(&mut site.visitor(), &token).expect_problem(409, "log_in_first");
    // Nor by how often the link can be asked for anew.
    let invitations = waiting(&mut admin);
    assert_eq!(invitations.len(), 3);
    for invitation in invitations {
        let again = format!("/api/v1/invitations/{}/resend", invitation["id"].as_str().unwrap());
        let mut resend = || {
            let answer = admin.post(&again, &json!({}));
            let code =
                if answer.status == 202 { json!(null) } else { answer.json()["code"].clone() };
            (answer.status, code)
        };
        let answers = [(); 4].map(|()| resend());
        let (sent, enough) = ((202, json!(null)), (409, json!("enough_mail")));
        let expected = [sent.clone(), sent, enough.clone(), enough];
        assert_eq!(answers, expected, "{}", invitation["email"]);
    }
    assert_eq!(post.to(&site, "gone@example.org").len(), 0);
    assert_eq!(post.letters(&site).len(), 6);
}

fn an_invitation_is_worth_what_its_maker_may(db: Db) {
    let (site, post, mut admin) = site(db);
    let lab = group(&mut admin, "lab", "private");
    let mut anna = site.logged_in("anna");
    let id = id_of(&mut anna);
    join(&mut admin, &lab, &id, true);
    let right = grant(&mut admin, &id, "vestibule.invite_user");
    let user = format!("/api/v1/users/{id}");
    let take = |admin: &mut Visitor, what: &str, change: &dyn Fn(&mut Visitor)| {
        invite(&mut logged_in(&site, "anna"), what, &[&lab]).expect(202);
        let token = post.token(&site, &format!("{what}@example.org"));
        change(admin);
        accept(&mut site.visitor(), &token, what).expect_problem(400, "dead_link");
        let mut visitor = site.visitor();
        visitor.get(&format!("/invitation/{token}")).expect(303);
        visitor.get("/invitation").expect(404);
    };
    take(&mut admin, "one", &|admin| {
        join(admin, &lab, &id, false);
    });
    join(&mut admin, &lab, &id, true);
    take(&mut admin, "two", &|admin| {
        admin.patch(&user, &json!({ "is_active": false })).expect(200);
    });
    admin.patch(&user, &json!({ "is_active": true })).expect(200);
    // A group that goes is left out; the account is made.
    let hall = group(&mut admin, "hall", "private");
    invite(&mut admin, "three", &[&lab, &hall]).expect(202);
    admin.delete(&format!("/api/v1/groups/{hall}")).expect(204);
    let token = post.token(&site, "three@example.org");
    accept(&mut site.visitor(), &token, "three").expect(204);
    assert_eq!(groups_of(&mut logged_in(&site, "three")), json!(["lab"]));
    // She manages the group as before, and is one to invite nobody.
    take(&mut admin, "four", &|admin| {
        admin.delete(&format!("/api/v1/grants/{right}")).expect(204);
    });
    grant(&mut admin, &id, "vestibule.invite_user");
    take(&mut admin, "five", &|admin| {
        admin.delete(&user).expect(204);
    });
}

fn whoever_is_in_a_group_no_more_is_invited_into_it_again(db: Db) {
    let (site, post, mut admin) = site(db);
    let lab = group(&mut admin, "lab", "private");
    let anna = with_address(&site, "anna");
    let member = json!({ "user": anna, "expires_at": "2026-01-01T00:10:00Z" });
    admin.post(&format!("/api/v1/groups/{lab}/members"), &member).expect(204);
    refused(invite(&mut admin, "anna", &[&lab]), "groups", "member");
    site.clock.advance(Duration::from_mins(10));
    let mut visitor = logged_in(&site, "anna");
    assert_eq!(groups_of(&mut visitor), json!([]));
    invite(&mut admin, "anna", &[&lab]).expect(202);
    accept_own(&mut visitor, &post.token(&site, "anna@example.org")).expect(204);
    assert_eq!(groups_of(&mut visitor), json!(["lab"]));
}

fn of_an_accept_and_a_withdrawal_at_once_one_happens(db: Db) {
    let (site, post, mut admin) = site(db);
    let (mut accepted, mut withdrawn) = (0, 0);
    for round in 0..12 {
        let name = format!("anna{round}");
        let id = invite(&mut admin, &name, &[]).expect(202).id();
        let token = post.token(&site, &format!("{name}@example.org"));
        let (mut visitor, mut own) = (site.visitor(), admin.clone());
        let (joined, taken) = std::thread::scope(|scope| {
            let joining = scope.spawn(|| accept(&mut visitor, &token, &name).status);
            let taking = scope.spawn(|| own.delete(&format!("/api/v1/invitations/{id}")).status);
            (joining.join().unwrap(), taking.join().unwrap())
        });
        assert!((joined == 204) != (taken == 204), "round {round}: {joined} and {taken}");
        accepted += usize::from(joined == 204);
        withdrawn += usize::from(taken == 204);
    }
    assert_eq!(site.audit_texts("invitation.accepted").len(), accepted);
    assert_eq!(site.audit_texts("invitation.withdrawn").len(), withdrawn);
    // Nor is anything left of their links.
    let mut behind = site.database.connection();
    for table in ["invitations", "tickets"] {
        let left = behind.number(&format!("select count(*) as answer from {table}"));
        assert_eq!(left, 0, "{table}");
    }
}

fn invitations_are_for_those_who_made_them_and_who_see_accounts(db: Db) {
    let (site, _, mut admin) = site(db);
    let mut anna = site.logged_in("anna");
    let id = id_of(&mut anna);
    grant(&mut admin, &id, "vestibule.invite_user");
    let theirs = invite(&mut admin, "bert", &[]).expect(202).id();
    site.clock.advance(std::time::Duration::from_secs(1));
    let own = invite(&mut anna, "carl", &[]).expect(202).json();
    assert_eq!(waiting(&mut anna), std::slice::from_ref(&own));
    let path = format!("/api/v1/invitations/{theirs}");
    anna.delete(&path).expect_problem(404, "not_found");
    anna.post(&format!("{path}/resend"), &json!({})).expect_problem(404, "not_found");
    assert_eq!(waiting(&mut admin).len(), 2);
    let page = admin.get("/api/v1/invitations?page_size=1&page=2").expect(200).json();
    assert_eq!((&page["count"], &page["results"]), (&json!(2), &json!([own])));
    grant(&mut admin, &id, "vestibule.view_user");
    assert_eq!(waiting(&mut anna).len(), 2);
    anna.delete(&path).expect(204);
}

fn nobody_is_invited_where_it_is_closed(db: Db) {
    let (site, post) = Post::site(db);
    let mut admin = site.admin();
    invite(&mut admin, "anna", &[]).expect_problem(403, "registration_closed");
    let token = "A".repeat(43);
    accept(&mut site.visitor(), &token, "anna").expect_problem(403, "registration_closed");
    accept_own(&mut admin, &token).expect_problem(403, "registration_closed");
    let mut visitor = site.visitor();
    visitor.get(&format!("/invitation/{token}")).expect(303);
    assert!(visitor.get("/invitation").expect(403).text.contains("Nobody is invited here"));
    assert_eq!(post.letters(&site).len(), 0);
    // Who is invited is one thing, who comes by themselves another.
    let (plan, _) = plan(db);
    let register = json!({ "username": "a", "email": "a@example.org", "password": PASSWORD });
    let answer = plan.start().visitor().post("/api/v1/register", &register);
    answer.expect_problem(403, "registration_closed");
}
