//! A single sign-on in front of us says in headers who the visitor is. Here they are looked at,
//! and nowhere else; and only those of a connection that a trusted proxy made.
//!
//! Logging in is a GET, since it is the service provider's own redirect that leads here. Another
//! site can send a browser here too, but no further than the person may go anyway: it has to be a
//! page that is gone to, nobody who is logged in becomes somebody else by it, and a link to an
//! account is made by a form of ours.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{StatusCode, header},
    web::Path,
};
use minijinja::context;
use serde::Deserialize;
use vestibule_core::{
    OpCx,
    ports::backend::{Attempt, CredentialKind, ProxyHeaders},
    usecase::{
        login::{Door, LoginError},
        session_token::{csrf_token, is_csrf_token},
    },
};

use crate::{
    browser,
    extract::{Body, Query, RequestCx, anonymous, require_own_form, token_of},
    pages::{
        login::sorry,
        next::own_path,
        view::{message, page, see_other},
    },
    problem::Problem,
    routes::api::login::{add, expired_cookie, failed, opened},
    site::Site,
};

/// What the address may hold beside the path.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    next: Option<String>,
    /// Whether the person is to be linked to the account of who is logged in.
    link: Option<String>,
    /// Whether the visitor comes back from logging in there.
    back: Option<String>,
}

/// What the form sends by which somebody is linked.
#[derive(Deserialize)]
pub(super) struct LinkForm {
    csrf_token: String,
}

pub(super) async fn enter(
    req: HttpRequest,
    cx: RequestCx,
    name: Path<String>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let site = &cx.site;
    let door = door(&req, site, &name)?;
    require_navigation(&req)?;
    let (_, op) = anonymous(&req)?;
    let next = own_path(site, wanted.next.as_deref());
    if let Some(refusal) = refuse_stranger(&req, site, &op, door).await? {
        return Ok(refusal);
    }
    if wanted.link.is_some() {
        return Ok(ask_to_link(&req, &cx, door, &wanted).await);
    }
    site.rates.login(&op.client.address, op.now())?;
    let attempt = Attempt::Headers(headers_of(&req));
    let login = &site.services.login;
    let grant = match login.attempt(&op, attempt, Some(door.name().as_str())).await {
        Ok(grant) => grant,
        Err(LoginError::SignOnFirst { path }) if wanted.back.is_none() => {
            return Ok(see_other(&sign_on(site, door, &path, next.as_deref(), None)));
        }
        Err(error) => {
            failed(&op, &error);
            return Ok(turned_away(site, door, next.as_deref(), error));
        }
    };
    let session = cx.session.as_ref();
    if let Some(session) = session.filter(|session| session.principal.user != grant.user()) {
        // Another person sits there now, and what the one before may do is not theirs. Nor do they
        // become somebody else by the way: whoever leads a browser here logs nobody in.
        site.services.sessions.log_out(&cx.op).await?;
        let text = format!(
            "{} was logged in here, and {} names somebody else. That login has been ended; log in \
             again if it is you who is meant.",
            session.principal.username,
            door.name()
        );
        let mut response = message(site, StatusCode::CONFLICT, "Logged out", &text);
        add(&mut response, Some(expired_cookie(site)));
        return Ok(response);
    }
    let opened = opened(site, &op, grant, session.and_then(|session| session.session)).await?;
    let mut response = see_other(&next.unwrap_or_else(|| site.path("/")));
    for cookie in browser::cookies(site, &opened) {
        if let Err(error) = response.add_cookie(&cookie) {
            tracing::error!(%error, "a cookie of a login could not be set");
        }
    }
    Ok(response)
}

/// Links the person to the account that is logged in: both are proved in this one request.
pub(super) async fn link(
    req: HttpRequest,
    name: Path<String>,
    Body(form): Body<LinkForm>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    let door = door(&req, &site, &name)?;
    require_own_form(&req, &site)?;
    if let Some(refusal) = refuse_stranger(&req, &site, &op, door).await? {
        return Ok(refusal);
    }
    let token = token_of(&req, &site).ok_or_else(Problem::unauthenticated)?;
    let session = site.services.principals.recognise(token.expose(), &*site.clock).await?;
    let session = session.ok_or_else(Problem::unauthenticated)?;
    if !is_csrf_token(token.expose(), form.csrf_token.as_bytes()) {
        let text = "This form is out of date. Go back, reload the page and try again.";
        return Ok(message(&site, StatusCode::FORBIDDEN, "Not linked", text));
    }
    site.rates.login(&op.client.address, op.now())?;
    let attempt = Attempt::Headers(headers_of(&req));
    let op = op.acting_as(session.actor());
    match site.services.login.link(&op, door.name().as_str(), &attempt).await {
        Ok(_) => Ok(see_other(&site.path("/"))),
        Err(error) => Ok(not_linked(&site, error)),
    }
}

/// The backend of this address, letter by letter: what stands in front protects this spelling of
/// the path, and perhaps no other.
fn door<'a>(req: &HttpRequest, site: &'a Site, name: &str) -> Result<&'a Door, Problem> {
    let takes = |door: &&Door| {
        door.name().as_str() == name
            && door.backend.descriptor().takes.contains(&CredentialKind::Headers)
    };
    let door = site.services.login.doors().iter().find(takes);
    door.filter(|door| req.uri().path() == path_of(site, door))
        .ok_or_else(|| Problem::not_found("page"))
}

