//! Accounts that people make for themselves.

use actix_web::{HttpRequest, HttpResponse, web::Path};
use serde_json::json;
use vestibule_core::{Secret, id::RegistrationId, usecase::registration::Activated};

use crate::{
    dto::{
        id,
        list::{ListQuery, PageOut},
        mailed::{ActivateIn, AddressIn, RegisterIn},
        registration::{ConsentOut, RefusalIn, WaitingOut},
        user::UserOut,
    },
    extract::{Body, Posted, UserCx, anonymous, refuse_cross_site},
    pace::Pace,
    problem::Problem,
};

pub(super) async fn register(
    req: HttpRequest,
    Body(mut input): Body<RegisterIn>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    refuse_cross_site(&req, &site)?;
    site.services.registrations.require_open()?;
    site.rates.register(&op.client.address)?;
    let pace = Pace::begin();
    let policy = input.policy.take();
    let registrations = &site.services.registrations;
    let done = registrations.register(&op, input.into(), policy.as_deref()).await;
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
    Body(input): Body<ActivateIn>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    refuse_cross_site(&req, &site)?;
    site.rates.login(&op.client.address, op.now())?;
    let (token, password) = (Secret::from(input.token), input.password.map(Secret::from));
    match site.services.registrations.activate(&op, &token, password.as_ref()).await? {
        Activated::Made(_) => Ok(HttpResponse::NoContent().finish()),
        Activated::Waits => Ok(HttpResponse::Accepted().finish()),
    }
}

pub(super) async fn waiting(cx: UserCx) -> Result<HttpResponse, Problem> {
    let query: ListQuery = cx.query()?;
    let request = query.page(&cx, &[("created_at", ())])?;
    let page = cx.site.services.registrations.list(&cx.op, request.clone()).await?;
    let page = page.map(WaitingOut::from);
    Ok(HttpResponse::Ok().json(PageOut::new(&cx, &request, page)?))
}

pub(super) async fn approve(cx: UserCx, waiting: Path<String>) -> Result<HttpResponse, Problem> {
    let user = cx.site.services.registrations.approve(&cx.op, which(&waiting)?).await?;
    Ok(HttpResponse::Created().json(UserOut::from(user)))
}

pub(super) async fn refuse(
    Posted(cx, input): Posted<RefusalIn>,
    waiting: Path<String>,
) -> Result<HttpResponse, Problem> {
    cx.site.services.registrations.refuse(&cx.op, which(&waiting)?, &input.reason).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn consents(cx: UserCx, user: Path<String>) -> Result<HttpResponse, Problem> {
    let consents = cx.site.services.registrations.consents(&cx.op, id("id", &user)?).await?;
    let consents: Vec<_> = consents.into_iter().map(ConsentOut::from).collect();
    Ok(HttpResponse::Ok().json(json!({ "count": consents.len(), "results": consents })))
}

fn which(waiting: &str) -> Result<RegistrationId, Problem> {
    id("id", waiting)
}
