//! Registered permissions.

use actix_web::{HttpResponse, web::Path};

use crate::{
    dto::{
        list::{ListQuery, PageOut},
        permission::{PermissionIn, PermissionOut, RegistrationIn},
    },
    extract::{Posted, UserCx},
    problem::Problem,
};

pub(super) async fn list(cx: UserCx) -> Result<HttpResponse, Problem> {
    let query: ListQuery = cx.query()?;
    let request = query.page(&cx, &[("code", ())])?;
    let permissions = &cx.site.services.permissions;
    let page = permissions.page(&cx.op, query.search.clone(), request.clone()).await?;
    Ok(HttpResponse::Ok().json(PageOut::new(&cx, &request, page.map(PermissionOut::from))?))
}

pub(super) async fn register(
    Posted(cx, input): Posted<RegistrationIn>,
) -> Result<HttpResponse, Problem> {
    let registrations = input.permissions.into_iter().map(PermissionIn::parse);
    let registrations = registrations.collect::<Result<_, _>>()?;
    let rules = input
        .delete_rules
        .into_iter()
        .map(|(kind, rule)| match rule.parse() {
            Ok(rule) => Ok((kind, rule)),
            Err(error) => Err(Problem::malformed_field("delete_rules", format!("{error}"))),
        })
        .collect::<Result<_, _>>()?;
    let permissions = &cx.site.services.permissions;
    permissions.register(&cx.op, &input.service, registrations, rules).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn remove(cx: UserCx, code: Path<String>) -> Result<HttpResponse, Problem> {
    cx.site.services.permissions.remove(&cx.op, &code).await?;
    Ok(HttpResponse::NoContent().finish())
}
