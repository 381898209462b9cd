//! Another mail address for the own account.

use actix_web::HttpResponse;
use vestibule_core::Secret;

use crate::{
    dto::mailed::{EmailChangeIn, TokenIn},
    extract::Posted,
    pace::Pace,
    problem::Problem,
};

pub(super) async fn change(
    Posted(cx, input): Posted<EmailChangeIn>,
) -> Result<HttpResponse, Problem> {
    cx.site.rates.register(&cx.op.client.address)?;
    let pace = Pace::begin();
    let password = input.password.map(Secret::from);
    let readdressing = &cx.site.services.readdressing;
    let done = readdressing.request(&cx.op, &input.email, password.as_ref()).await;
    pace.end().await;
    done?;
    Ok(HttpResponse::Accepted().finish())
}

pub(super) async fn confirm(Posted(cx, input): Posted<TokenIn>) -> Result<HttpResponse, Problem> {
    let token = Secret::from(input.token);
    cx.site.services.readdressing.confirm(&cx.op, &token).await?;
    Ok(HttpResponse::NoContent().finish())
}
