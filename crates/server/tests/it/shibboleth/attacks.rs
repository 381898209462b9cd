//! What somebody may try who can send headers, or make a browser go somewhere.

use serde_json::json;
use vestibule_auth::testkit::{Asked, Reply, Service};
use vestibule_core::usecase::users::NewUser;

use super::{
    ANNA, BERT, NOBODY, PLACE, alone, come, door, enter, link, name_of, office, site_behind,
    with_office,
};
use crate::support::{Db, PASSWORD, on_every_database, questions};

on_every_database!(
    atk_a140_a_known_mail_or_name_joins_nobody,
    atk_a141_names_that_differ_in_case_are_two_people,
    a_superuser_is_nobody_by_anothers_word,
    atk_a104_whom_the_office_names_is_linked_to_no_other_account,
    atk_a131_headers_that_come_past_the_proxy_are_nobodys_and_are_written_down,
    atk_a135_a_hash_is_a_header_at_one_address_and_nothing_else,
    atk_a137_only_the_very_path_that_is_protected_counts,
    atk_a104_no_other_site_logs_anybody_in_as_somebody_else,
    atk_a062_another_identity_in_the_header_ends_the_session_of_the_one_before,
    asvs_v7_6_2_headers_log_in_at_one_address_alone_and_nowhere_by_the_way,
);

fn atk_a140_a_known_mail_or_name_joins_nobody(db: Db) {
    let site = alone(db, json!({ "mail_header": "mail", "mail_is_verified": true }));
    let email = Some("anna@example.org".to_owned());
    site.account(NewUser { username: "anna".to_owned(), email, ..NewUser::default() });
    let mut other = site.visitor();
    let said = [("EAAHash", NOBODY), ("uid", "anna2"), ("mail", "anna@example.org")];
    come(&mut other, PLACE, &said).expect(303);
    let session = other.get("/api/v1/session").expect(200).json();
    assert_eq!(
        (&session["user"]["username"], &session["user"]["email"]),
        (&json!("anna2"), &json!(null))
    );
    // The uid is a proposal: whose name it is already is somebody else.
    for hash in [ANNA, BERT] {
        let mut visitor = site.visitor();
        come(&mut visitor, PLACE, &[("EAAHash", hash), ("uid", "anna")]).expect(403);
        assert!(!visitor.is_in());
    }
    // Later it says nothing any more, and the hash everything.
    let mut again = site.visitor();
    come(&mut again, PLACE, &[("EAAHash", NOBODY), ("uid", "anna")]).expect(303);
    assert_eq!(name_of(&mut again), "anna2");
}

fn atk_a141_names_that_differ_in_case_are_two_people(db: Db) {
    let service = Service::start(office).unwrap();
    let site = with_office(db, &service);
    site.user("Anna");
    let mut visitor = site.visitor();
    enter(&mut visitor, ANNA).expect(403);
    assert!(!visitor.is_in());
    service.always(Reply::json(&json!("Anna")));
    enter(&mut visitor, ANNA).expect(303);
    service.always(Reply::json(&json!("anna")));
    enter(&mut visitor, ANNA).expect(401);
}

fn a_superuser_is_nobody_by_anothers_word(db: Db) {
    let service = Service::start(|_: &Asked| Reply::json(&json!("admin"))).unwrap();
    let site = with_office(db, &service);
    let mut admin = site.admin();
    let mut visitor = site.visitor();
    let answer = enter(&mut visitor, ANNA).expect(403);
    assert!(answer.text.contains("log in to it first"), "{}", answer.text);
    assert!(!visitor.is_in());
    // The owner may say so.
    link(&mut admin, ANNA).expect(303);
    enter(&mut visitor, ANNA).expect(303);
    assert_eq!(name_of(&mut visitor), "admin");
}

