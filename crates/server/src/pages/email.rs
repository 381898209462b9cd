//! The link that makes another mail address that of one's account.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Path};
use minijinja::context;
use serde::Deserialize;
use vestibule_core::usecase::{
    error::AdminError,
    session_token::{csrf_token, is_csrf_token},
};

use super::{
    link::Link,
    view::{message, page, see_other},
};
use crate::{
    extract::{Body, RequestCx, anonymous, require_own_form, token_of},
    problem::Problem,
};

const LINK: Link = Link { page: "/email/confirm", cookie: "vestibule-email" };

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Form {
    csrf_token: String,
}

pub(super) async fn open(cx: RequestCx, token: Path<String>) -> HttpResponse {
    LINK.open(&cx.site, &token)
}

/// Only whoever asked for it may say that it is theirs, so they log in first.
pub(super) async fn show(req: HttpRequest, cx: RequestCx) -> HttpResponse {
    if LINK.token(&req, &cx.site).is_none() {
        return LINK.dead(&cx.site);
    }
    let Some(session) = &cx.session else {
        let next = cx.site.path(LINK.page);
        let next = url::form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>();
        return see_other(&cx.site.path(&format!("/login?next={next}")));
    };
    let own = context! {
        username => &*session.principal.username,
        csrf_token => token_of(&req, &cx.site).map(|token| csrf_token(token.expose())),
    };
    page(&cx.site, StatusCode::OK, "email.html", own)
}

pub(super) async fn submit(
    req: HttpRequest,
    Body(form): Body<Form>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    require_own_form(&req, &site)?;
    let session_token = token_of(&req, &site).ok_or_else(Problem::unauthenticated)?;
    let principals = &site.services.principals;
    let session = principals.recognise(session_token.expose(), &*site.clock).await?;
    let session = session.ok_or_else(Problem::unauthenticated)?;
    if !is_csrf_token(session_token.expose(), form.csrf_token.as_bytes()) {
        let text = "This form is out of date. Open the link once more.";
        return Ok(message(&site, StatusCode::FORBIDDEN, "Nothing was changed", text));
    }
    let Some(token) = LINK.token(&req, &site) else {
        return Ok(LINK.dead(&site));
    };
    match site.services.readdressing.confirm(&op.acting_as(session.actor()), &token).await {
        Ok(_) => Ok(LINK.used(&site, see_other(&site.path("/")))),
        Err(AdminError::DeadLink) => Ok(LINK.dead(&site)),
        Err(AdminError::Invalid(_)) => {
            let text = "Somebody else has come to the address meanwhile.";
            Ok(message(&site, StatusCode::CONFLICT, "Nothing was changed", text))
        }
        Err(error) => Err(error.into()),
    }
}
