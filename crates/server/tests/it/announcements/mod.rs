//! What administrators tell many people by mail.

mod audience;
mod crowd;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use vestibule_core::{
    Clock, Email, Username,
    domain::user::{PersonName, User},
    id::UserId,
    ports::{hasher::PasswordHash, store::StoreError},
    testkit::SeededEntropy,
};
use vestibule_mail::{
    classify::{Failure, Verdict},
    message::Letter,
};

use crate::support::{
    Db, Post, TestSite, Visitor, block_on, grant, group, id_of, join, on_every_database,
};

on_every_database!(
    seed_cn_40_all_active_users_get_one_message_each,
    seed_om_51_what_was_sent_goes_on_after_a_logout_and_a_restart_and_counts_add_up,
    seed_om_52_nobody_sees_the_address_of_another,
    two_servers_send_to_each_person_once,
    who_comes_after_it_was_sent_is_not_mailed,
    what_still_waits_can_be_taken_back,
    a_preview_counts_and_shows_and_sends_nothing,
    seed_cn_41_a_subject_has_the_prefix_and_takes_no_second_line,
    announcements_are_for_those_who_may_send_them_and_have_just_logged_in,
);

const PATH: &str = "/api/v1/announcements";

fn site(db: Db) -> (TestSite, Post) {
    let (plan, post) = Post::plan(db);
    (plan.set("mail.announcement_rate", "unlimited").start(), post)
}

/// People with addresses, made all at once: nobody of them logs in.
fn people(site: &TestSite, names: impl Iterator<Item = String>) -> Vec<UserId> {
    let (now, entropy) = (site.clock.now(), SeededEntropy::new(7));
    let users: Vec<User> = names
        .map(|name| User {
            id: UserId::generate(now, &entropy),
            email: Some(Email::parse(&format!("{name}@example.org")).unwrap()),
            username: Username::parse(&name).unwrap(),
            email_verified: true,
            first_name: PersonName::default(),
            last_name: PersonName::default(),
            is_active: true,
            is_staff: false,
            is_superuser: false,
            expires_at: None,
            created_at: now,
            last_login_at: None,
            password_changed_at: None,
        })
        .collect();
    let ids = users.iter().map(|user| user.id).collect();
    let store = &site.vestibule.site().services.store;
    let added = store.write::<_, StoreError>(move |tx| {
        users.iter().try_for_each(|user| tx.insert_user(user, &PasswordHash::unusable()))
    });
    block_on(added).unwrap();
    ids
}

fn numbered(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("u{number}"))
}

fn to(audience: &Value) -> Value {
    json!({ "subject": "Maintenance 🦊", "text": "On Monday.\nПривет!", "to": audience })
}

fn send(admin: &mut Visitor, audience: &Value) -> Value {
    admin.post(PATH, &to(audience)).expect(201).json()
}

