//! Sessions that end with the provider's word unless it gives it again, and logouts that lead to the
//! provider.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use url::Url;
use vestibule_core::Timestamp;

use super::{arrive, depart, door, good, now, peer, site, who};
use crate::support::{Answer, Db, TestSite, Visitor};

/// An account of its own at the good provider, and a browser that is logged in there.
struct There {
    name: String,
    browser: Visitor,
}

fn control() -> Visitor {
    Visitor::new(&peer("VESTIBULE_TEST_OIDC_CONTROL"))
}

impl There {
    fn new(name: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        control().post(&format!("/accounts/{name}"), &json!({})).expect(200);
        Self { name, browser: Visitor::new("") }
    }

    /// Goes where it is sent until it leads back here; the form is filled in if there is one.
    fn pass(&mut self, at: &Url) -> Url {
        let (origin, mut at) = (at.origin().ascii_serialization(), at.clone());
        for _ in 0..10 {
            let mut answer = self.browser.get(at.as_str());
            if answer.status == 200 {
                let password = format!("{}-pass-1", self.name);
                let fields = [("login", self.name.as_str()), ("password", password.as_str())];
                answer = self.browser.form(at.as_str(), &fields);
            }
            at = at
                .join(answer.header("location").unwrap_or_else(|| panic!("{}", answer.text)))
                .unwrap();
            if at.origin().ascii_serialization() != origin {
                return at;
            }
        }
        panic!("no way back from {at}");
    }
}

fn query(url: &Url) -> BTreeMap<String, String> {
    url.query_pairs().into_owned().collect()
}

/// A site whose sessions end with the ID token: after ten minutes at this provider.
fn strict() -> TestSite {
    let keys = json!({ "recheck": true, "logout": true });
    site(Db::Sqlite, vec![door("idp", &good(), &keys)])
}

fn enter(site: &TestSite, there: &mut There) -> Visitor {
    let mut visitor = site.visitor();
    let at = depart(&mut visitor, "idp", "/");
    assert!(!query(&at).contains_key("prompt"), "{at}");
    arrive(&mut visitor, &there.pass(&at)).expect(303);
    visitor.csrf = who(&mut visitor)["csrf_token"].as_str().map(str::to_owned);
    visitor
}

/// The ID token has run out, and the clocks agree again for what comes: the provider has a real one.
fn run_out(site: &TestSite, visitor: &mut Visitor) {
    site.clock.set(now().plus(Duration::from_secs(601)));
    visitor.get("/api/v1/session").expect_problem(401, "login_again");
    visitor.get("/own/whoami").expect_problem(401, "login_again");
    visitor.cookies.remove("vestibule");
    site.clock.set(now());
}

fn page(visitor: &mut Visitor, path: &str) -> Answer {
    visitor.headers.push(("accept".to_owned(), "text/html".to_owned()));
    let answer = visitor.get(path);
    visitor.headers.pop();
    answer
}

/// From a page to the provider, as a browser follows.
fn follow(visitor: &mut Visitor, path: &str) -> Answer {
    let mut answer = page(visitor, path);
    for _ in 0..5 {
        match answer.header("location") {
            Some(location) if location.starts_with('/') => {
                let location = location.to_owned();
                answer = page(visitor, &location);
            }
            _ => return answer,
        }
    }
    panic!("in circles");
}

fn to_provider(visitor: &mut Visitor, path: &str) -> Url {
    let answer = follow(visitor, path);
    answer.header("location").unwrap_or_else(|| panic!("{}", answer.text)).parse().unwrap()
}

#[test]
fn seed_cp_51_a_session_goes_on_as_long_as_the_provider_gives_its_word() {
    let (site, mut there) = (strict(), There::new("again"));
    let mut ann = enter(&site, &mut there);
    let first = who(&mut ann);
    let ends = time(&first["expires_at"]);
    let left = ends.since(now());
    assert!((Duration::from_mins(9)..=Duration::from_mins(10)).contains(&left), "{left:?}");
    run_out(&site, &mut ann);
    // A page asks the provider first, without a word to the visitor, and comes back to itself.
    let at = to_provider(&mut ann, "/own/whoami?x=1");
    let asked = query(&at);
    assert_eq!((asked["prompt"].as_str(), asked["max_age"].as_str()), ("none", "86400"));
    let answer = arrive(&mut ann, &there.pass(&at)).expect(303);
    assert_eq!(answer.header("location"), Some("/own/whoami?x=1"));
    assert_eq!(who(&mut ann)["user"]["id"], first["user"]["id"]);
    // Nobody has proved anything meanwhile: what wants a fresh login wants one.
    let sessions = ann.get("/api/v1/sessions").expect(200).json();
    let current = sessions["results"].as_array().unwrap().iter().find(|s| s["is_current"] == true);
    let proved = time(&current.unwrap()["created_at"]);
    assert_eq!(proved.as_micros() % 1_000_000, 0, "the provider's auth_time: {current:?}");
    // And over again, until the provider does not.
    run_out(&site, &mut ann);
    let at = to_provider(&mut ann, "/own/whoami");
    arrive(&mut ann, &there.pass(&at)).expect(303);
    assert!(ann.is_in());
    run_out(&site, &mut ann);
    control().post("/revoke", &json!({ "account": there.name })).expect(200);
    let at = to_provider(&mut ann, "/own/whoami");
    let back = there.pass(&at);
    assert_eq!(query(&back)["error"], "login_required");
    let answer = arrive(&mut ann, &back).expect(303);
    assert_eq!(answer.header("location"), Some("/login?next=%2Fown%2Fwhoami"));
    // Now the form, once for all, and no more asking.
    page(&mut ann, "/login?next=%2Fown%2Fwhoami").expect(200);
    ann.get("/api/v1/session").expect_problem(401, "not_authenticated");
}

