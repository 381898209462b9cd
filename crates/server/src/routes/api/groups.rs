//! Groups and which contain which.

use actix_web::{HttpResponse, web::Path};
use vestibule_core::{domain::group::Nesting, ports::groups::GroupOrder};

use crate::{
    dto::{
        group::{GroupIn, GroupOut, GroupPatchIn, NestedGroupOut, NestingIn},
        id,
        list::{ListQuery, PageOut},
    },
    extract::{Posted, UserCx},
    problem::Problem,
};

const ORDERS: &[(&str, GroupOrder)] =
    &[("name", GroupOrder::Name), ("created_at", GroupOrder::CreatedAt)];

pub(super) async fn list(cx: UserCx) -> Result<HttpResponse, Problem> {
    let query: ListQuery = cx.query()?;
    let request = query.page(&cx, ORDERS)?;
    let search = query.search.clone();
    let page = cx.site.services.groups.list(&cx.op, search, request.clone()).await?;
    let page = page.map(GroupOut::from);
    Ok(HttpResponse::Ok().json(PageOut::new(&cx, &request, page)?))
}

pub(super) async fn get(cx: UserCx, group: Path<String>) -> Result<HttpResponse, Problem> {
    let id = id("id", &group)?;
    let groups = &cx.site.services.groups;
    let group = groups.get(&cx.op, id).await?;
    let nested = groups.nested(&cx.op, id).await?;
    Ok(HttpResponse::Ok().json(NestedGroupOut::new(group, nested)))
}

pub(super) async fn add(Posted(cx, input): Posted<GroupIn>) -> Result<HttpResponse, Problem> {
    let group = cx.site.services.groups.add(&cx.op, input.parse()?).await?;
    Ok(HttpResponse::Created().json(GroupOut::from(group)))
}

pub(super) async fn edit(
    Posted(cx, patch): Posted<GroupPatchIn>,
    group: Path<String>,
) -> Result<HttpResponse, Problem> {
    let group = id("id", &group)?;
    let group = cx.site.services.groups.edit(&cx.op, group, patch.parse()?).await?;
    Ok(HttpResponse::Ok().json(GroupOut::from(group)))
}

pub(super) async fn remove(cx: UserCx, group: Path<String>) -> Result<HttpResponse, Problem> {
    cx.site.services.groups.delete(&cx.op, id("id", &group)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn nest(
    Posted(cx, input): Posted<NestingIn>,
    parent: Path<String>,
) -> Result<HttpResponse, Problem> {
    let nesting = Nesting { parent: id("id", &parent)?, child: id("group", &input.group)? };
    cx.site.services.groups.nest(&cx.op, nesting).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn unnest(
    cx: UserCx,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let nesting = Nesting { parent: id("id", &path.0)?, child: id("child", &path.1)? };
    cx.site.services.groups.unnest(&cx.op, nesting).await?;
    Ok(HttpResponse::NoContent().finish())
}
