//! May this user do that, and why.

use actix_web::HttpResponse;
use vestibule_core::{domain::object::ObjectRef, id::UserId, usecase::error::AdminError};

use crate::{
    dto::check::{CheckIn, CheckOut},
    extract::{Posted, UserCx},
    problem::Problem,
};

pub(super) async fn check(Posted(cx, input): Posted<CheckIn>) -> Result<HttpResponse, Problem> {
    let session = cx.session.as_ref().ok_or_else(Problem::unauthenticated)?;
    let user = match &input.user {
        None => session.principal.user,
        Some(name) => named(&cx, name).await?,
    };
    let object = input.object.as_deref().map(ObjectRef::parse).transpose();
    let object = object.map_err(AdminError::from)?;
    let check = &cx.site.services.check;
    let decision = check.explain(&cx.op, user, &input.permission, object).await?;
    Ok(HttpResponse::Ok().json(CheckOut::from(decision)))
}

/// An account by its id or its login name.
async fn named(cx: &UserCx, name: &str) -> Result<UserId, Problem> {
    match name.parse() {
        Ok(id) => Ok(id),
        Err(_) => Ok(cx.site.services.users.by_name(&cx.op, name).await?.id),
    }
}
