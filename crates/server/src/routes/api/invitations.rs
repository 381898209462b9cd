//! Invitations.

use actix_web::{HttpRequest, HttpResponse, web::Path};
use vestibule_core::{Secret, id::InvitationId};

use crate::{
    dto::{
        id,
        invitation::{AcceptIn, InvitationIn, InvitationOut},
        list::{ListQuery, PageOut},
        mailed::TokenIn,
    },
    extract::{Body, Posted, UserCx, anonymous, refuse_cross_site, session_of},
    problem::Problem,
};

pub(super) async fn invite(
    Posted(cx, input): Posted<InvitationIn>,
) -> Result<HttpResponse, Problem> {
    let invitation = cx.site.services.invitations.invite(&cx.op, input.parse()?).await?;
    Ok(HttpResponse::Accepted().json(InvitationOut::from(invitation)))
}

pub(super) async fn list(cx: UserCx) -> Result<HttpResponse, Problem> {
    let query: ListQuery = cx.query()?;
    let request = query.page(&cx, &[("created_at", ())])?;
    let page = cx.site.services.invitations.list(&cx.op, request.clone()).await?;
    let page = page.map(InvitationOut::from);
    Ok(HttpResponse::Ok().json(PageOut::new(&cx, &request, page)?))
}

pub(super) async fn withdraw(
    cx: UserCx,
    invitation: Path<String>,
) -> Result<HttpResponse, Problem> {
    cx.site.services.invitations.withdraw(&cx.op, which(&invitation)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn resend(cx: UserCx, invitation: Path<String>) -> Result<HttpResponse, Problem> {
    cx.site.services.invitations.resend(&cx.op, which(&invitation)?).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// With a name an account is made; without one whoever is logged in joins the groups.
pub(super) async fn accept(
    req: HttpRequest,
    Body(mut input): Body<AcceptIn>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    refuse_cross_site(&req, &site)?;
    site.rates.login(&op.client.address, op.now())?;
    let (new, policy) = (input.account(), input.policy.take());
    let token = Secret::from(input.token);
    let invitations = &site.services.invitations;
    if let Some(new) = new {
        invitations.accept(&op, &token, new, policy.as_deref()).await?;
    } else {
        let session = session_of(&req).await?;
        let op = match &session {
            Some(session) => op.acting_as(session.actor()),
            None => op,
        };
        invitations.join(&op, &token).await?;
    }
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn decline(
    req: HttpRequest,
    Body(input): Body<TokenIn>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    refuse_cross_site(&req, &site)?;
    site.rates.login(&op.client.address, op.now())?;
    site.services.invitations.decline(&op, &Secret::from(input.token)).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn which(invitation: &str) -> Result<InvitationId, Problem> {
    id("id", invitation)
}
