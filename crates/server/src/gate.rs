//! What every request passes on its way in and out: host, rate, identity of the request, headers
//! that keep pages from being framed or cached, one log line.

use std::panic::AssertUnwindSafe;

use actix_web::{
    HttpMessage, HttpRequest, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};
use futures_util::future::FutureExt;
use vestibule_core::{Actor, Client, id::RequestId, usecase::error_report::FailedRequest};

use crate::{
    client::client_of,
    extract::{actor_in, actor_of},
    problem::Problem,
    site::Site,
    unread::Held,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Everything that comes from us runs only what comes from us, and is framed by nobody.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The middleware.
pub(crate) async fn gate(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, actix_web::Error> {
    let Some(site) = req.app_data::<web::Data<Site>>().cloned() else {
        return Ok(refuse(req, &Problem::not_mounted()));
    };
    let _held = Held::of(&mut req);
    let request = RequestId::generate(site.clock.now(), &*site.entropy);
    req.extensions_mut().insert(request);
    let began = site.clock.now();
    // The pattern and not the path: a path may hold a one-time token.
    let route = req.match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let method = req.method().clone();
    let cookies = req.headers().get(header::COOKIE).cloned();
    let mut response = match admit(req.request(), &site) {
        Ok(()) => match pass(req, next, request).await {
            Ok(response) => response.map_into_left_body(),
            Err(error) => {
                if error.as_response_error().status_code() == StatusCode::INTERNAL_SERVER_ERROR {
                    // The request is gone with the panic, but for who it says that it is of.
                    let by = (actor_in(&site, cookies.as_ref()).await, String::new());
                    failed(&site, (&method, &route), request, by, Some(&error));
                }
                return Err(error);
            }
        },
        Err(problem) => refuse(req, &problem),
    };
    if response.status() == StatusCode::UNAUTHORIZED && asks_for_basic(response.request(), &site) {
        let challenge = HeaderValue::from_static("Basic realm=\"vestibule\", charset=\"UTF-8\"");
        response.headers_mut().append(header::WWW_AUTHENTICATE, challenge);
    }
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
        let by = asked_by(response.request()).await;
        failed(&site, (&method, &route), request, by, response.response().error());
    }
    add_headers(response.headers_mut(), request, site.settings.site.base_url.is_https());
    let took = site.clock.now().since(began);
    let status = response.status().as_u16();
    metrics::histogram!("vestibule_request_seconds", "route" => route.clone())
        .record(took.as_secs_f64());
    metrics::counter!("vestibule_requests_total", "status" => status.to_string()).increment(1);
    tracing::info!(
        target: "vestibule::request",
        %request,
        %method,
        %route,
        status,
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    Ok(response)
}

/// Lets a request in. A panic on the way, as in somebody's backend, costs this request alone: it
/// is answered 500, and the worker goes on.
async fn pass<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
    request: RequestId,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    // The request is gone with the panic (a second handle on it would keep it from being
    // routed), so the answer is made further out, as for any error.
    AssertUnwindSafe(next.call(req)).catch_unwind().await.unwrap_or_else(|_| {
        metrics::counter!("vestibule_panics_total").increment(1);
        tracing::error!(target: "vestibule::request", %request, "a handler panicked");
        Err(Problem::internal().into())
    })
}

/// Whether the answer tells of HTTP Basic. Never to a browser: it would ask for a password in a
/// window of its own, and send it along with everything from then on.
fn asks_for_basic(req: &HttpRequest, site: &Site) -> bool {
    site.settings.server.http_basic && !req.headers().contains_key("sec-fetch-site")
}

/// Who asked, and from which network address.
async fn asked_by(req: &HttpRequest) -> (Actor, String) {
    let address = req.extensions().get::<Client>().map(|client| client.address.clone());
    (actor_of(req).await, address.unwrap_or_default())
}

/// Takes down that something broke on our side: for the log by the request's id, for the audit
/// log, and for `site.admins` without anything that was sent.
fn failed(
    site: &Site,
    (method, route): (&Method, &str),
    request: RequestId,
    (actor, address): (Actor, String),
    error: Option<&actix_web::Error>,
) {
    let problem = error.and_then(actix_web::Error::as_error::<Problem>);
    let code = problem.map_or("internal", Problem::code);
    let cause = problem.and_then(std::error::Error::source);
    tracing::error!(target: "vestibule::request", %request, route, code, ?cause, "a handler failed");
    // A method of the client's own making is as much a value as any other.
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    let method = known.iter().find(|known| *known == method).map_or("other", Method::as_str);
    let (place, at) = (format!("{method} {route}"), site.clock.now());
    site.failures.add(FailedRequest { place, code, actor, address, request, at });
}

fn refuse<B>(req: ServiceRequest, problem: &Problem) -> ServiceResponse<EitherBody<B>> {
    req.into_response(problem.error_response()).map_into_right_body()
}

/// Whether the request may come in at all.
fn admit(req: &HttpRequest, site: &Site) -> Result<(), Problem> {
    let client = client_of(req, &site.proxies)?;
    if !is_own_host(req, site) {
        return Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown_host",
            "this host is not served here; if it should be, add it to server.allowed_hosts",
        ));
    }
    if site.rates.counts_requests() {
        site.rates.request(&client.address)?;
    }
    req.extensions_mut().insert(client);
    Ok(())
}

fn is_own_host(req: &HttpRequest, site: &Site) -> bool {
    let mut hosts = req.headers().get_all(header::HOST);
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let Ok(host) = host.to_str() else {
        return false;
    };
    // `[::1]:8080` has colons before its port.
    let without_port = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => {
            name
        }
        _ => host,
    };
    let without_dot = without_port.strip_suffix('.').unwrap_or(without_port);
    site.settings.server.allowed_hosts.iter().any(|own| own.eq_ignore_ascii_case(without_dot))
}

fn add_headers(headers: &mut HeaderMap, request: RequestId, is_https: bool) {
    let mut add = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    add(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(header::X_FRAME_OPTIONS, "DENY");
    add(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    add(header::REFERRER_POLICY, "same-origin");
    add(header::CACHE_CONTROL, "no-store");
    add(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    if is_https {
        add(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if let Ok(value) = HeaderValue::from_str(&request.to_string()) {
        headers.insert(REQUEST_ID, value);
    }
}
