//! The login page.

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode};
use minijinja::context;
use serde::Deserialize;

use super::{
    next::own_path,
    view::{page, see_other},
};
use crate::{
    dto::session::LoginIn,
    extract::{Body, Query, RequestCx, anonymous, require_own_form},
    problem::Problem,
    routes::api::login::{cookie, open},
    site::Site,
};

/// What the address of the login page may hold. Never a name or a password: what else stands
/// there is not looked at.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    next: Option<String>,
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Form {
    username: Option<String>,
    password: Option<String>,
    otp: Option<String>,
    step: Option<String>,
    next: Option<String>,
}

pub(super) async fn show(cx: RequestCx, wanted: Query<Wanted>) -> HttpResponse {
    let next = own_path(&cx.site, wanted.next.as_deref());
    if cx.session.is_some() {
        return see_other(&next.unwrap_or_else(|| cx.site.path("/")));
    }
    form(&cx.site, StatusCode::OK, "", next.as_deref(), None)
}

pub(super) async fn submit(
    req: HttpRequest,
    Body(sent): Body<Form>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    require_own_form(&req, &site)?;
    let next = own_path(&site, sent.next.as_deref());
    let username = sent.username.clone().unwrap_or_default();
    let input = LoginIn {
        username: sent.username,
        password: sent.password,
        backend: None,
        otp: sent.otp,
        step: sent.step,
    };
    match open(&req, &site, &op, input).await {
        Ok(opened) => {
            let mut response = see_other(&next.unwrap_or_else(|| site.path("/")));
            if let Err(error) = response.add_cookie(&cookie(&site, &opened.token)) {
                tracing::error!(%error, "the session cookie could not be set");
            }
            Ok(response)
        }
        Err(problem) => {
            let status = problem.status_code();
            let mut answer = match problem.step() {
                Some(step) => {
                    let (token, prompt) = (&step.token, &step.prompt);
                    page(&site, status, "code.html", context! { token, prompt, next })
                }
                None => form(&site, status, &username, next.as_deref(), Some(problem.detail())),
            };
            // What the API says in headers (when to try again), the page says too.
            for (name, value) in problem.error_response().headers() {
                if name == actix_web::http::header::RETRY_AFTER {
                    answer.headers_mut().insert(name.clone(), value.clone());
                }
            }
            Ok(answer)
        }
    }
}

fn form(
    site: &Site,
    status: StatusCode,
    username: &str,
    next: Option<&str>,
    error: Option<&str>,
) -> HttpResponse {
    page(site, status, "login.html", context! { username, next, error })
}