#[test]
fn seed_cp_51_nobody_else_comes_in_where_a_session_has_run_out() {
    let (site, mut there) = (strict(), There::new("first"));
    let mut ann = enter(&site, &mut there);
    run_out(&site, &mut ann);
    // Somebody else logged in at the provider meanwhile, in the same browser.
    let mut other = There::new("second");
    enter(&site, &mut other);
    let at = to_provider(&mut ann, "/own/whoami");
    let answer = arrive(&mut ann, &other.pass(&at)).expect(303);
    assert_eq!(answer.header("location"), Some("/login?next=%2Fown%2Fwhoami"));
    assert!(!ann.is_in());
    // Another site cannot have it asked for in a browser that was not in.
    let mut stranger = site.visitor();
    let at = stranger.get("/auth/idp/login?again=1").expect(303);
    let at: Url = at.header("location").unwrap().parse().unwrap();
    assert!(!query(&at).contains_key("prompt"), "{at}");
    // An account that was switched off is not entered by it either.
    let mut ann = enter(&site, &mut there);
    let id = who(&mut ann)["user"]["id"].as_str().unwrap().to_owned();
    run_out(&site, &mut ann);
    site.admin().patch(&format!("/api/v1/users/{id}"), &json!({ "is_active": false })).expect(200);
    let at = to_provider(&mut ann, "/own/whoami");
    arrive(&mut ann, &there.pass(&at)).expect(303);
    assert!(!ann.is_in());
}

#[test]
fn seed_cp_51_without_recheck_a_session_lasts_as_all_do() {
    let plain = site(Db::Sqlite, vec![door("idp", &good(), &json!({}))]);
    let mut there = There::new("plain");
    let mut ann = enter(&plain, &mut there);
    plain.clock.set(now().plus(Duration::from_secs(700)));
    assert!(ann.is_in());
    assert!(!ann.cookies.contains_key("vestibule-again"), "{:?}", ann.cookies);
    // Nor is there a logout there.
    ann.post("/api/v1/logout", &json!({})).expect(204);
}

