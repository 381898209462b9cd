//! Accounts.

use actix_web::{HttpResponse, web::Path};
use serde_json::json;
use vestibule_core::{
    Secret,
    ports::users::{UserFilter, UserOrder},
};

use super::login::welcome;
use crate::{
    dto::{
        id,
        list::{ListQuery, PageOut},
        user::{PasswordChangeIn, PasswordIn, UserIn, UserOut, UserPatchIn},
    },
    extract::{Posted, UserCx},
    problem::Problem,
};

const ORDERS: &[(&str, UserOrder)] = &[
    ("username", UserOrder::Username),
    ("email", UserOrder::Email),
    ("created_at", UserOrder::CreatedAt),
    ("last_login_at", UserOrder::LastLoginAt),
];

pub(super) async fn list(cx: UserCx) -> Result<HttpResponse, Problem> {
    let query: ListQuery = cx.query()?;
    let request = query.page(&cx, ORDERS)?;
    let filter = UserFilter {
        search: query.search.clone(),
        is_active: query.is_active,
        is_superuser: query.is_superuser,
        member_of: query.group.as_deref().map(|group| id("group", group)).transpose()?,
    };
    let page = cx.site.services.users.list(&cx.op, filter, request.clone()).await?;
    let page = page.map(UserOut::from);
    Ok(HttpResponse::Ok().json(PageOut::new(&cx, &request, page)?))
}

pub(super) async fn get(cx: UserCx, user: Path<String>) -> Result<HttpResponse, Problem> {
    let user = cx.site.services.users.get(&cx.op, id("id", &user)?).await?;
    Ok(HttpResponse::Ok().json(UserOut::from(user)))
}

pub(super) async fn add(Posted(cx, input): Posted<UserIn>) -> Result<HttpResponse, Problem> {
    let user = cx.site.services.users.add(&cx.op, input.parse()?).await?;
    Ok(HttpResponse::Created().json(UserOut::from(user)))
}

pub(super) async fn edit(
    Posted(cx, patch): Posted<UserPatchIn>,
    user: Path<String>,
) -> Result<HttpResponse, Problem> {
    let user = id("id", &user)?;
    let user = cx.site.services.users.edit(&cx.op, user, patch.parse()?).await?;
    Ok(HttpResponse::Ok().json(UserOut::from(user)))
}

pub(super) async fn remove(cx: UserCx, user: Path<String>) -> Result<HttpResponse, Problem> {
    cx.site.services.users.delete(&cx.op, id("id", &user)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn set_password(
    Posted(cx, input): Posted<PasswordIn>,
    user: Path<String>,
) -> Result<HttpResponse, Problem> {
    let password = Secret::from(input.password);
    cx.site.services.passwords.set(&cx.op, id("id", &user)?, &password).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn change_password(
    Posted(cx, input): Posted<PasswordChangeIn>,
) -> Result<HttpResponse, Problem> {
    let (old, new) = (Secret::from(input.old_password), Secret::from(input.password));
    let services = &cx.site.services;
    services.passwords.change_own(&cx.op, &old, &new).await?;
    if cx.session.as_ref().is_some_and(|session| session.session.is_none()) {
        // A program has no session that could go on.
        return Ok(HttpResponse::NoContent().finish());
    }
    // Whoever knew the old token does not know the new one (OWASP, Session Management).
    let renewed = services.sessions.renew(&cx.op).await?;
    let opened = renewed.ok_or_else(Problem::unauthenticated)?;
    welcome(&cx.site, &cx.op, &opened).await
}

pub(super) async fn permissions(cx: UserCx, user: Path<String>) -> Result<HttpResponse, Problem> {
    let held = cx.site.services.permissions.effective(&cx.op, id("id", &user)?).await?;
    Ok(HttpResponse::Ok().json(json!({ "count": held.len(), "results": held })))
}
