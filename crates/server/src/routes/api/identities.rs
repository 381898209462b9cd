//! Who one is elsewhere, linked to the account one is logged in to.

use actix_web::{HttpRequest, HttpResponse, web::Path};
use serde_json::json;
use vestibule_core::{
    Secret,
    domain::{identity::Identity, invalid::FieldError},
    ports::backend::{Answer, Attempt},
    usecase::login::{Departure, LoginError, NewPassword, Person},
};

use crate::{
    dto::{
        id,
        identity::{ConversionIn, DepartureOut, IdentityIn, IdentityOut, IdentityQuery},
    },
    extract::{Posted, UserCx},
    pages::next::own_path,
    problem::Problem,
    routes::{
        api::login::{to_its_end, wait_until},
        backend::{callback_url, known_browser},
    },
};

pub(super) async fn own(cx: UserCx) -> Result<HttpResponse, Problem> {
    Ok(listed(cx.site.services.login.identities(&cx.op).await?))
}

pub(super) async fn of_user(cx: UserCx, user: Path<String>) -> Result<HttpResponse, Problem> {
    let user = id("id", &user)?;
    Ok(listed(cx.site.services.conversions.identities(&cx.op, user).await?))
}

fn listed(identities: Vec<Identity>) -> HttpResponse {
    let out: Vec<IdentityOut> = identities.into_iter().map(IdentityOut::from).collect();
    HttpResponse::Ok().json(json!({ "count": out.len(), "results": out }))
}

pub(super) async fn convert(
    Posted(cx, input): Posted<ConversionIn>,
    user: Path<String>,
) -> Result<HttpResponse, Problem> {
    let person = match (input.username, input.subject) {
        (Some(name), None) => Person::Named(name),
        (None, Some(subject)) => Person::Known(subject),
        (None, None) => return Err(Problem::malformed_field("username", "is missing")),
        (Some(_), Some(_)) => {
            return Err(Problem::malformed_field("subject", "stands in the place of `username`"));
        }
    };
    let user = id("id", &user)?;
    let conversions = &cx.site.services.conversions;
    let identity = conversions.convert(&cx.op, user, &input.backend, &person).await?;
    Ok(HttpResponse::Created().json(IdentityOut::from(identity)))
}

pub(super) async fn convert_back(cx: UserCx, user: Path<String>) -> Result<HttpResponse, Problem> {
    let (user, query): (_, IdentityQuery) = (id("id", &user)?, cx.query()?);
    let (conversions, chosen) = (&cx.site.services.conversions, NewPassword::Chosen);
    conversions.convert_back(&cx.op, user, &query.backend, &query.subject, chosen).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn link(
    req: HttpRequest,
    Posted(cx, input): Posted<IdentityIn>,
) -> Result<HttpResponse, Problem> {
    cx.site.rates.login(&cx.op.client.address, cx.op.now())?;
    match (input.username, input.password) {
        (Some(username), Some(password)) => {
            let answer = input.otp.map(|code| Answer { code: Secret::from(code), state: None });
            let password = Secret::from(password);
            let attempt = Attempt::Password { username, password, answer };
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
        (None, None) if input.otp.is_some() => {
            Err(Problem::malformed_field("password", "is missing"))
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
        again: None,
    };
    let location = site.services.login.depart(&cx.op, departure).await?;
    Ok(HttpResponse::Accepted().cookie(cookie).json(DepartureOut { location }))
}

pub(super) async fn unlink(cx: UserCx) -> Result<HttpResponse, Problem> {
    let query: IdentityQuery = cx.query()?;
    cx.site.services.login.unlink(&cx.op, &query.backend, &query.subject).await?;
    Ok(HttpResponse::NoContent().finish())
}
