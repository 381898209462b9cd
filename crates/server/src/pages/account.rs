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
    again,
    extract::{Body, RequestCx, anonymous, require_own_form, token_of},
    problem::Problem,
    routes::{
        api::login::{add, expired_cookie, farewell},
        backend::returning,
    },
    site::Site,
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
    let mut by = None;
    if let Some(token) = &token
        && let Some(session) =
            site.services.principals.recognise(token.expose(), &*site.clock).await?
    {
        if !is_csrf_token(token.expose(), form.csrf_token.as_bytes()) {
            let text = "This form is out of date. Go back, reload the page and try again.";
            return Ok(message(&site, StatusCode::FORBIDDEN, "Not logged out", text));
        }
        let acting = op.clone().acting_as(session.actor());
        by = site.services.sessions.log_out(&acting).await?;
    }
    let elsewhere = farewell(&req, &site, &op, by.as_deref()).await?;
    let mut response = after_logout(&site, by.as_deref(), elsewhere);
    add(&mut response, Some(expired_cookie(&site)));
    add(&mut response, again::forget(&req, &site));
    Ok(response)
}

/// On to the login page; or, where the session was opened by a single sign-on or a provider that has
/// a place to log out, to a page that leads there. No redirect: the form's may go to no other host (`form-action`),
/// and there may be several on the way.
fn after_logout(site: &Site, by: Option<&str>, elsewhere: Option<String>) -> HttpResponse {
    let doors = site.services.login.doors().iter();
    let door = by.and_then(|name| doors.into_iter().find(|door| door.name().as_str() == name));
    let place = door.and_then(|door| door.backend.descriptor().sign_on.logout.as_ref());
    let in_front = place.map(|place| returning(place, &site.url("/login")));
    let (Some(door), Some(elsewhere)) = (door, elsewhere.or(in_front)) else {
        return see_other(&site.path("/login"));
    };
    let own = context! { backend => door.name().as_str(), elsewhere };
    page(site, StatusCode::OK, "goodbye.html", own)
}
