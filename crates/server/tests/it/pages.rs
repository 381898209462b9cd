//! The plain pages, as a browser without scripts uses them, and one real browser.

use crate::support::{Db, PASSWORD, TestSite, Visitor};

#[test]
fn asvs_v6_2_6_and_pages_mask_passwords_and_let_managers_fill_them_in() {
    let site = TestSite::start(Db::Sqlite);
    for page in [site.visitor().get("/login"), site.visitor().get(&link(&site))] {
        let page = page.expect(200).text;
        let fields: Vec<_> = page.match_indices("name=\"password").collect();
        assert!(!fields.is_empty());
        assert_eq!(page.matches("type=\"password\"").count(), fields.len());
        assert_eq!(page.matches("-password\"").count(), fields.len(), "autocomplete on each");
    }
}

#[test]
fn std_s10_nothing_keeps_managers_and_pasting_out() {
    let site = TestSite::start(Db::Sqlite);
    let page = site.visitor().get("/login").expect(200).text;
    assert!(page.contains("autocomplete=\"current-password\""), "{page}");
    assert!(!page.contains("maxlength") && !page.contains("readonly"), "{page}");
}

#[test]
fn asvs_v6_2_7_paste_and_password_managers_work() {
    let site = TestSite::start(Db::Sqlite);
    for path in ["/login".to_owned(), link(&site)] {
        let page = site.visitor().get(&path).expect(200).text;
        assert!(!page.contains("onpaste") && !page.contains("<script"), "{page}");
        assert!(!page.contains("autocomplete=\"off\""), "{page}");
        assert!(page.contains("autocomplete=\"username\""), "{page}");
    }
}

#[test]
fn the_login_page_leads_to_another_password_and_where_it_is_open_to_an_account() {
    for (mode, leads) in [("closed", false), ("invite", false), ("open", true)] {
        let site = TestSite::plan(Db::Sqlite).set("registration.mode", mode).start();
        let page = site.visitor().get("/login").expect(200).text;
        assert!(page.contains("href=\"/password/forgot\""), "{page}");
        assert_eq!(page.contains("href=\"/register\""), leads, "{mode}: {page}");
    }
}

fn link(site: &TestSite) -> String {
    let link = crate::support::site::block_on(site.vestibule.first_superuser_link(""));
    link.unwrap().unwrap().strip_prefix(&site.origin).unwrap().to_owned()
}

fn enter(visitor: &mut Visitor, next: &str) -> crate::support::Answer {
    visitor.form("/login", &[("username", "anna"), ("password", PASSWORD), ("next", next)])
}

#[test]
fn std_s37_after_the_login_form_the_browser_goes_on_by_303() {
    let site = TestSite::start(Db::Sqlite);
    site.user("anna");
    let mut visitor = site.visitor();
    let answer = enter(&mut visitor, "").expect(303);
    assert_eq!(answer.header("location"), Some("/"));
    let page = visitor.get("/").expect(200).text;
    assert!(page.contains("<h1>anna</h1>"), "{page}");
}

#[test]
fn asvs_v7_4_4_the_page_of_somebody_logged_in_shows_the_way_out() {
    let site = TestSite::start(Db::Sqlite);
    let mut anna = site.logged_in("anna");
    for path in ["/", "/logout"] {
        let page = anna.get(path).expect(200).text;
        assert!(page.contains("method=\"post\" action=\"/logout\""), "{page}");
    }
}

#[test]
fn seed_cn_15_the_login_goes_on_to_the_page_that_was_asked_for() {
    let site = TestSite::start(Db::Sqlite);
    site.user("anna");
    let page = site.visitor().get("/login?next=/own/calc/7%3Fx=1").expect(200).text;
    assert!(page.contains("name=\"next\" value=\"&#x2f;own&#x2f;calc&#x2f;7?x=1\""), "{page}");
    let answer = enter(&mut site.visitor(), "/own/calc/7?x=1").expect(303);
    assert_eq!(answer.header("location"), Some("/own/calc/7?x=1"));
}

#[test]
fn seed_oq_3_the_login_never_leads_to_another_site() {
    let site = TestSite::start(Db::Sqlite);
    site.user("anna");
    for next in [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "///evil.example",
        "http:/evil.example",
        " //evil.example",
        "/%09/../\\evil.example",
    ] {
        let answer = enter(&mut site.visitor(), next).expect(303);
        let location = answer.header("location").unwrap();
        assert!(location.starts_with('/') && !location.starts_with("//"), "{next}: {location}");
        assert!(!location.contains('\\'), "{next}: {location}");
    }
}

