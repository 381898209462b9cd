//! The link that says that an address is one's own, and makes the account.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Path};
use minijinja::context;
use vestibule_core::{
    OpCx, Secret,
    usecase::{
        error::AdminError,
        registration::{Activated, DeadWhy},
    },
};

use super::{
    link::Link,
    view::{message, page, see_other},
};
use crate::{
    extract::{RequestCx, anonymous, require_own_form},
    pace::Pace,
    problem::Problem,
    site::Site,
};

const LINK: Link = Link { page: "/activate", cookie: "vestibule-activate" };

pub(super) async fn open(cx: RequestCx, token: Path<String>) -> HttpResponse {
    LINK.open(&cx.site, &token)
}

pub(super) async fn show(req: HttpRequest, cx: RequestCx) -> Result<HttpResponse, Problem> {
    cx.site.rates.login(&cx.op.client.address, cx.op.now())?;
    let Some(token) = LINK.token(&req, &cx.site) else {
        return Ok(LINK.dead(&cx.site));
    };
    match cx.site.services.registrations.look(&cx.op, &token).await {
        Ok(waiting) => {
            let (username, email) = (waiting.username.as_str(), waiting.email.as_str());
            let own = context! { username, email };
            Ok(page(&cx.site, StatusCode::OK, "activate.html", own))
        }
        Err(AdminError::DeadLink) => dead(&cx.site, &cx.op, &token).await,
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn submit(req: HttpRequest) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    require_own_form(&req, &site)?;
    site.rates.login(&op.client.address, op.now())?;
    let Some(token) = LINK.token(&req, &site) else {
        return Ok(LINK.dead(&site));
    };
    match site.services.registrations.activate(&op, &token).await {
        Ok(Activated::Made(_)) => Ok(LINK.used(&site, see_other(&site.path("/login")))),
        Ok(Activated::Waits) => Ok(LINK.used(&site, waits(&site))),
        Err(AdminError::DeadLink) => dead(&site, &op, &token).await,
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
    site.rates.register(&op.client.address)?;
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
