//! Accounts that an administrator has entered by a backend instead of by a password here, and back.

use serde_json::json;
use vestibule_core::{
    policy::chain::{Control, OnUnavailable},
    ports::backend::RejectReason,
    usecase::{login::Door, users::NewUser},
};

use crate::support::{
    Db, PASSWORD, Post, Says, Script, TestSite, Visitor, grant, on_every_database, with_address,
};

on_every_database!(
    seed_om_60_an_administrator_has_an_account_entered_by_a_backend_and_back,
    seed_om_60_who_goes_back_without_a_password_is_mailed_a_link,
    only_whoever_may_set_passwords_converts_and_never_upwards,
    a_conversion_that_cannot_be_leaves_the_account_as_it_was,
);

fn door(script: &Script) -> Door {
    Door { create_users: true, ..script.entitling(Control::Sufficient, OnUnavailable::Fail) }
}

fn site(db: Db, script: &Script) -> TestSite {
    let door = door(script);
    TestSite::plan(db).extend(move |builder| builder.door(door)).start()
}

fn links(admin: &mut Visitor, user: &str) -> Vec<String> {
    let all = admin.get(&format!("/api/v1/users/{user}/identities")).expect(200).json();
    let all = all["results"].as_array().unwrap().clone();
    all.iter().map(|one| format!("{}:{}", one["backend"], one["subject"])).collect()
}

fn seed_om_60_an_administrator_has_an_account_entered_by_a_backend_and_back(db: Db) {
    let script = Script::new("directory", Says::verified("uuid-of-anna"));
    let site = site(db, &script);
    let mut admin = site.admin();
    let mut anna = site.logged_in("anna");
    let id = crate::support::id_of(&mut anna);
    let path = format!("/api/v1/users/{id}/identities");
    script.asked();
    let wanted = json!({ "backend": "directory", "username": "a.miller" });
    let linked = admin.post(&path, &wanted).expect(201).json();
    assert_eq!(linked["subject"], "uuid-of-anna");
    assert_eq!(script.asked(), ["a.miller"], "by the name there, and without a password");
    assert_eq!(links(&mut admin, &id), ["\"directory\":\"uuid-of-anna\""]);
    // The old password is no way in any more, and whoever was in is out.
    assert!(!anna.is_in());
    script.says(Says::Rejected(RejectReason::Bad));
    site.visitor().log_in("anna", PASSWORD).expect(401);
    assert_eq!(script.asked(), [format!("anna:{PASSWORD}")], "the directory alone is asked");
    let hashes = "select password as answer from users where username = 'anna'";
    assert_eq!(site.database.connection().texts(hashes), ["!"]);
    script.says(Says::verified("uuid-of-anna"));
    let mut anna = site.visitor();
    assert_eq!(anna.log_in("anna", "her word there").expect(200).json()["user"]["id"], id);
    // Once more is no harm.
    admin.post(&path, &wanted).expect(201);
    assert_eq!(site.audit_texts("identity.linked").len(), 1);

    // And back, with a password that was set before.
    anna.log_in("anna", "her word there").expect(200);
    let set = json!({ "password": "another long sentence to get in" });
    admin.put(&format!("/api/v1/users/{id}/password"), &set).expect(204);
    anna.log_in("anna", "another long sentence to get in");
    let back = format!("{path}?backend=directory&subject=uuid-of-anna");
    admin.delete(&back).expect(204);
    assert!(!anna.is_in());
    assert!(links(&mut admin, &id).is_empty());
    script.asked();
    site.visitor().log_in("anna", "another long sentence to get in").expect(200);
    assert_eq!(script.asked(), Vec::<String>::new());
    admin.delete(&back).expect_problem(404, "not_found");

    let texts = site.audit_texts("user.converted");
    assert_eq!(texts.len(), 3);
    assert!(texts.iter().all(|right| right.contains("vestibule.set_password")), "{texts:?}");
    let kept = "select details as answer from audit_events where action = 'user.converted'";
    let kept = site.database.connection().texts(kept);
    let told = |word: &str| kept.iter().filter(|details| details.contains(word)).count();
    assert_eq!((told("directory"), told("here")), (2, 1), "{kept:?}");
}

