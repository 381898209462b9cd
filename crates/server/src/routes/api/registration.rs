//! Accounts that people make for themselves.

use actix_web::{HttpRequest, HttpResponse};
use vestibule_core::Secret;

use crate::{
    dto::mailed::{AddressIn, RegisterIn, TokenIn},
    extract::{Body, anonymous, refuse_cross_site},
    pace::Pace,
    problem::Problem,
};

pub(super) async fn register(
    req: HttpRequest,
    Body(input): Body<RegisterIn>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    refuse_cross_site(&req, &site)?;
    site.services.registrations.require_open()?;
    site.rates.register(&op.client.address)?;
    let pace = Pace::begin();
    let done = site.services.registrations.register(&op, input.into()).await;
    pace.end().await;
    done?;
    Ok(HttpResponse::Accepted().finish())
}

pub(super) async fn resend(
    req: HttpRequest,
    Body(input): Body<AddressIn>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    refuse_cross_site(&req, &site)?;
    site.services.registrations.require_open()?;
    site.rates.register(&op.client.address)?;
    let pace = Pace::begin();
    let done = site.services.registrations.resend(&op, &input.email).await;
    pace.end().await;
    done?;
    Ok(HttpResponse::Accepted().finish())
}

pub(super) async fn activate(
    req: HttpRequest,
    Body(input): Body<TokenIn>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    refuse_cross_site(&req, &site)?;
    site.rates.login(&op.client.address, op.now())?;
    site.services.registrations.activate(&op, &Secret::from(input.token)).await?;
    Ok(HttpResponse::NoContent().finish())
}
