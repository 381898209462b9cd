//! Logging in and out.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite},
    http::header,
    web,
};
use serde_json::json;
use tokio::time::Instant;
use vestibule_core::{
    OpCx, Secret, Timestamp,
    id::SessionId,
    ports::backend::{Answer, Attempt, Leaving},
    usecase::{
        check::Description,
        login::{LoginError, LoginGrant},
        session_token::csrf_token,
        sessions::Opened,
    },
};

use crate::{
    again, browser,
    dto::{
        identity::DepartureOut,
        session::{Current, CurrentOut, LoginIn},
    },
    extract::{Body, RequestCx, anonymous, refuse_cross_site, token_of},
    problem::Problem,
    site::Site,
};

pub(super) async fn login(
    req: HttpRequest,
    Body(input): Body<LoginIn>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    let opened = open(&req, &site, &op, input).await?;
    let mut answer = welcome(&site, &op, &opened).await?;
    add(&mut answer, again::cookie(&req, &site, &opened));
    Ok(answer)
}

/// Sets one cookie more, if there is one.
pub(crate) fn add(answer: &mut HttpResponse, cookie: Option<Cookie<'static>>) {
    if let Some(Err(error)) = cookie.map(|cookie| answer.add_cookie(&cookie)) {
        tracing::error!(%error, "a cookie could not be set");
    }
}

/// Hands out a session: its cookie, and all that its user is told of it.
pub(super) async fn welcome(
    site: &Site,
    op: &OpCx,
    opened: &Opened,
) -> Result<HttpResponse, Problem> {
    let described = site.services.check.describe(op, opened.user.id).await?;
    let current =
        described.map(|described| current_of(described, &opened.token, opened.session.expires_at));
    let current = current.ok_or_else(Problem::unauthenticated)?;
    let mut answer = HttpResponse::Ok();
    for cookie in browser::cookies(site, opened) {
        answer.cookie(cookie);
    }
    Ok(answer.insert_header((header::CACHE_CONTROL, "no-store")).json(CurrentOut::from(current)))
}

/// Judges a login and opens its session: what the API and the login page have in common.
pub(crate) async fn open(
    req: &HttpRequest,
    site: &web::Data<Site>,
    op: &OpCx,
    input: LoginIn,
) -> Result<Opened, Problem> {
    let began = Instant::now();
    refuse_cross_site(req, site)?;
    site.rates.login(&op.client.address, op.now())?;
    let previous = match token_of(req, site) {
        Some(token) => site.services.principals.recognise(token.expose(), &*site.clock).await?,
        None => None,
    };
    let judging = judged(site.clone(), op.clone(), input);
    let judged = to_its_end(judging).await??;
    even_out(site, began, &judged).await;
    admit(site, op, previous.and_then(|session| session.session), judged).await
}

/// Opens the session of a login that succeeded, in the place of the one the browser had; counts and
/// writes down one that did not.
pub(crate) async fn admit(
    site: &Site,
    op: &OpCx,
    previous: Option<SessionId>,
    judged: Result<LoginGrant, LoginError>,
) -> Result<Opened, Problem> {
    let grant = match judged {
        Ok(grant) => grant,
        Err(error) => return Err(refused(site, op, error).await),
    };
    opened(site, op, grant, previous).await
}

/// Counts and writes down a login that did not succeed; the answer comes when it may.
pub(crate) async fn refused(site: &Site, op: &OpCx, error: LoginError) -> Problem {
    match &error {
        // Half a login is no failure.
        LoginError::CodeWanted(wanted) => {
            wait_until(wanted.not_before, site.clock.now()).await;
            return error.into();
        }
        LoginError::Refused { not_before } => {
            if site.rates.login_failed(op.now()) {
                tracing::error!(target: "vestibule::login", "failed logins come in a flood");
                if let Err(error) = site.services.login.report_flood(op).await {
                    return error.into();
                }
            }
            wait_until(*not_before, site.clock.now()).await;
        }
        _ => {}
    }
    failed(op, &error);
    error.into()
}

/// Counts a login that failed, and writes a line where it was refused.
pub(crate) fn failed(op: &OpCx, error: &LoginError) {
    metrics::counter!("vestibule_logins_total", "result" => "failed").increment(1);
    if matches!(error, LoginError::Refused { .. }) {
        // One line in one form, for fail2ban and its like.
        tracing::warn!(target: "vestibule::login", address = %op.client.address, "login failed");
    }
}

/// Opens the session of a login, in the place of the one that the browser had.
pub(crate) async fn opened(
    site: &Site,
    op: &OpCx,
    grant: LoginGrant,
    previous: Option<SessionId>,
) -> Result<Opened, Problem> {
    let opened = site.services.sessions.open(op, grant, previous).await?;
    metrics::counter!("vestibule_logins_total", "result" => "succeeded").increment(1);
    tracing::info!(
        target: "vestibule::login",
        address = %op.client.address,
        user = %opened.user.username,
        "login succeeded"
    );
    Ok(opened)
}

/// Judges a name and a password, or the code that was asked for after them.
async fn judged(
    site: web::Data<Site>,
    op: OpCx,
    input: LoginIn,
) -> Result<Result<LoginGrant, LoginError>, Problem> {
    let missing = |field: &str| Problem::malformed_field(field, "is missing");
    let login = &site.services.login;
    if let Some(step) = input.step {
        let code = input.otp.ok_or_else(|| missing("otp"))?;
        return Ok(login.answer(&op, &Secret::from(step), Secret::from(code)).await);
    }
    let username = input.username.ok_or_else(|| missing("username"))?;
    let password = Secret::from(input.password.ok_or_else(|| missing("password"))?);
    let answer = input.otp.map(|code| Answer { code: Secret::from(code), state: None });
    let attempt = Attempt::Password { username, password, answer };
    Ok(login.attempt(&op, attempt, input.backend.as_deref()).await)
}

