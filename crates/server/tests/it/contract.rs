//! What the API promises: its document, its routes, its refusals.

use serde_json::{Value, json};
use vestibule_server::routes::{Endpoint, Guard, api::ENDPOINTS};

use crate::support::{Db, TestSite, Visitor, on_every_database};

on_every_database!(
    asvs_v8_2_1_every_route_answers_each_role_as_its_guard_says,
    asvs_v8_3_1_rules_hold_for_raw_requests,
    atk_a067_unsafe_routes_refuse_requests_without_proof_of_origin,
    atk_a210_no_route_is_open_by_mistake,
);

/// A path with ids that nothing has.
fn concrete(path: &str) -> String {
    let nothing = "018f0000-0000-7000-8000-000000000000";
    path.replace("{id:.+}", "nothing")
        .replace("{type}", "calc")
        .replace("{code}", "no.such")
        .replace("{id}", nothing)
        .replace("{user}", nothing)
        .replace("{child}", nothing)
        .replace("{share}", nothing)
}

fn ask(visitor: &mut Visitor, method: &str, path: &str) -> u16 {
    let body = match method {
        "GET" | "DELETE" => None,
        _ => Some(("application/json", "{}".to_owned())),
    };
    visitor.send(method, &concrete(path), body).status
}

fn ends_the_own_session(endpoint: &Endpoint) -> bool {
    endpoint.path.ends_with("/logout")
}

fn asvs_v8_2_1_every_route_answers_each_role_as_its_guard_says(db: Db) {
    let site = TestSite::start(db);
    let (mut admin, mut user) = (site.admin(), site.logged_in("user"));
    for endpoint in ENDPOINTS {
        let name = format!("{} {}", endpoint.method, endpoint.path);
        let mut stranger = site.visitor();
        let anonymous = ask(&mut stranger, endpoint.method, endpoint.path);
        if ends_the_own_session(endpoint) {
            assert_eq!(anonymous, 204, "{name}");
            continue;
        }
        let ordinary = ask(&mut user.clone(), endpoint.method, endpoint.path);
        match endpoint.guard {
            Guard::Open => assert!(matches!(anonymous, 200 | 204 | 400), "{name}: {anonymous}"),
            _ => assert_eq!(anonymous, 401, "{name}"),
        }
        if let Guard::Permission(_) = endpoint.guard {
            // Bodies that do not hold are refused before anybody's rights are looked at.
            assert!(matches!(ordinary, 400 | 403 | 404), "{name}: {ordinary}");
        }
        let powerful = ask(&mut admin, endpoint.method, endpoint.path);
        assert!(!matches!(powerful, 401 | 403 | 405 | 500), "{name}: {powerful}");
    }
    assert!(user.is_in());
}

fn atk_a210_no_route_is_open_by_mistake(db: Db) {
    let site = TestSite::start(db);
    let open: Vec<_> = ENDPOINTS.iter().filter(|e| e.guard == Guard::Open).collect();
    let open: Vec<_> = open.iter().map(|e| format!("{} {}", e.method, e.path)).collect();
    let meant = [
        "POST /api/v1/login",
        "GET /api/v1/login",
        "POST /api/v1/logout",
        "POST /api/v1/password/forgot",
        "POST /api/v1/password/reset",
        "POST /api/v1/register",
        "POST /api/v1/activate",
        "POST /api/v1/activate/resend",
        "POST /api/v1/invitations/accept",
        "POST /api/v1/invitations/decline",
    ];
    assert_eq!(open, meant);
    let mut user = site.logged_in("user");
    for path in ["/api/v1/users", "/api/v1/groups", "/api/v1/grants", "/api/v1/audit"] {
        user.get(path).expect_problem(403, "permission_denied");
    }
}

fn asvs_v8_3_1_rules_hold_for_raw_requests(db: Db) {
    let site = TestSite::start(db);
    let mut user = site.logged_in("user");
    let victim = site.user("victim");
    let path = format!("/api/v1/users/{victim}");
    user.get(&path).expect_problem(404, "not_found");
    user.patch(&path, &json!({ "is_active": false })).expect_problem(404, "not_found");
    user.delete(&path).expect_problem(403, "permission_denied");
    user.put(&format!("{path}/password"), &json!({ "password": "another long sentence" }))
        .expect_problem(403, "permission_denied");
}

fn atk_a067_unsafe_routes_refuse_requests_without_proof_of_origin(db: Db) {
    let site = TestSite::start(db);
    let (admin, other) = (site.admin(), site.logged_in("other"));
    let unsafe_routes = ENDPOINTS.iter().filter(|e| e.method != "GET" && e.guard != Guard::Open);
    for endpoint in unsafe_routes {
        let path = concrete(endpoint.path);
        let send = |csrf: Option<String>, header: Option<(&str, &str)>| {
            let mut forged = admin.clone();
            forged.csrf = csrf;
            forged.headers.extend(header.map(|(n, v)| (n.to_owned(), v.to_owned())));
            forged.send(endpoint.method, &path, Some(("application/json", "{}".to_owned())))
        };
        send(None, None).expect_problem(403, "csrf_token_missing");
        send(other.csrf.clone(), None).expect_problem(403, "csrf_token_wrong");
        for header in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ] {
            send(admin.csrf.clone(), Some(header)).expect_problem(403, "cross_site");
        }
    }
}

