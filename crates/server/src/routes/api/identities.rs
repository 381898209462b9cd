//! Who one is elsewhere, linked to the account one is logged in to.

use actix_web::HttpResponse;
use serde_json::json;
use vestibule_core::{Secret, ports::backend::Attempt};

use crate::{
    dto::identity::{IdentityIn, IdentityOut, IdentityQuery},
    extract::{Body, UserCx},
    problem::Problem,
};

pub(super) async fn own(cx: UserCx) -> Result<HttpResponse, Problem> {
    let identities = cx.site.services.login.identities(&cx.op).await?;
    let out: Vec<IdentityOut> = identities.into_iter().map(IdentityOut::from).collect();
    Ok(HttpResponse::Ok().json(json!({ "count": out.len(), "results": out })))
}

pub(super) async fn link(
    cx: UserCx,
    Body(input): Body<IdentityIn>,
) -> Result<HttpResponse, Problem> {
    cx.site.rates.login(&cx.op.client.address, cx.op.now())?;
    let (username, password) = (input.username, Secret::from(input.password));
    let attempt = Attempt::password(username, password);
    let identity = cx.site.services.login.link(&cx.op, &input.backend, &attempt).await?;
    Ok(HttpResponse::Created().json(IdentityOut::from(identity)))
}

pub(super) async fn unlink(cx: UserCx) -> Result<HttpResponse, Problem> {
    let query: IdentityQuery = cx.query()?;
    cx.site.services.login.unlink(&cx.op, &query.backend, &query.subject).await?;
    Ok(HttpResponse::NoContent().finish())
}
