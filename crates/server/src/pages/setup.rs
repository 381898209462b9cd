//! The first superuser, by the one-time link that the server printed.

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode, web::Path};
use minijinja::context;
use serde::Deserialize;
use vestibule_core::{Secret, usecase::users::NewUser};

use super::view::{message, page, see_other};
use crate::{
    extract::{Body, RequestCx, anonymous, require_own_form},
    problem::Problem,
    site::Site,
};

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Form {
    username: String,
    #[serde(default)]
    email: String,
    password: String,
    password_again: String,
}

pub(super) async fn show(cx: RequestCx, token: Path<String>) -> Result<HttpResponse, Problem> {
    cx.site.rates.login(&cx.op.client.address, cx.op.now())?;
    let token = Secret::from(token.into_inner());
    if !cx.site.services.bootstrap.is_good(&cx.op, &token).await? {
        return Ok(dead(&cx.site));
    }
    Ok(form(&cx.site, StatusCode::OK, "", "", None))
}

pub(super) async fn submit(
    req: HttpRequest,
    token: Path<String>,
    Body(sent): Body<Form>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    require_own_form(&req, &site)?;
    site.rates.login(&op.client.address, op.now())?;
    let token = Secret::from(token.into_inner());
    let password = Secret::from(sent.password);
    if !site.services.bootstrap.is_good(&op, &token).await? {
        return Ok(dead(&site));
    }
    if password != Secret::from(sent.password_again) {
        let error = Some("the two passwords differ");
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(form(&site, status, &sent.username, &sent.email, error));
    }
    let new = NewUser {
        username: sent.username.clone(),
        email: Some(sent.email.clone()),
        password: Some(password),
        ..NewUser::default()
    };
    match site.services.bootstrap.redeem(&op, &token, new).await {
        Ok(_) => Ok(see_other(&site.path("/login"))),
        Err(error) => {
            let problem = Problem::from(error);
            let (status, error) = (problem.status_code(), Some(problem.detail()));
            Ok(form(&site, status, &sent.username, &sent.email, error))
        }
    }
}

fn form(
    site: &Site,
    status: StatusCode,
    username: &str,
    email: &str,
    error: Option<&str>,
) -> HttpResponse {
    let min_length = site.settings.password.min_length;
    page(site, status, "setup.html", context! { username, email, error, min_length })
}

fn dead(site: &Site) -> HttpResponse {
    let text = "This link was used already, or is too old. If there is no superuser yet, start the \
                server again for a fresh one, or run `vestibule createsuperuser`.";
    message(site, StatusCode::NOT_FOUND, "The link is dead", text)
}