fn path_of(site: &Site, door: &Door) -> String {
    site.path(&format!("/auth/{}/assert", door.name()))
}

/// Only a page that is gone to: no picture, no frame, and nothing that a browser fetches ahead.
pub(super) fn require_navigation(req: &HttpRequest) -> Result<(), Problem> {
    let sent = |name: &str| req.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let is_page = sent("sec-fetch-dest").is_none_or(|dest| dest == "document");
    let is_ahead = sent("sec-purpose").or_else(|| sent("purpose")).is_some();
    if is_page && !is_ahead {
        return Ok(());
    }
    let detail = "people log in by going to this page, not by anything that loads it";
    Err(Problem::new(StatusCode::FORBIDDEN, "cross_site", detail))
}

/// Answers whoever did not come through a trusted proxy. They stay nobody.
async fn refuse_stranger(
    req: &HttpRequest,
    site: &Site,
    op: &OpCx,
    door: &Door,
) -> Result<Option<HttpResponse>, Problem> {
    // The connection's own address, and not what a header says of it.
    if req.peer_addr().is_some_and(|peer| site.proxies.trusts(peer.ip())) {
        return Ok(None);
    }
    site.rates.login(&op.client.address, op.now())?;
    let (address, backend) = (&op.client.address, door.name());
    tracing::warn!(
        target: "vestibule::login",
        %address,
        %backend,
        "headers of a single sign-on from an address that is not in server.trusted_proxies"
    );
    site.services.login.distrust(op, backend.as_str()).await?;
    let detail = "This page can be reached by way of the single sign-on alone.";
    let problem = Problem::new(StatusCode::FORBIDDEN, "not_a_trusted_proxy", detail);
    Ok(Some(sorry(site, "", None, &problem, detail)))
}

fn headers_of(req: &HttpRequest) -> ProxyHeaders {
    let headers = req.headers().iter();
    ProxyHeaders::new(headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())))
}

/// Where the visitor logs in there, to come back here.
fn sign_on(site: &Site, door: &Door, path: &str, next: Option<&str>, link: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("back", "1");
    for (name, value) in [("next", next), ("link", link)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let come_back = site.url(&format!("/auth/{}/assert?{}", door.name(), query.finish()));
    returning(path, &come_back)
}

/// A path of the service provider's, with the address to come back to.
pub(crate) fn returning(path: &str, come_back: &str) -> String {
    let come_back: String = url::form_urlencoded::byte_serialize(come_back.as_bytes()).collect();
    path.replace("{return}", &come_back)
}

fn turned_away(site: &Site, door: &Door, next: Option<&str>, error: LoginError) -> HttpResponse {
    let name = door.name();
    let text = match &error {
        LoginError::Refused { .. } => format!(
            "{name} did not say who you are in a way that can be relied on, or your account \
             cannot be used. If this goes on, tell those who run this site."
        ),
        LoginError::SignOnFirst { .. } => format!("You did not log in by {name}."),
        LoginError::Unavailable { .. } => format!(
            "Logging in by {name} is not possible at the moment. Nothing is wrong with your \
             account; try again later."
        ),
        LoginError::NoAccount { .. } => format!(
            "{name} knows you, but no account here is linked to you there. If you have an \
             account, log in to it and link {name} there; if not, ask those who run this site."
        ),
        other => other.to_string(),
    };
    sorry(site, "", next, &Problem::from(error), &text)
}

/// Asks, in a form of ours, whether this person is to be linked to this account.
async fn ask_to_link(
    req: &HttpRequest,
    cx: &RequestCx,
    door: &Door,
    wanted: &Wanted,
) -> HttpResponse {
    let site = &cx.site;
    let (Some(session), Some(token)) = (&cx.session, token_of(req, site)) else {
        let query = url::form_urlencoded::byte_serialize(b"?link=1").collect::<String>();
        let path = path_of(site, door);
        return see_other(&site.path(&format!("/login?next={path}{query}")));
    };
    if let (Some(path), None) = (&door.backend.descriptor().sign_on.login, &wanted.back) {
        return see_other(&sign_on(site, door, path, None, Some("1")));
    }
    let (login, attempt) = (&site.services.login, Attempt::Headers(headers_of(req)));
    let person = match login.introduce(&cx.op, door.name().as_str(), &attempt).await {
        Ok(person) => person,
        Err(error) => return not_linked(site, error),
    };
    let own = context! {
        person,
        action => path_of(site, door),
        backend => door.name().as_str(),
        username => &*session.principal.username,
        csrf_token => csrf_token(token.expose()),
    };
    page(site, StatusCode::OK, "link.html", own)
}

fn not_linked(site: &Site, error: LoginError) -> HttpResponse {
    let problem = Problem::from(error);
    let mut response = message(site, problem.status_code(), "Not linked", problem.detail());
    if let Some(seconds) = problem.error_response().headers().get(header::RETRY_AFTER) {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.clone());
    }
    response
}
