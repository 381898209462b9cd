//! Sessions: one's own, and others' by permission.

use actix_web::{HttpResponse, web::Path};
use serde_json::json;
use vestibule_core::domain::session::Session;

use crate::{
    dto::{id, session::SessionOut},
    extract::UserCx,
    problem::Problem,
};

pub(super) async fn own(cx: UserCx) -> Result<HttpResponse, Problem> {
    let sessions = cx.site.services.sessions.own(&cx.op).await?;
    Ok(listed(&cx, sessions))
}

pub(super) async fn of_user(cx: UserCx, user: Path<String>) -> Result<HttpResponse, Problem> {
    let sessions = cx.site.services.sessions.of(&cx.op, id("id", &user)?).await?;
    Ok(listed(&cx, sessions))
}

fn listed(cx: &UserCx, sessions: Vec<Session>) -> HttpResponse {
    let current = cx.session.as_ref().and_then(|session| session.session);
    let out: Vec<_> = sessions.into_iter().map(|s| SessionOut::new(s, current)).collect();
    HttpResponse::Ok().json(json!({ "count": out.len(), "results": out }))
}

pub(super) async fn end_others(cx: UserCx) -> Result<HttpResponse, Problem> {
    cx.site.services.sessions.end_others(&cx.op).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn end(cx: UserCx, session: Path<String>) -> Result<HttpResponse, Problem> {
    cx.site.services.sessions.end(&cx.op, id("id", &session)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn end_of_user(cx: UserCx, user: Path<String>) -> Result<HttpResponse, Problem> {
    cx.site.services.sessions.end_all_of(&cx.op, id("id", &user)?).await?;
    Ok(HttpResponse::NoContent().finish())
}