#[test]
fn the_document_says_by_what_somebody_is_known() {
    let document = vestibule_server::openapi::document("");
    let known = document["components"]["securitySchemes"].as_object().unwrap();
    assert_eq!(known.keys().collect::<Vec<_>>(), ["basic", "session"]);
    let by = |path: &str| document["paths"][path]["get"]["security"].clone();
    assert_eq!(by("/api/v1/login"), json!([]));
    assert_eq!(by("/api/v1/users"), json!([{ "session": [] }, { "basic": [] }]));
}

#[test]
fn the_document_has_the_other_answers_of_success_too() {
    let document = vestibule_server::openapi::document("");
    let answer = |path: &str, status: &str| {
        let answer = document["paths"][path]["post"]["responses"][status].clone();
        assert!(answer.is_object(), "{path} {status}");
        answer["content"]["application/json"]["schema"]["$ref"].clone()
    };
    let departure = json!("#/components/schemas/Departure");
    assert_eq!(answer("/api/v1/logout", "200"), departure);
    assert_eq!(answer("/api/v1/identities", "202"), departure);
    assert!(document["components"]["schemas"]["Departure"].is_object());
    for (path, status) in [("activate", "202"), ("password/change", "204"), ("logout", "204")] {
        assert_eq!(answer(&format!("/api/v1/{path}"), status), Value::Null, "{path}");
    }
}

#[test]
fn the_document_describes_what_the_server_does() {
    let site = TestSite::start(Db::Sqlite);
    let mut admin = site.admin();
    let document = admin.get("/api/openapi.json").expect(200).json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], site.origin);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in references(&document) {
        let name = reference.strip_prefix("#/components/schemas/").expect("a local reference");
        assert!(schemas.contains_key(name), "{name} is referred to and not described");
    }
    for endpoint in ENDPOINTS {
        let path = endpoint.path.replace(":.+", "");
        let operation = &document["paths"][&path][endpoint.method.to_ascii_lowercase()];
        if ends_the_own_session(endpoint) {
            continue;
        }
        let status = ask(&mut admin.clone(), endpoint.method, endpoint.path);
        assert!(
            operation["responses"].get(status.to_string()).is_some(),
            "{} {path} answers {status}, which the document does not say",
            endpoint.method
        );
    }
    // What is answered has the fields that are described, and no others.
    let session = admin.get("/api/v1/session").expect(200).json();
    assert_fields(&session, &schemas["CurrentSession"]);
    assert_fields(&session["user"], &schemas["User"]);
}

