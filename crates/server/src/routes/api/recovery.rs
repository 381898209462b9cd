//! Forgotten passwords.

use actix_web::{HttpRequest, HttpResponse};
use vestibule_core::Secret;

use crate::{
    dto::mailed::{AddressIn, ResetIn},
    extract::{Body, anonymous, refuse_cross_site},
    pace::Pace,
    problem::Problem,
};

pub(super) async fn forgot(
    req: HttpRequest,
    Body(input): Body<AddressIn>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    refuse_cross_site(&req, &site)?;
    site.rates.login(&op.client.address, op.now())?;
    let pace = Pace::begin();
    let done = site.services.recovery.forgot(&op, &input.email).await;
    pace.end().await;
    done?;
    Ok(HttpResponse::Accepted().finish())
}

pub(super) async fn reset(
    req: HttpRequest,
    Body(input): Body<ResetIn>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    refuse_cross_site(&req, &site)?;
    site.rates.login(&op.client.address, op.now())?;
    let (token, password) = (Secret::from(input.token), Secret::from(input.password));
    site.services.recovery.reset(&op, &token, &password).await?;
    Ok(HttpResponse::NoContent().finish())
}
