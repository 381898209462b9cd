//! A site that knows no logins, guarded by nginx (`auth_request`), which asks here whether somebody
//! is logged in: nothing but a session opens it.

use serde_json::json;
use vestibule_server::routes::{Guard, api::ENDPOINTS};

use super::{Stage, Visitor, raw, raw_by, shib, status_of};
use crate::support::PASSWORD;

/// Where health checks and the like go, and ways to write a path as one of theirs.
const PATHS: &[&str] = &[
    "/",
    "/ping",
    "/oauth2/ping",
    "/health",
    "/healthz",
    "/livez",
    "/readyz",
    "/status",
    "/metrics",
    "/robots.txt",
    "/favicon.ico",
    "/login",
    "/oauth2/start",
    "/.well-known/acme-challenge/x",
    "/api/v1/health",
    "/api/v1/login",
    "/static/app.css",
    "//ping",
    "/./ping",
    "/ping/../secret",
    "/secret?/ping",
    "/secret?path=/ping&_method=OPTIONS",
    "/secret;/ping",
    "/secret%2F..%2Fping",
    "/secret%00.css",
    "/session-of-the-backend",
];

/// What health checks, probes and old proxies send, or whoever wants to look like one.
const HEADERS: &[(&str, &str)] = &[
    ("User-Agent", "GoogleHC/1.0"),
    ("User-Agent", "kube-probe/1.31"),
    ("User-Agent", "ELB-HealthChecker/2.0"),
    ("User-Agent", "Consul Health Check"),
    ("User-Agent", "Envoy/HC"),
    ("User-Agent", "Prometheus/3.1.0"),
    ("User-Agent", "Amazon-Route53-Health-Check-Service"),
    ("User-Agent", "AlwaysOn"),
    ("User-Agent", ""),
    ("X-Health-Check", "1"),
    ("X-Probe", "true"),
    ("X-Kubernetes-Probe", "liveness"),
    ("K-Network-Probe", "queue"),
    ("K-Kubelet-Probe", "true"),
    ("X-Envoy-Internal", "true"),
    ("X-Amz-Health", "1"),
    ("Sec-Purpose", "prefetch"),
    ("X-HTTP-Method-Override", "OPTIONS"),
    ("X-HTTP-Method", "OPTIONS"),
    ("X-Method-Override", "HEAD"),
    ("X-Original-Method", "OPTIONS"),
    ("X-Forwarded-Method", "OPTIONS"),
    ("X-Original-URI", "/ping"),
    ("X-Original-URI", "/robots.txt"),
    ("X-Original-URI", "/login"),
    ("X-Original-URL", "/api/v1/health"),
    ("X-Rewrite-URL", "/login"),
    ("X-Forwarded-Uri", "/ping"),
    ("X-Forwarded-Uri", "/static/app.css"),
    ("X-Forwarded-Prefix", "/login"),
    ("X-Auth-Request-Redirect", "/ping"),
    ("X-Accel-Redirect", "/login"),
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Real-IP", "127.0.0.1"),
    ("Forwarded", "for=127.0.0.1"),
    ("X-Forwarded-User", "admin"),
    ("Remote-User", "admin"),
    ("X-Auth-Request-User", "admin"),
    ("Authorization", "Bearer none"),
    ("Authorization", "Basic YWRtaW46YWRtaW4="),
    ("Cookie", "vestibule="),
    ("Cookie", "vestibule=none; vestibule=none"),
    ("Cookie", "__Host-vestibule=none"),
    ("Connection", "close, cookie"),
    ("Origin", "null"),
    ("Access-Control-Request-Method", "GET"),
    ("Upgrade", "websocket"),
];

const METHODS: &[&str] = &["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PROPFIND"];

/// Nobody saw anything: no success, and nowhere to go that looks like one.
#[track_caller]
fn closed(head: &str, what: &str) {
    assert!((400..500).contains(&status_of(head)), "{what}: {head}");
    assert!(!head.contains("set-cookie: vestibule="), "{what}: {head}");
}

#[test]
fn atk_a142_nothing_but_a_session_opens_a_site_that_nginx_guards() {
    let stage = Stage::set("guarded");
    let guard = shib("NGINX_GUARD_URL");
    for path in PATHS {
        for method in METHODS {
            closed(&raw_by(method, &guard, path, &[]), &format!("{method} {path}"));
        }
        for header in HEADERS {
            closed(&raw(&guard, path, &[*header]), &format!("{path} with {header:?}"));
        }
    }
    // All of it together is no more than each.
    let all: Vec<_> = HEADERS.iter().filter(|(name, _)| *name != "Connection").copied().collect();
    closed(&raw(&guard, "/ping", &all), "all at once");
    // It does open: for whoever is logged in, and as long as they are.
    let mut alice = stage.site.visitor();
    alice.log_in("alice", PASSWORD).expect(200);
    let mut inside = Visitor::new(&guard);
    inside.cookies.clone_from(&alice.cookies);
    for path in ["/", "/ping", "/robots.txt"] {
        assert_eq!(inside.get(path).expect(200).text, "behind the guard\n", "{path}");
    }
    alice.post("/api/v1/logout", &json!({})).expect(204);
    inside.get("/").expect(401);
}

#[test]
fn atk_a142_no_probe_is_let_in_to_what_is_for_people_who_are_logged_in() {
    let stage = Stage::set("probed");
    let guarded: Vec<_> = ENDPOINTS.iter().filter(|it| !matches!(it.guard, Guard::Open)).collect();
    assert!(guarded.len() > 30, "{}", guarded.len());
    for endpoint in guarded {
        // Nobody has this number, and a stranger is not told even that.
        let parts =
            endpoint.path.split('/').map(|part| if part.contains('{') { "1" } else { part });
        let path = parts.collect::<Vec<_>>().join("/");
        let what = format!("{} {path}", endpoint.method);
        closed(&raw_by(endpoint.method, &stage.site.origin, &path, &[]), &what);
        for header in HEADERS {
            let head = raw_by(endpoint.method, &stage.site.origin, &path, &[*header]);
            closed(&head, &format!("{what} with {header:?}"));
        }
    }
}