fn atk_a104_whom_the_office_names_is_linked_to_no_other_account(db: Db) {
    let service = Service::start(office).unwrap();
    let site = with_office(db, &service);
    site.user("anna");
    let mut carl = site.logged_in("carl");
    // Anna's hash, in Carl's browser: the office says that it is Anna's.
    let answer = link(&mut carl, ANNA).expect(409);
    assert!(answer.text.contains("another account"), "{}", answer.text);
    assert!(site.audit_texts("identity.linked").is_empty());
    let mut anna = site.visitor();
    enter(&mut anna, ANNA).expect(303);
    assert_eq!(name_of(&mut anna), "anna");
}

fn atk_a131_headers_that_come_past_the_proxy_are_nobodys_and_are_written_down(db: Db) {
    let service = Service::start(office).unwrap();
    let keys = json!({ "hash_url": service.url("/hash"), "login_url": "/Shibboleth.sso/Login" });
    let site = site_behind("127.0.0.2", db, door(keys));
    site.user("anna");
    let mut stranger = site.visitor();
    for (name, value) in [
        ("X-Forwarded-For", "127.0.0.2"),
        ("X-Real-IP", "127.0.0.2"),
        ("Forwarded", "for=127.0.0.2"),
    ] {
        let answer = come(&mut stranger, PLACE, &[("EAAHash", ANNA), (name, value)]).expect(403);
        assert!(answer.text.contains("by way of the single sign-on alone"), "{}", answer.text);
        assert!(answer.header("set-cookie").is_none());
    }
    assert!(!stranger.is_in());
    let mut known = site.visitor();
    known.log_in("anna", PASSWORD).expect(200);
    link(&mut known, ANNA).expect(403);
    assert_eq!(questions(&service), []);
    let reason = "headers of a single sign-on, and not from a trusted proxy";
    let events = site.audit_texts("login.failed");
    assert!(events.len() >= 4 && events.iter().all(|event| event == reason), "{events:?}");
    let mut connection = site.database.connection();
    let addresses = connection
        .texts("select address as answer from audit_events where action = 'login.failed'");
    assert!(addresses.iter().all(|address| address == "127.0.0.1"), "{addresses:?}");
}

fn atk_a135_a_hash_is_a_header_at_one_address_and_nothing_else(db: Db) {
    let service = Service::start(office).unwrap();
    let site = with_office(db, &service);
    site.user("anna");
    let mut visitor = site.visitor();
    for name in ["EAAHash", "eaa_hash", "HTTP_EAAHASH"] {
        visitor.get(&format!("{PLACE}?{name}={ANNA}")).expect(401);
    }
    visitor.cookies.insert("EAAHash".to_owned(), ANNA.to_owned());
    visitor.get(PLACE).expect(401);
    let fields = [("EAAHash", ANNA), ("csrf_token", "x")];
    visitor.form(PLACE, &fields).expect(401);
    assert_eq!(questions(&service), []);
    // And the header says nothing anywhere else.
    for path in ["/", "/login", "/own/maybe", "/api/v1/session", "/api/v1/users"] {
        let answer = come(&mut visitor, path, &[("EAAHash", ANNA), ("uid", "anna")]);
        assert!(!answer.text.contains("anna") && answer.header("set-cookie").is_none(), "{path}");
    }
    assert!(!visitor.is_in());
    assert_eq!(questions(&service), []);
}

fn atk_a137_only_the_very_path_that_is_protected_counts(db: Db) {
    let site = alone(db, json!({}));
    for path in [
        "/AUTH/umbrella/assert",
        "/auth/Umbrella/assert",
        "/auth/umbrella/ASSERT",
        "/auth/umbrella/assert/",
        "/auth/umbrella//assert",
        "//auth/umbrella/assert",
        "/auth/umbrella/%61ssert",
        "/auth/umbrell%61/assert",
        "/%61uth/umbrella/assert",
        "/auth%2Fumbrella/assert",
        "/auth/umbrella/assert;x=1",
        "/auth/umbrella/assert.html",
        "/auth/umbrella/assert%00",
        "/auth/other/assert",
        "/auth/local/assert",
    ] {
        let answer = come(&mut site.visitor(), path, &[("EAAHash", ANNA)]);
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
    }
    for method in ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"] {
        let mut visitor = site.visitor();
        visitor.headers.push(("EAAHash".to_owned(), ANNA.to_owned()));
        let answer = visitor.send(method, PLACE, None);
        assert!(
            [404, 405].contains(&answer.status) && answer.header("set-cookie").is_none(),
            "{method}"
        );
    }
    come(&mut site.visitor(), PLACE, &[("EAAHash", ANNA)]).expect(303);
}

