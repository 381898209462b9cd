//! What refused, broken and oversized requests are answered.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::json;
use vestibule_core::{
    domain::identity::BackendName,
    ports::backend::{Attempt, Backend, BackendCx, CredentialKind, Descriptor, NotMine, Verdict},
};
use vestibule_server::routes::{Guard, api::ENDPOINTS};

use crate::support::{Answer, Db, PASSWORD, TestSite, grant, id_of};

/// A backend with a fault that shows only now and then.
///
/// It says that its accounts are ours, so that nothing stands around it: the panic comes through.
struct Fragile(Descriptor);

fn fragile() -> Fragile {
    let name = BackendName::parse("fragile").unwrap();
    Fragile(Descriptor::new(name, "fragile", [CredentialKind::Password]).with_accounts_here())
}

#[async_trait::async_trait]
impl Backend for Fragile {
    fn descriptor(&self) -> &Descriptor {
        &self.0
    }

    async fn authenticate(&self, attempt: &Attempt, _: &BackendCx<'_>) -> Verdict {
        match attempt {
            Attempt::Password { username, .. } => {
                assert_ne!(username, "index", "out of bounds in a table at /srv/secret.rs:7");
                Verdict::NotMine(NotMine::UnknownSubject)
            }
            _ => Verdict::NotMine(NotMine::WrongKind),
        }
    }
}

fn break_it(site: &TestSite) -> Answer {
    let body = json!({ "username": "index", "password": PASSWORD, "backend": "fragile" });
    site.visitor().post("/api/v1/login", &body)
}

#[test]
fn flt_f77_a_panic_costs_one_request_and_nothing_else() {
    let site = TestSite::plan(Db::Sqlite).extend(|builder| builder.backend(fragile())).start();
    let mut anna = site.logged_in("anna");
    for _ in 0..10 {
        let answer = break_it(&site).expect_problem(500, "internal");
        assert!(!answer.text.contains("secret"), "{}", answer.text);
        assert!(anna.is_in());
        site.visitor().log_in("nobody", PASSWORD).expect(401);
        site.visitor().log_in("anna", PASSWORD).expect(200);
    }
}

#[test]
fn seed_kt_25_an_error_shows_no_trace_of_the_program() {
    let site = TestSite::plan(Db::Sqlite).extend(|builder| builder.backend(fragile())).start();
    let mut admin = site.admin();
    let broken = ("application/json", "{\"username\": \"\\ud800\"".to_owned());
    for answer in [
        break_it(&site),
        site.visitor().send("POST", "/api/v1/login", Some(broken)),
        admin.get("/api/v1/users/not-an-id"),
        admin.get("/api/v1/users?page=x"),
        admin.get("/nothing/here"),
        admin.send("PUT", "/api/v1/login", None),
    ] {
        assert!(answer.status >= 400, "{}", answer.status);
        for trace in ["panicked", "src/", ".rs", "serde", "diesel", "sqlite", "actix", "backtrace"]
        {
            assert!(!answer.text.to_lowercase().contains(trace), "{trace}: {}", answer.text);
        }
        assert_eq!(answer.header("server"), None);
    }
}

/// What a client that sends these bytes is answered: the status, or none when it is cut off.
fn raw(site: &TestSite, request: &[u8]) -> Option<u16> {
    let answer = whole_answer(site, request);
    answer.lines().next()?.split(' ').nth(1)?.parse().ok()
}

