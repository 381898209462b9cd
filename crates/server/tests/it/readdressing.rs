//! Another mail address for the own account.

use serde_json::json;

use crate::support::{
    Answer, Db, PASSWORD, Post, TestSite, Visitor, grant, id_of, on_every_database, token_in,
    with_address,
};

on_every_database!(
    seed_cn_20_the_new_address_counts_once_its_owner_has_confirmed_it,
    seed_cn_20_another_account_cannot_confirm_it_nor_a_stranger,
    seed_cn_21_a_taken_address_has_the_same_answer_and_is_looked_at_again,
    asvs_v7_5_1_a_change_of_address_takes_the_password,
    a_page_leads_through_it,
    asvs_v7_5_1_an_address_of_anothers_is_given_as_a_password_is,
    atk_a045_nobody_has_mail_sent_to_one_address_after_the_other,
    atk_a042_a_change_that_waits_dies_with_a_new_password,
    atk_a045_nobody_is_flooded_by_way_of_changes_of_address,
    atk_a056_a_link_to_one_address_confirms_no_other,
);

fn site(db: Db) -> (TestSite, Post, Visitor) {
    let (site, post) = Post::site(db);
    with_address(&site, "anna");
    let mut anna = site.visitor();
    anna.log_in("anna", PASSWORD).expect(200);
    (site, post, anna)
}

fn change(visitor: &mut Visitor, email: &str) -> Answer {
    visitor.post("/api/v1/email/change", &json!({ "email": email, "password": PASSWORD }))
}

fn confirm(visitor: &mut Visitor, token: &str) -> Answer {
    visitor.post("/api/v1/email/confirm", &json!({ "token": token }))
}

fn address(visitor: &mut Visitor) -> (String, bool) {
    let user = visitor.get("/api/v1/session").expect(200).json()["user"].clone();
    (user["email"].as_str().unwrap().to_owned(), user["email_verified"].as_bool().unwrap())
}

fn seed_cn_20_the_new_address_counts_once_its_owner_has_confirmed_it(db: Db) {
    let (site, post, mut anna) = site(db);
    change(&mut anna, "Anna.New@example.org").expect(202);
    assert_eq!(address(&mut anna), ("anna@example.org".to_owned(), false));
    let token = post.token(&site, "Anna.New@example.org");
    let told = post.to(&site, "anna@example.org");
    assert_eq!(told.len(), 1);
    assert!(token_in(&told[0].text).is_none() && !told[0].text.contains("New@"));
    confirm(&mut anna, &token).expect(204);
    assert_eq!(address(&mut anna), ("Anna.New@example.org".to_owned(), true));
    let told = post.to(&site, "anna@example.org");
    assert!(told[1].subject.contains("was changed"), "{}", told[1].subject);
    confirm(&mut anna, &token).expect_problem(400, "dead_link");
    site.visitor().log_in("anna.new@example.org", PASSWORD).expect(200);
    assert_eq!(site.audit_texts("user.email_changed"), ["link sent by mail"]);
    let late = change(&mut anna, "late@example.org").expect(202);
    assert_eq!(late.text, "");
    let late = post.token(&site, "late@example.org");
    site.clock.advance(vestibule_core::usecase::readdress::CHANGE_LIFE);
    anna.log_in("anna", PASSWORD).expect(200);
    confirm(&mut anna, &late).expect_problem(400, "dead_link");
}

fn seed_cn_20_another_account_cannot_confirm_it_nor_a_stranger(db: Db) {
    let (site, post, mut anna) = site(db);
    change(&mut anna, "new@example.org").expect(202);
    let token = post.token(&site, "new@example.org");
    let mut bert = site.logged_in("bert");
    confirm(&mut bert, &token).expect_problem(400, "dead_link");
    confirm(&mut site.visitor(), &token).expect(401);
    confirm(&mut anna, &token).expect(204);
}

fn seed_cn_21_a_taken_address_has_the_same_answer_and_is_looked_at_again(db: Db) {
    let (site, post, mut anna) = site(db);
    with_address(&site, "bert");
    let (taken, free) =
        (change(&mut anna, "BERT@example.org"), change(&mut anna, "new@example.org"));
    assert_eq!((taken.status, &taken.text), (free.status, &free.text));
    let letters = post.to(&site, "bert@example.org");
    assert_eq!(letters.len(), 1);
    assert_eq!(token_in(&letters[0].text), None);
    let token = post.token(&site, "new@example.org");
    with_address(&site, "new");
    let refused = confirm(&mut anna, &token).expect_problem(422, "invalid").json();
    assert_eq!(refused["errors"]["email"][0]["code"], "taken");
    assert_eq!(address(&mut anna).0, "anna@example.org");
}

fn asvs_v7_5_1_a_change_of_address_takes_the_password(db: Db) {
    let (site, post, mut anna) = site(db);
    let path = "/api/v1/email/change";
    let without = anna.post(path, &json!({ "email": "new@example.org" }));
    assert!(without.expect(422).json()["errors"]["password"].is_array());
    let wrong = json!({ "email": "new@example.org", "password": "not the password" });
    assert!(anna.post(path, &wrong).expect(422).json()["errors"]["password"].is_array());
    change(&mut anna, "anna@example.org").expect(422);
    for bad in ["a@b@c.example", "\"a b\"@c.example", "a(x)@c.example", "a@c.example,d@e.example"] {
        assert!(change(&mut anna, bad).expect(422).json()["errors"]["email"].is_array(), "{bad}");
    }
    assert_eq!(post.letters(&site).len(), 0);
    site.visitor().post(path, &wrong).expect(401);
    // Guesses are counted as those of a login are.
    for _ in 0..4 {
        anna.post(path, &wrong);
    }
    assert_eq!(change(&mut anna, "new@example.org").status, 503);
}