fn atk_a104_no_other_site_logs_anybody_in_as_somebody_else(db: Db) {
    let service = Service::start(office).unwrap();
    let site = with_office(db, &service);
    site.user("bert");
    for (name, value) in [
        ("Sec-Fetch-Dest", "image"),
        ("Sec-Fetch-Dest", "iframe"),
        ("Sec-Fetch-Dest", "empty"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Purpose", "prefetch"),
    ] {
        let mut visitor = site.visitor();
        come(&mut visitor, PLACE, &[("EAAHash", BERT), (name, value)])
            .expect_problem(403, "cross_site");
        assert!(!visitor.is_in());
    }
    // The way back from the identity provider is a redirect from another site.
    let mut bert = site.visitor();
    let redirected =
        [("EAAHash", BERT), ("Sec-Fetch-Dest", "document"), ("Sec-Fetch-Site", "cross-site")];
    come(&mut bert, PLACE, &redirected).expect(303);
    // Once more is a new session of the same person; but nobody becomes somebody else.
    let before = bert.token();
    come(&mut bert, PLACE, &redirected).expect(303);
    assert!(bert.token() != before && !bert.with_token(&before).is_in());
    let mut anna = site.logged_in("anna");
    let answer = enter(&mut anna, BERT).expect(409);
    assert!(answer.text.contains("anna was logged in here"), "{}", answer.text);
    assert!(!anna.is_in(), "she is nobody now, and not bert");
}

fn atk_a062_another_identity_in_the_header_ends_the_session_of_the_one_before(db: Db) {
    let service = Service::start(office).unwrap();
    let site = with_office(db, &service);
    for name in ["anna", "bert"] {
        site.user(name);
    }
    let mut visitor = site.visitor();
    enter(&mut visitor, ANNA).expect(303);
    let mut of_anna = visitor.clone();
    assert_eq!(name_of(&mut of_anna), "anna");
    enter(&mut visitor, BERT).expect(409);
    assert!(!of_anna.is_in(), "anna's session goes on beside bert's");
    enter(&mut visitor, BERT).expect(303);
    assert_eq!(name_of(&mut visitor), "bert");
    // Whom the single sign-on names and nobody here knows is not taken for the one before.
    assert_eq!(enter(&mut visitor, NOBODY).status, 403);
    assert_eq!(name_of(&mut visitor), "bert");
    // A session elsewhere is none of this browser's.
    let (mut here, mut elsewhere) = (site.visitor(), site.visitor());
    enter(&mut here, ANNA).expect(303);
    enter(&mut elsewhere, ANNA).expect(303);
    enter(&mut here, BERT).expect(409);
    assert!(elsewhere.is_in() && !here.is_in());
}

fn asvs_v7_6_2_headers_log_in_at_one_address_alone_and_nowhere_by_the_way(db: Db) {
    let service = Service::start(office).unwrap();
    let site = with_office(db, &service);
    site.user("anna");
    let mut anna = site.visitor();
    for path in ["/", "/login", "/own/whoami", "/api/v1/session"] {
        let answer = come(&mut anna, path, &[("EAAHash", ANNA)]);
        assert_eq!(answer.header("set-cookie"), None, "{path}");
        assert!(!anna.is_in(), "{path}");
    }
    enter(&mut anna, ANNA).expect(303);
    assert!(anna.is_in());
}