/// Waits until it has gone out.
fn sent(admin: &mut Visitor, announcement: &Value) -> Value {
    let path = format!("{PATH}/{}", announcement["id"].as_str().unwrap());
    let began = Instant::now();
    loop {
        let found = admin.get(&path).expect(200).json();
        if found["state"] != "sending" {
            return found["progress"].clone();
        }
        assert!(began.elapsed() < Duration::from_mins(4), "{found}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn recipients(letters: &[Letter]) -> Vec<String> {
    let mut all: Vec<String> = letters.iter().map(|letter| letter.to.to_string()).collect();
    all.sort();
    all
}

fn addresses(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = names.map(|name| format!("{name}@example.org")).collect();
    all.sort();
    all
}

fn change(site: &TestSite, set: &str, name: &str) {
    let statement = format!("UPDATE users SET {set} WHERE username = '{name}'");
    site.database.connection().execute(&statement);
}

fn seed_cn_40_all_active_users_get_one_message_each(db: Db) {
    let (site, post) = site(db);
    let mut admin = site.admin();
    people(&site, numbered(5));
    site.user("silent");
    change(&site, "is_active = false", "u1");
    let announcement = send(&mut admin, &json!({ "everyone": true }));
    let progress = &announcement["progress"];
    assert_eq!((&progress["waiting"], &progress["without_address"]), (&json!(4), &json!(2)));
    assert_eq!(
        (&announcement["state"], &announcement["author"]),
        (&json!("sending"), &json!("admin"))
    );
    let progress = sent(&mut admin, &announcement);
    assert_eq!((&progress["sent"], &progress["waiting"]), (&json!(4), &json!(0)));
    let letters = post.letters(&site);
    assert_eq!(
        recipients(&letters),
        addresses(["u0", "u2", "u3", "u4"].map(str::to_owned).into_iter())
    );
    for letter in &letters {
        assert_eq!(letter.subject, "[Vestibule] Maintenance 🦊");
        assert!(letter.text.contains("On Monday.\nПривет!"), "{}", letter.text);
        require_alone(letter, &letters);
    }
    let ids: BTreeSet<&str> = letters.iter().map(|letter| &*letter.message_id).collect();
    assert_eq!(ids.len(), 4, "each has a name of its own");
    assert_eq!(site.audit_texts("announcement.sent").len(), 1);
}

/// That a letter tells of no other recipient.
fn require_alone(letter: &Letter, all: &[Letter]) {
    let bytes = String::from_utf8_lossy(&letter.bytes).into_owned();
    for other in all.iter().filter(|other| other.to != letter.to) {
        assert!(!bytes.contains(&other.to.to_string()), "{bytes}");
    }
    for header in ["\r\nBcc:", "\r\nCc:"] {
        assert!(!bytes.contains(header), "{bytes}");
    }
}

fn seed_om_52_nobody_sees_the_address_of_another(db: Db) {
    let (site, post) = site(db);
    let mut admin = site.admin();
    let ids: Vec<String> = people(&site, numbered(3)).iter().map(ToString::to_string).collect();
    let announcement = send(&mut admin, &json!({ "users": ids }));
    sent(&mut admin, &announcement);
    let letters = post.letters(&site);
    assert_eq!(recipients(&letters), addresses(numbered(3)));
    for letter in &letters {
        require_alone(letter, &letters);
    }
}

fn seed_om_51_what_was_sent_goes_on_after_a_logout_and_a_restart_and_counts_add_up(db: Db) {
    let (site, post) = site(db);
    let mut admin = site.admin();
    // Those with the last ids are posted to last.
    let mut order: Vec<(UserId, String)> =
        people(&site, numbered(350)).into_iter().zip(numbered(350)).collect();
    order.sort();
    let [.., (_, silent), (_, disabled)] = &order[..] else { panic!("nobody") };
    post.0.set_down(Some(Failure::new(Verdict::ServerDown, "no mail server")));
    let announcement = send(&mut admin, &json!({ "everyone": true }));
    assert_eq!(announcement["progress"]["waiting"], 350);
    admin.post("/api/v1/logout", &json!({})).expect(204);
    let mut behind = site.database.connection();
    let mut posted = || behind.number("select count(*) as answer from outbox");
    let began = Instant::now();
    while posted() < 200 {
        assert!(began.elapsed() < Duration::from_mins(1), "only {} posted", posted());
        std::thread::sleep(Duration::from_millis(10));
    }
    site.stop_work();
    // However often it is asked, no more of it stands in the outbox than can be looked after.
    let services = &site.vestibule.site().services;
    while block_on(services.announcements.spread(&site.operator())).unwrap() {}
    assert!((200..=300).contains(&posted()), "{}", posted());
    assert_eq!(post.0.letters().len(), 0);
    post.0.set_down(None);
    post.0.then([None, Some(Failure::new(Verdict::ForGood, "550 no such user"))]);
    change(&site, "is_active = false", disabled);
    change(&site, "email = NULL, email_key = NULL", silent);
    let sending = post.0.clone();
    let second = site.replica_as(&[("mail.announcement_rate", "unlimited")], move |builder| {
        builder.mail_transport(sending)
    });
    let mut admin = second.visitor();
    admin.log_in("admin", crate::support::PASSWORD).expect(200);
    let progress = sent(&mut admin, &announcement);
    let expected = json!({
        "waiting": 0, "sent": 347, "failed": 1, "without_address": 2, "left_out": 1, "cancelled": 0,
    });
    assert_eq!(progress, expected);
    let letters = post.0.letters();
    let everybody: BTreeSet<String> = recipients(&letters).into_iter().collect();
    assert_eq!((letters.len(), everybody.len()), (347, 347));
    // The counts stay when the outbox is cleared.
    admin.delete("/api/v1/outbox").expect(200);
    assert_eq!(sent(&mut admin, &announcement), expected);
}

fn two_servers_send_to_each_person_once(db: Db) {
    let (site, post) = site(db);
    let other = post.replica(&site);
    let mut admin = site.admin();
    people(&site, numbered(220));
    let announcement = send(&mut admin, &json!({ "everyone": true }));
    sent(&mut admin.at(&other.origin), &announcement);
    assert_eq!(recipients(&post.letters(&site)), addresses(numbered(220)));
}

fn who_comes_after_it_was_sent_is_not_mailed(db: Db) {
    let (site, post) = site(db);
    let mut admin = site.admin();
    let ids = people(&site, numbered(2));
    let lab = group(&mut admin, "lab", "private");
    join(&mut admin, &lab, &ids[0].to_string(), false);
    // Nobody is at work while somebody joins.
    site.stop_work();
    let announcement = send(&mut admin, &json!({ "groups": [lab] }));
    join(&mut admin, &lab, &ids[1].to_string(), false);
    let second = post.replica(&site);
    sent(&mut admin.at(&second.origin), &announcement);
    assert_eq!(recipients(&post.letters(&site)), ["u0@example.org"]);
}

fn what_still_waits_can_be_taken_back(db: Db) {
    let (site, post) = site(db);
    let mut admin = site.admin();
    people(&site, numbered(150));
    post.0.set_down(Some(Failure::new(Verdict::ServerDown, "no mail server")));
    let announcement = send(&mut admin, &json!({ "everyone": true }));
    let cancel = format!("{PATH}/{}/cancel", announcement["id"].as_str().unwrap());
    let after = admin.send("POST", &cancel, None).expect(200).json();
    assert_eq!(after["state"], "cancelled");
    post.0.set_down(None);
    // What was being tried at that moment comes back, and is not tried again.
    let began = Instant::now();
    let progress = loop {
        let found = admin.send("POST", &cancel, None).expect(200).json()["progress"].clone();
        if found["waiting"] == 0 {
            break found;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "{found}");
        std::thread::sleep(Duration::from_millis(50));
    };
    let (gone, kept) =
        (progress["sent"].as_u64().unwrap(), progress["cancelled"].as_u64().unwrap());
    assert_eq!(gone + kept, 150, "{progress}");
    assert!(gone <= 8, "{progress}");
    assert_eq!(site.audit_texts("announcement.cancelled").len(), 1);
    let done = admin.post(PATH, &to(&json!({ "everyone": true }))).expect(201).json();
    sent(&mut admin, &done);
    let cancel = format!("{PATH}/{}/cancel", done["id"].as_str().unwrap());
    admin.send("POST", &cancel, None).expect_problem(409, "not_waiting");
}

fn a_preview_counts_and_shows_and_sends_nothing(db: Db) {
    let (site, _) = site(db);
    let mut admin = site.admin();
    people(&site, numbered(3));
    let mut body = to(&json!({ "everyone": true }));
    body["text"] = json!("<b>bold</b>\n\n{{ site.url }}");
    let preview = admin.post(&format!("{PATH}/preview"), &body).expect(200).json();
    assert_eq!((&preview["people"], &preview["without_address"]), (&json!(4), &json!(1)));
    let mail = |part: &str| preview["mail"][part].as_str().unwrap().to_owned();
    assert_eq!(mail("subject"), "[Vestibule] Maintenance 🦊");
    assert!(mail("text").contains("<b>bold</b>\n\n{{ site.url }}\n"), "{}", mail("text"));
    let html = mail("html");
    assert!(html.contains("&lt;b&gt;bold&lt;&#x2f;b&gt;") && !html.contains("<b>"), "{html}");
    assert_eq!(admin.get(PATH).expect(200).json()["count"], 0);
    let posted = site.database.connection().number("select count(*) as answer from outbox");
    assert_eq!(posted, 0);
}

fn seed_cn_41_a_subject_has_the_prefix_and_takes_no_second_line(db: Db) {
    let (site, post) = site(db);
    let mut admin = site.admin();
    people(&site, numbered(1));
    for subject in ["a\nb", "a\r\nBcc: x@example.org", "a\n", "a\u{2028}b"] {
        let mut body = to(&json!({ "everyone": true }));
        body["subject"] = json!(subject);
        for path in [PATH.to_owned(), format!("{PATH}/preview")] {
            let answer = admin.post(&path, &body).expect_problem(422, "invalid").json();
            assert_eq!(answer["errors"]["subject"][0]["code"], "forbidden_character", "{answer}");
        }
    }
    for (audience, code) in [
        (json!({ "groups": [] }), "required"),
        (json!({ "groups": ["018f0000-0000-7000-8000-000000000000"] }), "unknown_group"),
        (json!({ "users": ["018f0000-0000-7000-8000-000000000000"] }), "unknown_user"),
        (json!({ "permission": "calc.nothing" }), "unknown_permission"),
        (json!({ "permission": "calc.start" }), "nobody"),
    ] {
        let answer = admin.post(PATH, &to(&audience)).expect_problem(422, "invalid").json();
        assert_eq!(answer["errors"]["to"][0]["code"], code, "{answer}");
    }
    for audience in
        [json!({}), json!({ "everyone": false }), json!({ "everyone": true, "users": [] })]
    {
        admin.post(PATH, &to(&audience)).expect_problem(400, "malformed");
    }
    let announcement = send(&mut admin, &json!({ "everyone": true }));
    // A button that was pressed twice.
    let again = admin.post(PATH, &to(&json!({ "everyone": true })));
    again.expect_problem(409, "just_sent");
    sent(&mut admin, &announcement);
    // What another says is another announcement, and so is what is said again later.
    let mut other = site.logged_in("other");
    let other_id = id_of(&mut other);
    grant(&mut admin, &other_id, "vestibule.send_announcement");
    other.post(&format!("{PATH}/preview"), &to(&json!({ "everyone": true }))).expect(200);
    site.clock.advance(Duration::from_secs(1));
    let theirs = send(&mut other, &json!({ "everyone": true }));
    site.clock.advance(Duration::from_mins(10));
    let later = send(&mut admin, &json!({ "everyone": true }));
    for one in [theirs, later] {
        sent(&mut admin, &one);
    }
    let letters = post.letters(&site);
    assert_eq!(letters.len(), 3);
    assert!(letters.iter().all(|letter| letter.subject.starts_with("[Vestibule] ")));
    let list = admin.get(&format!("{PATH}?page_size=1&page=3")).expect(200).json();
    assert_eq!((&list["count"], &list["results"][0]["id"]), (&json!(3), &announcement["id"]));
}

fn announcements_are_for_those_who_may_send_them_and_have_just_logged_in(db: Db) {
    let (site, post) = site(db);
    let (mut admin, mut anna) = (site.admin(), site.logged_in("anna"));
    people(&site, numbered(1));
    let body = to(&json!({ "everyone": true }));
    let preview = format!("{PATH}/preview");
    site.visitor().post(PATH, &body).expect(401);
    for path in [PATH, &preview] {
        anna.post(path, &body).expect_problem(403, "permission_denied");
    }
    anna.get(PATH).expect(403);
    let one = format!(
        "{PATH}/{}",
        send(&mut admin, &json!({ "everyone": true }))["id"].as_str().unwrap()
    );
    anna.get(&one).expect_problem(403, "permission_denied");
    anna.send("POST", &format!("{one}/cancel"), None).expect_problem(403, "permission_denied");
    let anna_id = id_of(&mut anna);
    grant(&mut admin, &anna_id, "vestibule.send_announcement");
    site.clock.advance(Duration::from_mins(16));
    anna.post(&preview, &body).expect(200);
    anna.post(PATH, &body).expect_problem(403, "reauthentication_required");
    assert_eq!(anna.get(PATH).expect(200).json()["count"], 1);
    anna.log_in("anna", crate::support::PASSWORD).expect(200);
    let announcement = anna.post(PATH, &body).expect(201).json();
    sent(&mut anna, &announcement);
    assert_eq!(recipients(&post.letters(&site)), ["u0@example.org"; 2]);
}
