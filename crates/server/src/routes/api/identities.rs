//! Who one is elsewhere, linked to the account one is logged in to.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;
use vestibule_core::{
    domain::invalid::FieldError,
    ports::backend::Attempt,
    usecase::login::{Departure, LoginError},
};

use crate::{
    dto::identity::{DepartureOut, IdentityIn, IdentityOut, IdentityQuery},
    extract::{Body, UserCx},
    pages::next::own_path,
    problem::Problem,
    routes::{
        api::login::{to_its_end, wait_until},
        backend::{callback_url, known_browser},
    },
};

pub(super) async fn own(cx: UserCx) -> Result<HttpResponse, Problem> {
    let identities = cx.site.services.login.identities(&cx.op).await?;
    let out: Vec<IdentityOut> = identities.into_iter().map(IdentityOut::from).collect();
    Ok(HttpResponse::Ok().json(json!({ "count": out.len(), "results": out })))
}

pub(super) async fn link(
    req: HttpRequest,
    cx: UserCx,
    Body(input): Body<IdentityIn>,
) -> Result<HttpResponse, Problem> {
    cx.site.rates.login(&cx.op.client.address, cx.op.now())?;
    match (input.username, input.password) {
        (Some(username), Some(password)) => {
            let attempt = Attempt::password(username, password);
            let (site, op) = (cx.site.clone(), cx.op.clone());
            let linking =
                async move { site.services.login.link(&op, &input.backend, &attempt).await };
            match to_its_end(linking).await? {
                Ok(identity) => Ok(HttpResponse::Created().json(IdentityOut::from(identity))),
                Err(LoginError::Refused { not_before }) => {
                    wait_until(not_before, cx.site.clock.now()).await;
                    let wrong = "is not that person's, or no one's, there";
                    Err(Problem::invalid(&[FieldError::new("password", "wrong", wrong)]))
                }
                Err(error) => Err(error.into()),
            }
        }
        (None, None) => depart(&req, &cx, &input.backend, input.next.as_deref()).await,
        (None, Some(_)) => Err(Problem::malformed_field("username", "is missing")),
        (Some(_), None) => Err(Problem::malformed_field("password", "is missing")),
    }
}

/// Begins a link to somebody whom a backend knows that leads elsewhere.
async fn depart(
    req: &HttpRequest,
    cx: &UserCx,
    backend: &str,
    next: Option<&str>,
) -> Result<HttpResponse, Problem> {
    let site = &cx.site;
    let (browser, cookie) = known_browser(req, site, &cx.op);
    let departure = Departure {
        backend,
        callback: callback_url(site, backend),
        next: own_path(site, next).unwrap_or_else(|| site.path("/")),
        browser: &browser,
        links: true,
    };
    let location = site.services.login.depart(&cx.op, departure).await?;
    Ok(HttpResponse::Accepted().cookie(cookie).json(DepartureOut { location }))
}

pub(super) async fn unlink(cx: UserCx) -> Result<HttpResponse, Problem> {
    let query: IdentityQuery = cx.query()?;
    cx.site.services.login.unlink(&cx.op, &query.backend, &query.subject).await?;
    Ok(HttpResponse::NoContent().finish())
}
