//! The link by which somebody who was invited comes in.

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode, web::Path};
use minijinja::context;
use serde::Deserialize;
use vestibule_core::{
    OpCx, Secret,
    id::UserId,
    usecase::{
        error::AdminError,
        invitations::Invited,
        session_token::{csrf_token, is_csrf_token},
        users::NewUser,
    },
};

use super::{
    link::Link,
    register::capital,
    view::{message, page, refused, see_other, when},
};
use crate::{
    extract::{Body, RequestCx, anonymous, require_own_form, token_of},
    problem::Problem,
    site::Site,
};

const LINK: Link = Link { page: "/invitation", cookie: "vestibule-invitation" };

/// What the form of a new account sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct AccountForm {
    username: String,
    first_name: String,
    last_name: String,
    password: String,
    password_again: String,
    policy: Option<String>,
}

/// What the form of somebody sends who has an account.
#[derive(Deserialize)]
pub(super) struct JoinForm {
    csrf_token: String,
}

pub(super) async fn open(cx: RequestCx, token: Path<String>) -> HttpResponse {
    LINK.open(&cx.site, &token)
}

pub(super) async fn show(req: HttpRequest, cx: RequestCx) -> Result<HttpResponse, Problem> {
    let site = &cx.site;
    let (_, invited) = match invited(&req, site, &cx.op).await? {
        Ok(found) => found,
        Err(answer) => return Ok(answer),
    };
    let own = cx.session.as_ref().map(|session| session.principal.user);
    Ok(match invited.account {
        None => form(site, StatusCode::OK, &invited, &AccountForm::default(), None),
        Some(account) if own == Some(account) => {
            let csrf_token = token_of(&req, site).map(|token| csrf_token(token.expose()));
            let username = cx.op.actor.name();
            let (by, groups) = (invited.by, invited.groups);
            page(site, StatusCode::OK, "join.html", context! { by, groups, username, csrf_token })
        }
        Some(_) => to_log_in(site, own),
    })
}

/// To the login and back; whoever is logged in to another account is told.
fn to_log_in(site: &Site, own: Option<UserId>) -> HttpResponse {
    if own.is_some() {
        let text = "The invitation is for another mail address than that of the account you are \
                    logged in to. Log out, and open the link once more.";
        return message(site, StatusCode::CONFLICT, "Another account", text);
    }
    let next = site.path(LINK.page);
    let next = url::form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>();
    see_other(&site.path(&format!("/login?next={next}")))
}

pub(super) async fn accept(
    req: HttpRequest,
    Body(sent): Body<AccountForm>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    require_own_form(&req, &site)?;
    let (token, invited) = match invited(&req, &site, &op).await? {
        Ok(found) => found,
        Err(answer) => return Ok(answer),
    };
    if sent.password != sent.password_again {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(form(&site, status, &invited, &sent, Some("the two passwords differ")));
    }
    let new = NewUser {
        username: sent.username.clone(),
        password: Some(Secret::from(sent.password.as_str())),
        first_name: sent.first_name.clone(),
        last_name: sent.last_name.clone(),
        ..NewUser::default()
    };
    let invitations = &site.services.invitations;
    match invitations.accept(&op, &token, new, sent.policy.as_deref()).await {
        Ok(_) => Ok(LINK.used(&site, see_other(&site.path("/login")))),
        Err(AdminError::DeadLink) => Ok(dead(&site)),
        Err(error) => {
            let problem = Problem::from(error);
            let status = problem.status_code();
            Ok(when(form(&site, status, &invited, &sent, Some(problem.detail())), &problem))
        }
    }
}

pub(super) async fn join(
    req: HttpRequest,
    Body(sent): Body<JoinForm>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    require_own_form(&req, &site)?;
    let session_token = token_of(&req, &site).ok_or_else(Problem::unauthenticated)?;
    let principals = &site.services.principals;
    let session = principals.recognise(session_token.expose(), &*site.clock).await?;
    let session = session.ok_or_else(Problem::unauthenticated)?;
    if !is_csrf_token(session_token.expose(), sent.csrf_token.as_bytes()) {
        let text = "This form is out of date. Open the link once more.";
        return Ok(message(&site, StatusCode::FORBIDDEN, "Nothing was changed", text));
    }
    let Some(token) = LINK.token(&req, &site) else {
        return Ok(dead(&site));
    };
    match site.services.invitations.join(&op.acting_as(session.actor()), &token).await {
        Ok(_) => Ok(LINK.used(&site, see_other(&site.path("/")))),
        Err(AdminError::DeadLink) => Ok(dead(&site)),
        Err(AdminError::Conflict { .. }) => Ok(to_log_in(&site, Some(session.principal.user))),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn decline(req: HttpRequest) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    require_own_form(&req, &site)?;
    if let Err(error) = site.rates.login(&op.client.address, op.now()) {
        return Ok(refused(&site, &error.into()));
    }
    let Some(token) = LINK.token(&req, &site) else {
        return Ok(dead(&site));
    };
    match site.services.invitations.decline(&op, &token).await {
        Ok(()) => {
            let text = "The invitation counts no more. You will not be asked again because of it.";
            Ok(LINK.used(&site, message(&site, StatusCode::OK, "Declined", text)))
        }
        Err(AdminError::DeadLink) => Ok(dead(&site)),
        Err(error) => Err(error.into()),
    }
}

/// What the link of this browser invites to; or the page that says that it does not any more.
async fn invited(
    req: &HttpRequest,
    site: &Site,
    op: &OpCx,
) -> Result<Result<(Secret, Invited), HttpResponse>, Problem> {
    if let Err(error) = site.rates.login(&op.client.address, op.now()) {
        return Ok(Err(refused(site, &error.into())));
    }
    let Some(token) = LINK.token(req, site) else {
        return Ok(Err(dead(site)));
    };
    match site.services.invitations.look(op, &token).await {
        Ok(invited) => Ok(Ok((token, invited))),
        Err(AdminError::DeadLink) => Ok(Err(dead(site))),
        Err(AdminError::Forbidden(closed)) => {
            Ok(Err(message(site, StatusCode::FORBIDDEN, "No invitations", &capital(&closed))))
        }
        Err(error) => Err(error.into()),
    }
}

fn dead(site: &Site) -> HttpResponse {
    let text = "This invitation was accepted, declined or taken back already, or is too old, or \
                whoever invited you may not do so any more. Ask them for another. If you have just \
                opened it from a mail, open it once more in a browser that keeps cookies.";
    LINK.used(site, message(site, StatusCode::NOT_FOUND, "The invitation counts no more", text))
}

fn form(
    site: &Site,
    status: StatusCode,
    invited: &Invited,
    sent: &AccountForm,
    error: Option<&str>,
) -> HttpResponse {
    let settings = &site.settings.registration;
    let own = context! {
        error,
        by => &invited.by,
        groups => &invited.groups,
        email => invited.invitation.email.as_str(),
        username => &sent.username,
        first_name => &sent.first_name,
        last_name => &sent.last_name,
        min_length => site.settings.password.min_length,
        policy => &settings.policy_version,
        policy_url => &settings.policy_url,
    };
    page(site, status, "invitation.html", own)
}