/// All that is answered until the line is closed, or for ten seconds.
fn whole_answer(site: &TestSite, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(site.origin.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    // The server may answer, and close, before it has read all of it.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn flt_f76_headers_addresses_and_bodies_beyond_their_size_are_refused() {
    let site = TestSite::start(Db::Sqlite);
    let host = site.origin.strip_prefix("http://").unwrap();
    let long = "x".repeat(300_000);
    let close = "Connection: close\r\n\r\n";
    let requests = [
        format!("GET /login HTTP/1.1\r\nHost: {host}\r\nX-Long: {long}\r\n{close}"),
        format!("GET /login HTTP/1.1\r\nHost: {host}\r\nCookie: vestibule={long}\r\n{close}"),
        format!("GET /login?next={long} HTTP/1.1\r\nHost: {host}\r\n{close}"),
        format!(
            "POST /api/v1/login HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n{close}{long}",
            long.len()
        ),
    ];
    for request in requests {
        let status = raw(&site, request.as_bytes());
        let is_refusal = matches!(status, Some(400 | 413 | 414 | 431));
        assert!(is_refusal, "{status:?} for {}", &request[..40]);
        assert_eq!(site.visitor().get("/healthz").status, 200);
    }
}

#[test]
fn flt_f76_a_body_that_does_not_come_is_not_waited_for() {
    let site = TestSite::plan(Db::Sqlite).set("limits.body_timeout", "1s").start();
    let host = site.origin.strip_prefix("http://").unwrap();
    let half = ["Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n5\r\n{"];
    for (path, kind) in [
        ("/api/v1/login", "application/json"),
        ("/login", "application/x-www-form-urlencoded"),
        ("/auth/local/backchannel-logout", "application/x-www-form-urlencoded"),
    ] {
        for rest in half {
            let request = format!(
                "POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {}\r\nContent-Type: {kind}\r\n{rest}",
                site.origin
            );
            let began = std::time::Instant::now();
            let status = raw(&site, request.as_bytes());
            // Answered, and hung up on: `raw` reads to the end.
            assert_eq!(status, Some(408), "{path}: {rest:?}");
            assert!(began.elapsed().as_secs() < 8, "{path}: {:?}", began.elapsed());
        }
    }
}

#[test]
fn flt_f76_a_body_that_nobody_reads_holds_no_connection() {
    let site = TestSite::start(Db::Sqlite);
    let host = site.origin.strip_prefix("http://").unwrap();
    let half = "Transfer-Encoding: chunked\r\n\r\n5\r\n{";
    for (head, expected) in [
        ("POST /nowhere HTTP/1.1\r\nConnection: close", 404),
        ("POST /nowhere HTTP/1.1", 404),
        ("POST /api/v1/users HTTP/1.1\r\nContent-Type: application/json", 401),
        ("GET /healthz HTTP/1.1", 200),
        ("PUT /api/v1/login HTTP/1.1", 405),
    ] {
        let began = std::time::Instant::now();
        let request = format!("{head}\r\nHost: {host}\r\n{half}");
        assert_eq!(raw(&site, request.as_bytes()), Some(expected), "{head}");
        assert!(began.elapsed().as_secs() < 8, "{head}: {:?}", began.elapsed());
    }
    // A whole one leaves the line for the next request.
    let whole = "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    let login = "POST /api/v1/login HTTP/1.1\r\nContent-Type: application/json";
    let two = format!(
        "{login}\r\nHost: {host}\r\n{whole}GET /healthz HTTP/1.1\r\nHost: {host}\r\n\
         Connection: close\r\n\r\n"
    );
    let answers = whole_answer(&site, two.as_bytes());
    assert!(
        answers.starts_with("HTTP/1.1 400 ") && answers.contains("HTTP/1.1 200 OK"),
        "{answers}"
    );
}

#[test]
fn what_is_looked_at_is_answered_to_head_without_its_body() {
    let site = TestSite::start(Db::Sqlite);
    let mut admin = site.admin();
    for path in ["/healthz", "/readyz", "/login", "/api/v1/session", "/api/v1/users"] {
        // Whoever is logged in is sent on from the login page.
        let mut visitor = if path == "/login" { site.visitor() } else { admin.clone() };
        let (whole, head) = (visitor.get(path), visitor.send("HEAD", path, None));
        assert_eq!((whole.status, head.status), (200, 200), "{path}");
        assert_eq!(whole.header("content-type"), head.header("content-type"), "{path}");
        assert!(!whole.text.is_empty() && head.text.is_empty(), "{path}: {}", head.text);
    }
    assert_eq!(site.visitor().send("HEAD", "/api/v1/session", None).status, 401);
    assert_eq!(admin.send("HEAD", "/api/v1/logout", None).status, 405);
}

#[test]
fn seed_oq_48_a_change_by_cookie_needs_a_proof_and_no_other_site_is_let_in() {
    let site = TestSite::start(Db::Sqlite);
    let mut anna = site.logged_in("anna");
    let token = anna.csrf.take();
    let change = json!({ "first_name": "X" });
    let path = format!("/api/v1/users/{}", id_of(&mut anna));
    anna.patch(&path, &change).expect_problem(403, "csrf_token_missing");
    anna.csrf = Some("A".repeat(43));
    anna.patch(&path, &change).expect_problem(403, "csrf_token_wrong");
    anna.csrf = token;
    anna.patch(&path, &change).expect(200);
    anna.headers.push(("origin".to_owned(), "https://elsewhere.example".to_owned()));
    for answer in [anna.get("/api/v1/session"), anna.send("OPTIONS", "/api/v1/session", None)] {
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
}

#[test]
fn std_s25_origin_and_fetch_metadata_are_looked_at_beside_the_token() {
    let site = TestSite::start(Db::Sqlite);
    let mut anna = site.logged_in("anna");
    let path = format!("/api/v1/users/{}", id_of(&mut anna));
    let own = site.origin.clone();
    for (fetch_site, origin, status) in [
        (None, None, 200),
        (None, Some(own.as_str()), 200),
        (None, Some("https://elsewhere.example"), 403),
        (None, Some("null"), 403),
        (Some("same-origin"), Some(own.as_str()), 200),
        (Some("none"), None, 200),
        (Some("same-site"), Some(own.as_str()), 403),
        (Some("cross-site"), None, 403),
    ] {
        let given = [("sec-fetch-site", fetch_site), ("origin", origin)];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
        anna.headers = given.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let answer = anna.patch(&path, &json!({ "first_name": "X" }));
        assert_eq!(answer.status, status, "{fetch_site:?} {origin:?}: {}", answer.text);
    }
    // The proof is the session's own: another's is none.
    let (bert, mut anna) = (site.logged_in("bert"), anna);
    anna.headers.clear();
    anna.csrf = bert.csrf;
    anna.patch(&path, &json!({ "first_name": "Y" })).expect_problem(403, "csrf_token_wrong");
}

#[test]
fn seed_om_69_what_is_for_administrators_answers_everybody_else_in_one_way() {
    let site = TestSite::start(Db::Sqlite);
    let mut anna = site.logged_in("anna");
    for endpoint in ENDPOINTS.iter().filter(|e| matches!(e.guard, Guard::Permission(_))) {
        let path = endpoint.path.replace("{id}", "01a1fbba-d492-7e37-a2c7-2df60c525101");
        let path =
            path.replace("{user}", "x").replace("{child}", "x").replace("{code}", "app.view");
        let body = Some(("application/json", "{}".to_owned()));
        let body = body.filter(|_| endpoint.input.is_some());
        let strange = site.visitor().send(endpoint.method, &path, body.clone());
        strange.expect_problem(401, "not_authenticated");
        let answer = anna.send(endpoint.method, &path, body);
        assert!(matches!(answer.status, 400 | 403 | 404 | 422), "{path}: {}", answer.text);
        // A list is there for all to know of; a single thing is not.
        if endpoint.method == "GET" && !endpoint.path.contains('{') {
            assert_eq!(answer.status, 403, "{path}: {}", answer.text);
        }
    }
}

#[test]
fn seed_cn_31_a_refusal_never_says_200() {
    let site = TestSite::start(Db::Sqlite);
    let mut eve = site.logged_in("eve");
    for header in [("accept", "text/html"), ("x-requested-with", "XMLHttpRequest")] {
        eve.headers = vec![(header.0.to_owned(), header.1.to_owned())];
        eve.get("/own/start").expect(403);
        eve.get("/own/calc/7").expect(404);
        eve.get("/api/v1/users").expect(403);
        eve.post("/own/calc/7/abort", &json!({})).expect(404);
    }
}

#[test]
fn seed_cn_33_who_asks_too_often_is_told_when_to_come_back() {
    let site = TestSite::plan(Db::Sqlite).set("limits.requests_per_address", "5/1m").start();
    let mut visitor = site.visitor();
    for _ in 0..5 {
        visitor.get("/login").expect(200);
    }
    let answer = visitor.get("/login").expect_problem(429, "too_many_requests");
    let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=13).contains(&seconds), "{seconds}");
}

