//! The link that says that an address is one's own, and makes the account.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Path};
use minijinja::context;
use vestibule_core::usecase::error::AdminError;

use super::{
    link::Link,
    view::{message, page, see_other},
};
use crate::{
    extract::{RequestCx, anonymous, require_own_form},
    problem::Problem,
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
        Err(AdminError::DeadLink) => Ok(LINK.dead(&cx.site)),
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
        Ok(_) => Ok(LINK.used(&site, see_other(&site.path("/login")))),
        Err(AdminError::DeadLink) => Ok(LINK.dead(&site)),
        Err(AdminError::Invalid(_)) => {
            let text = "Somebody else has come to the user name or the address meanwhile. Please \
                        register once more.";
            Ok(message(&site, StatusCode::CONFLICT, "No account was made", text))
        }
        Err(error) => Err(error.into()),
    }
}
