//! Objects: owner, group, level, shares.

use actix_web::{HttpResponse, web::Path};
use serde_json::json;
use vestibule_core::{
    domain::object::ObjectRef,
    ports::objects::{ObjectFilter, OwnedBy},
    usecase::error::AdminError,
};

use crate::{
    dto::{
        grant::GrantOut,
        id,
        list::{ListQuery, PageOut},
        object::{ObjectIn, ObjectOut, ShareIn, SharedOut},
    },
    extract::{Posted, UserCx},
    problem::Problem,
};

fn object(kind: &str, id: &str) -> Result<ObjectRef, AdminError> {
    Ok(ObjectRef::new(kind, id)?)
}

pub(super) async fn list(cx: UserCx, kind: Path<String>) -> Result<HttpResponse, Problem> {
    let query: ListQuery = cx.query()?;
    let request = query.page(&cx, &[("id", ())])?;
    let permission = query.permission.as_deref().ok_or_else(|| {
        Problem::malformed_field("permission", "say which permission must be held on each")
    })?;
    let filter = ObjectFilter {
        owner: query.owner.as_deref().map(|owner| owned_by(&cx, owner)).transpose()?,
        search: query.search.clone(),
    };
    let check = &cx.site.services.check;
    let page = check.visible(&cx.op, permission, &kind, filter, request.clone()).await?;
    let page = page.map(ObjectOut::from);
    Ok(HttpResponse::Ok().json(PageOut::new(&cx, &request, page)?))
}

/// Whose objects `owner` asks for: an id, `me` or `others`.
fn owned_by(cx: &UserCx, owner: &str) -> Result<OwnedBy, Problem> {
    let own = || cx.op.actor.user_id().ok_or_else(Problem::unauthenticated);
    match owner {
        "me" => Ok(OwnedBy::User(own()?)),
        "others" => Ok(OwnedBy::Others(own()?)),
        other => Ok(OwnedBy::User(id("owner", other)?)),
    }
}

pub(super) async fn get(cx: UserCx, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let shared = cx.site.services.sharing.get(&cx.op, object(&path.0, &path.1)?).await?;
    Ok(HttpResponse::Ok().json(SharedOut::from(shared)))
}

pub(super) async fn put(
    Posted(cx, input): Posted<ObjectIn>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let object = object(&path.0, &path.1)?;
    let (shared, is_new) = cx.site.services.sharing.put(&cx.op, object, input.parse()?).await?;
    let mut answer = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.json(SharedOut::from(shared)))
}

pub(super) async fn remove(
    cx: UserCx,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    cx.site.services.sharing.delete(&cx.op, object(&path.0, &path.1)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn shares(
    cx: UserCx,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let shared = cx.site.services.sharing.get(&cx.op, object(&path.0, &path.1)?).await?;
    let shares: Vec<_> = shared.shares.into_iter().map(GrantOut::from).collect();
    Ok(HttpResponse::Ok().json(json!({ "count": shares.len(), "results": shares })))
}

pub(super) async fn share(
    Posted(cx, input): Posted<ShareIn>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let object = object(&path.0, &path.1)?;
    let (grant, is_new) = cx.site.services.sharing.share(&cx.op, object, input.parse()?).await?;
    let mut answer = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.json(GrantOut::from(grant)))
}

pub(super) async fn unshare(
    cx: UserCx,
    path: Path<(String, String, String)>,
) -> Result<HttpResponse, Problem> {
    let (object, share) = (object(&path.0, &path.1)?, id("share", &path.2)?);
    cx.site.services.sharing.unshare(&cx.op, object, share).await?;
    Ok(HttpResponse::NoContent().finish())
}