fn assert_fields(value: &Value, schema: &Value) {
    let described = schema["properties"].as_object().unwrap();
    let answered = value.as_object().unwrap();
    assert!(answered.keys().all(|name| described.contains_key(name)), "{value}");
    for required in schema["required"].as_array().unwrap() {
        assert!(answered.contains_key(required.as_str().unwrap()), "{required} in {value}");
    }
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(target) if key == "$ref" => vec![target.clone()],
                _ => references(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_the_field() {
    let site = TestSite::start(Db::Sqlite);
    let mut admin = site.admin();
    let mut refused = |path: &str, body: &str, field: &str| {
        let answer = admin.send("POST", path, Some(("application/json", body.to_owned())));
        let answer = answer.expect_problem(400, "malformed");
        assert!(answer.json()["errors"].get(field).is_some(), "{body}: {}", answer.text);
    };
    refused("/api/v1/login", r#"{"username": "x"}"#, "password");
    refused("/api/v1/login", r#"{"username": 1, "password": "x"}"#, "username");
    refused("/api/v1/users", r#"{"username": "x", "is_admin": true}"#, "is_admin");
    refused("/api/v1/users", r#"{"username": "x", "expires_at": "tomorrow"}"#, "expires_at");
    refused("/api/v1/groups", r#"{"name": "x", "level": "public"}"#, "level");
    let unread = |body: &str| {
        let json = Some(("application/json", body.to_owned()));
        let answer = site.visitor().send("POST", "/api/v1/login", json);
        let problem = answer.expect_problem(400, "malformed").json();
        assert!(problem.get("errors").is_none(), "{problem}");
        problem["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!(unread(" "), "the body is empty: send a JSON object");
    // Not even one that has all fields in the order that they happen to have here.
    for list in ["[]", r#" ["admin", "password", null, null, null]"#, "null", "\"admin\""] {
        assert_eq!(unread(list), "the body is not a JSON object", "{list}");
    }
    let cut = unread(r#"{"username": "x", "password": "hunter22"#);
    assert_eq!(cut, "the body is not JSON: EOF while parsing a string at line 1 column 39");
    let text = Some(("text/plain", "{}".to_owned()));
    let answer = site.visitor().send("POST", "/api/v1/login", text);
    answer.expect_problem(415, "unsupported_media_type");
}

#[test]
fn permissions_come_in_pages_and_are_found_by_what_they_say() {
    let site = TestSite::start(Db::Sqlite);
    let mut admin = site.admin();
    let all = admin.get("/api/v1/permissions?page_size=200").expect(200).json();
    let count = all["count"].as_u64().unwrap();
    assert!(count > 3 && all["next"].is_null(), "{all}");
    let code = |page: &Value, at: usize| page["results"][at]["code"].as_str().unwrap().to_owned();
    let first = admin.get("/api/v1/permissions?page_size=2").expect(200).json();
    assert_eq!((code(&first, 0), code(&first, 1)), (code(&all, 0), code(&all, 1)));
    let next = first["next"].as_str().unwrap();
    let second = admin.get("/api/v1/permissions?page_size=2&page=2").expect(200).json();
    assert!(next.ends_with("/api/v1/permissions?page_size=2&page=2"), "{next}");
    assert_eq!((code(&second, 0), &second["count"]), (code(&all, 2), &all["count"]));
    let last = admin.get("/api/v1/permissions?page_size=1&ordering=-code").expect(200).json();
    assert_eq!(code(&last, 0), code(&all, usize::try_from(count).unwrap() - 1));
    let found = admin.get("/api/v1/permissions?search=VIEW_USER").expect(200).json();
    assert_eq!((&found["count"], code(&found, 0).as_str()), (&json!(1), "vestibule.view_user"));
    admin.get("/api/v1/permissions?page=9").expect_problem(404, "not_found");
    admin.get("/api/v1/permissions?page_size=0").expect_problem(400, "malformed");
}

#[test]
fn who_goes_nowhere_is_told_so_as_they_can_read_it() {
    let site = TestSite::start(Db::Sqlite);
    let mut program = site.visitor();
    for path in ["/nowhere", "/api/v1/nowhere"] {
        program.get(path).expect_problem(404, "not_found");
    }
    let mut browser = site.visitor();
    browser.headers.push(("accept".to_owned(), "text/html,*/*;q=0.8".to_owned()));
    let page = browser.get("/nowhere").expect(404);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert!(page.text.contains("There is no page at this address."), "{}", page.text);
    browser.get("/api/v1/nowhere").expect_problem(404, "not_found");
    let form = Some(("application/x-www-form-urlencoded", "a=b".to_owned()));
    browser.send("POST", "/nowhere", form).expect_problem(404, "not_found");
}

#[test]
fn seed_kt_22_bodies_over_the_limit_are_refused() {
    let site = TestSite::start(Db::Sqlite);
    let body = json!({ "username": "x", "password": "y".repeat(70 * 1024) });
    site.visitor().post("/api/v1/login", &body).expect_problem(413, "body_too_large");
}

#[test]
fn seed_oq_7_the_machine_login_answers_200_401_400_and_405() {
    let site = TestSite::start(Db::Sqlite);
    site.user("anna");
    let mut visitor = site.visitor();
    visitor.log_in("anna", crate::support::PASSWORD).expect(200);
    visitor.log_in("anna", "wrong").expect_problem(401, "login_failed");
    visitor.post("/api/v1/login", &json!({ "username": "anna" })).expect(400);
    visitor.send("PUT", "/api/v1/login", None).expect_problem(405, "method_not_allowed");
}

#[test]
fn seed_cn_45_an_unknown_host_is_refused() {
    let site = TestSite::start(Db::Sqlite);
    for host in ["evil.example", "127.0.0.1.evil.example", "evil.example:80"] {
        let mut visitor = site.visitor();
        visitor.headers.push(("host".to_owned(), host.to_owned()));
        visitor.get("/api/v1/session").expect_problem(421, "unknown_host");
    }
}

#[test]
fn atk_a240_lists_take_known_orders_and_sizes_alone() {
    let site = TestSite::start(Db::Sqlite);
    let mut admin = site.admin();
    for query in
        ["ordering=password", "ordering=--username", "page=0", "page_size=100000", "page_size=0"]
    {
        admin.get(&format!("/api/v1/users?{query}")).expect_problem(400, "malformed");
    }
    admin.get("/api/v1/users?page=1000").expect_problem(404, "not_found");
    let all = admin.get("/api/v1/users?ordering=-username&page_size=1").expect(200).json();
    assert_eq!((&all["count"], &all["next"]), (&json!(1), &Value::Null));
}
