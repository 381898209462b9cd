//! Who am I, and out again.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use minijinja::context;
use serde::Deserialize;
use vestibule_core::{
    Email,
    usecase::session_token::{csrf_token, is_csrf_token},
};

use super::view::{message, page, see_other};
use crate::{
    extract::{Body, RequestCx, anonymous, require_own_form, token_of},
    problem::Problem,
    routes::api::login::expired_cookie,
};

pub(super) async fn show(req: HttpRequest, cx: RequestCx) -> Result<HttpResponse, Problem> {
    let Some(session) = &cx.session else {
        let next = url::form_urlencoded::byte_serialize(req.path().as_bytes()).collect::<String>();
        return Ok(see_other(&cx.site.path(&format!("/login?next={next}"))));
    };
    let described = cx.site.services.check.describe(&cx.op, session.principal.user).await?;
    let described = described.ok_or_else(Problem::unauthenticated)?;
    let own = context! {
        username => described.user.username.as_str(),
        first_name => described.user.first_name.as_str(),
        last_name => described.user.last_name.as_str(),
        email => described.user.email.as_ref().map(Email::as_str),
        is_superuser => described.user.is_superuser,
        groups => described.groups,
        permissions => described.permissions,
        expires_at => session.expires_at.to_string(),
        csrf_token => token_of(&req, &cx.site).map(|token| csrf_token(token.expose())),
    };
    Ok(page(&cx.site, StatusCode::OK, "account.html", own))
}

/// GET changes nothing: it asks.
pub(super) async fn confirm_logout(req: HttpRequest, cx: RequestCx) -> HttpResponse {
    if cx.session.is_none() {
        return see_other(&cx.site.path("/login"));
    }
    let token = token_of(&req, &cx.site).map(|token| csrf_token(token.expose()));
    page(&cx.site, StatusCode::OK, "logout.html", context! { csrf_token => token })
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct LogoutForm {
    csrf_token: String,
}

pub(super) async fn log_out(
    req: HttpRequest,
    Body(form): Body<LogoutForm>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    require_own_form(&req, &site)?;
    let token = token_of(&req, &site);
    if let Some(token) = &token
        && let Some(session) =
            site.services.principals.recognise(token.expose(), &*site.clock).await?
    {
        if !is_csrf_token(token.expose(), form.csrf_token.as_bytes()) {
            let text = "This form is out of date. Go back, reload the page and try again.";
            return Ok(message(&site, StatusCode::FORBIDDEN, "Not logged out", text));
        }
        site.services.sessions.log_out(&op.acting_as(session.actor())).await?;
    }
    let mut response = see_other(&site.path("/login"));
    if let Err(error) = response.add_cookie(&expired_cookie(&site)) {
        tracing::error!(%error, "the session cookie could not be removed");
    }
    Ok(response)
}
