//! Forgotten passwords: asking for a link, and another password by it.

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode, web::Path};
use minijinja::context;
use serde::Deserialize;
use vestibule_core::{Secret, usecase::error::AdminError};

use super::{
    link::Link,
    view::{message, page, refused, see_other, when},
};
use crate::{
    dto::mailed::AddressIn,
    extract::{Body, RequestCx, anonymous, require_own_form},
    pace::Pace,
    problem::Problem,
    site::Site,
};

const LINK: Link = Link { page: "/password/reset", cookie: "vestibule-reset" };

/// What the form of the link's page sends.
#[derive(Deserialize)]
pub(super) struct ResetForm {
    password: String,
    password_again: String,
}

pub(super) async fn ask(cx: RequestCx) -> HttpResponse {
    page(&cx.site, StatusCode::OK, "forgot.html", context! {})
}

pub(super) async fn asked(
    req: HttpRequest,
    Body(sent): Body<AddressIn>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    require_own_form(&req, &site)?;
    if let Err(error) = site.rates.login(&op.client.address, op.now()) {
        return Ok(refused(&site, &error.into()));
    }
    let pace = Pace::begin();
    let done = site.services.recovery.forgot(&op, &sent.email).await;
    pace.end().await;
    if let Err(error) = done {
        let problem = Problem::from(error);
        let own = context! { error => problem.detail(), email => sent.email };
        return Ok(when(page(&site, problem.status_code(), "forgot.html", own), &problem));
    }
    let text = "If there is an account with this address, a mail with a link is on its way.";
    Ok(message(&site, StatusCode::ACCEPTED, "Look into your mail", text))
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
    match cx.site.services.recovery.look(&cx.op, &token).await {
        Ok(user) => Ok(form(&cx.site, StatusCode::OK, user.username.as_str(), None)),
        Err(AdminError::DeadLink) => Ok(LINK.dead(&cx.site)),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn submit(
    req: HttpRequest,
    Body(sent): Body<ResetForm>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    require_own_form(&req, &site)?;
    if let Err(error) = site.rates.login(&op.client.address, op.now()) {
        return Ok(refused(&site, &error.into()));
    }
    let Some(token) = LINK.token(&req, &site) else {
        return Ok(LINK.dead(&site));
    };
    let recovery = &site.services.recovery;
    let username = match recovery.look(&op, &token).await {
        Ok(user) => user.username.to_string(),
        Err(AdminError::DeadLink) => return Ok(LINK.dead(&site)),
        Err(error) => return Err(error.into()),
    };
    let password = Secret::from(sent.password);
    if password != Secret::from(sent.password_again) {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(form(&site, status, &username, Some("the two passwords differ")));
    }
    match recovery.reset(&op, &token, &password).await {
        Ok(()) => Ok(LINK.used(&site, see_other(&site.path("/login")))),
        Err(AdminError::DeadLink) => Ok(LINK.dead(&site)),
        Err(error) => {
            let problem = Problem::from(error);
            let status = problem.status_code();
            Ok(when(form(&site, status, &username, Some(problem.detail())), &problem))
        }
    }
}

fn form(site: &Site, status: StatusCode, username: &str, error: Option<&str>) -> HttpResponse {
    let min_length = site.settings.password.min_length;
    page(site, status, "reset.html", context! { username, error, min_length })
}
