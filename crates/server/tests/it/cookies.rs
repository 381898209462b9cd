//! The session's cookie, and what else goes with every answer.

use crate::support::{Db, PASSWORD, TestSite};

#[test]
fn seed_om_15_the_cookie_goes_with_the_browser_unless_it_is_to_stay() {
    let cookie = |expire: &str| {
        let site =
            TestSite::plan(Db::Sqlite).set("session.expire_at_browser_close", expire).start();
        site.user("anna");
        let answer = site.visitor().log_in("anna", PASSWORD);
        answer.header("set-cookie").unwrap().to_owned()
    };
    let until_close = cookie("true");
    assert!(!until_close.contains("Max-Age") && !until_close.contains("Expires"), "{until_close}");
    assert!(cookie("false").contains("Max-Age=86400"));
}

#[test]
fn seed_om_22_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites() {
    let site = TestSite::start(Db::Sqlite);
    site.user("anna");
    let answer = site.visitor().log_in("anna", PASSWORD);
    let cookie = answer.header("set-cookie").unwrap();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{attribute} in {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    assert!(cookie.starts_with("vestibule="), "{cookie}");
}

#[test]
fn std_s48_behind_https_the_cookie_is_bound_to_the_host_and_to_tls() {
    let site = TestSite::plan(Db::Sqlite)
        .set("site.base_url", "https://hall.example")
        .start_with_own_url();
    site.user("anna");
    let mut visitor = site.visitor();
    visitor.headers.push(("host".to_owned(), "hall.example".to_owned()));
    let answer = visitor.log_in("anna", PASSWORD).expect(200);
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-vestibule="), "{cookie}");
    assert!(cookie.contains("Secure") && cookie.contains("Path=/"), "{cookie}");
    assert!(!cookie.contains("Domain"), "{cookie}");
    assert!(cookie.len() < 4096);
}

#[test]
fn atk_a065_two_cookies_of_the_name_are_none() {
    let site = TestSite::start(Db::Sqlite);
    let user = site.logged_in("anna");
    let mut tossed = site.visitor();
    let both = format!("vestibule=planted; vestibule={}", user.token());
    tossed.headers.push(("cookie".to_owned(), both));
    tossed.get("/api/v1/session").expect(401);
}

#[test]
fn atk_a066_no_answer_with_a_cookie_may_be_cached() {
    let site = TestSite::start(Db::Sqlite);
    let mut user = site.logged_in("anna");
    for answer in [user.log_in("anna", PASSWORD), user.get("/api/v1/session"), user.get("/login")] {
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", answer.text);
    }
}

#[test]
fn atk_a072_refusals_set_no_cookies() {
    let site = TestSite::start(Db::Sqlite);
    let mut user = site.logged_in("anna");
    for path in ["/nothing", "/api/v1/users", "/own/start", "/setup/x", "/login?next=//evil"] {
        let answer = user.get(path);
        assert_eq!(answer.header("set-cookie"), None, "{path}");
    }
}

#[test]
fn atk_a074_nothing_of_ours_can_be_framed() {
    let site = TestSite::start(Db::Sqlite);
    for path in ["/login", "/api/v1/session", "/nothing"] {
        let answer = site.visitor().get(path);
        assert!(
            answer.header("content-security-policy").unwrap().contains("frame-ancestors 'none'")
        );
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    }
}
