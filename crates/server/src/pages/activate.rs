//! The link that says that an address is one's own, and makes the account.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::RETRY_AFTER},
    web::Path,
};
use minijinja::context;
use serde::Deserialize;
use vestibule_core::{
    OpCx, Secret,
    domain::registration::Registration,
    usecase::{
        error::AdminError,
        registration::{Activated, DeadWhy},
    },
};

use super::{
    link::Link,
    view::{message, page, refused, see_other},
};
use crate::{
    extract::{Body, RequestCx, anonymous, require_own_form},
    pace::Pace,
    problem::Problem,
    site::Site,
};

const LINK: Link = Link { page: "/activate", cookie: "vestibule-activate" };

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Form {
    #[serde(default)]
    password: String,
}

pub(super) async fn open(cx: RequestCx, token: Path<String>) -> HttpResponse {
    LINK.open(&cx.site, &token)
}

pub(super) async fn show(req: HttpRequest, cx: RequestCx) -> Result<HttpResponse, Problem> {
    if let Err(error) = cx.site.rates.login(&cx.op.client.address, cx.op.now()) {
        return Ok(refused(&cx.site, &error.into()));
    }
    let Some(token) = LINK.token(&req, &cx.site) else {
        return Ok(LINK.dead(&cx.site));
    };
    match cx.site.services.registrations.look(&cx.op, &token).await {
        Ok(waiting) => Ok(form(&cx.site, StatusCode::OK, &waiting, None)),
        Err(AdminError::DeadLink) => dead(&cx.site, &cx.op, &token).await,
        Err(error) => Err(error.into()),
    }
}

/// Whoever opens the link reads mail at the address; that it was they who registered, and not
/// somebody who knows their address, the password shows.
pub(super) async fn submit(
    req: HttpRequest,
    Body(sent): Body<Form>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    require_own_form(&req, &site)?;
    if let Err(error) = site.rates.login(&op.client.address, op.now()) {
        return Ok(refused(&site, &error.into()));
    }
    let Some(token) = LINK.token(&req, &site) else {
        return Ok(LINK.dead(&site));
    };
    let registrations = &site.services.registrations;
    let waiting = match registrations.look(&op, &token).await {
        Ok(waiting) => waiting,
        Err(AdminError::DeadLink) => return dead(&site, &op, &token).await,
        Err(error) => return Err(error.into()),
    };
    let password = Secret::from(sent.password);
    match registrations.activate(&op, &token, Some(&password)).await {
        Ok(Activated::Made(_)) => Ok(LINK.used(&site, see_other(&site.path("/login")))),
        Ok(Activated::Waits) => Ok(LINK.used(&site, waits(&site))),
        Err(AdminError::DeadLink) => dead(&site, &op, &token).await,
        Err(AdminError::Invalid(what)) if what.names("password") => {
            let text = "This is not the password that was chosen for this account. If you \
                        registered more than once, try the link of the other mail; if it was not \
                        you who registered, leave this page.";
            Ok(form(&site, StatusCode::UNPROCESSABLE_ENTITY, &waiting, Some(text)))
        }
        Err(AdminError::Busy { retry_after }) => {
            let text = "This is not possible at the moment. Please try again in a minute.";
            let mut answer = form(&site, StatusCode::SERVICE_UNAVAILABLE, &waiting, Some(text));
            answer.headers_mut().insert(RETRY_AFTER, retry_after.into());
            Ok(answer)
        }
        Err(AdminError::Invalid(_)) => {
            let text = "Somebody else has come to the user name or the address meanwhile. Please \
                        register once more.";
            Ok(message(&site, StatusCode::CONFLICT, "No account was made", text))
        }
        Err(error) => Err(error.into()),
    }
}

/// Another link for what was registered too long ago, to the address that the old one went to.
pub(super) async fn again(req: HttpRequest) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    require_own_form(&req, &site)?;
    site.services.registrations.require_open()?;
    if let Err(error) = site.rates.register(&op.client.address) {
        return Ok(refused(&site, &error.into()));
    }
    let Some(token) = LINK.token(&req, &site) else {
        return Ok(LINK.dead(&site));
    };
    let pace = Pace::begin();
    let done = site.services.registrations.resend_expired(&op, &token).await;
    pace.end().await;
    match done {
        Ok(()) => {
            let text = "If what you registered is still there, a mail with a link is on its way.";
            let answer = message(&site, StatusCode::ACCEPTED, "Look into your mail", text);
            Ok(LINK.used(&site, answer))
        }
        Err(AdminError::DeadLink) => Ok(LINK.dead(&site)),
        Err(error) => Err(error.into()),
    }
}

fn form(
    site: &Site,
    status: StatusCode,
    waiting: &Registration,
    error: Option<&str>,
) -> HttpResponse {
    let (username, email) = (waiting.username.as_str(), waiting.email.as_str());
    page(site, status, "activate.html", context! { username, email, error })
}

fn waits(site: &Site) -> HttpResponse {
    let text = "The address is yours. An administrator looks at it now; you get a mail when your \
                account is ready.";
    message(site, StatusCode::OK, "One more step", text)
}

/// Why the link opens nothing any more, as far as whoever holds it may know.
async fn dead(site: &Site, op: &OpCx, token: &Secret) -> Result<HttpResponse, Problem> {
    Ok(match site.services.registrations.why_dead(op, token).await? {
        DeadWhy::Used => {
            let text = "Your account is active already: log in with the name and the password \
                        that you chose.";
            LINK.used(site, message(site, StatusCode::OK, "Already active", text))
        }
        DeadWhy::Waits => LINK.used(site, waits(site)),
        DeadWhy::Expired => page(site, StatusCode::GONE, "expired.html", context! {}),
        DeadWhy::Unknown => LINK.dead(site),
    })
}