/// Goes on though the visitor hangs up: a guess that is under way is counted however it ends.
pub(crate) async fn to_its_end<T: 'static>(
    work: impl Future<Output = T> + 'static,
) -> Result<T, Problem> {
    actix_web::rt::spawn(work).await.map_err(|_| Problem::internal())
}

/// Waits until a refusal that came about since then may leave: they all take the same time.
pub(crate) async fn even_out<T>(site: &Site, began: Instant, judged: &Result<T, LoginError>) {
    if let Err(LoginError::Refused { not_before }) = judged {
        wait_until(*not_before, site.clock.now()).await;
        site.refusals.even_out(began).await;
    }
}

/// Refusals all take the same time; nothing is held while waiting for it.
pub(crate) async fn wait_until(not_before: Timestamp, now: Timestamp) {
    let wait = not_before.since(now);
    if wait > Duration::ZERO {
        tokio::time::sleep(wait).await;
    }
}

pub(super) async fn ways(cx: RequestCx) -> HttpResponse {
    let doors = cx.site.services.login.doors();
    let backends: Vec<&str> = doors
        .iter()
        .filter(|door| !door.only_entitles())
        .map(|door| door.name().as_str())
        .collect();
    HttpResponse::Ok().json(json!({ "login_required": true, "backends": backends }))
}

pub(super) async fn logout(req: HttpRequest, cx: RequestCx) -> Result<HttpResponse, Problem> {
    let backend = cx.site.services.sessions.log_out(&cx.op).await?;
    if cx.session.is_some() {
        let (address, user) = (&cx.op.client.address, cx.op.actor.name());
        tracing::info!(target: "vestibule::login", %address, %user, "logout");
    }
    let mut answer = match farewell(&req, &cx.site, &cx.op, backend.as_deref()).await? {
        Some(location) => HttpResponse::Ok().json(DepartureOut { location }),
        None => HttpResponse::NoContent().finish(),
    };
    add(&mut answer, Some(expired_cookie(&cx.site)));
    add(&mut answer, again::forget(&req, &cx.site));
    Ok(answer)
}

/// Where whoever has logged out here goes to log out where they came from, if that is to be.
pub(crate) async fn farewell(
    req: &HttpRequest,
    site: &Site,
    op: &OpCx,
    backend: Option<&str>,
) -> Result<Option<String>, Problem> {
    let (Some(backend), Some(token)) = (backend, token_of(req, site)) else { return Ok(None) };
    let farewell = site.services.sessions.farewell(op, &token).await?;
    // Nothing waits for them here, so what they bring back is looked at by nobody.
    let (come_back, state) = (site.url("/login"), op.new_token());
    let leaving = Leaving {
        farewell: farewell.as_ref(),
        come_back: &come_back,
        state: state.expose_str().unwrap_or_default(),
    };
    // A provider that cannot tell keeps nobody from logging out here.
    Ok(site.services.login.leave(op, backend, &leaving).await.unwrap_or_else(|fault| {
        tracing::warn!(target: "vestibule::login", %backend, %fault, "no logout there");
        None
    }))
}

pub(super) async fn current(req: HttpRequest, cx: RequestCx) -> Result<HttpResponse, Problem> {
    let session = cx.session.as_ref().ok_or_else(|| again::nobody(&req))?;
    // A program without a session has none to protect.
    let token = match session.session {
        Some(_) => token_of(&req, &cx.site).ok_or_else(Problem::unauthenticated)?,
        None => Secret::new(""),
    };
    let services = &cx.site.services;
    let (principals, principal) = (&services.principals, &session.principal);
    let described = services.check.describe_remembered(&cx.op, principals, principal).await?;
    let current = described.map(|described| current_of(described, &token, session.expires_at));
    let current = current.ok_or_else(Problem::unauthenticated)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(CurrentOut::from(current)))
}

fn current_of(described: Description, token: &Secret, expires_at: Timestamp) -> Current {
    Current {
        user: described.user,
        groups: described.groups,
        managed_groups: described.managed_groups,
        permissions: described.permissions,
        csrf_token: if token.is_empty() { String::new() } else { csrf_token(token.expose()) },
        expires_at,
    }
}

/// The cookie that carries a session's token.
pub(crate) fn cookie(site: &Site, token: &Secret) -> Cookie<'static> {
    let value = token.expose_str().unwrap_or_default().to_owned();
    let mut cookie = base_cookie(site, value);
    if let Some(life) = site.cookie_life() {
        let seconds = i64::try_from(life.as_secs()).unwrap_or(i64::MAX);
        cookie.set_max_age(actix_web::cookie::time::Duration::seconds(seconds));
    }
    cookie
}

/// The cookie that takes a session's token away.
pub(crate) fn expired_cookie(site: &Site) -> Cookie<'static> {
    let mut cookie = base_cookie(site, String::new());
    cookie.make_removal();
    cookie
}

fn base_cookie(site: &Site, value: String) -> Cookie<'static> {
    Cookie::build(site.cookie_name(), value)
        .path("/")
        .http_only(true)
        .secure(site.settings.site.base_url.is_https())
        .same_site(SameSite::Lax)
        .finish()
}