#[test]
fn seed_cp_51_a_logout_leads_to_the_providers_own() {
    let (site, mut there) = (strict(), There::new("leaver"));
    let mut ann = enter(&site, &mut there);
    // What is kept for it is sealed: the database opens nothing.
    let mut connection = site.database.connection();
    let kept = "select count(*) as answer from login_steps where backend = 'idp'";
    assert_eq!(connection.number(kept), 1);
    for row in connection.texts("select hex(sealed) as answer from login_steps") {
        // `eyJ`, as each token begins.
        assert!(!row.contains("65794A"), "an ID token in the clear");
    }
    let csrf = ann.csrf.clone().unwrap();
    let goodbye = ann.form("/logout", &[("csrf_token", &csrf)]).expect(200).text;
    assert!(!ann.is_in());
    assert!(!ann.cookies.contains_key("vestibule-again"));
    assert_eq!(connection.number(kept), 0, "once");
    let (_, rest) = goodbye.split_once("href=\"http").unwrap();
    let link = format!("http{}", rest.split('"').next().unwrap());
    let link: Url = link.replace("&amp;", "&").replace("&#x2f;", "/").parse().unwrap();
    assert!(link.as_str().starts_with(&good()), "{link}");
    let asked = query(&link);
    assert_eq!(asked["client_id"], "vestibule");
    assert_eq!(asked["id_token_hint"].split('.').count(), 3);
    assert_eq!(asked["post_logout_redirect_uri"], format!("{}/login", site.origin));
    assert_eq!(asked["state"].len(), 43);
    // At the provider: a form, and then back with the state.
    let form = there.browser.get(link.as_str()).expect(200).text;
    let within = |before: &str| {
        let (_, rest) = form.split_once(before).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let (xsrf, action) = (within("name=\"xsrf\" value=\""), within("action=\""));
    let fields = [("xsrf", xsrf.as_str()), ("logout", "yes")];
    let answer = there.browser.form(&action, &fields).expect(303);
    let back: Url = answer.header("location").unwrap().parse().unwrap();
    assert_eq!((back.path(), &query(&back)["state"]), ("/login", &asked["state"]));
    page(&mut ann, &format!("{}?{}", back.path(), back.query().unwrap())).expect(200);
    // There, too, nobody is logged in any more.
    let mut ann = site.visitor();
    let at = depart(&mut ann, "idp", "/");
    let asks = there.browser.get(at.as_str());
    let next = at.join(asks.header("location").unwrap()).unwrap();
    assert!(there.browser.get(next.as_str()).expect(200).text.contains("password"));
}

#[test]
fn seed_cp_51_the_api_tells_where_to_log_out_as_well() {
    let (site, mut there) = (strict(), There::new("api"));
    let mut ann = enter(&site, &mut there);
    let told = ann.post("/api/v1/logout", &json!({})).expect(200).json();
    let location: Url = told["location"].as_str().unwrap().parse().unwrap();
    assert!(query(&location).contains_key("id_token_hint"), "{location}");
    assert!(!ann.is_in());
    ann.post("/api/v1/logout", &json!({})).expect(204);
}

#[test]
fn asvs_v7_6_1_how_long_sessions_live_here_and_there_is_as_documented() {
    // A logout here leaves the session there alone, and the next login asks for no password.
    let plain = site(Db::Sqlite, vec![door("idp", &good(), &json!({}))]);
    let mut there = There::new("lasting");
    let mut ann = enter(&plain, &mut there);
    ann.post("/api/v1/logout", &json!({})).expect(204);
    assert!(!ann.is_in());
    let at = depart(&mut ann, "idp", "/");
    let on = at.join(there.browser.get(at.as_str()).header("location").unwrap()).unwrap();
    assert_eq!(on.path(), "/auth/idp/callback", "no form");
    arrive(&mut ann, &on).expect(303);
    assert!(ann.is_in());
    // An end there is none here, where nothing is asked again.
    control().post("/revoke", &json!({ "account": there.name })).expect(200);
    assert!(ann.is_in());
    // With `recheck` a session here does not outlive the provider's word.
    let (strict, mut there) = (strict(), There::new("measured"));
    let mut ann = enter(&strict, &mut there);
    strict.clock.set(now().plus(Duration::from_secs(595)));
    assert!(ann.is_in());
    run_out(&strict, &mut ann);
    // How long ago the password was given there is for the provider to judge, and it is told.
    assert_eq!(query(&to_provider(&mut ann, "/own/whoami"))["max_age"], "86400");
}

#[test]
fn asvs_v7_6_2_no_session_begins_that_nobody_asked_for() {
    let (site, mut there) = (strict(), There::new("asked"));
    let mut ann = site.visitor();
    let [back, again] = [(); 2].map(|()| there.pass(&depart(&mut ann, "idp", "/")));
    // An answer that this browser did not ask for, be it a good one.
    let mut stranger = site.visitor();
    assert_eq!(arrive(&mut stranger, &back).status, 400);
    assert!(!stranger.is_in());
    for path in ["/auth/idp/callback", "/auth/idp/callback?code=x&state=y", "/auth/idp/assert"] {
        assert!(stranger.get(path).status >= 400, "{path}");
        assert!(!stranger.is_in(), "{path}");
    }
    // Nobody is asked for silently who has not been in with this browser.
    for path in ["/auth/idp/login?again=1", "/auth/idp/login?prompt=none"] {
        let at = stranger.get(path).expect(303);
        let at: Url = at.header("location").unwrap().parse().unwrap();
        assert!(!query(&at).contains_key("prompt"), "{at}");
    }
    // Not even a page that wants a login begins one: it shows the ways in.
    let shown = follow(&mut stranger, "/login?next=%2Fown%2Fwhoami").expect(200);
    assert!(shown.text.contains("/auth/idp/login"), "{}", shown.text);
    // What was shown to somebody else is worth nothing any more.
    assert_eq!(arrive(&mut ann, &back).status, 400);
    assert!(!ann.is_in());
    arrive(&mut ann, &again).expect(303);
    assert!(ann.is_in());
}

fn time(value: &Value) -> Timestamp {
    Timestamp::parse_rfc3339(value.as_str().unwrap()).unwrap()
}