fn asvs_v7_5_1_an_address_of_anothers_is_given_as_a_password_is(db: Db) {
    let (site, post, _anna) = site(db);
    let mut admin = site.admin();
    let path = |admin: &mut Visitor, name: &str| {
        let found = admin.get(&format!("/api/v1/users?search={name}")).expect(200).json();
        format!("/api/v1/users/{}", found["results"][0]["id"].as_str().unwrap())
    };
    let (anna, own) = (path(&mut admin, "anna"), path(&mut admin, "admin"));
    let new = json!({ "email": "thief@example.org" });
    // Nobody gets round the question for the password to the own account.
    admin.patch(&own, &new).expect_problem(409, "self");
    let mut clerk = site.logged_in("clerk");
    let clerks = id_of(&mut clerk);
    for right in ["vestibule.change_user", "vestibule.view_user"] {
        grant(&mut admin, &clerks, right);
    }
    clerk.patch(&anna, &json!({ "first_name": "Ann" })).expect(200);
    clerk.patch(&anna, &new).expect_problem(403, "permission_denied");
    grant(&mut admin, &clerks, "vestibule.set_password");
    clerk.patch(&anna, &new).expect(200);
    // The address before is told.
    let told = post.to(&site, "anna@example.org");
    assert!(told.iter().any(|letter| letter.text.contains("anna")), "{}", told.len());
    site.clock.advance(std::time::Duration::from_mins(16));
    let other = json!({ "email": "other@example.org" });
    clerk.patch(&anna, &other).expect_problem(403, "reauthentication_required");
}

fn atk_a045_nobody_has_mail_sent_to_one_address_after_the_other(db: Db) {
    let (site, post, mut anna) = site(db);
    for n in 0..3 {
        change(&mut anna, &format!("stranger{n}@example.org")).expect(202);
    }
    let answer = change(&mut anna, "stranger3@example.org").expect(429);
    assert!(answer.header("retry-after").is_some());
    assert_eq!(post.to(&site, "stranger3@example.org").len(), 0);
    site.clock.advance(std::time::Duration::from_mins(61));
    anna.log_in("anna", PASSWORD).expect(200);
    change(&mut anna, "stranger4@example.org").expect(202);
}

fn a_page_leads_through_it(db: Db) {
    let (site, post, mut anna) = site(db);
    change(&mut anna, "new@example.org").expect(202);
    let token = post.token(&site, "new@example.org");
    let csrf = anna.csrf.take().unwrap();
    let mut stranger = site.visitor();
    stranger.get(&format!("/email/confirm/{token}")).expect(303);
    let to_login = stranger.get("/email/confirm").expect(303);
    assert_eq!(to_login.header("location"), Some("/login?next=%2Femail%2Fconfirm"));
    anna.get(&format!("/email/confirm/{token}")).expect(303);
    assert!(anna.get("/email/confirm").expect(200).text.contains(&csrf));
    assert_eq!(anna.form("/email/confirm", &[("csrf_token", "x")]).status, 403);
    anna.form("/email/confirm", &[("csrf_token", &csrf)]).expect(303);
    assert_eq!(address(&mut anna).0, "new@example.org");
}

fn atk_a042_a_change_that_waits_dies_with_a_new_password(db: Db) {
    let (site, post, mut intruder) = site(db);
    change(&mut intruder, "mallory@evil.example").expect(202);
    let theirs = post.token(&site, "mallory@evil.example");
    let forgot = json!({ "email": "anna@example.org" });
    site.visitor().post("/api/v1/password/forgot", &forgot).expect(202);
    let token = post.token(&site, "anna@example.org");
    let other = "quite another sentence to get in";
    let reset = json!({ "token": token, "password": other });
    site.visitor().post("/api/v1/password/reset", &reset).expect(204);
    confirm(&mut intruder, &theirs).expect(401);
    let mut anna = site.visitor();
    anna.log_in("anna", other).expect(200);
    confirm(&mut anna, &theirs).expect_problem(400, "dead_link");
    assert_eq!(address(&mut anna).0, "anna@example.org");
}

fn atk_a045_nobody_is_flooded_by_way_of_changes_of_address(db: Db) {
    let (site, post, mut anna) = site(db);
    let mut bert = site.logged_in("bert");
    for _ in 0..3 {
        change(&mut anna, "victim@example.org").expect(202);
        change(&mut bert, "victim@example.org").expect(202);
    }
    assert_eq!(post.to(&site, "victim@example.org").len(), 3);
}

fn atk_a056_a_link_to_one_address_confirms_no_other(db: Db) {
    let (site, post, mut anna) = site(db);
    change(&mut anna, "first@example.org").expect(202);
    let first = post.token(&site, "first@example.org");
    change(&mut anna, "second@example.org").expect(202);
    let second = post.token(&site, "second@example.org");
    confirm(&mut anna, &first).expect_problem(400, "dead_link");
    confirm(&mut anna, &second).expect(204);
    assert_eq!(address(&mut anna), ("second@example.org".to_owned(), true));
}
