//! Who is in a group.

use actix_web::{HttpResponse, web::Path};
use vestibule_core::usecase::members::Wanted;

use crate::{
    dto::{
        group::{MemberIn, MemberOut},
        id,
        list::{ListQuery, PageOut},
        optional_time,
    },
    extract::{Posted, UserCx},
    problem::Problem,
};

pub(super) async fn list(cx: UserCx, group: Path<String>) -> Result<HttpResponse, Problem> {
    let query: ListQuery = cx.query()?;
    let request = query.page(&cx, &[("username", ())])?;
    let group = id("id", &group)?;
    let page = cx.site.services.members.list(&cx.op, group, request.clone()).await?;
    let page = page.map(MemberOut::from);
    Ok(HttpResponse::Ok().json(PageOut::new(&cx, &request, page)?))
}

pub(super) async fn put(
    Posted(cx, input): Posted<MemberIn>,
    group: Path<String>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted {
        group: id("id", &group)?,
        user: id("user", &input.user)?,
        is_manager: input.is_manager,
        expires_at: optional_time("expires_at", input.expires_at.as_ref())?,
    };
    cx.site.services.members.put(&cx.op, wanted).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn remove(
    cx: UserCx,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (group, user) = (id("id", &path.0)?, id("user", &path.1)?);
    cx.site.services.members.remove(&cx.op, group, user).await?;
    Ok(HttpResponse::NoContent().finish())
}
