//! What may happen once happens once, on two servers that share a database.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{Db, PASSWORD, TestSite, on_every_database, site::block_on};

on_every_database!(
    atk_a221_of_fifty_parallel_uses_of_the_first_link_one_wins,
    atk_a219_the_first_link_stays_closed_when_all_superusers_are_gone,
    atk_a220_half_filled_forms_move_nothing,
    flt_f11_of_fifty_parallel_accounts_of_one_name_one_is_made,
    flt_f11_a_session_ended_on_one_server_is_dead_on_the_other_within_a_second,
    asvs_v8_3_2_a_right_taken_on_one_server_is_gone_on_the_other_within_a_second,
);

fn link(site: &TestSite) -> String {
    let link = block_on(site.vestibule.first_superuser_link("")).unwrap().unwrap();
    link.strip_prefix(&site.origin).unwrap().to_owned()
}

fn fields(name: &str) -> [(&'static str, String); 3] {
    [
        ("username", name.to_owned()),
        ("password", PASSWORD.to_owned()),
        ("password_again", PASSWORD.to_owned()),
    ]
}

fn submit(site: &TestSite, link: &str, fields: &[(&str, String)]) -> u16 {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    site.visitor().form(link, &fields).status
}

fn atk_a221_of_fifty_parallel_uses_of_the_first_link_one_wins(db: Db) {
    let (site, won) = (TestSite::start(db), AtomicUsize::new(0));
    let (other, link) = (site.replica(), link(&site));
    std::thread::scope(|scope| {
        for number in 0..50 {
            let (site, won, link) = (if number % 2 == 0 { &site } else { &other }, &won, &link);
            scope.spawn(move || match submit(site, link, &fields(&format!("first{number}"))) {
                303 => drop(won.fetch_add(1, Ordering::SeqCst)),
                404 | 422 | 503 => {}
                status => panic!("{status}"),
            });
        }
    });
    assert_eq!(won.into_inner(), 1);
    let superusers = "select count(*) as answer from users";
    assert_eq!(site.database.connection().number(superusers), 1);
}

fn atk_a219_the_first_link_stays_closed_when_all_superusers_are_gone(db: Db) {
    let site = TestSite::start(db);
    let link = link(&site);
    assert_eq!(submit(&site, &link, &fields("first")), 303);
    assert_eq!(submit(&site, &link, &fields("second")), 404);
    site.database.connection().execute("delete from users");
    assert_eq!(block_on(site.vestibule.first_superuser_link("")).unwrap(), None);
    assert_eq!(submit(&site, &link, &fields("third")), 404);
}

fn atk_a220_half_filled_forms_move_nothing(db: Db) {
    let site = TestSite::start(db);
    let link = link(&site);
    let text = str::to_owned;
    for fields in [
        vec![],
        vec![("username", text("first"))],
        vec![("username", text("first")), ("password", text("")), ("password_again", text(""))],
        vec![
            ("username", text("")),
            ("password", text(PASSWORD)),
            ("password_again", text(PASSWORD)),
        ],
        vec![
            ("username", text("first")),
            ("password", text(PASSWORD)),
            ("password_again", text("x")),
        ],
    ] {
        let status = submit(&site, &link, &fields);
        assert!(matches!(status, 400 | 422), "{status}: {fields:?}");
    }
    assert_eq!(submit(&site, &link, &fields("first")), 303, "the link is still good");
}

fn flt_f11_of_fifty_parallel_accounts_of_one_name_one_is_made(db: Db) {
    let (site, won) = (TestSite::start(db), AtomicUsize::new(0));
    let (other, admin) = (site.replica(), site.admin());
    std::thread::scope(|scope| {
        for number in 0..50 {
            let origin = if number % 2 == 0 { &site.origin } else { &other.origin };
            let (won, mut admin) = (&won, admin.at(origin));
            let name = if number % 3 == 0 { "Twin" } else { "twin" };
            scope.spawn(move || {
                match admin.post("/api/v1/users", &json!({ "username": name })).status {
                    201 => drop(won.fetch_add(1, Ordering::SeqCst)),
                    422 | 503 => {}
                    status => panic!("{status}"),
                }
            });
        }
    });
    assert_eq!(won.into_inner(), 1);
}

/// Waits until the answer is another; how long that took.
fn until(mut is_so: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(10), "it never became so");
        std::thread::yield_now();
    }
    began.elapsed()
}

fn flt_f11_a_session_ended_on_one_server_is_dead_on_the_other_within_a_second(db: Db) {
    let site = TestSite::start(db);
    let (other, mut here) = (site.replica(), site.logged_in("anna"));
    let mut there = here.at(&other.origin);
    assert!(there.is_in());
    here.post("/api/v1/logout", &json!({})).expect(204);
    let took = until(|| !there.is_in());
    assert!(took <= Duration::from_secs(1), "{took:?}");
}

fn asvs_v8_3_2_a_right_taken_on_one_server_is_gone_on_the_other_within_a_second(db: Db) {
    let site = TestSite::start(db);
    let (other, mut admin, mut anna) = (site.replica(), site.admin(), site.logged_in("anna"));
    let user = anna.get("/api/v1/session").json()["user"]["id"].clone();
    let grant = json!({ "user": user, "permission": "calc.start" });
    let grant = admin.post("/api/v1/grants", &grant).expect(201).id();
    let mut there = anna.at(&other.origin);
    until(|| there.get("/own/start").status == 200);
    admin.delete(&format!("/api/v1/grants/{grant}")).expect(204);
    let took = until(|| there.get("/own/start").status == 403);
    assert!(took <= Duration::from_secs(1), "{took:?}");
}