#[test]
fn seed_kt_14_a_401_tells_programs_how_to_log_in() {
    let site = TestSite::start(Db::Sqlite);
    for path in ["/api/v1/session", "/own/whoami", "/own/calc/7"] {
        let answer = site.visitor().get(path).expect_problem(401, "not_authenticated");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Cookie realm="));
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        let way = detail.split("POST ").nth(1).expect("the way in");
        site.visitor().post(&format!("/{way}"), &json!({})).expect(400);
    }
}

#[test]
fn seed_om_64_the_forwarded_scheme_and_host_are_not_believed() {
    let site = TestSite::plan(Db::Sqlite).set("server.trusted_proxies", "[\"10.0.0.0/8\"]").start();
    let mut admin = site.admin();
    for name in ["a", "b"] {
        site.user(name);
    }
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example;proto=https"),
    ] {
        admin.headers = vec![(name.to_owned(), value.to_owned())];
        let list = admin.get("/api/v1/users?page_size=1").expect(200).json();
        let next = list["next"].as_str().unwrap();
        assert!(next.starts_with(&format!("{}/api/", site.origin)), "{next}");
        let answer = admin.get("/login?next=/x").expect(303);
        assert_eq!(answer.header("location"), Some("/x"));
    }
    // Behind a proxy the site's own address comes from base_url, whatever anybody forwards.
    let site = TestSite::plan(Db::Sqlite)
        .set("site.base_url", "https://hall.example")
        .set("server.trusted_proxies", "[\"127.0.0.0/8\"]")
        .start_with_own_url();
    let mut visitor = site.visitor();
    visitor.headers = vec![
        ("host".to_owned(), "hall.example".to_owned()),
        ("x-forwarded-host".to_owned(), "evil.example".to_owned()),
        ("x-forwarded-proto".to_owned(), "http".to_owned()),
    ];
    site.user("anna");
    let cookie = visitor.log_in("anna", PASSWORD).expect(200);
    let cookie = cookie.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-vestibule=") && cookie.contains("Secure"), "{cookie}");
    let document = visitor.get("/api/openapi.json").expect(200).json();
    assert_eq!(document["servers"][0]["url"], "https://hall.example");
}

#[test]
fn seed_om_68_a_sites_own_handlers_have_session_user_and_check_in_one_extractor() {
    let site = TestSite::start(Db::Sqlite);
    let (mut admin, mut anna) = (site.admin(), site.logged_in("anna"));
    assert_eq!(anna.get("/own/whoami").expect(200).text, "anna");
    assert_eq!(anna.get("/own/maybe").expect(200).text, "anna");
    assert_eq!(site.visitor().get("/own/maybe").expect(200).text, "nobody");
    anna.get("/own/calc/7").expect(404);
    let anna_id = id_of(&mut anna);
    grant(&mut admin, &anna_id, "calc.view");
    anna.get("/own/calc/7").expect(200);
    anna.post("/api/v1/logout", &json!({})).expect(204);
    for path in ["/own/whoami", "/own/calc/7", "/own/inside"] {
        anna.get(path).expect(401);
    }
}