fn seed_om_60_who_goes_back_without_a_password_is_mailed_a_link(db: Db) {
    let script = Script::new("directory", Says::verified("uuid-of-anna"));
    let (plan, post) = Post::plan(db);
    let (door, sending) = (door(&script), post.0.clone());
    // What a plan had before is replaced, so the mail is caught here too.
    let site = plan.extend(move |builder| builder.door(door).mail_transport(sending)).start();
    let mut admin = site.admin();
    let (anna, bert) = (with_address(&site, "anna"), site.user("bert"));
    let path = |id: &str| format!("/api/v1/users/{id}/identities");
    let known = |subject: &str| json!({ "backend": "directory", "subject": subject });
    admin.post(&path(&anna), &known("uuid-of-anna")).expect(201);
    admin.post(&path(&bert), &known("uuid-of-bert")).expect(201);
    let back = |subject: &str| format!("?backend=directory&subject={subject}");
    // Without an address there would be no way in any more.
    let of_bert = format!("{}{}", path(&bert), back("uuid-of-bert"));
    admin.delete(&of_bert).expect_problem(409, "last_way_in");
    assert_eq!(links(&mut admin, &bert).len(), 1);

    admin.delete(&format!("{}{}", path(&anna), back("uuid-of-anna"))).expect(204);
    let token = post.token(&site, "anna@example.org");
    let new = json!({ "token": token, "password": "a sentence that anna chose" });
    site.visitor().post("/api/v1/password/reset", &new).expect(204);
    site.visitor().log_in("anna", "a sentence that anna chose").expect(200);
}

fn only_whoever_may_set_passwords_converts_and_never_upwards(db: Db) {
    let script = Script::new("directory", Says::verified("uuid"));
    let site = site(db, &script);
    let mut admin = site.admin();
    let root = crate::support::id_of(&mut admin);
    let anna = site.user("anna");
    let path = |id: &str| format!("/api/v1/users/{id}/identities");
    let wanted = json!({ "backend": "directory", "username": "a.miller" });
    let mut eve = site.logged_in("eve");
    let own = crate::support::id_of(&mut eve);
    script.asked();
    eve.post(&path(&anna), &wanted).expect_problem(403, "permission_denied");
    eve.delete(&format!("{}?backend=directory&subject=uuid", path(&anna))).expect(403);
    eve.get(&path(&anna)).expect(404);
    assert!(links(&mut eve, &own).is_empty());
    grant(&mut admin, &own, "vestibule.set_password");
    eve.post(&path(&root), &wanted).expect_problem(403, "outranked");
    eve.post(&path(&own), &wanted).expect_problem(409, "self");
    assert_eq!(script.asked(), Vec::<String>::new(), "nobody is asked about for who may not");
    eve.post(&path(&anna), &wanted).expect(201);
    site.clock.advance(std::time::Duration::from_mins(16));
    eve.post(&path(&anna), &wanted).expect_problem(403, "reauthentication_required");
    site.visitor().post(&path(&anna), &wanted).expect_problem(401, "not_authenticated");
    // One person is one account's.
    let mut admin = site.visitor();
    admin.log_in("admin", PASSWORD).expect(200);
    let bert = site.account(NewUser { username: "bert".to_owned(), ..NewUser::default() });
    admin.post(&path(&bert), &wanted).expect_problem(409, "identity_taken");
    let other = json!({ "backend": "directory", "subject": "another" });
    admin.post(&path(&anna), &other).expect_problem(409, "linked_already");
}

fn a_conversion_that_cannot_be_leaves_the_account_as_it_was(db: Db) {
    let script = Script::new("directory", Says::NotMine);
    let site = site(db, &script);
    let mut admin = site.admin();
    let mut anna = site.logged_in("anna");
    let path = format!("/api/v1/users/{}/identities", crate::support::id_of(&mut anna));
    let wanted = json!({ "backend": "directory", "username": "a.miller" });
    admin.post(&path, &wanted).expect_problem(422, "invalid");
    script.says(Says::Rejected(RejectReason::Disabled));
    admin.post(&path, &wanted).expect_problem(422, "invalid");
    script.says(Says::unavailable());
    admin.post(&path, &wanted).expect_problem(503, "login_unavailable");
    for bad in [
        json!({ "backend": "nowhere", "subject": "x" }),
        json!({ "backend": "local", "subject": "x" }),
        json!({ "backend": "directory", "subject": "" }),
    ] {
        admin.post(&path, &bad).expect_problem(422, "invalid");
    }
    for bad in [
        json!({ "backend": "directory" }),
        json!({ "backend": "directory", "username": "a", "subject": "b" }),
        json!({ "username": "a" }),
    ] {
        admin.post(&path, &bad).expect_problem(400, "malformed");
    }
    assert!(anna.is_in());
    site.visitor().log_in("anna", PASSWORD).expect(200);
    assert_eq!(site.audit_texts("user.converted"), Vec::<String>::new());
}