#[test]
fn atk_a108_whoever_is_logged_in_already_is_led_to_places_of_our_own_too() {
    let site = TestSite::start(Db::Sqlite);
    let mut anna = site.logged_in("anna");
    let own = anna.get("/login?next=/own/calc/7").expect(303);
    assert_eq!(own.header("location"), Some("/own/calc/7"));
    for next in [
        "//evil.example",
        "/%5Cevil.example",
        "https://evil.example",
        "/.//evil.example",
        "/%09/evil.example",
    ] {
        let answer = anna.get(&format!("/login?next={next}")).expect(303);
        assert_eq!(answer.header("location"), Some("/"), "{next}");
    }
}

#[test]
fn seed_oq_41_a_link_to_the_logout_only_asks() {
    let site = TestSite::start(Db::Sqlite);
    let mut anna = site.logged_in("anna");
    anna.get("/logout").expect(200);
    assert!(anna.is_in());
}

#[test]
fn atk_a069_another_site_cannot_log_anybody_out() {
    let site = TestSite::start(Db::Sqlite);
    let mut anna = site.logged_in("anna");
    anna.form("/logout", &[("csrf_token", "made up")]).expect(403);
    assert!(anna.is_in());
    let token = anna.csrf.clone().unwrap();
    let body = format!("csrf_token={token}");
    let kind = "application/x-www-form-urlencoded";
    anna.headers.push(("origin".to_owned(), "https://evil.example".to_owned()));
    anna.send("POST", "/logout", Some((kind, body))).expect(403);
    anna.headers.clear();
    assert!(anna.is_in());
    anna.form("/logout", &[("csrf_token", &token)]).expect(303);
    assert!(!anna.is_in());
}

#[test]
fn atk_a068_another_site_cannot_log_a_browser_in() {
    let site = TestSite::start(Db::Sqlite);
    site.user("anna");
    for (path, header) in [
        ("/login", ("origin", "https://evil.example")),
        ("/login", ("sec-fetch-site", "cross-site")),
        ("/api/v1/login", ("origin", "https://evil.example")),
        ("/api/v1/login", ("sec-fetch-site", "same-site")),
    ] {
        let mut visitor = site.visitor();
        visitor.headers.push((header.0.to_owned(), header.1.to_owned()));
        let body = format!("username=anna&password={}", PASSWORD.replace(' ', "+"));
        let kind = "application/x-www-form-urlencoded";
        visitor.send("POST", path, Some((kind, body))).expect(403);
        assert!(visitor.cookies.is_empty());
    }
}

#[test]
fn seed_om_24_credentials_in_the_address_log_nobody_in() {
    let site = TestSite::start(Db::Sqlite);
    let token = site.logged_in("anna").token();
    let password = PASSWORD.replace(' ', "+");
    for query in [
        format!("username=anna&password={password}"),
        format!("vestibule={token}"),
        format!("bsession={token}"),
    ] {
        let mut visitor = site.visitor();
        visitor.get(&format!("/login?{query}")).expect(200);
        visitor.get(&format!("/own/whoami?{query}")).expect(401);
        assert!(visitor.cookies.is_empty());
    }
}

#[test]
fn seed_oq_39_everything_works_below_a_prefix() {
    let site = TestSite::plan(Db::Sqlite).prefix("/accounts").start();
    site.user("anna");
    let mut visitor = site.visitor();
    let page = visitor.get("/accounts/login").expect(200).text.replace("&#x2f;", "/");
    assert!(page.contains("href=\"/accounts/static/vestibule.css\""), "{page}");
    assert!(page.contains("action=\"/accounts/login\""), "{page}");
    visitor.get("/accounts/static/vestibule.css").expect(200);
    let fields = [("username", "anna"), ("password", PASSWORD)];
    let answer = visitor.form("/accounts/login", &fields).expect(303);
    assert_eq!(answer.header("location"), Some("/accounts/"));
    visitor.get("/accounts/api/v1/session").expect(200);
    assert_eq!(visitor.get("/own/whoami").expect(200).text, "anna");
}

#[cfg(feature = "full")]
mod browser {
    use super::{Db, PASSWORD, TestSite, link};
    use crate::support::browser::Browser;

    #[test]
    fn a_real_browser_makes_the_first_superuser_logs_in_and_out() {
        let (site, browser) = (TestSite::start(Db::Sqlite), Browser::start());
        browser.open(&format!("{}{}", site.origin, link(&site)));
        browser.arrive("The first superuser");
        browser.enter("#username", "ada");
        browser.enter("#password", PASSWORD);
        browser.enter("#password_again", PASSWORD);
        browser.click("button");
        browser.arrive("Log in");
        browser.enter("#username", "ada");
        browser.enter("#password", "wrong");
        browser.click("button");
        browser.wait_for(".error");
        browser.enter("#password", PASSWORD);
        browser.click("button");
        browser.arrive("ada");
        browser.click("button");
        browser.arrive("Log in");
        browser.open(&format!("{}/", site.origin));
        browser.arrive("Log in");
    }
}
