//! Grants and denials.

use actix_web::{HttpResponse, web::Path};
use vestibule_core::{
    domain::{grant::Subject, object::ObjectRef, permission::PermissionCode},
    ports::grants::GrantFilter,
    usecase::error::AdminError,
};

use crate::{
    dto::{
        grant::{GrantIn, GrantOut},
        id,
        list::{ListQuery, PageOut},
    },
    extract::{Posted, UserCx},
    problem::Problem,
};

pub(super) async fn list(cx: UserCx) -> Result<HttpResponse, Problem> {
    let query: ListQuery = cx.query()?;
    let request = query.page(&cx, &[("granted_at", ())])?;
    let page = cx.site.services.grants.list(&cx.op, filter(&query)?, request.clone()).await?;
    let page = page.map(GrantOut::from);
    Ok(HttpResponse::Ok().json(PageOut::new(&cx, &request, page)?))
}

fn filter(query: &ListQuery) -> Result<GrantFilter, Problem> {
    let subject = match (&query.user, &query.group) {
        (Some(user), None) => Some(Subject::User(id("user", user)?)),
        (None, Some(group)) => Some(Subject::Group(id("group", group)?)),
        (None, None) => None,
        (Some(_), Some(_)) => {
            return Err(Problem::malformed_field("group", "goes without user"));
        }
    };
    let permission = query.permission.as_deref().map(PermissionCode::parse).transpose();
    let object = query.object.as_deref().map(ObjectRef::parse).transpose();
    Ok(GrantFilter {
        subject,
        permission: permission.map_err(AdminError::from)?,
        object: object.map_err(AdminError::from)?,
    })
}

pub(super) async fn get(cx: UserCx, grant: Path<String>) -> Result<HttpResponse, Problem> {
    let grant = cx.site.services.grants.get(&cx.op, id("id", &grant)?).await?;
    Ok(HttpResponse::Ok().json(GrantOut::from(grant)))
}

pub(super) async fn add(Posted(cx, input): Posted<GrantIn>) -> Result<HttpResponse, Problem> {
    let (grant, is_new) = cx.site.services.grants.add(&cx.op, input.parse()?).await?;
    let mut answer = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.json(GrantOut::from(grant)))
}

pub(super) async fn remove(cx: UserCx, grant: Path<String>) -> Result<HttpResponse, Problem> {
    cx.site.services.grants.remove(&cx.op, id("id", &grant)?).await?;
    Ok(HttpResponse::NoContent().finish())
}
